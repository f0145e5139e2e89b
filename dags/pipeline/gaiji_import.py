"""The gaiji ledger of a run: every character that somebody must know of, followed from rehearsal to rehearsal.

Its rows are codes of the user-defined and extended areas, undefined codes, variants, decided gaiji and characters beyond the
target's repertoire. Decisions filled into an exported ledger are read back into the municipality's gaiji table.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from dags.pipeline import run_folder
from dags.pipeline.gaiji_table import GaijiTable, bare
from dags.pipeline.run_folder import Run, settings
from dags.pipeline.town import Municipality, with_gaiji_table
from extractors.character_counts import first_places
from extractors.charsets import _gaiji as gaiji
from extractors.charsets.contract import SINGLE, Charset, hexadecimal, scalars
from mappings.language.spec import SystemFolder
from migration_reports.findings import Position, Problem, RunError, SpecError, UsageError
from migration_reports.records.run_record import Gaiji, Place, RunRecord
from migration_reports.reports.gaiji import COLUMNS, unguarded

_Met = tuple[str, int, int, list[list[int]]]
"""Field, count, records and first places of a code."""

DECIDED = tuple(column for column in gaiji.COLUMNS if column != "code")


def ledger(municipality: Municipality, fragments: Mapping[str, Any], former: RunRecord | None) -> tuple[Gaiji, ...]:
    """The rows of a run: those met, and those that the former rehearsal met and this one did not.

    Args:
        municipality: with the decisions in force.
        fragments: what each dump's reading noted.
        former: the record of the rehearsal before this one, where there is one.
    """
    before = {(row.dump, row.code): row for row in former.gaiji if row.since != "gone"} if former else {}
    rows: list[Gaiji] = []
    for name, part in fragments.items():
        charset = municipality.dumps[name].reading.charset
        merged: dict[tuple[int, str], list[_Met]] = {}
        for field, code, area, count, records, places in part["characters"]:
            merged.setdefault((code, area), []).append((field, count, records, places))
        rows.extend(_row(name, charset, code, area, met, before) for (code, area), met in merged.items())
    known = {(row.dump, row.code) for row in rows}
    gone = (row for key, row in before.items() if key not in known and row.dump in fragments)
    rows.extend(row.model_copy(update={"count": 0, "records": 0, "first": (), "since": "gone"}) for row in gone)
    return tuple(sorted(rows, key=lambda g: (g.dump, g.since == "gone", bool(g.decision), g.area, -g.count, g.code)))


def _row(
    dump: str,
    charset: Charset,
    code: int,
    area: str,
    met: Sequence[_Met],
    before: Mapping[tuple[str, str], Gaiji],
) -> Gaiji:
    place = charset.area_of(code)
    shown = hexadecimal(code)
    decision = charset.decisions.get(code)
    former = before.get((dump, shown))
    said = (decision.kind, decision.text, decision.mj) if decision else ("", "", "")
    since = "new"
    if former is not None:
        since = "changed" if said != (former.decision, former.text, former.mj) else "decided" if decision else "open"
    return Gaiji(
        dump=dump,
        charset=charset.name,
        code=shown,
        area=area,
        place=_place(charset, area, "single byte" if code >= SINGLE else place.name if place is not None else ""),
        unicode=scalars(charset.text(code)),
        count=sum(count for _, count, _, _ in met),
        records=sum(records for _, _, records, _ in met),
        fields=tuple(sorted({field for field, *_ in met})),
        first=tuple(
            Place(dump=dump, record=record, offset=offset)
            for record, offset in first_places(*(places for *_, places in met))
        ),
        since=since,
        **({} if decision is None else _decided(decision)),
    )


def _place(charset: Charset, area: str, place: str) -> str:
    """The part of the code; of a standard one, what makes it a character to look at."""
    if area == "extended" and charset.repertoire != "any" and not place.startswith("extended"):
        return f"{place} (not in {charset.repertoire})".strip()
    return place


def _decided(decision: gaiji.Decision) -> dict[str, str]:
    return {
        "decision": decision.kind,
        "text": decision.text,
        "mj": decision.mj,
        "reason": decision.reason,
        "decided_by": decision.by,
        "decided_on": decision.on,
    }


def former_record(run: Run) -> RunRecord | None:
    """The record of the municipality's latest reported run before this one."""
    found: list[tuple[str, Path]] = []
    for folder in (settings().home / "runs").glob(f"{run.code}-*"):
        report = folder / "reports" / "run.json"
        if folder.name != run.run_id and report.is_file() and (folder / "run.json").is_file():
            started = json.loads((folder / "run.json").read_text("utf-8")).get("started", "")
            if started < run.started:
                found.append((started, report))
    if not found:
        return None
    try:
        return RunRecord.model_validate_json(max(found)[1].read_text("utf-8"))
    except ValueError:
        # A record of an older version cannot be compared with; the ledger then calls everything new.
        return None


def export(run_id: str, target: Path) -> int:
    """Copy a run's ledger to a file, .csv, .xlsx or .html; gives its rows.

    Raises:
        RunError: the run has no reports yet.
        UsageError: the ending is another.
    """
    name = {".csv": "gaiji.csv", ".xlsx": "gaiji.xlsx", ".html": "gaiji.html"}.get(target.suffix.lower())
    if name is None:
        raise UsageError(f"{target.name}: the ledger is written as .csv, .xlsx or .html")
    source = run_folder.run_path(run_id) / "reports" / name
    if not source.is_file():
        raise RunError(f"run {run_id} has no {name}; `hikkoshi report {run_id}` writes its reports")
    target.write_bytes(source.read_bytes())
    record = RunRecord.model_validate_json((source.parent / "run.json").read_text("utf-8"))
    return len(record.gaiji)


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
