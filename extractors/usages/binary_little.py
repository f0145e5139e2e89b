"""COMP-5 and other binary numbers of a little-endian machine: the least significant byte first.

    05 00  ->  5        FB FF  ->  -5 (S9(4))

Otherwise as `binary`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import binary
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Usage


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers, the least significant byte first."""
    return binary.encode(field, column, charset, cells[:, ::-1])


USAGE = Usage(
    name="binary_little",
    doc=__doc__ or "",
    value=NUMBER,
    kernel=lambda field: binary.decode_short if field.width <= 8 else binary.decode_long,
    flags={LOST: "D205", OUT_OF_PICTURE: "D204"},
    empty=b"\x00\x40",
    encode=encode,
)
