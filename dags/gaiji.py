"""The gaiji ledger of a run: every character that somebody must know of, followed from rehearsal to rehearsal.

Its rows are codes of the user-defined and extended areas, undefined codes, variants, decided gaiji and characters beyond the
target's repertoire. Decisions filled into an exported ledger are read back into the municipality's gaiji table.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from dags import workspace
from dags.municipality import Municipality
from dags.workspace import Run, settings
from extractors import gaiji
from extractors.batches import first_places
from extractors.characters import Charset, hexadecimal, scalars
from migration_reports.findings import Problem, RunError, SpecError
from migration_reports.reports.gaiji import COLUMNS, unguarded
from migration_reports.run_record import Gaiji, Place, RunRecord

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
        place=_place(charset, area, place.name if place is not None else ""),
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
        RunError: the run has no reports yet, or the ending is another.
    """
    name = {".csv": "gaiji.csv", ".xlsx": "gaiji.xlsx", ".html": "gaiji.html"}.get(target.suffix.lower())
    if name is None:
        raise RunError(f"{target.name}: the ledger is written as .csv, .xlsx or .html")
    source = workspace.run_path(run_id) / "reports" / name
    if not source.is_file():
        raise RunError(f"run {run_id} has no {name}; `hikkoshi report {run_id}` writes its reports")
    target.write_bytes(source.read_bytes())
    record = RunRecord.model_validate_json((source.parent / "run.json").read_text("utf-8"))
    return len(record.gaiji)


def read_back(
    file: Path, municipality: Municipality, root: Path, *, dump: str | None = None
) -> Mapping[str, tuple[int, int, int]]:
    """Read the decisions of a filled-in ledger into the gaiji tables of the municipality's dumps.

    Args:
        file: the ledger, .csv or .xlsx, with its header line.
        municipality: whose.
        root: its folder.
        dump: only this dump's lines; every dump's, where None.

    Returns:
        For each dump: how many decisions are new, changed, and as before.

    Raises:
        SpecError: lines that cannot be used; then no table is changed.
        RunError: the file, or the gaiji table of a dump, is not there.
    """
    lines = _lines(file)
    problems: list[Problem] = []
    made: dict[str, tuple[Path, str, tuple[int, int, int]]] = {}
    for name, reader in municipality.dumps.items():
        filled = [
            row for row in lines if row.get("decision") and row.get("dump") in (name, "") and dump in (None, name)
        ]
        if not filled:
            continue
        option = reader.spec.charset.options.get("gaiji")
        if option is None:
            raise RunError(
                f"dump {name} has no gaiji table. Make gaiji/{name}.csv with the line {','.join(gaiji.COLUMNS)} and name it in "
                f"the manifest: charset: {{name: {reader.spec.charset.name}, gaiji: gaiji/{name}.csv}}"
            )
        path = root / option
        text, counts = _merge(path, filled)
        mj = reader.spec.charset.options.get("mj")
        try:
            names = gaiji.read_mj_data(root, mj) if mj else {}
            gaiji.parse(text, name=option, mj=names)
        except SpecError as error:
            problems.extend(error.problems)
        made[name] = (path, text, counts)
    unknown = {row["dump"] for row in lines if row.get("decision")} - set(municipality.dumps) - {""}
    if unknown:
        raise RunError(f"{file.name}: no dump `{sorted(unknown)[0][:60]}`; there are {', '.join(municipality.dumps)}")
    if problems:
        raise SpecError(problems)
    for path, text, _ in made.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return {name: counts for name, (_, _, counts) in made.items()}


def _lines(file: Path) -> list[dict[str, str]]:
    """The lines of a ledger, by column; a spreadsheet's first sheet."""
    try:
        if file.suffix.lower() == ".xlsx":
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
        else:
            rows = csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
        table = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, InvalidFileException) as error:
        raise RunError(f"{file}: cannot be read as a ledger ({type(error).__name__})") from None
    # A heading is the column's name on its last line; a ledger may have titles above its headings.
    for number, row in enumerate(table[:10]):
        names = [cell.split("\n")[-1].strip() for cell in row]
        if "code" in names and "decision" in names:
            lines = (dict(zip(names, map(unguarded, cells), strict=False)) for cells in table[number + 1 :])
            return [line for line in lines if line.get("code")]
    raise RunError(f"{file}: no line names the columns; a ledger has {', '.join(COLUMNS)}")


def _merge(path: Path, filled: Iterable[Mapping[str, str]]) -> tuple[str, tuple[int, int, int]]:
    """A gaiji table with some decisions put in: its text, and how many were new, changed, and as before."""
    columns: list[str] = list(gaiji.COLUMNS)
    table: dict[str, dict[str, str]] = {}
    if path.is_file():
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
        columns += [name for name in rows.fieldnames or () if name and name not in columns]
        table = {row["code"].upper(): {k: v or "" for k, v in row.items() if k} for row in rows if row.get("code")}
    new = changed = same = 0
    for row in filled:
        code = row["code"].upper()
        wanted = {"code": code, **{column: row.get(column, "") for column in DECIDED}}
        old = table.get(code)
        if old is None or not old.get("decision"):
            new += 1
        elif {**old, **wanted} == old:
            same += 1
        else:
            changed += 1
        table[code] = {**(old or {}), **wanted}
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table[code] for code in sorted(table))
    return out.getvalue(), (new, changed, same)
