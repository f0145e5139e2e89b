"""Decisions filled into an exported list of candidates, read back into decisions/candidates.csv of each system's folder."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dags.authoring.decisions.decision_table import DecisionTable, written
from dags.authoring.decisions.ledger_file import lines_of
from dags.pipeline.candidates.decided import settled
from dags.pipeline.town import Municipality
from mappings.language.decisions import COLUMNS, FILE, KEY, read_decisions
from migration_reports.candidates import Candidates, pair_id
from migration_reports.findings import Definition, Position, Problem, SpecError, did_you_mean
from migration_reports.reports._ledger import NUMBERED
from target_schemas.model import System

NEEDED = ("candidates", "a", "b", "decision")
DECIDED = COLUMNS[3:]
JAPANESE: Mapping[str, str] = {"同一": "same", "別人": "different", "保留": "later"}

Line = Mapping[str, str]
Counts = tuple[int, int, int, int]
"""How many decisions are new, changed, as before, and withdrawn."""


def read_back(file: Path, municipality: Municipality) -> Mapping[str, Counts]:
    """Read the decisions of a filled-in list into the tables of the municipality's systems: all of them, or none.

    A line whose cells are as they were exported says nothing. One whose decision was in force and is emptied withdraws it. A
    line without an id is a pair that people found by themselves.

    Args:
        file: the list, .csv or .xlsx, with its line of headings.
        municipality: whose.

    Returns:
        For each kind of candidates what became of its decisions.

    Raises:
        SpecError: lines that cannot be used, or decisions that contradict one another; then nothing is changed.
        RunError: the file cannot be read, or is the report, which has no numbers.
    """
    lines = {number: {**dict.fromkeys(NEEDED, ""), **line} for number, line in lines_of(file, NEEDED, NUMBERED).items()}
    known = {one.qualified: one for system in municipality.systems for one in system.candidates}
    problems = [
        problem for number, line in lines.items() for problem in _wrong(file.name, number, line, known, municipality)
    ]
    if problems:
        raise SpecError(problems)
    imports = {system.name: _Import(file.name, municipality, system) for system in municipality.systems}
    counts = {}
    for name, one in known.items():
        said = {number: line for number, line in lines.items() if line["candidates"] == name and _says(line)}
        if said:
            counts[name] = imports[one.system].enter(one, said)
    problems = [problem for made in imports.values() for problem in made.problems()]
    if problems:
        raise SpecError(problems)
    with written({made.path: made.table for made in imports.values()}):
        pass
    return counts


def _says(line: Line) -> bool:
    """Whether a line says anything: a decision, or that one is withdrawn."""
    return bool(line.get("decision") or line.get("in_force"))


def _wrong(
    file: str, number: int, line: Line, known: Mapping[str, Candidates], municipality: Municipality
) -> Iterator[Problem]:
    """What is wrong with a line, before it is looked at what stands in the table."""
    place = Position(file, number)
    if not _says(line):
        return
    name, a, b = (line.get(column, "") for column in KEY)
    if name not in known:
        yield Problem("Y116", place, f"unknown candidates `{name[:60]}`", tuple(known), did_you_mean(name, known))
        return
    pair = line.get("pair", "")
    if pair and pair != pair_id(municipality.folder.manifest.municipality.code, name, a, b):
        hint = (
            "it is another municipality's, or a number was changed: a spreadsheet drops the zeros that a number of a CSV file "
            "begins with; fill in the .xlsx"
        )
        yield Problem("Y115", place, f"pair {pair[:20]} is not that of these numbers", (), hint)


class _Import:
    """The table of one system while a list is read into it."""

    def __init__(self, file: str, municipality: Municipality, system: System) -> None:
        self._file = file
        self._system = system
        self._folder = municipality.folder.systems[system.name]
        self.path = self._folder.path / FILE
        self._between = {one.name for one in system.candidates if one.between}
        self.table = DecisionTable.read(self.path, COLUMNS, self._key)
        self._entered: dict[int, tuple[int, Mapping[str, str]]] = {}
        self._lines: dict[tuple[str, ...], int] = {}
        self._problems: list[Problem] = []

    def enter(self, candidates: Candidates, said: Mapping[int, Line]) -> Counts:
        """Enter the lines of one kind of candidates; gives what becomes of them."""
        new = changed = same = withdrawn = 0
        for number, line in said.items():
            about = dict(zip(KEY, (candidates.name, line["a"], line["b"]), strict=True))
            cells = {column: line.get(column, "") for column in DECIDED}
            cells["decision"] = JAPANESE.get(cells["decision"], cells["decision"])
            other = self._lines.setdefault(self._key(about), number)
            if other != number:
                self._problems.append(
                    Problem("Y115", Position(self._file, number), f"this pair stands on line {other}, too")
                )
                continue
            before = {column: self.table.cells_of(about).get(column, "").strip() for column in DECIDED}
            if before == cells:
                same += bool(cells["decision"])
                continue
            if not self._may(number, line, cells["decision"], before["decision"]):
                continue
            new += not before["decision"] and bool(cells["decision"])
            withdrawn += bool(before["decision"]) and not cells["decision"]
            changed += bool(before["decision"]) and bool(cells["decision"])
            if cells["decision"]:
                self._problems.extend(self._of_line(number, {**about, **cells}))
            self.table.enter(about, cells if cells["decision"] else dict.fromkeys(DECIDED, ""))
            self._entered[number] = (number, about)
        return new, changed, same, withdrawn

    def _key(self, cells: Line) -> tuple[str, ...]:
        """A line is known by its candidates and its two numbers; of one table in whichever order they stand."""
        name, a, b = (cells.get(column, "").strip() for column in KEY)
        return (name, a, b) if name in self._between else (name, *sorted((a, b)))

    def _may(self, number: int, line: Line, decision: str, before: str) -> bool:
        """Whether a line may change what stands in the table: not what was decided after it was exported."""
        if line.get("in_force", "") == before:
            return True
        if decision != line.get("in_force", ""):
            message = f"since this list was exported it was decided `{before or 'nothing'}`"
            hint = "export the list of the latest run, and decide again"
            self._problems.append(Problem("Y115", Position(self._file, number), message, (), hint))
        return False

    def _of_line(self, number: int, cells: Mapping[str, str]) -> Iterator[Problem]:
        """What is wrong with a decision by itself, at its line of the list."""
        out, found = io.StringIO(), list[Problem]()
        csv.writer(out).writerows([COLUMNS, [cells[column] for column in COLUMNS]])
        read_decisions(out.getvalue(), self._file, found)
        yield from (dataclasses.replace(problem, position=Position(self._file, number)) for problem in found)

    def problems(self) -> Sequence[Problem]:
        """What the municipality's check would say of the new table, at the lines of the list that are to blame."""
        if self._problems or not self.table.changed:
            return self._problems
        found: list[Problem] = []
        decisions = read_decisions(self.table.text, FILE, found)
        settled(dataclasses.replace(self._folder, decisions=decisions), self._system.candidates, found)
        lines = {self.table.line_of(about): number for number, about in self._entered.values()}
        return [self._placed(problem, lines) for problem in dict.fromkeys(found)]

    def _placed(self, problem: Problem, lines: Mapping[int, int]) -> Problem:
        """A problem of the new table, and the other lines that it names, at their lines of the list where they come from it."""

        def placed(position: Position) -> Position:
            line = lines.get(position.line)
            return Position(self._file, line) if line is not None else dataclasses.replace(position, file=str(FILE))

        defined = tuple(Definition(one.text, placed(one.position)) for one in problem.defined if one.position)
        return dataclasses.replace(problem, position=placed(problem.position), defined=defined)
