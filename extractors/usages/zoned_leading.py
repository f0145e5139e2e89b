"""Zoned decimal with SIGN LEADING: the sign is the zone of the first byte.

    C1 F2 F3  ->  123        D1 F2 F3  ->  -123        F1 F2 F3  ->  123        F1 F2 D3  ->  no value

Signs as in `zoned`.
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
    """Write a column of unscaled numbers: zone C for plus and D for minus over the first digit."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.width, field.picture.size)
    minus = np.asarray(values < 0, bool)
    if charset.ascii:
        cells[:] = digits + 0x30
        cells[:, 0] = signs.over_ascii(field, digits[:, 0], minus)
    else:
        cells[:] = digits | 0xF0
        cells[:, 0] = digits[:, 0] | np.where(minus, 0xD0, 0xC0).astype(np.uint8)
    return misfit


USAGE = Usage(
    name="zoned_leading",
    doc=__doc__ or "",
    value=NUMBER,
    kernel=lambda _: signs.decode,
    read=signs.read,
    flags={LOST: "D202", OUT_OF_PICTURE: "D210"},
    blank_code="D203",
    empty=b"\x00\x40\xf0\xc0\xd0\x20\x30",
    encode=encode,
)
