"""What is done to a whole column behind the kernels, and how many of its values say anything."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.layout import Field
from extractors.usages import BY_NAME
from extractors.usages.contract import NUMBER


def scaled(column: pa.Array, field: Field) -> pa.Array:
    """Add the zeros that a P on the right of the PICTURE stands for."""
    if field.picture.scale >= 0 or BY_NAME[field.usage].value != NUMBER:
        return column
    if pa.types.is_integer(field.arrow_type):
        return pc.multiply(column, 10**-field.picture.scale)
    # A decimal of scale -n has the same digits; read as text it is the number with its zeros.
    factor = pa.scalar(10**-field.picture.scale, pa.decimal256(-field.picture.scale + 1, 0))
    product = pc.multiply(column.cast(pa.decimal256(38, 0)), factor)
    return product.cast(field.arrow_type)


def replaced(column: pa.Array, bitmap: pa.Buffer | None, zero: np.ndarray) -> pa.Array:
    """A column with nulls where a validity bitmap says so, and zeros at some rows."""
    if len(zero):
        zeros = np.zeros(len(column), bool)
        zeros[zero] = True
        column = pc.if_else(pa.array(zeros), pa.scalar(0, column.type), column)
    if bitmap is None:
        return column
    return pa.Array.from_buffers(column.type, len(column), [bitmap, column.buffers()[1]])


def holding(column: pa.Array) -> int:
    """In how many rows a value says anything: a text not empty, bytes not all zero, a number not zero, no null."""
    if pa.types.is_fixed_size_binary(column.type):
        raw = np.frombuffer(column.buffers()[1], np.uint8, len(column) * column.type.byte_width)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        return int(np.count_nonzero(raw.reshape(len(column), -1).any(axis=1) & there))
    sizes = pc.binary_length(column) if pa.types.is_string(column.type) or pa.types.is_binary(column.type) else column
    return int(pc.sum(pc.not_equal(sizes, pa.scalar(0, sizes.type))).as_py() or 0)
