"""Bytes without a meaning of their own: POINTER, long PICTURE X COMP-X, and any field that is asked for raw.

00 1F A0 40  ->  001FA040
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import _floats as floats
from extractors.usages.contract import WHOLE, Usage


def read(
    field: Field, data: np.ndarray, starts: np.ndarray, charset: Charset
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Give a column of the bytes themselves."""
    raw = np.ascontiguousarray(floats.field_bytes(data, starts, field.width))
    none = np.zeros(0, np.int64)
    return pa.Array.from_buffers(pa.binary(field.width), len(starts), [None, pa.py_buffer(raw)]), none, none


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of bytes."""
    array = pa.array(column, pa.binary(field.width)).fill_null(b"\x00" * field.width)
    raw = np.frombuffer(pa.concat_arrays([array]).buffers()[1], np.uint8)
    cells[:] = raw[array.offset * field.width :][: cells.size].reshape(cells.shape)
    return np.zeros(len(array), bool)


USAGE = Usage(
    name="raw",
    doc=__doc__ or "",
    value=WHOLE,
    read=read,
    flags={},
    empty=b"\x00\x40",
    encode=encode,
)
