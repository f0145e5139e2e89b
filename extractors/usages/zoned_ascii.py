"""Zoned decimal in ASCII: digits 30 to 39, the sign over the last one.

    31 32 33  ->  123        31 32 43 ("12C")  ->  123        31 32 4C ("12L")  ->  -123        31 32 73 ("12s")  ->  -123

A dump that was translated from EBCDIC has `{ABCDEFGHI` for plus and `}JKLMNOPQR` for minus; GnuCOBOL and Micro Focus
write plain digits for plus and `pqrstuvwxy` for minus. All are read; the latter are written.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors import signs
from extractors.characters import Charset
from extractors.digits import digits_of, to_integers
from extractors.layout import Field
from extractors.usage import LOST, NUMBER, OUT_OF_PICTURE, Usage


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers: plain digits, the last one from `pqrstuvwxy` for minus."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.width, field.picture.size)
    minus = np.asarray(values < 0, bool)
    cells[:] = digits + 0x30
    cells[:, -1] = np.where(minus, digits[:, -1] + 0x70, digits[:, -1] + 0x30)
    if not field.picture.signed:
        misfit |= minus
    return misfit


USAGE = Usage(
    name="zoned_ascii",
    doc=__doc__ or "",
    value=NUMBER,
    kernel=lambda _: signs.decode,
    read=signs.read,
    flags={LOST: "D202", OUT_OF_PICTURE: "D210"},
    blank_code="D203",
    empty=b"\x00\x20\x30",
    encode=encode,
)
