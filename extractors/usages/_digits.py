"""Decimal digits by the column, and arithmetic over 128 bits, which NumPy and Numba do not have."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa

from extractors.kernels.memory import inner
from extractors.usages._numbers import MAX_INT64_DIGITS


@inner
def add_scaled(high, low, factor, addend):
    """(high, low) * factor + addend, modulo 2**128, of unsigned numbers."""
    mask = np.uint64(0xFFFFFFFF)
    a0, a1 = low & mask, low >> np.uint64(32)
    b0, b1 = factor & mask, factor >> np.uint64(32)
    p00, p01, p10, p11 = a0 * b0, a0 * b1, a1 * b0, a1 * b1
    middle = (p00 >> np.uint64(32)) + (p01 & mask) + (p10 & mask)
    product_low = (p00 & mask) | (middle << np.uint64(32))
    product_high = p11 + (p01 >> np.uint64(32)) + (p10 >> np.uint64(32)) + (middle >> np.uint64(32))
    total = product_low + addend
    return high * factor + product_high + np.uint64(total < addend), total


def to_integers(column: pa.Array | np.ndarray) -> np.ndarray:
    """Unscaled numbers of a column: int64, or Python integers where decimals are wider than that. Null is zero."""
    if isinstance(column, np.ndarray):
        return column if column.dtype == object else column.astype(np.int64)
    if pa.types.is_decimal(column.type):
        scale = column.type.scale
        if column.type.precision <= MAX_INT64_DIGITS and column.type.bit_width == 128:
            parts = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
            low = parts[column.offset : column.offset + len(column), 0].copy()
            low[~_valid(column)] = 0
            return low
        with decimal.localcontext(prec=160):
            values = [0 if value is None else int(value.scaleb(scale)) for value in column.to_pylist()]
        return np.array(values, dtype=object)
    filled = column.fill_null(0)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def digits_of(values: np.ndarray, places: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The decimal digits of whole numbers.

    Args:
        values: int64, or Python integers as objects.
        places: how many digits to give, the last the units.
        limit: how many digits a value may have.

    Returns:
        (values, places) uint8 of digits, and the mask of values with more than `limit` digits.
    """
    rest = np.abs(values) if values.dtype == object else np.abs(values).astype(np.uint64)
    digits = np.zeros((len(values), places), np.uint8)
    for place in range(places - 1, -1, -1):
        quotient = rest // 10
        digits[:, place] = (rest - quotient * 10).astype(np.uint8)
        rest = quotient
    misfit = np.asarray(rest != 0)
    if limit < places:
        misfit |= digits[:, : places - limit].any(axis=1)
    return digits, misfit.astype(bool)


def _valid(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
