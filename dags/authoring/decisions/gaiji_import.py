"""Decisions filled into an exported gaiji ledger, read back into the municipality's gaiji tables."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path

from dags.authoring.decisions.decision_table import DecisionTable, written
from dags.authoring.decisions.ledger_file import lines_of
from dags.pipeline.town import Municipality, with_gaiji_table
from extractors.charsets import _gaiji as gaiji
from mappings.language.folder import SystemFolder
from migration_reports.findings import Position, Problem, RunError, SpecError
from migration_reports.reports._ledger import GAIJI as COLUMNS

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
    lines = {
        number: {"dump": "", "decision": "", **row}
        for number, row in lines_of(file, ("dump", "code", "decision"), COLUMNS).items()
        if row.get("code")
    }
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
            table = DecisionTable.read(system.path / charset.policies.get("gaiji", option), gaiji.COLUMNS, _code)
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
    with written({path: made.table for path, made in imports.items()}) as parts:
        for path, part in parts.items():
            problems.extend(imports[path].problems(part))
        if problems:
            raise SpecError(problems)
    return counts


def _was_decided(row: Mapping[str, str]) -> bool:
    """Whether a decision about the code was in force in the ledger's run."""
    return row.get("area") == "decided"


def _code(cells: Mapping[str, str]) -> str:
    return bare(cells.get("code", ""))


def bare(code: str) -> str:
    """A code as the table's keys have it: 80A1 for 0x80a1."""
    return code.strip().upper().removeprefix("0X")


class _Import:
    """A gaiji table while a ledger is read into it; several dumps may have one."""

    def __init__(self, ledger_name: str, system: SystemFolder, option: str, table: DecisionTable) -> None:
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
                self.table.enter({"code": word}, {column: row.get(column, "") for column in DECIDED})
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
        places = {self.table.line_of({"code": f"{code:04X}"}): number for code, (number, _) in self._entered.items()}
        return [
            dataclasses.replace(
                problem,
                position=Position(self._ledger, places[problem.position.line])
                if problem.position.file == part and problem.position.line in places
                else dataclasses.replace(problem.position, file=problem.position.file.replace(part, self._option)),
            )
            for problem in dict.fromkeys(found)
        ]
