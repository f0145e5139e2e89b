"""Zoned decimal (numeric DISPLAY): a digit a byte, its zone F, the sign as the zone of the last byte.

    F1 F2 C3  ->  123          F1 F2 D3  ->  -123        F1 F2 F3  ->  123        40 40 40  ->  no value (blank)

Zones A, C, E and F of the last byte are plus, B and D minus, unless the dialect says otherwise; a minus in a field
without S is no value. A space among the digits is none either: it may stand for a zero, or for a digit that was lost.
In a charset whose digits are those of ASCII the field is read as `zoned_ascii`.
"""

from __future__ import annotations

import numpy as np

from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.memory import be64, inner, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _signs as signs
from extractors.usages._digits import add_scaled
from extractors.usages._numbers import number_type

_ZONES = np.uint64(0xF0F0F0F0F0F0F0F0)
_DIGITS = np.uint64(0x0F0F0F0F0F0F0F0F)
_SIXES = np.uint64(0x0606060606060606)


@inner
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


@inner
def not_zoned(word):
    """What is wrong with eight bytes that should be digits of zone F."""
    return ((word & _ZONES) ^ _ZONES) | (((word & _DIGITS) + _SIXES) & np.uint64(0x1010101010101010))


@kernel
def decode_short(plan, first, last, found):
    """Up to eight bytes: one load a number."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    plus, minus = np.uint64(argument(plan, p.PLUS)), np.uint64(argument(plan, p.MINUS))
    lost = np.int64(1) << 32
    start = argument(plan, p.DATA) + argument(plan, p.OFFSET) + width - 8
    mask = ~np.uint64(0) >> np.uint64(64 - 8 * width)
    for r in range(first, last):
        word = be64(start + int_at(pos + 8 * r)) & mask | _ZONES & ~mask
        zone = (word >> np.uint64(4)) & np.uint64(0xF)
        bad = not_zoned(word | np.uint64(0xF0)) | ((((plus | minus) >> zone) & np.uint64(1)) ^ np.uint64(1))
        negative = (minus >> zone) & np.uint64(1)
        value = (fold_digits(word) ^ (np.uint64(0) - negative)) + negative
        put64(out + 8 * stride * r, np.int64(value))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(value) >> 63)
        put64(listed + 8 * found, lost | r)
        found += np.int64(bad != np.uint64(0))
    return found


@kernel
def decode_long(plan, first, last, found):
    """More than eight bytes, to 38 digits: the last eight bytes, then the rest from the left, over 128 bits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    plus, minus = np.uint64(argument(plan, p.PLUS)), np.uint64(argument(plan, p.MINUS))
    lost = np.int64(1) << 32
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    lead = (width - 8) % 8
    mask = ~np.uint64(0) >> np.uint64(64 - 8 * lead) if lead > 0 else np.uint64(0)
    wide = width > 18
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        word = be64(start + width - 8)
        zone = (word >> np.uint64(4)) & np.uint64(0xF)
        bad = not_zoned(word | np.uint64(0xF0)) | ((((plus | minus) >> zone) & np.uint64(1)) ^ np.uint64(1))
        part = be64(start + lead - 8) & mask | _ZONES & ~mask
        bad |= not_zoned(part)
        total = fold_digits(part)
        left = start + lead
        if wide:
            top = np.uint64(0)
            while left < start + width - 8:
                part = be64(left)
                bad |= not_zoned(part)
                top, total = add_scaled(top, total, np.uint64(100_000_000), fold_digits(part))
                left += 8
            top, total = add_scaled(top, total, np.uint64(100_000_000), fold_digits(word))
            if (minus >> zone) & np.uint64(1):
                total = ~total + np.uint64(1)
                top = ~top + np.uint64(total == np.uint64(0))
            put64(out + 8 * stride * r, np.int64(total))
            if stride == 2:
                put64(out + 16 * r + 8, np.int64(top))
        else:
            while left < start + width - 8:
                part = be64(left)
                bad |= not_zoned(part)
                total = total * np.uint64(100_000_000) + fold_digits(part)
                left += 8
            total = total * np.uint64(100_000_000) + fold_digits(word)
            negative = (minus >> zone) & np.uint64(1)
            total = (total ^ (np.uint64(0) - negative)) + negative
            put64(out + 8 * stride * r, np.int64(total))
            if stride == 2:
                put64(out + 16 * r + 8, np.int64(total) >> 63)
        put64(listed + 8 * found, lost | r)
        found += np.int64(bad != np.uint64(0))
    return found


def store(item: Described, dialect: Dialect) -> Stored | None:
    """A number in characters, without a sign or with one over its last digit."""
    picture = item.picture
    if item.storage != DISPLAY or picture is None or picture.category != "numeric" or item.separate:
        return None
    if item.leading and picture.signed:
        return None
    return Stored(picture.size, number_type(picture), picture)


USAGE = signs.usage(
    "zoned",
    __doc__ or "",
    over=signs.TRAILING,
    words={"DISPLAY": DISPLAY},
    stores=store,
    becomes=lambda charset: "zoned_ascii" if charset.ascii else None,
    fast=lambda field: decode_short if field.width <= 8 else decode_long,
    empty=b"\x00\x40\xf0\xc0\xd0",
)
