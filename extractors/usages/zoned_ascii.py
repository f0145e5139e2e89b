"""Zoned decimal in ASCII: digits 30 to 39, the sign over the last one.

    31 32 33  ->  123        31 32 43 ("12C")  ->  123        31 32 4C ("12L")  ->  -123        31 32 73 ("12s")  ->  -123

A dump that was translated from EBCDIC has `{ABCDEFGHI` for plus and `}JKLMNOPQR` for minus; GnuCOBOL and Micro Focus
write plain digits for plus and `pqrstuvwxy` for minus. All are read; the latter are written. Fujitsu's compilers write
`@ABCDEFGHI` and `PQRSTUVWXY`: that is the dialect's rule `ascii_signs`, because P, Q and R are other digits there.
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
    """Write a column of unscaled numbers: plain digits, and the last one with the sign."""
    values = to_integers(column)
    digits, misfit = digits_of(values, field.width, field.picture.size)
    minus = np.asarray(values < 0, bool)
    cells[:] = digits + 0x30
    if field.picture.signed:
        cells[:, -1] = signs.over_ascii(field, digits[:, -1], minus)
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
