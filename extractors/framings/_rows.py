"""What framings of rows have in common: where rows end, whose cell is whose column, and cells laid into places.

A row is cells between separators. A cell that begins with a quote goes on to the quote that closes it, whatever stands
between: separators, line breaks, and quotes written twice. A quote that nothing closes holds no more than its own line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from extractors.framings._heads import cells_of, known_columns, read_head
from extractors.framings.contract import BEGUN, MOST_RECORDS, Framed, Framing, Index, Laid, State, Trouble
from extractors.kernels.memory import SLACK, jit
from extractors.layout import Layout
from extractors.layout.column_sheet import HEAD as SHEET_HEAD
from extractors.options import Options
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

LONG, STRAY, NUMBER, FORMULA, WRONG, DAY, MERGED, CONTROL = (1 << bit for bit in range(8))
"""Bits of a cell; from NUMBER on a container says them, in a mark before the cell."""
FEWER, MORE, UNCLOSED, HIDDEN = 1, 2, 4, 8
"""Bits of a row."""

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

MARK = 0x1A
"""Before a cell: a byte follows with its bits from NUMBER on, over 40. Before a row: a digit says what it is."""
HEAD, OF_HIDDEN = b"09"
SAYINGS: Mapping[int, str] = {b"1"[0]: "F157", b"2"[0]: "F158", b"3"[0]: "F159", b"4"[0]: "F160", b"5"[0]: "F161"}
"""By the digit of a row that is none, the finding that it is."""

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


@jit
def _rows(buffer, first, stop, ends, separator, quote, end, longest, pos, limits):
    """Fill where rows begin and end; (how many, what is done with, whether a row is too long)."""
    found = 0
    start = first
    while start < stop and found < len(pos):
        i = start
        fresh = True
        done = False
        while i < stop:
            byte = buffer[i]
            if fresh and byte == quote:
                close = i + 1
                broken = False
                while close < stop and close - start <= longest:
                    if buffer[close] == quote:
                        if close + 1 < stop and buffer[close + 1] == quote:
                            close += 1
                        else:
                            break
                    broken |= buffer[close] == end
                    close += 1
                if close >= stop - 1 and not ends and close - start <= longest:
                    return found, start, False
                after = buffer[close + 1] if close + 1 < stop else end
                closed = close < stop and close - start <= longest
                # What closes a cell over a line break, and is followed by more of it, opens another row's cell.
                if not closed or (broken and after != separator and after != end and after != 13):
                    while i < stop and buffer[i] != end:
                        i += 1
                    done = i < stop
                    break
                i = close + 1
                fresh = False
                continue
            if byte == end:
                done = True
                break
            fresh = byte == separator
            i += 1
        if not done and not ends:
            return found, start, stop - start > longest
        if i - start > longest:
            return found, start, True
        limit = i
        if end == 10 and done and limit > start and buffer[limit - 1] == 13:
            limit -= 1
        pos[found] = start
        limits[found] = limit
        found += 1
        start = i + 1 if done else i
    return found, start, False


@jit
def _lay(data, pos, limits, order, separator, quote, marked, offsets, widths, length, out, flags):
    """Copy the cells of rows into their places, quotes taken off, and flag what is odd."""
    columns = len(offsets)
    for r in range(len(pos)):
        i, stop = pos[r], limits[r]
        base = np.int64(16) + r * length
        cell = 0
        if marked and i + 1 < stop and data[i] == 0x1A and data[i + 1] == 0x39:
            flags[r, columns] |= 8
            i += 2
        while True:
            column = order[cell] if cell < len(order) else np.int64(-1)
            bits = np.int64(0)
            if marked and i + 1 < stop and data[i] == 0x1A:
                bits = (np.int64(data[i + 1]) & 0x3F) << 2
                i += 2
            at, room = np.int64(0), np.int64(0)
            if column >= 0:
                at, room = base + offsets[column], widths[column]
            size = np.int64(0)
            quoted = i < stop and data[i] == quote
            if quoted:
                close = i + 1
                while close < stop:
                    if data[close] == quote:
                        if close + 1 < stop and data[close + 1] == quote:
                            close += 1
                        else:
                            break
                    close += 1
                if close >= stop:
                    flags[r, columns] |= 4
                i += 1
                while i < close:
                    if size < room:
                        out[at + size] = data[i]
                    size += 1
                    i += 2 if data[i] == quote else 1
                i = min(close + 1, stop)
            while i < stop and data[i] != separator:
                if (quoted and data[i] != 32) or data[i] == quote:
                    bits |= 2
                if size < room:
                    out[at + size] = data[i]
                size += 1
                i += 1
            if column >= 0:
                flags[r, column] |= bits | np.int64(size > room)
            elif cell >= len(order) and size > 0:
                flags[r, columns] |= 2
            cell += 1
            if i >= stop:
                break
            i += 1
        if cell < len(order):
            flags[r, columns] |= 1


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
    return Framing(name, layout.length, _index(form, layout), padded=True, exact=False, lay=_layer(form, layout))


def _layer(form: Form, layout: Layout) -> Callable[[np.ndarray, np.ndarray, np.ndarray, State], Laid]:
    items = layout.record.children
    offsets = np.array([item.offset for item in items], np.int64)
    widths = np.array([item.width for item in items], np.int64)
    length = layout.length

    def lay(data: np.ndarray, pos: np.ndarray, limits: np.ndarray, state: State) -> Laid:
        out = np.full(len(pos) * length + length + 2 * SLACK, 0x20, np.uint8)
        flags = np.zeros((len(pos), len(items) + 1), np.uint16)
        order = np.array(state[1:], np.int64)
        _lay(
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
        found, at, long = _rows(buffer, begin, stop, ends, form.separator, form.quote, form.end, form.longest, *room)
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
    heads = np.flatnonzero((buffer[rows.pos] == MARK) & (buffer[rows.pos + 1] == HEAD))
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
