"""IBM CCSID 930: single bytes of CCSID 290 (half-width kana), kanji of CCSID 300 between SO (0E) and SI (0F).

The single-byte part is the codec cp290 of the package `ebcdic`; the double-byte part is `tables/ibm300.txt`.
Where IBM publishes two variants of a symbol, the JIS one is taken: 444A is U+2014, 447C U+2016, 4260 U+2212,
43A1 U+301C, 426A U+00A6. Codes 6941 to 7FFE are user-defined: U+E000 + (lead - 69) * 190 + (low - 41).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import ebcdic

from extractors import characters
from extractors.characters import Charset, CharsetFamily, ShiftAction

USER_DEFINED_LEAD = range(0x69, 0x80)
LOW_BYTES = range(0x41, 0xFF)


def make(options: Mapping[str, str], folder: Path) -> Charset:
    """Make the charset; it takes no options."""
    double = characters.undefined(65536)
    rows = resources.files("extractors.charsets.tables").joinpath("ibm300.txt").read_text("utf-8").split("\n")
    for row in rows:
        if not row or row.startswith("#"):
            continue
        lead = int(row[:2], 16)
        for low, character in zip(LOW_BYTES, row[3:], strict=True):
            if ord(character) != characters.REPLACEMENT:
                double[lead << 8 | low] = characters.entry(ord(character))
    double[0x4040] = characters.entry(characters.IDEOGRAPHIC_SPACE)
    double[0x0000] = characters.entry(characters.IDEOGRAPHIC_SPACE, characters.CharacterClass.LOW_VALUE)
    characters.user_defined_area(double, lead=USER_DEFINED_LEAD, low=LOW_BYTES)

    return Charset(
        name="ibm",
        single=characters.single_byte_table(ebcdic.cp290.decoding_table),
        double=double,
        shifts={0x0E: ShiftAction.TO_DOUBLE, 0x0F: ShiftAction.TO_SINGLE},
        to_double=0x0E,
        to_single=0x0F,
    )


CHARSET = CharsetFamily(name="ibm", title="IBM CCSID 930 (290 + 300)", options={}, make=make)
