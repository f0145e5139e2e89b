"""Decisions filled into an exported gaiji ledger, read back into the municipality's gaiji tables."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from dags.pipeline.town import Municipality, with_gaiji_table
from extractors.charsets import _gaiji as gaiji
from mappings.language.folder import SystemFolder
from migration_reports.findings import Position, Problem, RunError, SpecError
from migration_reports.reports._ledger_cells import COLUMNS, unguarded

_BOM = "\ufeff"

DECIDED = tuple(column for column in gaiji.COLUMNS if column != "code")


def read_back(
    file: Path, municipality: Municipality, *, dump: str | None = None
) -> Mapping[str, tuple[int, int, int, int]]:
    """Read the decisions of a filled-in ledger into the gaiji tables of the municipality's dumps.

    A line without a decision leaves its code as it is, unless a decision was in force in the ledger's run: that one is
    withdrawn.

    Args:
        file: the ledger, .csv or .xlsx, with its header line.
        municipality: whose.
        dump: only this dump's lines; every dump's, where None.

    Returns:
        For each dump: how many decisions are new, changed, as before, and withdrawn.

    Raises:
        SpecError: lines that cannot be used, or a table with which the municipality's check would fail; then no table
            is changed.
        RunError: the file, or the gaiji table of a dump, is not there.
    """
    lines = _lines(file)
    unknown = {row["dump"] for row in lines.values() if row.get("decision")} - set(municipality.dumps) - {""}
    if unknown:
        raise RunError(f"{file.name}: no dump `{sorted(unknown)[0][:60]}`; there are {', '.join(municipality.dumps)}")
    problems: list[Problem] = []
    imports: dict[Path, _Import] = {}
    counts: dict[str, tuple[int, int, int, int]] = {}
    for name, reader in municipality.dumps.items():
        said = {
            number: row
            for number, row in sorted(lines.items(), key=lambda line: bare(line[1]["code"]))
            if row["dump"] in (name, "") and dump in (None, name) and (row.get("decision") or _was_decided(row))
        }
        if not said:
            continue
        system = municipality.folder.of_dump(name)
        option = reader.spec.charset.options.get("gaiji", system.manifest.policies.get("gaiji"))
        if option is None:
            raise RunError(
                f"dump {name} has no gaiji table. Make {system.name}/gaiji/{name}.csv with the line {','.join(gaiji.COLUMNS)} "
                f"and name it in the manifest beside: charset: {{name: {reader.spec.charset.name}, gaiji: gaiji/{name}.csv}}"
            )
        charset = reader.reading.charset
        path = system.path / option
        if path not in imports:
            # A table of the package is read, and the municipality's own is written.
            table = GaijiTable.read(system.path / charset.policies.get("gaiji", option))
            imports[path] = _Import(file.name, system, option, table)
        try:
            mj = charset.policies.get("mj")
            mj_data = gaiji.read_mj_data(system.path, mj) if mj else {}
            counts[name] = imports[path].enter(said, charset.decisions, mj_data)
        except SpecError as error:
            problems.extend(error.problems)
        imports[path].dumps.append(name)
    if problems:
        raise SpecError(problems)
    parts: dict[Path, Path] = {}
    try:
        for path, made in imports.items():
            if not made.table.changed:
                continue
            part = parts[path] = path.with_name(f".{path.name}.part")
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(made.table.text, encoding="utf-8", newline="")
            problems.extend(made.problems(part))
        if problems:
            raise SpecError(problems)
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return counts


def _was_decided(row: Mapping[str, str]) -> bool:
    """Whether a decision about the code was in force in the ledger's run."""
    return row.get("area") == "decided"


class GaijiTable:
    """The lines of a gaiji table as they stand: comments, order and further columns stay.

    A decision changes its own line, or is a new one at the end.
    """

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


class _Import:
    """A gaiji table while a ledger is read into it; several dumps may have one."""

    def __init__(self, ledger_name: str, system: SystemFolder, option: str, table: GaijiTable) -> None:
        self.table = table
        self._system = system
        self._option = option
        self.dumps: list[str] = []
        self._ledger = ledger_name
        self._entered: dict[int, tuple[int, gaiji.Decision | None]] = {}

    def enter(
        self, said: Mapping[int, Mapping[str, str]], before: Mapping[int, gaiji.Decision], mj: Mapping[str, str]
    ) -> tuple[int, int, int, int]:
        """Enter the lines of a dump, by their numbers; gives how many are new, changed, as before, and withdrawn.

        Raises:
            SpecError: with every line that cannot be used.
        """
        new = changed = same = withdrawn = 0
        problems: list[Problem] = []
        for number, row in said.items():
            word = bare(row["code"])
            try:
                decision = self._decision(number, row, mj)
            except SpecError as error:
                problems.extend(error.problems)
                continue
            code = int(word, 16)
            other, entered = self._entered.setdefault(code, (number, decision))
            old = before.get(code)
            if entered != decision:
                message = f"code {word} is decided otherwise on line {other}"
                problems.append(Problem("L930", Position(self._ledger, number), message))
            elif decision is None:
                withdrawn += old is not None
            elif old is None:
                new += 1
            elif dataclasses.replace(old, line=0) == decision:
                same += 1
                continue
            else:
                changed += 1
            if decision is not None or old is not None:
                self.table.enter(word, {column: row.get(column, "") for column in DECIDED})
        if problems:
            raise SpecError(problems)
        return new, changed, same, withdrawn

    def _decision(self, number: int, row: Mapping[str, str], mj: Mapping[str, str]) -> gaiji.Decision | None:
        """What a line of the ledger says, read as a line of a gaiji table is."""
        place = Position(self._ledger, number)
        if len(bare(row["code"])) == 2:
            message = f"`{row['code']}` is a single byte, which no gaiji table decides"
            hint = "define it by a table file, or have the data owner correct it"
            raise SpecError([Problem("L930", place, message, (), hint)])
        text = io.StringIO()
        csv.writer(text).writerows([gaiji.COLUMNS, [row.get(column, "") for column in gaiji.COLUMNS]])
        try:
            decisions = gaiji.parse(text.getvalue(), name=self._ledger, mj=mj)
        except SpecError as error:
            raise SpecError(dataclasses.replace(p, position=place) for p in error.problems) from None
        return next((dataclasses.replace(decision, line=0) for decision in decisions.values()), None)

    def problems(self, new: Path) -> list[Problem]:
        """What the municipality's check would say of the new table, at the lines of the ledger that are to blame."""
        part = new.relative_to(self._system.path).as_posix()
        found: list[Problem] = []
        for dump in self.dumps:
            try:
                with_gaiji_table(self._system, dump, part)
            except SpecError as error:
                found.extend(error.problems)
        if not found:
            return []
        places = {self.table.line_of(f"{code:04X}"): number for code, (number, _) in self._entered.items()}
        return [
            dataclasses.replace(
                problem,
                position=Position(self._ledger, places[problem.position.line])
                if problem.position.file == part and problem.position.line in places
                else dataclasses.replace(problem.position, file=problem.position.file.replace(part, self._option)),
            )
            for problem in dict.fromkeys(found)
        ]


def _lines(file: Path) -> dict[int, dict[str, str]]:
    """The lines of a ledger by their numbers, each by column; a spreadsheet's first sheet."""
    try:
        if file.suffix.lower() == ".xlsx":
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
        else:
            rows = csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
        table = [[_cell(cell) for cell in row] for row in rows]
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, InvalidFileException) as error:
        raise RunError(f"{file}: cannot be read as a ledger ({type(error).__name__})") from None
    # A heading is the column's name on its last line; a ledger may have titles above its headings.
    for number, row in enumerate(table[:10], 1):
        names = [cell.split("\n")[-1].strip() for cell in row]
        if {"dump", "code", "decision"} <= set(names):
            lines = {
                line: dict(zip(names, map(unguarded, cells), strict=False))
                for line, cells in enumerate(table[number:], number + 1)
            }
            return {line: {"dump": "", "decision": "", **row} for line, row in lines.items() if row.get("code")}
    raise RunError(f"{file}: no line names the columns dump, code and decision; a ledger has {', '.join(COLUMNS)}")


def _cell(cell: object) -> str:
    """A cell as text; a date, which spreadsheets make of what looks like one, as YYYY-MM-DD."""
    if isinstance(cell, datetime.datetime):
        cell = cell.date()
    text = "" if cell is None else str(cell).strip()
    date = re.fullmatch("([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", text)
    return f"{date[1]}-{date[2]:>02}-{date[3]:>02}" if date else text
