"""Double-byte text without shift codes: PICTURE G or N, USAGE DISPLAY-1.

    4F 58 40 40  ->  "漢"  in CCSID 300; 4040 is the ideographic space

Read by the kernel of `mixed`, which begins in double-byte mode and knows no shifts; trailing spaces are left out.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import mixed
from extractors.usages.contract import TEXT, TEXT_FLAGS, Usage


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of double-byte text; a text with a single-byte character does not fit."""
    return mixed.encode_text(column, charset, cells, mode=mixed.DOUBLE_ONLY)


USAGE = Usage(
    name="national",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: mixed.decode,
    flags=TEXT_FLAGS,
    empty=b"\x00\x40\x20",
    encode=encode,
)
