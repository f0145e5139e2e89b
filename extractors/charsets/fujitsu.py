"""Fujitsu JEF with EBCDIK: kanji between the shifts 28 or 38 and 29, half-width kana as single bytes.

Standard area A1A1 to FEFE: JIS C 6226:1978 + 8080, computed from EUC-JP and the exceptions of
`tables/jef_exceptions.txt`; what later editions of the standard added is not assigned. The symbols are the standard's
own: A1BD U+2014, A1C1 U+301C, A1C2 U+2016, A1DD U+2212. Both 4040 and A1A1 are the ideographic space.
User-defined area 80A1 to A0FE: U+E000 + (lead - 80) * 94 + (low - A1).
Extended area 41A1 to 7FFE: no public standard or library has its table, so it comes from a table file of the
municipality (option `table`), a code and a Unicode scalar value a line; without it these codes are undefined, but for
the few variants of usual kanji in `tables/jef_variants.txt`, which read as those kanji.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import ebcdic

from extractors import characters
from extractors.characters import CharacterClass, Charset, CharsetFamily, ShiftAction

LOW_BYTES = range(0xA1, 0xFF)
STANDARD_LEAD = range(0xA1, 0xFF)
USER_DEFINED_LEAD = range(0x80, 0xA1)
EXTENDED_AREA = range(0x41A1, 0x7FFF)

ADDED_SINCE_1978 = (
    range(0xA2BA, 0xA2C2),
    range(0xA2CA, 0xA2D1),
    range(0xA2DC, 0xA2EB),
    range(0xA2F2, 0xA2FA),
    range(0xA2FE, 0xA2FF),
    range(0xA8A1, 0xA8C1),
    range(0xF4A1, 0xF4A7),
)
"""Codes that the editions of 1983 and 1990 assigned; JEF's standard area has none of them."""

ROW_13 = {0xADE5: "㊤", 0xADE6: "㊥", 0xADE7: "㊦", 0xADE8: "㊧", 0xADE9: "㊨", 0xADF3: "∮", 0xADF8: "∟", 0xADF9: "⊿"}
"""Fujitsu's own eight symbols in row 13 (jef4j 0.12.2)."""

SYMBOLS = {0xA1BD: 0x2014, 0xA1C1: 0x301C, 0xA1C2: 0x2016, 0xA1DD: 0x2212}


def make(options: Mapping[str, str], folder: Path) -> Charset:
    """Make the charset.

    Args:
        options: `table`, the path of a table file for the extended area, relative to `folder`.
        folder: the folder of the manifest, or the working folder of a command.

    Raises:
        SpecError: the table file cannot be used.
    """
    double = characters.undefined(65536)
    for code, pair in characters.pairs(STANDARD_LEAD, LOW_BYTES):
        character = pair.decode("euc_jp", errors="ignore")
        if len(character) == 1 and not any(code in added for added in ADDED_SINCE_1978):
            double[code] = characters.entry(ord(character))
    for code, point in SYMBOLS.items():
        double[code] = characters.entry(point)
    for code, character in ROW_13.items():
        double[code] = characters.entry(ord(character))
    for file, kind in (("jef_exceptions.txt", CharacterClass.STANDARD), ("jef_variants.txt", CharacterClass.VARIANT)):
        for line in resources.files("extractors.charsets.tables").joinpath(file).read_text("utf-8").splitlines():
            if not line.startswith("#"):
                double[int(line[:4], 16)] = characters.entry(ord(line[5]), kind)
    characters.user_defined_area(double, lead=USER_DEFINED_LEAD, low=LOW_BYTES)
    if "table" in options:
        table = characters.read_table_file(folder / options["table"], name=options["table"], allowed=EXTENDED_AREA)
        for code, point in table.items():
            double[code] = characters.entry(point, CharacterClass.EXTENDED)
    double[0x4040] = characters.entry(characters.IDEOGRAPHIC_SPACE)
    double[0x0000] = characters.entry(characters.IDEOGRAPHIC_SPACE, CharacterClass.LOW_VALUE)
    return Charset(
        name="fujitsu",
        single=characters.single_byte_table(_ebcdik()),
        double=double,
        shifts={0x28: ShiftAction.TO_DOUBLE, 0x38: ShiftAction.TO_DOUBLE, 0x29: ShiftAction.TO_SINGLE},
        to_double=0x28,
        to_single=0x29,
    )


def _ebcdik() -> str:
    """EBCDIC(kana): IBM 290 but for its lower-case letters, which it does not have, and eight symbols."""
    table = list(ebcdic.cp290.decoding_table)
    lower = [byte for byte, character in enumerate(table) if "a" <= character <= "z"]
    for byte in (*lower, 0x70, 0x80, 0xA0, 0xB0, 0xB1, 0xB2):
        table[byte] = "\N{REPLACEMENT CHARACTER}"
    for byte, character in {0x5B: "\\", 0x6A: "¦", 0xA1: "~"}.items():
        table[byte] = character
    return "".join(table)


CHARSET = CharsetFamily(
    name="fujitsu",
    title="Fujitsu JEF with EBCDIK",
    options={"table": "table file of the extended area: a code and a Unicode scalar value a line"},
    make=make,
)
