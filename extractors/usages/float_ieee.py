"""COMP-1 and COMP-2 as IEEE 754 numbers of four or eight bytes, the most significant byte first.

    3F 80 00 00  ->  1.0        C2 ED 40 00  ->  -118.625

Four bytes are float32, eight float64; every bit pattern is a value, infinities and NaN among them, and those are
reported.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import _floats as floats
from extractors.usages.contract import OUT_OF_PICTURE, WHOLE, Usage

ORDER = ">"


def read(
    field: Field, data: np.ndarray, starts: np.ndarray, charset: Charset
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Decode a column."""
    values = floats.field_bytes(data, starts, field.width).view(f"{ORDER}f{field.width}").ravel()
    rows = np.nonzero(~np.isfinite(values))[0]
    native = values.astype(values.dtype.newbyteorder("="))
    return pa.array(native), rows, np.full(len(rows), OUT_OF_PICTURE, np.int64)


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of floating point numbers."""
    values = np.asarray(pa.array(column).fill_null(0)).astype(f"{ORDER}f{field.width}")
    cells[:] = values.view(np.uint8).reshape(-1, field.width)
    return np.zeros(len(values), bool)


USAGE = Usage(
    name="float_ieee",
    doc=__doc__ or "",
    value=WHOLE,
    read=read,
    flags={OUT_OF_PICTURE: "D209"},
    empty=b"\x00\x40",
    encode=encode,
)
