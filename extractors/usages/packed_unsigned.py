"""COMP-6: packed decimal without a sign, two digits a byte (Micro Focus, ACUCOBOL, GnuCOBOL).

01 23 45  ->  12345        01 23 4C  ->  no value
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.kernels import plan as p
from extractors.kernels.memory import byte_at, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.kernels.wide import to_decimal256
from extractors.layout.layout import Field
from extractors.usages._digits import add_scaled, digits_of, to_integers
from extractors.usages._floats import field_bytes
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Usage


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


def read(
    field: Field, data: np.ndarray, starts: np.ndarray, charset: Charset
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Decode a column of more than 38 digits."""
    raw = field_bytes(data, starts, field.width)
    digits = np.stack((raw >> 4, raw & 0xF), axis=2).reshape(len(starts), -1)
    bad = np.asarray((digits > 9).any(axis=1), bool)
    beyond = ~bad & (digits[:, : digits.shape[1] - field.picture.size] != 0).any(axis=1)
    rows = np.nonzero(bad | beyond)[0]
    column = to_decimal256(np.where(bad[:, None], 0, digits)[:, -76:], np.zeros(len(raw), bool), field.arrow_type)
    return column, rows, np.where(bad[rows], LOST, OUT_OF_PICTURE)


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers."""
    values = to_integers(column)
    digits, misfit = digits_of(values, 2 * field.width, field.picture.size)
    cells[:] = digits[:, 0::2] << 4 | digits[:, 1::2]
    return np.asarray(misfit | (values < 0), bool)


USAGE = Usage(
    name="packed_unsigned",
    doc=__doc__ or "",
    value=NUMBER,
    kernel=lambda _: decode,
    read=read,
    flags={LOST: "D201", OUT_OF_PICTURE: "D204"},
    empty=b"\x00\x40",
    encode=encode,
)
