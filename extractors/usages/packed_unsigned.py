"""COMP-6: packed decimal without a sign, two digits a byte (Micro Focus, ACUCOBOL, GnuCOBOL).

01 23 45  ->  12345        01 23 4C  ->  no value
"""

from __future__ import annotations

import numpy as np

from extractors.kernels import plan as p
from extractors.kernels.memory import byte_at, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.usages import _nibbles
from extractors.usages._digits import add_scaled


@kernel
def decode(plan, first, last, found):
    """Read two digits a byte, to 38 digits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride = argument(plan, p.WIDTH), argument(plan, p.STRIDE)
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    odd = argument(plan, p.DIGITS) % 2 == 1
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        top, total = np.uint64(0), np.uint64(0)
        bad = False
        for i in range(width):
            byte = byte_at(start + i)
            tens, units = byte >> np.uint64(4), byte & np.uint64(0xF)
            bad |= tens > np.uint64(9) or units > np.uint64(9)
            top, total = add_scaled(top, total, np.uint64(100), tens * np.uint64(10) + units)
        put64(out + 8 * stride * r, np.int64(total))
        if stride == 2:
            put64(out + 16 * r + 8, np.int64(top))
        lost = np.int64(bad)
        beyond = np.int64(odd and byte_at(start) > np.uint64(0xF)) & (lost ^ 1)
        put64(listed + 8 * found, (lost | beyond << 1) << 32 | r)
        found += lost | beyond
    return found


USAGE = _nibbles.usage(
    "packed_unsigned",
    __doc__ or "",
    words=("COMP-6",),
    sign=False,
    kernel=lambda _: decode,
    empty=b"\x00\x40",
)
