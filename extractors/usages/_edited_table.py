"""Numeric-edited pictures: what each byte may be, and how the sign is written."""

from __future__ import annotations

import functools

import numpy as np

from extractors.dialects.contract import AsciiSigns
from extractors.layout import Picture
from extractors.usages import _signs as signs

DIGIT, POINT, SKIP, PLUS, MINUS, _, OVER_PLUS, OVER_MINUS, SPACE = (1 << n for n in range(4, 13))
"""What a byte is within an edited number; the low four bits are a digit's value."""

INSERTED = 0x100
"""Tells a byte that the picture itself puts at a place from none."""

NO_SIGN, SIGN, SIGN_OVER = 0, 1, 3
"""What the plan's LETTERS says; more than that are the two letters, CR or DB, that mean minus."""


def sign_of(symbols: str, *, in_ascii: bool) -> int:
    """The plan's LETTERS of an edited picture."""
    letters = symbols[-2:].upper()
    if letters in ("CR", "DB"):
        one, two = letters.encode("latin-1" if in_ascii else "cp037")
        return one << 8 | two
    return SIGN_OVER if "S" in symbols else SIGN if set(symbols) & set("+-") else NO_SIGN


@functools.cache
def table(*, in_ascii: bool, picture: Picture, ascii_signs: AsciiSigns = "ebcdic") -> np.ndarray:
    """(256,) uint32: what each byte is within a number of this picture."""
    made = np.zeros(256, np.uint32)
    codec = "latin-1" if in_ascii else "cp037"

    def put(characters: str, kind: int) -> None:
        for code in characters.encode(codec):
            made[code] = kind

    entries = signs.table(in_ascii=in_ascii, plus="C", minus="D", ascii_signs=ascii_signs)
    for kind, over in ((signs.DIGIT, DIGIT), (signs.PLUS_DIGIT, OVER_PLUS), (signs.MINUS_DIGIT, OVER_MINUS)):
        codes = np.flatnonzero(entries & kind)
        made[codes] = entries[codes] & 0xF | over
    # DECIMAL-POINT IS COMMA: the picture's symbols have the point where its text has a comma.
    point, comma = ",." if picture.decimal_comma else ".,"
    put(f"{comma}/*$", SKIP)
    put(point, POINT)
    put("+", PLUS)
    put("-", MINUS)
    put(" ", SPACE)
    if in_ascii:
        made[0x5C] = SKIP
    else:
        # The yen sign and the backslash of the Japanese code pages.
        made[0x5B] = made[0xB2] = made[0xE0] = SKIP
    return made


@functools.cache
def inserted(*, in_ascii: bool, picture: Picture) -> np.ndarray:
    """(positions,) uint16: the space or zero that the picture's B or 0 puts at each place, with `INSERTED`; 0 elsewhere.

    Such a byte is no part of the number: 9B99 prints 123 as `1 23`, and 9(3)00 as `12300`.
    """
    codes = {"B": 0x20 if in_ascii else 0x40, "0": 0x30 if in_ascii else 0xF0}
    symbols = (symbol for symbol in picture.symbols if symbol not in "VS")
    return np.array([codes[symbol] | INSERTED if symbol in codes else 0 for symbol in symbols], np.uint16)
