"""Numeric DISPLAY with SIGN LEADING or TRAILING SEPARATE: the sign is a byte of its own, + or -.

F1 F2 4E  ->  12 (trailing)        60 F1 F2  ->  -12 (leading)        F1 F2 40  ->  no value: the sign is missing
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import _signs as signs
from extractors.usages._digits import digits_of, to_integers
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Usage


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers: digits and a sign."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.width - 1, field.picture.size)
    zone, plus, minus = (0x30, 0x2B, 0x2D) if charset.ascii else (0xF0, 0x4E, 0x60)
    sign = np.where(np.asarray(values < 0, bool), minus, plus).astype(np.uint8)
    if field.leading:
        cells[:, 0], cells[:, 1:] = sign, digits | zone
    else:
        cells[:, -1], cells[:, :-1] = sign, digits | zone
    return misfit


USAGE = Usage(
    name="zoned_separate",
    doc=__doc__ or "",
    value=NUMBER,
    kernel=lambda _: signs.decode,
    read=signs.read,
    flags={LOST: "D202", OUT_OF_PICTURE: "D210"},
    blank_code="D203",
    empty=b"\x00\x40\xf0\x4e\x60\x20\x30\x2b\x2d",
    encode=encode,
)
