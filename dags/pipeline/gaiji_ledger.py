"""The gaiji ledger of a run: every character that somebody must know of, followed from rehearsal to rehearsal.

Its rows are codes of the user-defined and extended areas, undefined codes, variants, decided gaiji and characters beyond the
target's repertoire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dags.pipeline import run_folder
from dags.pipeline.town import Municipality
from extractors.character_counts import first_places
from extractors.charsets import _gaiji as gaiji
from extractors.charsets.contract import SINGLE, Charset, hexadecimal, scalars
from migration_reports.findings import RunError, UsageError
from migration_reports.records.counted import DumpAccount, Met
from migration_reports.records.run_record import Gaiji, Place, RunRecord


def ledger(
    municipality: Municipality, accounts: Mapping[str, DumpAccount], former: RunRecord | None
) -> tuple[Gaiji, ...]:
    """The rows of a run: those met, and those that the former rehearsal met and this one did not.

    Args:
        municipality: with the decisions in force.
        accounts: what was counted of each dump.
        former: the record of the rehearsal before this one, where there is one.
    """
    before = {(row.dump, row.code): row for row in former.gaiji if row.since != "gone"} if former else {}
    rows: list[Gaiji] = []
    for name, account in accounts.items():
        charset = municipality.dumps[name].reading.charset
        merged: dict[tuple[int, str], list[Met]] = {}
        for met in account.characters:
            merged.setdefault((met.code, met.area), []).append(met)
        rows.extend(_row(name, charset, code, area, met, before) for (code, area), met in merged.items())
    known = {(row.dump, row.code) for row in rows}
    gone = (row for key, row in before.items() if key not in known and row.dump in accounts)
    rows.extend(row.model_copy(update={"count": 0, "records": 0, "first": (), "since": "gone"}) for row in gone)
    return tuple(sorted(rows, key=lambda g: (g.dump, g.since == "gone", bool(g.decision), g.area, -g.count, g.code)))


def _row(
    dump: str,
    charset: Charset,
    code: int,
    area: str,
    met: Sequence[Met],
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
        count=sum(one.count for one in met),
        records=sum(one.records for one in met),
        fields=tuple(sorted({one.field for one in met})),
        first=tuple(
            Place(dump=dump, record=record, offset=offset)
            for record, offset in first_places(*(one.places for one in met))
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
    return len(run_folder.read_record(run_folder.run_path(run_id) / run_folder.RECORD).gaiji)
