"""Hitachi KEIS: kanji between the shifts 0A42 and 0A41, single bytes of EBCDIK or EBCDIC.

The single bytes are EBCDIK (kana, lower case in the free positions: the default) or EBCDIC (Latin letters first), by the
option `single`. 0A before any other byte is an ordinary byte.

    A1A1 to FEFE  standard area, JIS X 0208 + 8080. KEIS83 is the edition of 1983 and KEIS90 that of 1990, without a single
                  exception. KEIS78 is that of 1978, with the symbols of row 2 that later editions have, 46 listed
                  exceptions, line elements in AFA1 to AFC4, and 凜 and 熙 at F4A5 and F4A6.
    59A1 to 80FE  extended set 3: no public table; a table file (`table`) gives it. KEIS78 has 堯槇瑤遙 at 5CC3, 61FC, 65A7
                  and 6BA2.
    81A1 to A0FE  user-defined: private use, 94 cells a row. 9FA1 to 9FD8 lies in it, and is said to be assigned by the
                  maker: an area of its own in lists of gaiji.
    41A1 to 58FE  reserved, undefined
    4040          ideographic space, written; A1A1 reads as one, too. At some sites 4040 are two half-width spaces: `space_4040`
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

import numpy as np

from extractors.charsets import _jis as jis
from extractors.charsets import _policies as policies
from extractors.charsets import contract as characters
from extractors.charsets._code_pages import code_page
from extractors.charsets.contract import FIRST_SEQUENCE, Area, CharacterClass, Charset, CharsetFamily, Shift
from extractors.options import Options

LOW = range(0xA1, 0xFF)
STANDARD = Area("standard", range(0xA1, 0xFF), LOW, CharacterClass.STANDARD, "JIS X 0208 + 8080")
MAKERS = Area(
    "maker's, in the user-defined area", range(0x9F, 0xA0), range(0xA1, 0xD9), CharacterClass.USER_DEFINED, "none"
)
USER_DEFINED = Area("user-defined", range(0x81, 0xA1), LOW, CharacterClass.USER_DEFINED, "the municipality")
EXTENDED = Area("extended set 3", range(0x59, 0x81), LOW, CharacterClass.EXTENDED, "a table file")
RESERVED = Area("reserved", range(0x41, 0x59), LOW, CharacterClass.UNDEFINED, "none")

LINE_ELEMENTS = "┌┏┐┓└┗┘┛├┣┤┫┬┳┴┻┼╋─━│┃╎╏"
"""KEIS78, AFA1 on: each shape in three widths, of which Unicode has the thin one and a thick one (jef4j 0.12.2)."""

MOVED = {0x5CC3: "堯", 0x61FC: "槇", 0x65A7: "瑤", 0x6BA2: "遙"}


def make(options: Options, folder: Path) -> Charset:
    """Make the charset.

    Raises:
        SpecError: a file of an option cannot be used.
    """
    edition = options.choice("edition", "keis83", ("keis78", "keis83", "keis90"))
    single = options.choice("single", "ebcdik", ("ebcdik", "ebcdic"))
    space = options.choice("space_4040", "ideographic", ("ideographic", "two_spaces"))
    double = characters.undefined(65536)
    year = 1990 if edition == "keis90" else 1983
    characters.assign(double, {code + jis.GR: text for code, text in jis.x0208(year).items()})
    if edition == "keis78":
        _keis78(double)
    first = policies.private_area(options, policies.areas_size((USER_DEFINED,)))
    characters.user_defined_area(double, (USER_DEFINED,), first)
    characters.spaces(double, 0xA1A1, 0x4040)
    page = code_page(f"hitachi_{single}")
    assert page is not None
    charset = Charset(
        name="hitachi",
        single=characters.single_byte_table(page),
        double=double,
        shifts=(Shift(b"\x0a\x42", True), Shift(b"\x0a\x41", False)),
        areas=(STANDARD, MAKERS, USER_DEFINED, EXTENDED, RESERVED),
        policies=MappingProxyType({"edition": edition, "single": single, "space_4040": space}),
    )
    if space == "two_spaces":
        double[0x4040] = characters.entry(FIRST_SEQUENCE)
        charset = dataclasses.replace(charset, sequences=("  ",), double_space=0xA1A1)
    return policies.settle(charset, options, folder)


def _keis78(double: np.ndarray) -> None:
    """What KEIS78 has otherwise than the edition of 1983."""
    for code in (*range(0xA8A1, 0xA8C1), *range(0xF4A1, 0xF4A5)):
        double[code] = characters.entry(characters.REPLACEMENT, CharacterClass.UNDEFINED)
    characters.assign(double, {code: text for code, (text, _) in jis.exceptions("keis78").items()})
    for number, (thin, thick) in enumerate(zip(LINE_ELEMENTS[::2], LINE_ELEMENTS[1::2], strict=True)):
        characters.assign(double, {0xAFA1 + 3 * number + n: text for n, text in enumerate((thin, thick, thick))})
    characters.assign(double, {0xF4A5: "凜", 0xF4A6: "熙"} | MOVED)


CHARSET = CharsetFamily(
    name="hitachi",
    title="Hitachi KEIS",
    options={
        "edition": "keis78, keis83 or keis90 (keis83)",
        "single": "single bytes: ebcdik (kana first) or ebcdic (Latin letters first) (ebcdik)",
        "space_4040": "what 4040 is: ideographic (one wide space) or two_spaces (ideographic)",
        **policies.OPTIONS,
    },
    make=make,
    profiles={
        "KEIS78 with EBCDIK": {"edition": "keis78"},
        "KEIS83 with EBCDIK": {},
        "KEIS90 with EBCDIK": {"edition": "keis90"},
        "KEIS83 with EBCDIC": {"single": "ebcdic"},
    },
)
