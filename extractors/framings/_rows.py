"""What framings of rows have in common: where rows end, whose cell is whose column, and cells laid into places.

A row is cells between separators. A cell that begins with a quote goes on to the quote that closes it, whatever stands
between: separators, line breaks, and quotes written twice. A quote that nothing closes holds no more than its own line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from extractors.framings._heads import cells_of, known_columns, read_head
from extractors.framings.contract import BEGUN, MOST_RECORDS, Framed, Framing, Index, Laid, Lay, State, Trouble, Wrap
from extractors.kernels.memory import SLACK
from extractors.kernels.rows import (
    CONTROL,
    DAY,
    FEWER,
    FORMULA,
    HIDDEN,
    LONG,
    MARK,
    MERGED,
    MORE,
    NUMBER,
    STRAY,
    UNCLOSED,
    WRONG,
    Says,
    find_rows,
    lay_rows,
    write_rows,
)
from extractors.layout import Layout
from extractors.layout.column_sheet import HEAD as SHEET_HEAD
from extractors.options import Options
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

CELLS: Mapping[int, str] = {
    LONG: "F142",
    STRAY: "F143",
    NUMBER: "F150",
    FORMULA: "F151",
    WRONG: "F152",
    DAY: "F153",
    MERGED: "F154",
    CONTROL: "F155",
}
ROWS: Mapping[int, str] = {FEWER: "F140", MORE: "F141", UNCLOSED: "F144", HIDDEN: "F156"}
"""The finding of each bit."""

SAYINGS: Mapping[int, str] = {
    Says.NOTE: "F157",
    Says.NOT_READ: "F158",
    Says.ACCOUNT: "F159",
    Says.MISSING: "F160",
    Says.DIFFERING: "F161",
    Says.HIDDEN: "F156",
    Says.BROKEN: "F162",
}
"""The finding that a row is which is none."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

NO_ROWS = np.zeros(0, np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """How rows are written: their bytes, -1 where there is none; whether cells and rows may carry marks.

    `head`: which row says what columns there are; 0: none does, and they are `columns`, or stand as in the sheet.
    """

    separator: int
    quote: int
    end: int
    head: int
    longest: int
    marked: bool = False
    columns: tuple[str, ...] = ()


def odd_cells(flags: np.ndarray, layout: Layout) -> Iterator[tuple[str, np.ndarray, str | None]]:
    """What is odd in rows: (finding, rows, the column, None of the row itself).

    A number where a number is meant is as it should be.
    """
    met = np.bitwise_or.reduce(flags, axis=0, initial=np.uint16(0)).tolist()
    items = layout.record.children
    for number, all_bits in enumerate(met):
        meant = number < len(items) and items[number].usage == "figures"
        for bit, code in (CELLS if number < len(items) else ROWS).items():
            if all_bits & bit and not (bit == NUMBER and meant):
                rows = np.flatnonzero(flags[:, number] & bit)
                yield code, rows, items[number].name if number < len(items) else None


def framing(name: str, form: Form, layout: Layout, options: Options) -> Framing:
    """The framing of rows of a form.

    Raises:
        SpecError: the layout is no sheet of columns.
    """
    if not layout.headings:
        message = f"records of framing {name} are rows of cells, and the layout is no sheet of columns"
        raise SpecError(
            [
                Problem(
                    "L124", Position(layout.file), message, ("layouts/NAME.csv",), f"its head is {','.join(SHEET_HEAD)}"
                )
            ]
        )
    names = [item.name for item in layout.record.children]
    for column in form.columns:
        if column not in names:
            options.refuse(f"columns: the sheet has no `{column[:60]}`", tuple(names), did_you_mean(column, names))
    index, lay, wrap = _index(form, layout), _layer(form, layout), _wrapper(form, layout)
    return Framing(name, layout.length, index, wrap, padded=True, exact=False, opening=_opening(form, names), lay=lay)


def _opening(form: Form, names: Sequence[str]) -> bytes:
    """A head that says the columns by their fields, which any charset writes alike where they are of ASCII."""
    mark = bytes((MARK, Says.HEAD)) if form.marked else b""
    head = mark + chr(form.separator).join(names).encode() + bytes((form.end,))
    return b"\n" * max(form.head - 1, 0) + head if form.head or form.marked else b""


def _wrapper(form: Form, layout: Layout) -> Wrap:
    offsets, widths = _places(layout)

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        if (sizes != layout.length).any():
            raise ValueError("a record is no row of the sheet of columns")
        out = np.empty(len(sizes) * (2 * layout.length + 3 * len(offsets)), np.uint8)
        used = write_rows(
            data, len(sizes), offsets, widths, layout.length, form.separator, form.quote, form.end, out
        )  # fmt: skip
        if used < 0:
            raise ValueError("a cell of a record holds what ends one, and nothing quotes it")
        return out[:used]

    return wrap


def _places(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Where the columns stand in a record, and how wide they are."""
    items = layout.record.children
    return np.array([item.offset for item in items], np.int64), np.array([item.width for item in items], np.int64)


def _layer(form: Form, layout: Layout) -> Lay:
    offsets, widths = _places(layout)
    length = layout.length

    def lay(data: np.ndarray, pos: np.ndarray, limits: np.ndarray, state: State) -> Laid:
        out = np.full(len(pos) * length + length + 2 * SLACK, 0x20, np.uint8)
        flags = np.zeros((len(pos), len(offsets) + 1), np.uint16)
        order = np.array(state[1:], np.int64)
        lay_rows(
            data, pos, limits, order, form.separator, form.quote, form.marked, offsets, widths, length, out, flags
        )  # fmt: skip
        return Laid(out, flags)

    return lay


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """Rows of a buffer, or some of them: where they begin and end, and where what follows them does."""

    pos: np.ndarray
    limits: np.ndarray
    next: int

    def before(self, row: int) -> _Found:
        """Those before a row."""
        return _Found(self.pos[:row], self.limits[:row], int(self.pos[row])) if row < len(self.pos) else self

    def behind(self, row: int) -> _Found:
        """Those behind a row."""
        return _Found(self.pos[row + 1 :], self.limits[row + 1 :], self.next)

    def some(self, chosen: np.ndarray) -> _Found:
        """Some of them."""
        return _Found(self.pos[chosen], self.limits[chosen], self.next)


def _index(form: Form, layout: Layout) -> Index:
    """Rows one after another; the head of a file, or one so marked, says whose cells follow."""
    names = [item.name for item in layout.record.children]
    as_written = (1, *(names.index(name) for name in form.columns or names if name in names))
    known = known_columns(layout)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        begin = first
        if not state and not form.marked:
            if stop - first < len(BYTE_ORDER_MARK) and not ends:
                return Framed(NO_ROWS, NO_ROWS, 0)
            marked = buffer[first : min(first + 3, stop)].tobytes() == BYTE_ORDER_MARK
            begin += len(BYTE_ORDER_MARK) if marked else 0
        room = np.empty((2, MOST_RECORDS), np.int64)
        found, at, long = find_rows(
            buffer, begin, stop, ends, form.separator, form.quote, form.end, form.longest, *room
        )
        rows = _Found(room[0, :found], room[1, :found], at)
        troubles: list[Trouble] = []
        if form.head and state[:1] != BEGUN:
            seen = state[1] if state else 0
            head = form.head - 1 - seen
            troubles += _spoken(rows.before(head), first, seen)
            state = (0, seen + len(rows.pos))
        else:
            head = -1 if form.head else _next_head(buffer, rows)
            if head:
                rows, head = rows.before(head) if head > 0 else rows, -1
        if 0 <= head < len(rows.pos):
            state, said = read_head(_cells(form, buffer[rows.pos[head] : rows.limits[head]].tobytes()), known, layout)
            troubles += [dataclasses.replace(t, at=int(rows.pos[head]) - first) for t in said]
            if not state:
                used = int(rows.pos[head]) - first
                return Framed(NO_ROWS, NO_ROWS, used, used, (), troubles=tuple(troubles), stopped=True)
            rows = rows.behind(head)
            following = _next_head(buffer, rows) if form.marked else -1
            rows = rows.before(following) if following >= 0 else rows
        elif form.head and state[:1] != BEGUN:
            rows = rows.behind(len(rows.pos))
        state = state or as_written
        if form.marked:
            notes = _marked(buffer, rows)
            troubles += _said(buffer, rows.some(notes), first)
            rows = rows.some(~notes)
        rows = rows.some(rows.limits > rows.pos)
        used = rows.next - first
        overhead = used - int((rows.limits - rows.pos).sum())
        again = rows.next < at or found == MOST_RECORDS
        if long and not again:
            troubles.append(Trouble("F107", used, 0, f"no row ends within {form.longest:,} bytes"))
        stopped = bool(long) and not again
        return Framed(
            rows.pos, rows.limits, used, overhead, state, troubles=tuple(troubles), again=again, stopped=stopped
        )

    return index


def _cells(form: Form, row: bytes) -> list[bytes]:
    if form.marked:
        return row[2:].split(bytes([form.separator]))
    return cells_of(row, chr(form.separator), chr(form.quote) if form.quote >= 0 else "")


def _next_head(buffer: np.ndarray, rows: _Found) -> int:
    """The first row that is marked as a head; -1 where none is."""
    heads = np.flatnonzero((buffer[rows.pos] == MARK) & (buffer[rows.pos + 1] == Says.HEAD))
    return int(heads[0]) if len(heads) else -1


def _marked(buffer: np.ndarray, rows: _Found) -> np.ndarray:
    """Whether each row is none, but something to say."""
    return np.asarray((buffer[rows.pos] == MARK) & np.isin(buffer[rows.pos + 1], tuple(SAYINGS)))


def _said(buffer: np.ndarray, rows: _Found, first: int) -> Iterator[Trouble]:
    for pos, limit in zip(rows.pos.tolist(), rows.limits.tolist(), strict=True):
        detail = buffer[pos + 2 : limit].tobytes().decode("utf-8", "replace")
        yield Trouble(SAYINGS[int(buffer[pos + 1])], pos - first, 0, detail)


def _spoken(rows: _Found, first: int, seen: int) -> Iterator[Trouble]:
    """A note of each row before the head that holds anything, behind those seen before."""
    for number, (pos, limit) in enumerate(zip(rows.pos.tolist(), rows.limits.tolist(), strict=True), seen + 1):
        if limit > pos:
            yield Trouble("F157", pos - first, 0, f"row {number}, before the head")
