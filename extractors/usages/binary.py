"""COMP, COMP-4, BINARY: a two's complement number of 2, 4 or 8 bytes, the first byte the most significant.

    00 05  ->  5        FF FB  ->  -5 (S9(4)), 65531 (9(4): more digits than the PICTURE, an alert)

The PICTURE says how many digits were meant; a value with more is kept and reported. An unsigned number of eight bytes
above 2**63 - 1 is no value.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import pyarrow as pa

from extractors.characters import Charset
from extractors.digits import digits_of, to_integers
from extractors.layout import Field
from extractors.memory import load_be64
from extractors.usage import LOST, OUT_OF_PICTURE, Usage


@nb.njit(nogil=True, cache=True)
def decode(data, pos, first, last, offset, width, digits, signed, wide, low, high, fields, rows, flags, found, number):
    """Decode records `first` to `last` of one column into `low`; list what has more digits than the PICTURE."""
    shift = np.uint64(64 - 8 * width)
    limit = np.int64(1)
    for _ in range(digits):
        limit *= 10
    for r in range(first, last):
        word = load_be64(data, pos[r] + offset + width - 8) << shift
        value = np.int64(word) >> np.int64(shift) if signed else np.int64(word >> shift)
        low[r] = value
        lost = (not signed) and value < 0
        beyond = value >= limit or value <= -limit
        fields[found] = number
        rows[found] = r
        flags[found] = LOST if lost else OUT_OF_PICTURE
        found += lost or beyond
    return found


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers."""
    values = to_integers(column).astype(np.int64)
    cells[:] = values.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - field.width :]
    _, misfit = digits_of(values, field.picture.size, field.picture.size)
    if not field.picture.signed:
        misfit |= values < 0
    return misfit


USAGE = Usage(
    name="binary",
    doc=__doc__ or "",
    kernel=decode,
    flags={LOST: "D205", OUT_OF_PICTURE: "D204"},
    empty=b"\x00\x40",
    encode=encode,
)
