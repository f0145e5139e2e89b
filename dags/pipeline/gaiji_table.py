"""A municipality's gaiji table as a text that decisions are entered into: comments, order and further columns stay."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from extractors.charsets import _gaiji as gaiji

_BOM = "\ufeff"


class GaijiTable:
    """The lines of a table as they stand. A decision changes its own line, or is a new one at the end."""

    def __init__(self, text: str) -> None:
        self._before = text
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._mark = _BOM if text.startswith(_BOM) else ""
        self._lines: list[str] = []
        self._places: dict[str, int] = {}
        self._cells: dict[str, dict[str, str]] = {}
        self._columns: list[str] = []
        self._header: list[str] = []
        self._header_at = 0
        raw = list(io.StringIO(text.removeprefix(_BOM), newline=""))
        rows = csv.reader(raw)
        done = 0
        for row in rows:
            self._lines.append("".join(raw[done : rows.line_num]))
            done = rows.line_num
            # What counts as a line is what `gaiji.parse` reads as one.
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            if not self._columns:
                self._header, self._header_at = row, len(self._lines) - 1
                self._columns = [cell.strip().lower() for cell in row]
                continue
            cells = dict(zip(self._columns, row, strict=False))
            code = bare(cells.get("code", ""))
            self._places[code], self._cells[code] = len(self._lines) - 1, cells
        if not self._columns:
            self._header, self._columns = list(gaiji.COLUMNS), list(gaiji.COLUMNS)
            self._header_at = len(self._lines)
            self._lines.append(self._line(self._header))

    @classmethod
    def read(cls, path: Path) -> GaijiTable:
        """A table's file; an empty table, where there is none yet."""
        return cls(path.read_bytes().decode("utf-8") if path.is_file() else "")

    def enter(self, code: str, cells: Mapping[str, str]) -> None:
        """Enter what was decided about a code."""
        missing = [column for column in cells if column not in self._columns]
        if missing:
            self._columns += missing
            self._header = [*self._header, *missing]
            self._lines[self._header_at] = self._line(self._header)
        row = {"code": code, **self._cells.get(code, {}), **cells}
        line = self._line([row.get(column, "") for column in self._columns])
        self._cells[code] = row
        if code in self._places:
            self._lines[self._places[code]] = line
        else:
            self._places[code] = len(self._lines)
            self._lines.append(line)

    def line_of(self, code: str) -> int:
        """The number of the text's line that a code's cells begin on; 0 where the table has no such code."""
        if code not in self._places:
            return 0
        return sum(len(io.StringIO(line, newline="").readlines()) for line in self._lines[: self._places[code]]) + 1

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


def bare(code: str) -> str:
    """A code as the table's keys have it: 80A1 for 0x80a1."""
    return code.strip().upper().removeprefix("0X")
