"""Unisys LETS-J: JIS X 0208 + 8080 and JIS X 0212 + 8000 between the shifts 9370 and 93F1, JIS X 0201 as single bytes.

    A1A1 to FEFE  JIS X 0208        A121 to FE7E  JIS X 0212 (only the first byte has its high bit set)
    21A1 to 7EFE  user-defined, from U+F0000 on (they are too many for U+E000)
    2020          ideographic space, written; A1A1 reads as one, too

Sources: Jacode4e 2.13.6.13 (shift codes, areas), Jef4Net (user-defined area); no document of the maker was seen.
"""

from __future__ import annotations

from pathlib import Path

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import code_page
from extractors.charsets.contract import Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options

GL, GR = range(0x21, 0x7F), range(0xA1, 0xFF)
USER_DEFINED = Area("user-defined", GL, GR, CharacterClass.USER_DEFINED, "the municipality")


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    double = characters.undefined(65536)
    characters.assign(double, {code + jis.GR: text for code, text in jis.x0208(1983).items()})
    characters.assign(double, {code + 0x8000: text for code, text in jis.x0212().items()})
    first = policies.private_area(options, policies.areas_size((USER_DEFINED,)), usual="F0000")
    characters.user_defined_area(double, (USER_DEFINED,), first)
    characters.spaces(double, 0xA1A1, 0x2020)
    single = code_page("jis_x_0201")
    assert single is not None
    charset = Charset(
        name="unisys",
        single=characters.single_byte_table(single),
        double=double,
        shifts=(Shift(b"\x93\x70", True), Shift(b"\x93\xf1", False)),
        double_space=0x2020,
        ascii=True,
        areas=(
            USER_DEFINED,
            Area("JIS X 0208", GR, GR, CharacterClass.STANDARD, "JIS X 0208:1983 + 8080"),
            Area("JIS X 0212", GR, GL, CharacterClass.STANDARD, "JIS X 0212:1990 + 8000"),
        ),
    )
    return policies.settle(charset, options, folder)


CHARSET = CharsetFamily(
    name="unisys", title="Unisys LETS-J", options=policies.OPTIONS, make=make, profiles={"LETS-J": {}}
)
