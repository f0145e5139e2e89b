"""COMP-1 and COMP-2 of the mainframe: IBM hexadecimal floating point of four or eight bytes.

    41 10 00 00  ->  1.0        C2 76 A0 00  ->  -118.625        00 00 00 00  ->  0.0

Decoded to float64. A long number with more than 53 significant bits is rounded, kept, and reported.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout import Field
from extractors.usages import _floats as floats
from extractors.usages.contract import OUT_OF_PICTURE, WHOLE, Rules, Usage


def read(field: Field, data: np.ndarray, starts: np.ndarray, rules: Rules) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Decode a column."""
    values, rounded = floats.from_ibm(floats.field_bytes(data, starts, field.width))
    rows = np.nonzero(rounded)[0]
    return pa.array(values), rows, np.full(len(rows), OUT_OF_PICTURE, np.int64)


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of floating point numbers, normalised."""
    values = np.asarray(pa.array(column).fill_null(0), np.float64)
    cells[:], misfit = floats.to_ibm(values, field.width)
    return misfit


USAGE = Usage(
    name="float_ibm",
    doc=__doc__ or "",
    value=WHOLE,
    words=floats.WORDS,
    stores=floats.stores("ibm"),
    read=read,
    flags={OUT_OF_PICTURE: "D208"},
    empty=b"\x00\x40",
    encode=encode,
)
