"""Arrow columns -> bytes of records: the inverse of decoding, by the same layout and charset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout import Field
from extractors.usages import BY_NAME, usage_of
from extractors.usages._digits import to_integers
from extractors.usages.contract import NUMBER, TEXT

Column: TypeAlias = pa.Array | np.ndarray
"""Values of a field: text as strings; numbers unscaled (int64, or objects where wider) or as Arrow decimals."""


def encode(
    fields: Sequence[Field],
    columns: Mapping[str, Column],
    *,
    charset: Charset,
    length: int,
    count: int,
) -> np.ndarray:
    """Write records.

    Args:
        fields: the fields to write; bytes that no field covers are spaces.
        columns: values by field name. A text that is left out is spaces, a number zero, a FILLER spaces.
        charset: how text is written.
        length: bytes of a record.
        count: how many records.

    Returns:
        (count, length) uint8.

    Raises:
        ValueError: a value does not fit its field; names the field and how many values, never the values.
    """
    records = np.full((count, length), charset.blank, np.uint8)
    unknown = set(columns) - {field.name for field in fields}
    if unknown:
        raise ValueError(f"no such fields: {', '.join(sorted(unknown))}")
    for field in fields:
        cells = cells_of(field, columns.get(field.name), charset, count)
        if cells is not None:
            records[:, field.offset : field.offset + field.width] = cells
    return records


def cells_of(field: Field, column: Column | None, charset: Charset, count: int) -> np.ndarray | None:
    """Write one column, (count, width) uint8; None where nothing is written over the spaces that are there.

    Raises:
        ValueError: a value does not fit its field; names the field and how many values, never the values.
    """
    if column is None:
        if field.asked_only or field.is_text:
            return None
        column = (
            np.zeros(count, np.int64) if BY_NAME[field.usage].value == NUMBER else pa.nulls(count, field.arrow_type)
        )
    cells, misfit = encode_cells(field, column, charset, count)
    if misfit.any():
        raise ValueError(f"{field.name}: {int(misfit.sum())} values do not fit PICTURE {field.picture.text}")
    return cells


def encode_cells(field: Field, column: Column, charset: Charset, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Write one column: (count, width) uint8, and the mask of values that do not fit."""
    cells = np.full((count, field.width), charset.blank, np.uint8)
    misfit = np.zeros(count, bool)
    if field.picture.scale < 0 and BY_NAME[field.usage].value == NUMBER:
        column, misfit = _without_zeros(to_integers(column), field.picture.scale)
    usage = usage_of(field, charset)
    misfit = misfit | usage.encode(field, column, charset, cells)
    if field.justified and usage.value == TEXT:
        padding = np.zeros((1, field.width), np.uint8)
        usage.encode(field, pa.array([""]), charset, padding)
        cells = _to_the_right(cells, padding, usage.unit)
    return cells, misfit


def _to_the_right(cells: np.ndarray, padding: np.ndarray, size: int) -> np.ndarray:
    """Texts with the padding behind them, whose characters have so many bytes, put before them (JUSTIFIED)."""
    width = cells.shape[1] // size * size
    behind = (cells == padding)[:, :width].reshape(len(cells), -1, size).all(axis=2)[:, ::-1]
    moved = np.logical_and.accumulate(behind, axis=1).sum(axis=1) * size
    places = (np.arange(width) - moved[:, None]) % max(width, 1)
    return np.concatenate((np.take_along_axis(cells[:, :width], places, axis=1), cells[:, width:]), axis=1)


def _without_zeros(values: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers without the zeros that a P on the right stands for, and which of them do not end in so many."""
    factor = 10**-scale
    if values.dtype != object and factor >= 1 << 63:
        values = values.astype(object)
    return values // factor, np.asarray(values % factor != 0, bool)
