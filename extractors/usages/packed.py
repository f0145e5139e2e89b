"""COMP-3, PACKED-DECIMAL: two digits a byte, the sign in the last half byte.

    12 34 5C  ->  12345        00 01 2D  ->  -12        40 40 40  ->  no value

Sign nibbles A, C, E and F are plus, B and D minus (z/Architecture Principles of Operation, decimal codes); digits above
nine and a digit in the sign's place are no packed decimal. A minus in a field without S in its PICTURE is none either.
A PICTURE of an even number of digits leaves one half byte over: a digit there is kept and reported, unless the number
then has more digits than its type can hold.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import pyarrow as pa

from extractors.characters import Charset
from extractors.digits import MAX_INT64_DIGITS, add_scaled, digits_of, to_integers
from extractors.layout import Field
from extractors.memory import load_be64, load_byte
from extractors.usage import LOST, OUT_OF_PICTURE, Usage

_SIXES = np.uint64(0x6666666666666666)
_ONES = np.uint64(0x1111111111111111)
_F = np.uint64(0xF)


@nb.njit(nogil=True, cache=True)
def fold_nibbles(nibbles):
    """The number that sixteen binary-coded digits stand for."""
    nibbles = (nibbles & np.uint64(0x0F0F0F0F0F0F0F0F)) + np.uint64(10) * (
        (nibbles >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    )
    nibbles = (nibbles & np.uint64(0x00FF00FF00FF00FF)) + np.uint64(100) * (
        (nibbles >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    )
    nibbles = (nibbles & np.uint64(0x0000FFFF0000FFFF)) + np.uint64(10_000) * (
        (nibbles >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    )
    return (nibbles & np.uint64(0xFFFFFFFF)) + np.uint64(100_000_000) * (nibbles >> np.uint64(32))


@nb.njit(nogil=True, cache=True)
def not_decimal(nibbles):
    """The carries that a nibble above nine makes when six is added to it."""
    high = nibbles >> np.uint64(60)
    low = nibbles & np.uint64(0x0FFFFFFFFFFFFFFF)
    return (((low + (_SIXES >> np.uint64(4))) ^ low ^ (_SIXES >> np.uint64(4))) & _ONES) | np.uint64(
        high > np.uint64(9)
    )


@nb.njit(nogil=True, cache=True)
def decode(data, pos, first, last, offset, width, digits, signed, wide, low, high, fields, rows, flags, found, number):
    """Decode records `first` to `last` of one column into `low` (and `high`, where `wide`); list what is no number.

    Compiled; called by the driver. Values are two's complement over 64 or, where `wide`, 128 bits.
    """
    # Sign nibbles that are signs at all, and those that are minus, as bit masks over the nibble's value.
    minus = np.uint64(0x2800)
    padded = digits % 2 == 0
    accepted = np.uint64(0xFC00) if signed else np.uint64(0xFC00) & ~minus
    mask = ~np.uint64(0) if width >= 8 else (np.uint64(1) << np.uint64(8 * width)) - np.uint64(1)
    for r in range(first, last):
        start = pos[r] + offset
        word = load_be64(data, start + width - 8) & mask
        sign = word & _F
        nibbles = word >> np.uint64(4)
        bad = not_decimal(nibbles) | (((accepted >> sign) & np.uint64(1)) ^ np.uint64(1))
        value = fold_nibbles(nibbles)
        negative = (minus >> sign) & np.uint64(1)
        if not wide:
            if width > 8:
                more = load_be64(data, start + width - 16)
                if width < 16:
                    more &= (np.uint64(1) << np.uint64(8 * (width - 8))) - np.uint64(1)
                bad |= not_decimal(more)
                value += fold_nibbles(more) * np.uint64(1_000_000_000_000_000)
            low[r] = np.int64((value ^ (np.uint64(0) - negative)) + negative)
        else:
            top = np.uint64(0)
            total = np.uint64(0)
            lead = (width - 8) % 8
            left = start + lead
            for byte in range(lead):
                pair = load_byte(data, start + byte)
                bad |= not_decimal(pair)
                top, total = add_scaled(top, total, np.uint64(100), fold_nibbles(pair))
            while left < start + width - 8:
                part = load_be64(data, left)
                bad |= not_decimal(part)
                top, total = add_scaled(top, total, np.uint64(10_000_000_000_000_000), fold_nibbles(part))
                left += 8
            top, total = add_scaled(top, total, np.uint64(1_000_000_000_000_000), value)
            if negative:
                total = ~total + np.uint64(1)
                top = ~top + np.uint64(total == 0)
            low[r] = np.int64(total)
            high[r] = np.int64(top)
        beyond = padded and load_byte(data, start) > np.uint64(0xF)
        lost = bad != 0 or (beyond and digits >= MAX_INT64_DIGITS)
        fields[found] = number
        rows[found] = r
        flags[found] = LOST if lost else OUT_OF_PICTURE
        found += lost or beyond
    return found


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers: C for plus, D for minus, F where the PICTURE has no sign."""
    values = to_integers(column)
    magnitude, misfit = digits_of(values, 2 * field.width - 1, field.picture.size)
    nibbles = np.zeros((len(values), 2 * field.width), np.uint8)
    nibbles[:, :-1] = magnitude
    nibbles[:, -1] = np.where(values < 0, 0xD, 0xC) if field.picture.signed else 0xF
    cells[:] = nibbles[:, 0::2] << 4 | nibbles[:, 1::2]
    if not field.picture.signed:
        misfit |= np.asarray(values < 0)
    return misfit


USAGE = Usage(
    name="packed",
    doc=__doc__ or "",
    kernel=decode,
    flags={LOST: "D201", OUT_OF_PICTURE: "D204"},
    empty=b"\x00\x40\x0c\x0d\x0f",
    encode=encode,
)
