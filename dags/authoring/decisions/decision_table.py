"""A table of decisions in the folder of a municipality: CSV that people keep, changed line by line."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path

_BOM = "\ufeff"

Key = Callable[[Mapping[str, str]], Hashable]
"""By which of its cells a line is known."""


class DecisionTable:
    """The lines of a table of decisions as they stand: comments, order and further columns stay.

    A decision changes its own line, or is a new one at the end.

    Args:
        text: the table's; empty, where there is none yet.
        columns: those that a new table has.
        key: by which of its cells a line is known.
    """

    def __init__(self, text: str, columns: Sequence[str], key: Key) -> None:
        self._before = text
        self._key = key
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._mark = _BOM if text.startswith(_BOM) else ""
        self._lines: list[str] = []
        self._places: dict[Hashable, int] = {}
        self._cells: dict[Hashable, dict[str, str]] = {}
        self._columns: list[str] = []
        self._header: list[str] = []
        self._header_at = 0
        raw = list(io.StringIO(text.removeprefix(_BOM), newline=""))
        rows = csv.reader(raw)
        done = 0
        for row in rows:
            self._lines.append("".join(raw[done : rows.line_num]))
            done = rows.line_num
            # What counts as a line is what the readers of such tables take for one.
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if not self._columns:
                self._header, self._header_at = row, len(self._lines) - 1
                self._columns = [cell.strip().lower() for cell in row]
                continue
            cells = dict(zip(self._columns, row, strict=False))
            known = key(cells)
            self._places[known], self._cells[known] = len(self._lines) - 1, cells
        if not self._columns:
            self._header, self._columns = list(columns), list(columns)
            self._header_at = len(self._lines)
            self._lines.append(self._line(self._header))

    @classmethod
    def read(cls, path: Path, columns: Sequence[str], key: Key) -> DecisionTable:
        """A table's file; an empty table, where there is none yet."""
        return cls(path.read_bytes().decode("utf-8") if path.is_file() else "", columns, key)

    def enter(self, about: Mapping[str, str], cells: Mapping[str, str]) -> None:
        """Enter what was decided: `about` are the cells by which the line is known, where it is a new one."""
        known = self._key(about)
        missing = [column for column in cells if column not in self._columns]
        if missing:
            self._columns += missing
            self._header = [*self._header, *missing]
            self._lines[self._header_at] = self._line(self._header)
        row = {**about, **self._cells.get(known, {}), **cells}
        line = self._line([row.get(column, "") for column in self._columns])
        self._cells[known] = row
        if known in self._places:
            self._lines[self._places[known]] = line
        else:
            self._places[known] = len(self._lines)
            self._lines.append(line)

    def line_of(self, about: Mapping[str, str]) -> int:
        """The number of the text's line that a decision begins on; 0 where the table has none."""
        known = self._key(about)
        if known not in self._places:
            return 0
        return sum(len(io.StringIO(line, newline="").readlines()) for line in self._lines[: self._places[known]]) + 1

    def cells_of(self, about: Mapping[str, str]) -> Mapping[str, str]:
        """What stands in the table about something; nothing, where it has no such line."""
        return self._cells.get(self._key(about), {})

    @property
    def changed(self) -> bool:
        """Whether anything was entered that was not there."""
        return self.text != self._before

    @property
    def text(self) -> str:
        """The table's text."""
        ended = (line if line.endswith(("\n", "\r")) else line + self._end for line in self._lines)
        return self._mark + "".join(ended)

    def _line(self, cells: Sequence[str]) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator=self._end).writerow(cells)
        return out.getvalue()


@contextlib.contextmanager
def written(tables: Mapping[Path, DecisionTable]) -> Iterator[Mapping[Path, Path]]:
    """Write what was changed, each table beside its file, and put all in their places when the block ends; else none.

    Gives for each file the one that was written beside it.
    """
    parts = {path: path.with_name(f".{path.name}.part") for path, table in tables.items() if table.changed}
    try:
        for path, part in parts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(tables[path].text, encoding="utf-8", newline="")
        yield parts
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
