"""Zoned decimal (numeric DISPLAY): a digit a byte, its zone F, the sign as the zone of the last byte.

    F1 F2 C3  ->  123          F1 F2 D3  ->  -123        F1 F2 F3  ->  123        40 40 40  ->  no value (blank)

Zones A, C, E and F of the last byte are plus, B and D minus; a minus in a field without S is no value. A space among
the digits is none either: it may stand for a zero, or for a digit that was lost.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import pyarrow as pa

from extractors.characters import Charset
from extractors.digits import add_scaled, digits_of, to_integers
from extractors.layout import Field
from extractors.memory import load_be64, load_byte
from extractors.usage import LOST, Usage

_ZONES = np.uint64(0xF0F0F0F0F0F0F0F0)
_DIGITS = np.uint64(0x0F0F0F0F0F0F0F0F)
_SIXES = np.uint64(0x0606060606060606)


@nb.njit(nogil=True, cache=True)
def fold_digits(word):
    """The number that eight bytes of one digit each stand for; their zones are not looked at."""
    word = word & _DIGITS
    word = (word & np.uint64(0x000F000F000F000F)) + np.uint64(10) * (
        (word >> np.uint64(8)) & np.uint64(0x000F000F000F000F)
    )
    word = (word & np.uint64(0x000000FF000000FF)) + np.uint64(100) * (
        (word >> np.uint64(16)) & np.uint64(0x000000FF000000FF)
    )
    return (word & np.uint64(0xFFFFFFFF)) + np.uint64(10_000) * (word >> np.uint64(32))


@nb.njit(nogil=True, cache=True)
def not_zoned(word):
    """What is wrong with eight bytes that should be digits of zone F."""
    return ((word & _ZONES) ^ _ZONES) | (((word & _DIGITS) + _SIXES) & np.uint64(0x1010101010101010))


@nb.njit(nogil=True, cache=True)
def decode(data, pos, first, last, offset, width, digits, signed, wide, low, high, fields, rows, flags, found, number):
    """Decode records `first` to `last` of one column into `low` (and `high`, where `wide`); list what is no number."""
    minus = np.uint64(0x2800)
    accepted = np.uint64(0xFC00) if signed else np.uint64(0xFC00) & ~minus
    mask = ~np.uint64(0) if width >= 8 else (np.uint64(1) << np.uint64(8 * width)) - np.uint64(1)
    for r in range(first, last):
        start = pos[r] + offset
        word = load_be64(data, start + width - 8) & mask | _ZONES & ~mask
        zone = (word >> np.uint64(4)) & np.uint64(0xF)
        bad = not_zoned(word | np.uint64(0xF0)) | (((accepted >> zone) & np.uint64(1)) ^ np.uint64(1))
        value = fold_digits(word)
        negative = (minus >> zone) & np.uint64(1)
        if not wide:
            left = start + width - 16
            scale = np.uint64(100_000_000)
            rest = width - 8
            while rest > 0:
                part = load_be64(data, left)
                if rest < 8:
                    cut = (np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1)
                    part = part & cut | _ZONES & ~cut
                bad |= not_zoned(part)
                value += fold_digits(part) * scale
                scale *= np.uint64(100_000_000)
                left -= 8
                rest -= 8
            low[r] = np.int64((value ^ (np.uint64(0) - negative)) + negative)
        else:
            top = np.uint64(0)
            total = np.uint64(0)
            lead = (width - 8) % 8
            left = start + lead
            for byte in range(lead):
                one = load_byte(data, start + byte)
                bad |= not_zoned(one | ~np.uint64(0xFF) & _ZONES)
                top, total = add_scaled(top, total, np.uint64(10), one & np.uint64(0xF))
            while left < start + width - 8:
                part = load_be64(data, left)
                bad |= not_zoned(part)
                top, total = add_scaled(top, total, np.uint64(100_000_000), fold_digits(part))
                left += 8
            top, total = add_scaled(top, total, np.uint64(100_000_000), value)
            if negative:
                total = ~total + np.uint64(1)
                top = ~top + np.uint64(total == 0)
            low[r] = np.int64(total)
            high[r] = np.int64(top)
        fields[found] = number
        rows[found] = r
        flags[found] = LOST
        found += bad != 0
    return found


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers: zone C for plus, D for minus, F where the PICTURE has no sign."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.width, field.picture.size)
    cells[:] = digits | 0xF0
    if field.picture.signed:
        cells[:, -1] = digits[:, -1] | np.where(values < 0, 0xD0, 0xC0).astype(np.uint8)
    else:
        misfit |= np.asarray(values < 0)
    return misfit


USAGE = Usage(
    name="zoned",
    doc=__doc__ or "",
    kernel=decode,
    flags={LOST: "D202"},
    blank_code="D203",
    empty=b"\x00\x40\xf0\xc0\xd0",
    encode=encode,
)
