"""Single-byte text (PICTURE A): every byte is a character, none is a shift code.

    C1 C2 C3 40  ->  "ABC"

Read by the kernel of `mixed` with a table of no shifts; trailing spaces are padding and are left out.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import mixed
from extractors.usages.contract import TEXT, TEXT_FLAGS, Usage


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of text; a text that needs a double-byte character does not fit."""
    return mixed.encode_text(column, charset, cells, mode=mixed.SINGLE_ONLY)


USAGE = Usage(
    name="text",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: mixed.decode,
    flags=TEXT_FLAGS,
    empty=b"\x00\x40\x20",
    encode=encode,
)
