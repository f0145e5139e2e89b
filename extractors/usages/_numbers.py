"""Numbers of a PICTURE: their Arrow type, and the arguments that every kernel of numbers takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.kernels import plan as p
from extractors.layout import Field, Picture
from extractors.usages.contract import Rules, kernel_type

MAX_INT64_DIGITS = 18
MAX_DECIMAL128_DIGITS = 38


def number_type(picture: Picture, capacity: int = 0) -> pa.DataType:
    """The Arrow type of a PICTURE's numbers: int64 where they are whole and have up to 18 digits, a decimal otherwise.

    A number with more digits than its PICTURE is kept, so a decimal has room for the `capacity` of digits of the bytes.
    """
    scale = max(picture.scale, 0)
    digits = max(picture.size - min(picture.scale, 0), scale)
    if scale == 0 and digits <= MAX_INT64_DIGITS:
        return pa.int64()
    if digits <= MAX_DECIMAL128_DIGITS:
        return pa.decimal128(min(max(digits, capacity), MAX_DECIMAL128_DIGITS), scale)
    return pa.decimal256(max(digits, min(capacity, 76)), scale)


def prepare_number(row: np.ndarray, field: Field, rules: Rules) -> None:
    """Write the arguments of a number: its room, its PICTURE's digits, which sign half bytes mean what."""
    row[p.STRIDE] = 1 if pa.types.is_integer(kernel_type(field)) else 2
    row[p.DIGITS], row[p.LIMIT] = field.picture.size, 10 ** min(field.picture.size, 18)
    row[p.PLUS] = _mask(rules.dialect.plus_signs)
    row[p.MINUS] = _mask(rules.dialect.minus_signs) if field.picture.signed else 0


def _mask(nibbles: str) -> int:
    return sum(1 << int(nibble, 16) for nibble in set(nibbles))
