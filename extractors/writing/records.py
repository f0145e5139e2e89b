"""Columns -> records of any structure: counts stated, tables placed one after another, sections behind them.

The inverse of `extractors.structure`: what a record's counts decide when it is read follows here from its lists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.layout import Segment, Table
from extractors.writing.encode import Column, cells_of


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """Records one after another.

    Attributes:
        data: uint8, their bytes.
        sizes: int64, the bytes of each.
        places: of each field of the record itself, by its name, int64: where it begins in `data` in each record.
    """

    data: np.ndarray
    sizes: np.ndarray
    places: Mapping[str, np.ndarray]


def write_records(
    segment: Segment,
    columns: Mapping[str, Column],
    *,
    charset: Charset,
    count: int,
    least: int = 0,
    fixed_places: bool = False,
) -> Written:
    """Write records.

    Args:
        segment: how they are laid out.
        columns: values by field name, as `encode` takes them; a table's as a list column, of structs or, where the table
            is elementary, of values. A table that is left out is empty, or of blanks where its size does not vary; a count
            that is left out is how many occurrences there are.
        charset: how text is written.
        count: how many records.
        least: bytes that a record has at least; it is filled with spaces.
        fixed_places: whether a varying table always takes the room of its most occurrences.

    Raises:
        ValueError: a value does not fit its field, or a list its table or its count; the value is not named.
    """
    known = {*(field.name for field in segment.fields), *(table.column for table in segment.tables)}
    if unknown := sorted(set(columns) - known):
        raise ValueError(f"no such fields: {', '.join(unknown)}")
    return _Writer(charset, fixed_places=fixed_places).write(segment, columns, count, {}, least)


@dataclasses.dataclass(frozen=True, slots=True)
class _Rows:
    """Where the occurrences of a table stand: what they hold, and of each record how many bytes they take."""

    data: np.ndarray
    sizes: np.ndarray
    begins: np.ndarray


class _Writer:
    def __init__(self, charset: Charset, *, fixed_places: bool) -> None:
        self._charset = charset
        self._fixed_places = fixed_places

    def write(
        self, segment: Segment, columns: Mapping[str, Column], count: int, outer: Mapping[int, np.ndarray], least: int
    ) -> Written:
        """Write one occurrence of a segment for each row."""
        lists = {table.name: _list(table, columns.get(table.column), count) for table in segment.tables}
        columns, counts = self._counted(segment, columns, lists, outer)
        sections: list[np.ndarray] = []
        ends: dict[str, np.ndarray] = {}
        tables: list[_Rows] = []
        for section in segment.sections:
            begin = np.zeros(count, np.int64) if section.after is None else ends[section.after]
            sections.append(begin)
            for table in section.tables:
                rows = self._table(table, lists[table.name], begin + table.offset, counts)
                tables.append(rows)
                room = table.most * table.element.width if self._fixed_places else rows.sizes
                ends[table.name] = rows.begins + room
        last, offset = segment.end
        sizes = np.maximum(sections[last] + offset, least)
        pos = np.cumsum(sizes) - sizes
        data = np.full(int(sizes.sum()), self._charset.blank, np.uint8)
        places = {}
        for section, begin in zip(segment.sections, sections, strict=True):
            for field in section.fields:
                places[field.name] = pos + begin + field.offset
                cells = cells_of(field, columns.get(field.name), self._charset, count)
                if cells is None or not count:
                    continue
                if segment.fixed:
                    data.reshape(count, -1)[:, field.offset : field.offset + field.width] = cells
                else:
                    data[places[field.name][:, None] + np.arange(field.width)] = cells
        for rows in tables:
            moved = pos + rows.begins - (np.cumsum(rows.sizes) - rows.sizes)
            data[np.arange(len(rows.data)) + np.repeat(moved, rows.sizes)] = rows.data
        return Written(data, sizes, places)

    def _table(self, table: Table, column: pa.ListArray, begins: np.ndarray, counts: Mapping[int, np.ndarray]) -> _Rows:
        lengths = _lengths(column)
        if len(lengths) and not table.least <= lengths.min() <= lengths.max() <= table.most:
            raise ValueError(
                f"{table.column} has {table.least} to {table.most} occurrences, and another number is given"
            )
        values = column.flatten()
        of_each = {number: np.repeat(stated, lengths) for number, stated in counts.items()}
        written = self.write(table.element, dict(_members(table, values)), len(values), of_each, 0)
        ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(written.sizes)))
        return _Rows(written.data, np.diff(ends[np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))]), begins)

    def _counted(
        self,
        segment: Segment,
        columns: Mapping[str, Column],
        lists: Mapping[str, pa.ListArray],
        outer: Mapping[int, np.ndarray],
    ) -> tuple[Mapping[str, Column], Mapping[int, np.ndarray]]:
        """The columns with the counts that were left out, and every count by its entry; they agree with the lists."""
        filled, counts = dict(columns), dict(outer)
        counters = {field.ordinal: field for field in segment.fields if not field.asked_only}
        for table in segment.tables:
            if table.depending is None:
                continue
            own = _lengths(lists[table.name])
            field = counters.get(table.counter)
            if field is not None and field.name not in filled:
                filled[field.name] = own
            stated = counts.setdefault(table.counter, own if field is None else _whole(filled[field.name]))
            if not np.array_equal(stated, own):
                raise ValueError(f"{table.depending} says another number than {table.column} has occurrences")
        inside = {t.counter for table in segment.tables for t in table.element.deep_tables}
        for ordinal in inside & counters.keys() & {f.ordinal for f in counters.values() if f.name in filled}:
            counts.setdefault(ordinal, _whole(filled[counters[ordinal].name]))
        return filled, counts


def _list(table: Table, column: Column | None, count: int) -> pa.ListArray:
    """A table's list column; where none is given, empty, or of as many blanks as it always has."""
    if column is not None:
        assert isinstance(column, pa.ListArray)
        return column
    each = 0 if table.depending is not None and table.least == 0 else table.least if table.depending else table.most
    values = pa.array([{}] * (count * each), pa.struct([]))
    return pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * each), values)


def _members(table: Table, values: pa.Array) -> Iterator[tuple[str, Column]]:
    if pa.types.is_struct(values.type):
        yield from zip((field.name for field in values.type), values.flatten(), strict=True)
    elif table.elementary:
        yield table.element.fields[0].name, values


def _lengths(column: pa.ListArray) -> np.ndarray:
    return np.asarray(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _whole(column: Column) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column, np.int64)
