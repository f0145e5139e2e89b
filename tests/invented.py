"""Values of any layout, invented: what fits each field, of every length that its table may have; nobody's data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout import Field, Segment, Table
from extractors.usages import BY_NAME, usage_of
from extractors.usages.contract import NUMBER, TEXT
from extractors.writing.encode import encode_cells

SINGLE = "ABCXYZ0189-/."
KANA = "ｱｲｳｶｷﾀﾅﾏﾔﾝﾞ"
WIDE = "山田花子町村役場一丁目番地亜腕熙"
MOST = 40
"""Occurrences of a table that may have more."""


def invented(
    segment: Segment, count: int, charset: Charset, rng: np.random.Generator, said: dict[str, object] | None = None
) -> dict[str, pa.Array | np.ndarray]:
    """Columns of so many records, as `write_records` takes them; `said` holds what stands in every record."""
    said = said or {}
    covered: list[tuple[int, int, int]] = []
    columns: dict[str, pa.Array | np.ndarray] = {}
    counters = {t.counter for t in segment.deep_tables if t.depending is not None}
    for number, section in enumerate(segment.sections):
        for field in section.fields:
            place = (number, field.offset, field.offset + field.width)
            overlaps = any(n == number and a < place[2] and place[1] < b for n, a, b in covered)
            if field.asked_only or overlaps or (field.ordinal in counters and field.name not in said):
                continue
            covered.append(place)
            columns[field.name] = _values(field, count, charset, rng, said.get(field.name))
    for table in segment.tables:
        columns[table.column] = _table(table, count, charset, rng)
    return columns


def _table(table: Table, count: int, charset: Charset, rng: np.random.Generator) -> pa.ListArray:
    most = min(table.most, max(table.least, MOST))
    lengths = rng.integers(table.least, most + 1, count) if table.depending else np.full(count, table.most)
    if table.depending and count:
        lengths[0], lengths[-1] = table.least, table.most
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    inner = invented(table.element, int(lengths.sum()), charset, rng)
    inner = {name: _typed(table.element, name, column) for name, column in inner.items()}
    for nested in table.element.tables:
        name = next((f.name for f in table.element.fields if f.ordinal == nested.counter), None)
        if nested.depending is not None and name is not None:
            inner[name] = inner[nested.column].value_lengths().cast(pa.int64())
    if table.elementary:
        return pa.ListArray.from_arrays(offsets, next(iter(inner.values())))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(list(inner.values()), list(inner)))


def _typed(segment: Segment, name: str, column: pa.Array | np.ndarray) -> pa.Array:
    if not isinstance(column, np.ndarray):
        return column
    field = next(f for f in segment.fields if f.name == name)
    return as_read(field, column)


def as_read(field: Field, column: pa.Array | np.ndarray) -> pa.Array:
    """A column as the reader gives it: decimals where it was unscaled."""
    if not isinstance(column, np.ndarray) or not pa.types.is_decimal(field.arrow_type):
        return pa.array(column, field.arrow_type) if isinstance(column, np.ndarray) else column
    wide = pa.array(column.tolist(), pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(38, field.picture.scale), len(wide), wide.buffers()).cast(
        field.arrow_type
    )


def _values(
    field: Field, count: int, charset: Charset, rng: np.random.Generator, said: object
) -> pa.Array | np.ndarray:
    usage = usage_of(field, charset)
    if said is not None:
        return pa.array([str(said)] * count) if usage.value == TEXT else np.full(count, int(str(said)), np.int64)
    if usage.value == NUMBER or BY_NAME[field.usage].value == NUMBER:
        most = 10 ** min(field.picture.size, 18) - 1
        made = rng.integers(-most if field.picture.signed else 0, most, count, endpoint=True)
        return made * (10 ** max(-field.picture.scale, 0))
    if usage.value != TEXT:
        return pa.array([bytes(rng.integers(0, 256, field.width, np.uint8)) for _ in range(count)], field.arrow_type)
    return _texts(field, count, charset, rng)


def _texts(field: Field, count: int, charset: Charset, rng: np.random.Generator) -> pa.Array:
    """Texts of single bytes, kana and kanji mixed, as long as they go; what does not fit is shortened."""
    pools = (WIDE,) if field.picture.category == "national" else (SINGLE, KANA, WIDE)
    made = []
    for _ in range(count):
        parts = [
            "".join(rng.choice(list(pools[p]), rng.integers(0, 1 + max(field.width // 4, 1))))
            for p in rng.integers(0, len(pools), 3)
        ]
        made.append("".join(parts).rstrip())
    for _ in range(8):
        _, misfit = encode_cells(field, pa.array(made), charset, count)
        made = [text[: len(text) // 2] if wrong else text for text, wrong in zip(made, misfit, strict=True)]
    _, misfit = encode_cells(field, pa.array(made), charset, count)
    return pa.array(["" if wrong else text for text, wrong in zip(made, misfit, strict=True)], pa.string())
