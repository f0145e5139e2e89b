"""The record of a run, made from what its steps have left."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dags.pipeline.findings_store import issues
from dags.pipeline.gaiji_import import former_record, ledger
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from mappings.language.reader import MANIFEST
from mappings.provenance import fate_of
from migration_reports.records.comparison import compare
from migration_reports.records.run_record import (
    AmountReconciliation,
    Control,
    Decision,
    DumpReceipt,
    Evidence,
    FieldFate,
    Reconciliation,
    RecordFate,
    ReferenceResult,
    Reuse,
    RuleResult,
    RunRecord,
    State,
    SystemState,
    Timing,
    UnknownCode,
)
from migration_reports.records.run_record import Municipality as Named

MOST_CODES = 50
"""Codes that are listed of a column."""

PACKAGES = (
    "hikkoshi", "apache-airflow", "great-expectations", "sqlalchemy", "pyarrow", "polars", "numpy", "numba",
    "adbc-driver-postgresql", "ebcdic", "jinja2",
)  # fmt: skip


IN_LEDGER = ("promoted", "superseded", "rolled back", "withdrawn", "abandoned")
"""States that the ledger alone knows: they come with, or after, what the run did to the data centre."""


def assemble(
    run: Run,
    municipality: Municipality,
    *,
    in_ledger: str,
    promotions: Mapping[str, tuple[str, str]],
    specs_changed: tuple[str, ...],
    database_version: str,
) -> RunRecord:
    """Make the record of a run from what its steps have left.

    Args:
        run: the run.
        municipality: as the run's own specs have it.
        in_ledger: the state that the ledger gives the run; empty where it cannot be asked.
        promotions: of each system whose promotion the ledger knows, the edition of its form and its state.
        specs_changed: specs of the municipality's folder that are not what the run used.
        database_version: of the data centre; empty where it cannot be asked.
    """
    manifest = municipality.folder.manifest
    fragments = {name: part for name in municipality.dumps if (part := run.read(f"dumps/{name}")) is not None}
    decided, validated = run.read("reconcile") or {}, run.read("validate") or {}
    approval, promoted = run.read("approval") or {}, run.read("promote")
    finished = run.read("finished") or {}
    state, ja, en = state_of(run)
    if in_ledger in IN_LEDGER:
        state, ja, en = in_ledger, "", ""
    found = issues(run)
    former = former_record(run)
    amounts = promoted["amounts"] if promoted else decided.get("amounts", [])
    return RunRecord(
        run_id=run.run_id,
        municipality=Named(code=run.code, name=manifest.municipality.name, romaji=manifest.municipality.romaji),
        mode="cut-over" if run.mode == "cut-over" else "rehearsal",
        rehearsal=run.rehearsal,
        state=cast(State, state),
        state_reason_ja=ja,
        state_reason_en=en,
        systems=tuple(
            SystemState(
                system=system.name,
                title_ja=system.title_ja,
                title_en=system.title_en,
                edition=promotions[system.name][0],
                state=cast(State, promotions[system.name][1]),
            )
            for system in municipality.systems
            if system.name in promotions
        ),
        started=run.started,
        finished=finished.get("at", ""),
        started_by=run.started_by,
        decision=Decision(**approval) if approval else None,
        versions=_versions(database_version),
        receipts=_receipts(run, fragments),
        fates=tuple(RecordFate(**fate) for fate in decided.get("fates", [])),
        controls=tuple(Control(**control) for control in decided.get("controls", [])),
        reconciliations=tuple(Reconciliation(**line) for line in decided.get("lines", [])),
        amounts=tuple(AmountReconciliation(**amount) for amount in amounts),
        rules=tuple(RuleResult(**rule) for rule in validated.get("rules", [])),
        references=tuple(ReferenceResult(**reference) for reference in validated.get("references", [])),
        issues=found,
        rejects=validated.get("rejected", 0),
        rejects_allowed=decided.get("allowed", 0),
        coverage=_coverage(municipality, fragments),
        unknown_codes=_unknown_codes(municipality, run.read("made") or {}),
        reuse=_reuse(municipality),
        planned_on=_planned(municipality, run),
        gaiji=ledger(municipality, fragments, former),
        gaiji_left_out=sum(part["characters_distinct"] - len(part["characters"]) for part in fragments.values()),
        evidence=_evidence(municipality, run),
        timings=tuple(
            sorted(
                (Timing(**run.read(f"timings/{p.stem}")) for p in (run.path / "timings").glob("*.json")),
                key=lambda t: t.started,
            )
        ),
        former_run=(promoted or {}).get("former_run", ""),
        specs_changed=specs_changed,
        since=compare(former, found) if former is not None else None,
    )


def state_of(run: Run) -> tuple[str, str, str]:
    """How a run stands as far as its own files say, and why, in Japanese and English."""
    decided, approval, failure = run.read("reconcile"), run.read("approval"), run.read("failure")
    if run.read("promote") is not None:
        return "promoted", "", ""
    if failure is not None:
        return "failed", f"処理が中断した ({failure['reason']})", f"the run stopped ({failure['reason']})"
    if approval is not None and not approval["approved"]:
        return "rejected", "", ""
    held = run.read("held") or (decided if decided is not None and not decided["promotable"] else None)
    if held is not None:
        return "held", "、".join(ja for ja, _ in held["reasons"]), "; ".join(en for _, en in held["reasons"])
    return ("waiting" if decided is not None else "running"), "", ""


def _receipts(run: Run, fragments: Mapping[str, Any]) -> tuple[DumpReceipt, ...]:
    receipts: list[DumpReceipt] = []
    for receipt in (run.read("receive") or {"receipts": []})["receipts"]:
        # What was read of a dump of several files stands with its first.
        first = all(receipt["dump"] != r.dump for r in receipts)
        part = fragments.get(receipt["dump"]) if first else None
        account = part["account"] if part is not None else None
        read = (
            {
                "records": account["records"],
                "bytes_left_over": account["left_over"],
                "bytes_left_out": account["left_out"],
                "kinds": account["kinds"],
            }
            if account is not None
            else {}
        )
        receipts.append(DumpReceipt(**{**receipt, **read}))
    return tuple(receipts)


def _coverage(municipality: Municipality, fragments: Mapping[str, Any]) -> tuple[FieldFate, ...]:
    fates = []
    for name, part in fragments.items():
        reader = municipality.dumps[name]
        for kind, spec in reader.spec.records.items():
            filled = part["filled"].get(kind, {})
            for field in reader.layout.fields(spec.group):
                fate = fate_of(municipality.plans.values(), name, reader.spec, kind, field.name)
                fates.append(
                    FieldFate(
                        dump=name,
                        kind=kind,
                        field=field.name,
                        picture=field.picture.text,
                        offset=field.offset,
                        width=field.width,
                        filled=filled.get(field.name, 0),
                        targets=(*fate.targets, *(["control"] if fate.controls else [])),
                        ignored_because=fate.ignored_because,
                    )
                )
    return tuple(fates)


def _unknown_codes(municipality: Municipality, made: Mapping[str, Any]) -> tuple[UnknownCode, ...]:
    """The codes that no code table holds, the most frequent of each column first."""
    rows: list[UnknownCode] = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            unknown = made.get(f"{part.table}.{part.number}", {}).get("unknown", {})
            for column in part.columns:
                codes = sorted(unknown.get(column.name, {}).items(), key=lambda item: (-item[1], item[0]))
                rows.extend(
                    UnknownCode(
                        table=part.table,
                        column=column.name,
                        field=" ".join(column.sources),
                        value=value,
                        count=count,
                        mapping=column.place,
                    )
                    for value, count in codes[:MOST_CODES]
                )
    return tuple(rows)


def _reuse(municipality: Municipality) -> Reuse | None:
    of_systems = [system.reuse for system in municipality.folder.systems.values() if system.reuse is not None]
    if not of_systems:
        return None
    return Reuse(
        package=", ".join(reuse.package for reuse in of_systems),
        inherited=sum(reuse.inherited for reuse in of_systems),
        changed=sum(reuse.changed for reuse in of_systems),
        removed=sum(reuse.removed for reuse in of_systems),
        added=sum(reuse.added for reuse in of_systems),
    )


def _planned(municipality: Municipality, run: Run) -> str:
    """The day for which the calendar plans this rehearsal, or the cut-over."""
    calendar = municipality.folder.manifest.calendar
    if run.mode == "cut-over":
        return calendar.cut_over or ""
    return next((r.on for r in calendar.rehearsals if r.number == run.rehearsal), "")


def _evidence(municipality: Municipality, run: Run) -> tuple[Evidence, ...]:
    receipts = (run.read("receive") or {"receipts": []})["receipts"]
    rows = [Evidence(name=r["file"], kind="dump", sha256=r["sha256"]) for r in receipts if r["sha256"]]
    for path, sha256 in sorted(municipality.folder.sha256.items()):
        kind: Any = {".cpy": "layout", ".csv": "table"}.get(Path(path).suffix, "mapping")
        rows.append(Evidence(name=path, kind="manifest" if Path(path).name == MANIFEST else kind, sha256=sha256))
    return tuple(rows)


def _versions(database_version: str) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    return {**versions, **({"postgresql": database_version} if database_version else {})}
