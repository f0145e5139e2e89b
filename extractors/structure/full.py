"""Texts that fill their field to its last byte: what stood behind may have been cut when it was typed in, or moved before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import Charset
from extractors.layout import Field
from extractors.structure.odd import Rows

CODE = "V455"


def full(data: np.ndarray, rows: Rows, field: Field, column: pa.Array, charset: Charset) -> np.ndarray:
    """Which rows hold a text that ends with the field's last byte; one that a record's end cuts does not.

    Args:
        data: the bytes.
        rows: where the field's section begins, and where records end.
        field: a text.
        column: what was decoded of it.
        charset: how it is coded; its blanks, also of double width and behind a shift, fill a field up.
    """
    end = rows.starts + field.offset + field.width
    there = np.flatnonzero(end <= rows.limits)
    stop = end[there]
    said = (data[stop - 1] != charset.blank) & (data[stop - 1] != 0)
    if charset.double_space is not None:
        wide = charset.double_space.to_bytes(2)
        said &= ~_ends_with(data, stop, field.width, wide)
        if charset.closing:
            said &= ~_ends_with(data, stop, field.width, wide + charset.closing)
    ends = pc.fill_null(pc.match_substring_regex(column, "[^ \N{IDEOGRAPHIC SPACE}]$"), fill_value=False)
    return np.asarray(there[said & ends.to_numpy(zero_copy_only=False)[there]])


def _ends_with(data: np.ndarray, stop: np.ndarray, width: int, code: bytes) -> np.ndarray:
    """Whether the bytes before some places are these; never of a field that has no room for them."""
    if len(code) > width:
        return np.zeros(len(stop), bool)
    return np.asarray((data[stop[:, None] - np.arange(len(code), 0, -1)] == np.frombuffer(code, np.uint8)).all(axis=1))
