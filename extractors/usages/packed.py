"""COMP-3, PACKED-DECIMAL: two digits a byte, the sign in the last half byte.

    12 34 5C  ->  12345        00 01 2D  ->  -12        40 40 40  ->  no value

Sign half bytes A, C, E and F are plus, B and D minus (z/Architecture Principles of Operation, decimal codes), unless
the dialect says otherwise; a digit above nine and a digit in the sign's place are no packed decimal. A minus in a field
without S in its PICTURE is none either. A number of an even count of digits has half a byte to spare; where that is
used, the value is kept and reported.
"""

from __future__ import annotations

import numpy as np

from extractors.kernels import plan as p
from extractors.kernels.memory import be64, byte_at, inner, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.usages import _nibbles
from extractors.usages._digits import add_scaled

_ONES = np.uint64(0x1111111111111111)
_LOW_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)


@inner
def not_decimal(word):
    """Not zero where any of sixteen half bytes is above nine."""
    return (word >> np.uint64(3)) & ((word >> np.uint64(2)) | (word >> np.uint64(1))) & _ONES


@inner
def fold_nibbles(word):
    """The number that sixteen half bytes of one digit each stand for."""
    word = (word & _LOW_NIBBLES) + np.uint64(10) * ((word >> np.uint64(4)) & _LOW_NIBBLES)
    word = (word & np.uint64(0x00FF00FF00FF00FF)) + np.uint64(100) * (
        (word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    )
    word = (word & np.uint64(0x0000FFFF0000FFFF)) + np.uint64(10_000) * (
        (word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    )
    return (word & np.uint64(0xFFFFFFFF)) + np.uint64(100_000_000) * (word >> np.uint64(32))


@kernel
def decode_short(plan, first, last, found):
    """Up to eight bytes: one load a number."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    plus, minus = np.uint64(argument(plan, p.PLUS)), np.uint64(argument(plan, p.MINUS))
    start = argument(plan, p.DATA) + argument(plan, p.OFFSET) + width - 8
    cut = np.uint64(64 - 8 * width)
    # The half byte before the first digit, where the PICTURE leaves one unused.
    digits = argument(plan, p.DIGITS)
    spare = np.uint64(0xF) << np.uint64(4 * (digits + 1)) if digits % 2 == 0 else np.uint64(0)
    for r in range(first, last):
        word = (be64(start + int_at(pos + 8 * r)) << cut) >> cut
        sign = word & np.uint64(0xF)
        nibbles = word >> np.uint64(4)
        bad = not_decimal(nibbles) | ((((plus | minus) >> sign) & np.uint64(1)) ^ np.uint64(1))
        negative = (minus >> sign) & np.uint64(1)
        value = fold_nibbles(nibbles)
        value = (value ^ (np.uint64(0) - negative)) + negative
        put64(out + 8 * stride * r, np.int64(value))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(value) >> 63)
        beyond = np.int64((word & spare) != np.uint64(0))
        lost = np.int64(bad != np.uint64(0))
        put64(listed + 8 * found, (lost + (np.int64(2) & -(beyond & (lost ^ 1)))) << 32 | r)
        found += lost | beyond
    return found


@kernel
def decode_long(plan, first, last, found):
    """More than eight bytes, to 38 digits: the last eight bytes, then the rest from the left, over 128 bits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    plus, minus = np.uint64(argument(plan, p.PLUS)), np.uint64(argument(plan, p.MINUS))
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    padded = argument(plan, p.DIGITS) % 2 == 0
    lead = (width - 8) % 8
    cut = np.uint64(64 - 8 * lead)
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        word = be64(start + width - 8)
        sign = word & np.uint64(0xF)
        nibbles = word >> np.uint64(4)
        bad = not_decimal(nibbles) | ((((plus | minus) >> sign) & np.uint64(1)) ^ np.uint64(1))
        top = np.uint64(0)
        total = np.uint64(0)
        if lead > 0:
            part = (be64(start + lead - 8) << cut) >> cut
            bad |= not_decimal(part)
            total = fold_nibbles(part)
        left = start + lead
        while left < start + width - 8:
            part = be64(left)
            bad |= not_decimal(part)
            top, total = add_scaled(top, total, np.uint64(10_000_000_000_000_000), fold_nibbles(part))
            left += 8
        top, total = add_scaled(top, total, np.uint64(1_000_000_000_000_000), fold_nibbles(nibbles))
        if (minus >> sign) & np.uint64(1):
            total = ~total + np.uint64(1)
            top = ~top + np.uint64(total == np.uint64(0))
        put64(out + 8 * stride * r, np.int64(total))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(top))
        beyond = np.int64(padded and byte_at(start) > np.uint64(0xF))
        # Nothing wider than its type is kept: there is no room for a 39th digit, or a 19th in eight bytes.
        lost = np.int64(bad != np.uint64(0) or (beyond == 1 and argument(plan, p.DIGITS) in (18, 38)))
        put64(listed + 8 * found, (lost + (np.int64(2) & -(beyond & (lost ^ 1)))) << 32 | r)
        found += lost | beyond
    return found


USAGE = _nibbles.usage(
    "packed",
    __doc__ or "",
    words=("PACKED-DECIMAL", "COMP-3"),
    sign=True,
    kernel=lambda field: decode_short if field.width <= 8 else decode_long,
    empty=b"\x00\x40\x0c\x0d\x0f",
)
