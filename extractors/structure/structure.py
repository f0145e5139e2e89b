"""Records of any structure -> columns: sections placed by the records' own counts, tables as list columns.

A layout without varying tables is one section, and this is one call of the decoder. Otherwise each section begins where
the table before it ends, in each record elsewhere; the occurrences of a table are decoded like records, all of a batch
together, and become a list column. A record that ends before its layout does keeps what is there: a text that the end
cuts is read to it, every field behind it is null, and one finding says so. Where a record had its trailing spaces left
out, what is missing of a number is read as spaces instead: a line gives the numbers that it would give with them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import Charset
from extractors.columns import holding
from extractors.decoder import Blanks, Decoder, Oddity
from extractors.dialects.contract import Dialect
from extractors.kernels.memory import SLACK
from extractors.layout import Field, Segment, Table
from extractors.structure.full import CODE, full
from extractors.structure.joined import JoinedTable
from extractors.structure.odd import Odd, Rows, named, occurrences
from extractors.structure.seen import Observer, Seen
from extractors.structure.walk import Walk


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """Some records, decoded.

    Attributes:
        columns: in the order of `Structure.schema`.
        odd: what was odd in them.
        ends: int64, where each record's layout ends; the record's own end where that cannot be known.
        short: indexes of the records that end before that.
        filled: in how many records each of the other fields, and then each column, holds anything.
    """

    columns: tuple[pa.Array, ...]
    odd: tuple[Odd, ...]
    ends: np.ndarray
    short: np.ndarray
    filled: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Marks:
    """Of each record: whether it ends before its layout does, and whether a count in it cannot be right.

    Of all of them, by column and by other field: how many hold anything.
    """

    short: np.ndarray
    torn: np.ndarray
    filled: dict[str, int] = dataclasses.field(default_factory=dict)
    others: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _Counted:
    """A table in each record: how many occurrences, where it ends, whether its count is wrong, whether it is cut short.

    `places` tells where each occurrence begins, unless they are equally wide.
    """

    counts: np.ndarray
    end: np.ndarray
    wrong: np.ndarray
    cut: np.ndarray
    places: np.ndarray | None


class Structure:
    """Decodes a segment; made once a record kind.

    Args:
        segment: what to decode.
        wanted: whether to decode a field or table, by name.
        charset, dialect, blanks: as the decoder takes them.
        describe: the Arrow field of a field, with its metadata.
        fixed_places: whether a varying table always takes the room of its most occurrences.
        padded: whether a record that ends before its layout does had its trailing spaces left out.
        others: fields of the first section that are not decoded, only looked at for whether they are filled.
        cut: texts that are told of where they fill their field, so that something may have been cut.
    """

    def __init__(
        self,
        segment: Segment,
        wanted: Callable[[str], bool],
        charset: Charset,
        dialect: Dialect,
        blanks: Blanks,
        describe: Callable[[Field], pa.Field],
        *,
        fixed_places: bool = False,
        padded: bool = False,
        others: Sequence[Field] = (),
        cut: frozenset[str] = frozenset(),
        observer: Observer | None = None,
    ) -> None:
        self._cut = cut
        self._observer = observer
        self._segment = segment
        self._charset = charset
        self._dialect = dialect
        self._blanks = blanks
        self._fixed_places = fixed_places
        self._padded = padded
        # A counter must be decoded to place what follows, whether or not anybody wants it.
        self._counters = {t.counter for t in segment.deep_tables if t.depending}
        self._decoders: list[Decoder] = []
        self._walks = {
            t.name: Walk(t.element, charset, dialect, blanks, fixed_places=fixed_places)
            for t in segment.tables
            if not t.element.fixed
        }
        self._kept: list[tuple[Field, ...]] = []
        self._tables: list[list[tuple[Table, Structure | JoinedTable | None]]] = []
        self._shorts: dict[Field, Decoder] = {}
        self._extents = [max((f.offset + f.width for f in s.fields), default=0) for s in segment.sections]
        fields: list[pa.Field] = []
        places: list[tuple[int, int]] = []
        for number, section in enumerate(segment.sections):
            kept = tuple(f for f in section.fields if wanted(f.name))
            counters = tuple(f for f in section.fields if f.ordinal in self._counters and f not in kept)
            self._decoders.append(Decoder((*kept, *counters), charset, dialect, blanks, others if number == 0 else ()))
            self._kept.append(kept)
            fields.extend(describe(f) for f in kept)
            places.extend((number, f.offset) for f in kept)
            inside: list[tuple[Table, Structure | JoinedTable | None]] = []
            for table in section.tables:
                nested = self._nested(table, describe) if wanted(table.column) else None
                inside.append((table, nested))
                if nested is not None:
                    fields.append(nested.field if isinstance(nested, JoinedTable) else _list_of(table, nested))
                    places.append((number, table.offset))
            self._tables.append(inside)
        # Columns stand in the copybook's order, lists among the fields.
        self._order = sorted(range(len(fields)), key=lambda n: places[n])
        self.schema: tuple[pa.Field, ...] = tuple(fields[n] for n in self._order)

    def _nested(self, table: Table, describe: Callable[[Field], pa.Field]) -> Structure | JoinedTable | None:
        """What decodes the occurrences of a table; None where nothing in them is decoded."""
        if table.joined:
            return JoinedTable(table, self._charset, self._dialect, describe)
        nested = Structure(
            table.element,
            lambda name: not name.startswith("FILLER@"),
            self._charset,
            self._dialect,
            self._blanks,
            describe,
            fixed_places=self._fixed_places,
            padded=self._padded,
            cut=self._cut,
            observer=self._observer,
        )
        return nested if nested.schema else None

    def read(self, data: np.ndarray, pos: np.ndarray, limits: np.ndarray) -> Read:
        """Decode records.

        Args:
            data: uint8, with room behind the last record for a whole layout and `SLACK` bytes.
            pos: int64, where each record begins.
            limits: int64, where each record ends.
        """
        count = len(pos)
        rows = Rows(np.arange(count), np.zeros((count, 0), np.int64), pos, limits)
        marks = _Marks(np.zeros(count, bool), np.zeros(count, bool))
        odd: list[Odd] = []
        columns, ends = self._read(data, rows, {}, odd, marks)
        ends[marks.torn] = limits[marks.torn]
        filled = marks.others | {field.name: marks.filled[field.name] for field in self.schema}
        return Read(tuple(columns), tuple(odd), ends, np.nonzero(marks.short & ~marks.torn)[0], filled)

    def _read(
        self, data: np.ndarray, rows: Rows, counts: dict[int, np.ndarray], odd: list[Odd], marks: _Marks
    ) -> tuple[list[pa.Array], np.ndarray]:
        columns: list[pa.Array] = []
        table_ends: dict[str, np.ndarray] = {}
        starts = rows.starts
        begins: list[np.ndarray] = []
        known = dict(counts)
        for number, section in enumerate(self._segment.sections):
            starts = rows.starts if section.after is None else table_ends[section.after]
            begins.append(starts)
            here = dataclasses.replace(rows, starts=starts)
            decoded = self._section(data, number, here, odd, marks)
            kept = self._kept[number]
            columns.extend(decoded[: len(kept)])
            for field, column in zip(self._decoders[number].fields, decoded, strict=True):
                if field.ordinal in self._counters:
                    known[field.ordinal] = _counts(column)
            for table, nested in self._tables[number]:
                column, table_end = self._table(data, table, nested, here, begins, known, odd, marks)
                if column is not None:
                    columns.append(column)
                table_ends[table.name] = table_end
        last, offset = self._segment.end
        return [columns[n] for n in self._order], begins[last] + offset

    def _section(self, data: np.ndarray, number: int, rows: Rows, odd: list[Odd], marks: _Marks) -> list[pa.Array]:
        decoder = self._decoders[number]
        cut = rows.starts + self._extents[number] > rows.limits
        some_cut = bool(cut.any())
        decoded = decoder.decode(data, rows.starts, rows.limits if some_cut else None)
        columns = list(decoded.columns)
        filled = list(decoded.filled)
        oddities: Sequence[Oddity] = decoded.oddities
        if some_cut:
            marks.short[rows.records[cut]] = True
            columns, oddities = self._shorten(data, decoder, columns, oddities, rows, np.nonzero(cut)[0])
            filled = [
                known if after is before else holding(after)
                for known, before, after in zip(filled, decoded.columns, columns, strict=True)
            ]
        if not rows.subscripts.shape[1]:
            marks.others.update(decoded.others)
            marks.filled.update(zip((f.name for f in decoder.fields), filled, strict=True))
        if self._observer is not None:
            self._observer.see(Seen(decoder, data, rows.starts, rows.limits, rows.records, columns))
        for oddity in (*oddities, *self._full(data, decoder, columns, rows)):
            odd.append(named(oddity, rows, decoder))
        return columns

    def _full(self, data: np.ndarray, decoder: Decoder, columns: list[pa.Array], rows: Rows) -> Iterator[Oddity]:
        """The texts that are asked about and fill their field."""
        for field, column in zip(decoder.fields, columns, strict=True) if self._cut else ():
            if self._cut & {field.name, field.data_name}:
                yield Oddity(field, 0, CODE, full(data, rows, field, column, self._charset))

    def _shorten(
        self,
        data: np.ndarray,
        decoder: Decoder,
        columns: list[pa.Array],
        oddities: Sequence[Oddity],
        rows: Rows,
        cut: np.ndarray,
    ) -> tuple[list[pa.Array], list[Oddity]]:
        """Take back what was read beyond the ends of short records; of a text only where nothing of it is there."""
        kept = list(oddities)
        for number, field in enumerate(decoder.fields):
            text = field.is_text
            beyond = cut[rows.starts[cut] + field.offset + (1 if text else field.width) > rows.limits[cut]]
            if not len(beyond):
                continue
            missing = np.zeros(len(rows.starts), bool)
            missing[beyond] = True
            column = pc.if_else(pa.array(missing), pa.scalar(None, columns[number].type), columns[number])
            if not text:
                kept = [self._without(o, beyond) if o.field is field else o for o in kept]
                if self._padded:
                    part, odd = self._with_spaces(data, field, rows, beyond)
                    kept.extend(dataclasses.replace(o, field=field, rows=beyond[o.rows]) for o in odd)
                    column = pc.replace_with_mask(column, pa.array(missing), part)
            columns[number] = column
        return columns, [o for o in kept if len(o.rows)]

    def _with_spaces(
        self, data: np.ndarray, field: Field, rows: Rows, some: np.ndarray
    ) -> tuple[pa.Array, Sequence[Oddity]]:
        """A number of some records whose ends cut it, with spaces for what is missing."""
        decoder = self._shorts.get(field)
        if decoder is None:
            alone = dataclasses.replace(field, offset=SLACK)
            decoder = self._shorts[field] = Decoder((alone,), self._charset, self._dialect, self._blanks)
        begins = rows.starts[some] + field.offset
        padded = np.full((len(some), field.width + 2 * SLACK), self._charset.blank, np.uint8)
        read = np.lib.stride_tricks.sliding_window_view(data, field.width)[begins]
        beyond = np.arange(field.width) >= (rows.limits[some] - begins)[:, None]
        padded[:, SLACK:-SLACK] = np.where(beyond, np.uint8(self._charset.blank), read)
        decoded = decoder.decode(padded.ravel(), np.arange(len(some), dtype=np.int64) * padded.shape[1])
        return decoded.columns[0], decoded.oddities

    @staticmethod
    def _without(oddity: Oddity, rows: np.ndarray) -> Oddity:
        return dataclasses.replace(oddity, rows=oddity.rows[~np.isin(oddity.rows, rows)])

    def _table(
        self,
        data: np.ndarray,
        table: Table,
        nested: Structure | JoinedTable | None,
        rows: Rows,
        begins: Sequence[np.ndarray],
        known: dict[int, np.ndarray],
        odd: list[Odd],
        marks: _Marks,
    ) -> tuple[pa.Array | None, np.ndarray]:
        """The list column of a table, and where the table ends in each record."""
        begin = rows.starts + table.offset
        size = len(begin)
        counted = self._count(data, table, rows, known)
        counts, end, wrong = counted.counts, counted.end, counted.wrong
        if wrong.any():
            # A count that lies behind the record's end, or behind another such table, is not one more thing to report.
            fresh = wrong & ~marks.torn[rows.records] & ~marks.short[rows.records]
            if fresh.any():
                odd.append(self._out_of_range(table, rows, begin, begins, fresh))
                marks.torn[rows.records[fresh]] = True
        marks.short[rows.records[counted.cut]] = True
        if nested is None:
            return None, end
        if isinstance(nested, JoinedTable):
            stops = np.minimum(begin + counts * table.element.width, rows.limits)
            column, seen = nested.read(data, begin, np.where(wrong, begin, stops), rows, odd)
            if self._observer is not None:
                for some in seen:
                    self._observer.see(some)
            if not rows.subscripts.shape[1]:
                marks.filled[table.column] = holding(column)
            return (pc.if_else(pa.array(wrong), pa.scalar(None, column.type), column) if wrong.any() else column), end
        if not rows.subscripts.shape[1]:
            marks.filled[table.column] = int(np.count_nonzero(counts))
        offsets = np.zeros(size + 1, np.int32)
        np.cumsum(counts, out=offsets[1:])
        parents, elements = occurrences(rows, offsets, begin, table.element.width, counted.places)
        inside = {name: values[parents] for name, values in known.items()} if table.element.deep_tables else {}
        columns, _ = nested._read(data, elements, inside, odd, marks)
        values = columns[0] if table.elementary else pa.StructArray.from_arrays(columns, fields=list(nested.schema))
        if not wrong.any():
            return pa.ListArray.from_arrays(pa.array(offsets), values), end
        return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(wrong)), end

    def _count(self, data: np.ndarray, table: Table, rows: Rows, known: Mapping[int, np.ndarray]) -> _Counted:
        """How many occurrences a table has in each record, and where it ends."""
        begin = rows.starts + table.offset
        stated = np.full(len(begin), table.most) if table.depending is None else known[table.counter]
        # A count that cannot be right says nothing about what follows: the list is null, not a guess.
        wrong = (stated < table.least) | (stated > table.most)
        counts = np.where(wrong, 0, stated)
        # Whatever is stated, no occurrence is looked for behind the record's end; one that the end cuts is read to it.
        places = None
        if table.element.fixed:
            width = max(table.element.width, 1)
            there = np.maximum(rows.limits - begin, 0)
            cut = counts > there // width
            counts = np.minimum(counts, -(-there // width))
            end = begin + counts * table.element.width
        else:
            counts, end, places = self._walks[table.name].through(data, begin, rows.limits, counts, known)
            cut = np.zeros(len(begin), bool)
        if self._fixed_places:
            end = begin + table.most * table.element.width
        elif wrong.any():
            # Where the next section begins cannot be known: at the record's end nothing of it is read.
            end = np.where(wrong, rows.limits, end)
        return _Counted(counts, end, wrong, cut, places)

    def _out_of_range(
        self, table: Table, rows: Rows, begin: np.ndarray, begins: Sequence[np.ndarray], wrong: np.ndarray
    ) -> Odd:
        """A count that cannot be right, at its counter where that is in this segment, otherwise at the table."""
        at = np.nonzero(wrong)[0]
        detail = f"OCCURS {table.least} TO {table.most}"
        for section, starts in zip(self._segment.sections, begins, strict=False):
            for field in section.fields:
                if field.ordinal == table.counter:
                    places = starts[at] + field.offset
                    return Odd(field, field.name, 0, "D233", rows.records[at], places, rows.limits[at], None, detail)
        return Odd(None, table.column, 0, "D233", rows.records[at], begin[at], rows.limits[at], None, detail)


def _counts(column: pa.Array) -> np.ndarray:
    """The counts that a column states; -1 where it states none."""
    return np.asarray((column.fill_null(-1) if column.null_count else column).to_numpy(zero_copy_only=False))


def _list_of(table: Table, nested: Structure) -> pa.Field:
    element = nested.schema[0].type if table.elementary and nested.schema else pa.struct(list(nested.schema))
    return pa.field(table.column, pa.list_(element))
