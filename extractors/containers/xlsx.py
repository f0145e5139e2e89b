"""xlsx: the table of a workbook's sheet as rows of cells, every filled cell accounted for.

    container: {name: xlsx, sheet: 名簿, head: 3-4}

A head of several rows is joined, merged cells repeated: `住所/町名`. Texts stay as they are, a number is written without
exponent, a day as YYYY-MM-DD, a formula as the result that the file holds: nothing is computed, and nothing is fetched.
A cell that is not what it seems (a number where text is meant, an error, a formula, a day) is a finding. Rows that are
hidden are read. What stands above the head, or below the table in one cell behind an empty row or a ※, is a note. Sheets
that are not read are counted, and so is every cell: of the head, of a row, outside the table.
"""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from extractors.containers._cells import EMPTY, Cell, head_of, row_of, saying
from extractors.containers._workbook import Area, Row, Sheet, Workbook
from extractors.containers.contract import Container, Damaged, pick, refuse, sought, stream
from extractors.kernels.rows import MERGED, Says

MAGIC = b"PK\x03\x04"
NOTE = re.compile(r"\s*(※|＊|\*|注|備考)")
"""How a note below a table begins."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """Which sheets, which rows are the head (0, 0: none), and whether a value of merged cells is repeated."""

    sheets: tuple[str, ...]
    first: int
    last: int
    repeat: bool


@dataclasses.dataclass(slots=True)
class _Count:
    """Where the filled cells of a sheet went."""

    head: int = 0
    values: int = 0
    outside: int = 0


def open_xlsx(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Give the rows of the sheets.

    Raises:
        SpecError: an option cannot be used.
    """
    head = options.get("head", "1")
    found = re.fullmatch(r"([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?", head)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if (found is None and head != "none") or not 0 <= last - first < 10:
        raise refuse("head", head, ("a row such as 1", "rows such as 3-4", "none"))
    sheets = tuple(filter(None, (name.strip() for name in options.get("sheet", "").split(","))))
    repeat = pick(options, "merged", ("once", "repeat"), "once") == "repeat"
    return stream(_pieces(raw, _Said(sheets, first, last, repeat)))


def _pieces(raw: BinaryIO, said: _Said) -> Iterator[bytes]:
    book = Workbook(sought(raw))
    chosen = _chosen(book, said.sheets)
    for number, sheet in enumerate(book.sheets, 1):
        if sheet in chosen:
            if not sheet.shown:
                yield saying(Says.HIDDEN, f"sheet {number}")
            yield from _table(book, sheet, number, said)
        elif cells := sum(len(row.cells) for row in book.rows(sheet)):
            hidden = "" if sheet.shown else ", which is hidden"
            yield saying(Says.NOT_READ, f"sheet {number}{hidden}: {_cells(cells)}")
    if book.beside:
        yield saying(Says.NOT_READ, f"{book.beside} parts of comments, pictures or drawn texts")


def _chosen(book: Workbook, named: Sequence[str]) -> Sequence[Sheet]:
    """The sheets that are read: those that were named, or the first that is shown.

    Raises:
        Damaged: one that was named is not there, or there is none.
    """
    if not named:
        shown = [sheet for sheet in book.sheets if sheet.shown] or [*book.sheets]
        if not shown:
            raise Damaged("xlsx: the workbook has no sheet", 0)
        return shown[:1]
    by_name = {sheet.name: sheet for sheet in book.sheets}
    lacking = [name for name in named if name != "*" and name not in by_name]
    if lacking:
        raise Damaged(f"xlsx: there is no sheet {', '.join(lacking)[:60]} among its {len(by_name)}", 0)
    return [*book.sheets] if "*" in named else [by_name[name] for name in named]


def _table(book: Workbook, sheet: Sheet, number: int, said: _Said) -> Iterator[bytes]:
    """The table of a sheet: what stands above it, its head, its rows, what stands below it."""
    count, areas = _Count(), book.merged(sheet)
    merging = _Merging(areas, repeat=said.repeat)
    head: list[Row] = []
    headed = not said.last
    width, before, notes = 1, said.last, 0
    for row in book.rows(sheet):
        if said.first <= row.number <= said.last:
            head.append(row)
            count.head += len(row.cells)
            continue
        if row.number < said.first:
            count.outside += len(row.cells)
            yield saying(Says.NOTE, f"sheet {number}, row {row.number}: {_cells(len(row.cells))} above the head")
            continue
        if not headed:
            headed = True
            names = _joined(head, areas, said)
            width = len(names)
            yield head_of(names)
        if len(row.cells) == 1 and width > 2 and (row.number > before + 1 or notes or _is_note(row)):
            notes += 1
            count.outside += 1
            yield saying(Says.NOTE, f"sheet {number}, row {row.number}: {_cells(1)} below the table")
            continue
        before = row.number
        count.values += len(row.cells)
        cells = merging.settle(row)
        yield row_of([cells.get(column, EMPTY) for column in range(max(cells) + 1)], hidden=row.hidden)
    if not headed:
        yield head_of(_joined(head, areas, said))
    every = count.head + count.values + count.outside
    parts = f"{count.head:,} of the head, {count.values:,} of rows, {count.outside:,} outside the table"
    yield saying(Says.ACCOUNT, f"sheet {number}: {every:,} filled cells: {parts}")


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' if count != 1 else ''}"


def _is_note(row: Row) -> bool:
    ((content, _),) = row.cells.values()
    return isinstance(content, str) and NOTE.match(content) is not None


def _joined(head: Sequence[Row], areas: Sequence[Area], said: _Said) -> list[str]:
    """The names of the columns: what stands above each, from the top, merged cells repeated."""
    grid = {(row.number, column): str(cell[0]) for row in head for column, cell in row.cells.items()}
    for area in areas:
        name = grid.get((area.top, area.left))
        if name is not None and area.top <= said.last:
            for row in range(area.top, min(area.bottom, said.last) + 1):
                grid.update(((row, column), name) for column in range(area.left, min(area.right, area.left + 999) + 1))
    width = max((column for _, column in grid), default=-1) + 1
    above = ([grid.get((row, column), "") for row in range(said.first, said.last + 1)] for column in range(width))
    return ["/".join(dict.fromkeys(filter(None, names))) for names in above]


class _Merging:
    """The merged cells of the rows below a head, which come in order."""

    def __init__(self, areas: Sequence[Area], *, repeat: bool) -> None:
        self._areas = deque(sorted(areas, key=lambda area: area.top))
        self._open: list[tuple[Area, Cell]] = []
        self._repeat = repeat

    def settle(self, row: Row) -> dict[int, Cell]:
        """The cells of a row, those that are merged marked, and repeated where that is asked for."""
        cells = dict(row.cells)
        self._open = [(area, cell) for area, cell in self._open if area.bottom >= row.number]
        for area, cell in self._open:
            if self._repeat:
                cells.setdefault(area.left, cell)
        while self._areas and self._areas[0].top <= row.number:
            area = self._areas.popleft()
            if area.top == row.number and area.left in cells:
                content, bits = cells[area.left]
                cells[area.left] = content, bits | MERGED
                self._open.append((area, cells[area.left]))
        return cells


CONTAINER = Container(
    name="xlsx",
    doc=__doc__ or "",
    options={
        "sheet": "the sheet, or several with commas, or * (the first that is shown)",
        "head": "the row of the head, the first and last of several, such as 3-4, or none (1)",
        "merged": "once or repeat: whether a value of merged cells stands in each of their rows (once)",
    },
    suffixes=(".xlsx", ".xlsm"),
    recognise=lambda head: head.startswith(MAGIC) and b"[Content_Types].xml" in head[:200],
    open=open_xlsx,
    rows=True,
)
