"""JIS X 0208 + 8080 between shift codes that the manifest gives: for makers without a public table (MELCOM, and others).

Nothing is assumed: `opening` and `closing` (one to four bytes each, hexadecimal) and `single`, the single-byte page, must be
given. `edition` is that of JIS: 1978, with the 48 codes that were other characters then, 1983 or 1990. The area before the
standard one is the maker's and undefined but for a table file. Rows in which the edition has nothing (41 to A0, A9 to AF,
F5 to FE; in 1978 A8 and F4, too) are user-defined only where `user_area` says so.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import USUAL, read_page
from extractors.charsets._inventory import span
from extractors.charsets.contract import Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options

LOW = range(0xA1, 0xFF)


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    codes = {name: _code(options, name) for name in ("opening", "closing")}
    if codes["opening"] and codes["opening"] == codes["closing"]:
        options.refuse("opening and closing are the same shift code")
    if "single" not in options:
        options.refuse("single: the single-byte page must be given, for no maker's is assumed", USUAL)
    page = read_page(options, "single", "jis_x_0201")
    edition = int(options.choice("edition", "1983", ("1978", "1983", "1990")))
    moved = jis.moved_since_1978() if edition == 1978 else {}
    standard = {code + jis.GR: jis.x0208()[moved.get(code, code)] for code in jis.x0208(edition)}
    area = _area(options, {code >> 8 for code in standard})
    double = characters.undefined(65536)
    characters.assign(double, standard)
    own = (Area("user-defined", area, LOW, CharacterClass.USER_DEFINED, "the municipality"),) if area else ()
    if own:
        characters.user_defined_area(double, own, policies.private_area(options, policies.areas_size(own)))
    space = options.choice("space", "a1a1", ("a1a1", "4040"))
    characters.spaces(double, 0xA1A1, int(space, 16))
    charset = Charset(
        name="jis_8080",
        single=characters.single_byte_table(page),
        double=double,
        shifts=(Shift(codes["opening"], True), Shift(codes["closing"], False)),
        double_space=int(space, 16),
        ascii=page[0x41] == "A",
        areas=(*own, Area("standard", LOW, LOW, CharacterClass.STANDARD, f"JIS X 0208:{edition} + 8080")),
        policies=MappingProxyType(
            {name: options.get(name, "") for name in ("opening", "closing", "single")}
            | {"edition": str(edition), "space": space, "user_area": options.get("user_area", "none")}
        ),
    )
    return policies.settle(charset, options, folder)


def _code(options: Options, name: str) -> bytes:
    text = options.get(name, "")
    try:
        code = bytes.fromhex(text)
    except ValueError:
        code = b""
    if 1 <= len(code) <= 4:
        return code
    options.refuse(f"{name}: `{text[:20]}` is no shift code", ("one to four bytes, hexadecimal, such as 0A42",))
    return b""


def _area(options: Options, standard: set[int]) -> range:
    """The rows of `user_area`; none may be one of the standard's."""
    text = options.get("user_area", "")
    if not text:
        return range(0)
    first, _, last = text.partition("..")
    try:
        rows = range(int(first, 16), int(last, 16) + 1)
    except ValueError:
        rows = range(0)
    if not rows or rows.start < 0x41 or rows.stop > 0xFF:
        options.refuse(f"user_area: `{text[:20]}` is no range of rows", ("two first bytes, such as F5..FE",))
        return range(0)
    if not standard.isdisjoint(rows):
        free = span([row for row in range(0x41, 0xFF) if row not in standard])
        options.refuse(f"user_area: `{text[:20]}` holds rows of the standard area", (f"rows of {free}",))
        return range(0)
    return rows


CHARSET = CharsetFamily(
    name="jis_8080",
    title="JIS X 0208 + 8080 with shift codes of its own",
    options={
        "opening": "the shift code before double-byte text, hexadecimal (must be given)",
        "closing": "the shift code after it (must be given)",
        "single": "the single-byte page, such as hitachi_ebcdik or jis_x_0201 (must be given)",
        "edition": "of JIS X 0208: 1978, 1983 or 1990 (1983)",
        "space": "the ideographic space that is written: a1a1 or 4040 (a1a1)",
        "user_area": "rows of user-defined codes, such as F5..FE (none)",
        **policies.OPTIONS,
    },
    make=make,
    profiles={"as an example": {"opening": "0E", "closing": "0F", "single": "cp290"}},
)
