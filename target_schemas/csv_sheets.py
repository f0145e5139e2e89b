"""A CSV sheet -> rows whose cells know their places; what is wrong with its form is said at once.

    table,item,ja,en
    households,household_no,世帯番号,household number

The first line names the columns, in any order. Cells are quoted as spreadsheets do it; none runs over a line's end.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from migration_reports.slips import slip_in
from migration_reports.trouble import Position, Problem, did_you_mean

MAX_FILE = 4_000_000
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "S001": "a sheet that is missing or cannot be read",
        "S002": "a column of a sheet that is not known, missing or named twice",
        "S003": "a cell whose value is not allowed",
    }
)
"""What each problem code of a sheet's form means."""

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet: its cells by column, stripped, and where each begins."""

    cells: Mapping[str, str]
    file: str
    line: int
    starts: Mapping[str, int]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def at(self, column: str = "") -> Position:
        """Where a cell begins; without a column, the line."""
        return Position(self.file, self.line, self.starts.get(column, 1))


def read_text(path: Path, shown: str, problems: list[Problem]) -> str | None:
    """Read a sheet's text; None where it cannot be."""
    place = Position(shown)
    try:
        if path.stat().st_size > MAX_FILE:
            problems.append(Problem("S001", place, f"the file is larger than {MAX_FILE:,} bytes"))
            return None
        return path.read_bytes().decode("utf-8-sig")
    except OSError:
        problems.append(Problem("S001", place, "the file cannot be read", hint="does it exist?"))
    except UnicodeDecodeError:
        problems.append(Problem("S001", place, "the file is not UTF-8 text", hint="save it as CSV UTF-8"))
    return None


def read_rows(
    text: str, shown: str, columns: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> tuple[Row, ...]:
    """Read the rows of a sheet.

    Args:
        text: the CSV.
        shown: how positions call the file.
        columns: the columns that it may have.
        required: those that it must have; where the header is wrong, there are no rows.
        problems: is added to.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    header = _cells(lines[0], shown, 1, problems)
    if header is None:
        return ()
    names = [name for name, _ in header]
    if not _named(header, shown, columns, required, problems):
        return ()
    rows = []
    for number, line in enumerate(lines[1:], 2):
        cells = _cells(line, shown, number, problems) if line.strip(", ") else None
        if cells is None:
            continue
        if len(cells) > len(names):
            place = Position(shown, number, cells[len(names)][1])
            message = f"the line has {len(cells)} cells, the header {len(names)}"
            problems.append(Problem("S003", place, message, hint="quote a cell that holds a comma"))
            continue
        paired = list(zip(names, cells, strict=False))
        starts = {name: start for name, (_, start) in paired}
        rows.append(Row({name: cell for name, (cell, _) in paired}, shown, number, starts))
    return tuple(rows)


def _named(
    header: Sequence[tuple[str, int]],
    shown: str,
    columns: Sequence[str],
    required: Sequence[str],
    problems: list[Problem],
) -> bool:
    """Whether the header is right; without one, nothing can be said of the lines."""
    names, before = [name for name, _ in header], len(problems)
    for place, (name, start) in enumerate(header):
        if name not in columns:
            hint = did_you_mean(name, columns) or slip_in(name)
            problems.append(
                Problem("S002", Position(shown, 1, start), f"unknown column `{name[:60]}`", tuple(columns), hint)
            )
        elif name in names[:place]:
            problems.append(Problem("S002", Position(shown, 1, start), f"column `{name}` stands twice"))
    missing = [name for name in required if name not in names]
    problems.extend(Problem("S002", Position(shown), f"column `{name}` is missing") for name in missing)
    return len(problems) == before


def _cells(line: str, shown: str, number: int, problems: list[Problem]) -> list[tuple[str, int]] | None:
    """The cells of a line and where each begins; None where it is no CSV."""
    try:
        cells = next(csv.reader([line], strict=True), [])
    except csv.Error:
        message, hint = "no CSV: a quote is not closed on its line", 'write `"` on both sides, and `""` for one inside'
        problems.append(Problem("S001", Position(shown, number), message, hint=hint))
        return None
    starts, quoted = [1], False
    for place, character in enumerate(line, 1):
        quoted ^= character == '"'
        if character == "," and not quoted:
            starts.append(place + 1)
    return [(cell.strip(), start) for cell, start in zip(cells, starts, strict=True)]
