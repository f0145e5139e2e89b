"""The pipeline on one page: one function a step, in order; every step may be repeated.

    begin -> receive -> extract_map_stage (a slice of a dump at a time) -> join_slices -> validate -> reconcile
        -> approve -> promote -> report

Steps know nothing of Airflow; the DAGs and the command are two doors to them. Each reads what the former left in the
run's folder and leaves its own; tables never leave the disk and the database.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags import evidence, inbox, reconciliation, references, slices, workspace
from dags.assembly import assemble
from dags.extraction import extract_and_map
from dags.folders import municipality_folder
from dags.mapped_files import JOINED, mapped_file, parts_of, staged_frame
from dags.municipality import load, one_per_key, target_tables
from dags.waiting import from_ledger, map_waiting, waiting
from dags.workspace import Run, open_run, settings
from mappings.plan import PartPlan
from migration_reports.findings import RunError, join_findings
from migration_reports.render import question, render
from migration_reports.run_record import (
    AmountReconciliation,
    Control,
    RuleResult,
    RunRecord,
)
from target_schemas import ledger, loader, staging
from target_schemas.database import away, connect
from target_schemas.systems import SYSTEMS
from validators import controls, engine

log = logging.getLogger("hikkoshi")


def begin(
    folder: str,
    *,
    mode: str = "rehearsal",
    rehearsal: int = 1,
    owner: str | None = None,
    folder_of_dumps: str | None = None,
    started_by: str = "",
    dag_run: tuple[str, str] = ("", ""),
) -> str:
    """Begin a run: check every spec, enter it in the ledger, make its staging tables.

    Args:
        folder: the municipality's folder name.
        mode: rehearsal or cut-over.
        rehearsal: which rehearsal this is, from 1.
        owner: who runs it; this process, where not given.
        folder_of_dumps: the folder the dumps lie in, where not the usual inbox.
        started_by: the person who started it.
        dag_run: the DAG and its run that this run is, where it is one.

    Returns:
        The run's id.

    Raises:
        SpecError: the municipality's folder has problems.
        RunError: another run of the municipality is in progress.
        TransientError: the database is away.
    """
    municipality = load(municipality_folder(folder))
    folder, code = municipality.folder.folder, municipality.folder.manifest.municipality.code
    owner = owner or workspace.this_process()
    run = Run(
        workspace.new_run_id(code, mode, rehearsal),
        folder,
        code,
        mode,
        rehearsal,
        owner,
        str(Path(folder_of_dumps).resolve() if folder_of_dumps else settings().inbox(folder)),
        _now(),
        started_by,
        *dag_run,
    )
    with _database() as (database, _):
        loader.prepare(database, municipality.systems)
        abandoned = ledger.begin_run(
            database,
            run_id=run.run_id,
            municipality=code,
            mode=mode,
            rehearsal=rehearsal,
            owner=owner,
            alive=lambda other: workspace.is_alive(other, asking=owner),
        )
        for old in abandoned:
            log.warning("run %s had been left unfinished and is marked abandoned", old)
            staging.drop_staging(database, old)
        staging.create_staging(database, run.run_id, target_tables(municipality))
    workspace.make_run(run)
    if run.dag_run_id:
        workspace.note_dag_run(run)
    log.info("run %s of %s begun", run.run_id, folder)
    return run.run_id


def receive(run_id: str) -> list[dict[str, Any]]:
    """Compare what lies in the inbox with what the manifest expects; give the slices to read: dump and number."""
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    with _timed(run, "receive"):
        receipts, found = inbox.receive(municipality, Path(run.inbox))
        run.write("receive", {"receipts": [receipt.model_dump() for receipt in receipts]})
        evidence.write_findings(run.path / "findings" / "receive.arrow", found)
        for receipt in receipts:
            log.info("%s: %s, %s bytes", receipt.file, receipt.status, f"{receipt.bytes:,}")
        parts = slices.plan(run, municipality, inbox.received(receipts))
    return [{"dump": dump, "number": number} for dump, number in parts]


def name_of_slice(run_id: str, dump: str, number: int) -> str:
    """How a slice of a dump is called where people read of it."""
    return slices.named(dump, number, slices.planned(open_run(run_id), dump))


def extract_map_stage(run_id: str, dump: str, number: int) -> None:
    """Read one slice of a dump, map it, keep the rows as Arrow IPC and stage them in the database."""
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    parts = slices.planned(run, dump)
    part, reader = parts[number - 1], municipality.dumps[dump]
    with _timed(run, f"extract_map_stage {slices.named(dump, number, parts)}"):
        files = inbox.dump_files(run, dump)
        summary = extract_and_map(run, municipality, dump, reader, files, number=number, part=part)
        last = slices.last_record(number, parts)
        with _database() as (_, url):
            for mapped in parts_of(municipality, dump):
                if not mapped.waits:
                    _stage(url, run, mapped, number, first=part.record, last=last)
        run.write(f"slices/{dump}/{number:04}", summary)


def join_slices(run_id: str) -> None:
    """Join what was counted of the slices of each dump; map and stage what had to wait for all of them."""
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    with _timed(run, "join_slices"):
        joined = [slices.join(run, municipality, dump) for dump in run.read("slices")]
        for dump, account in zip(run.read("slices"), joined, strict=True):
            run.write(f"dumps/{dump}", account)
        made = slices.added([account["made"] for account in joined])
        if waiting(municipality):
            with _database() as (database, url):
                made = slices.added([made, map_waiting(run, municipality, from_ledger(run, database))])
                for part in waiting(municipality):
                    _stage(url, run, part, JOINED)
        run.write("made", made)


def validate(run_id: str) -> dict[str, Any]:
    """Evaluate every rule in both engines over all staged rows; work out the rejected records, and who falls with them."""
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    with _timed(run, "validate"):
        evidence.forget_findings(run, "validate", "reconcile")
        tables = {table.name: table for table in target_tables(municipality)}
        rules = reconciliation.rules(municipality, tables)
        frames = {name: staged_frame(run, municipality, name) for name in tables}
        log.info("%d rules over the staged rows, in two engines", len(rules))
        failing = engine.run_polars(rules, frames)
        with _database() as (_, url):
            gx_counts = engine.run_gx(rules, url=url, schema=staging.staging_schema(run_id))
        said = evidence.read_findings(run)
        origins = evidence.origins(municipality)
        results, found = [], []
        for rule in rules:
            new = engine.findings(rule, failing[rule.name], earlier=said, origins=origins)
            if new.num_rows:
                said = pl.concat([said, pl.DataFrame(pl.from_arrow(new))])
                found.append(new)
            results.append(reconciliation.result(rule, failing[rule.name].height, gx_counts[rule.name], new.num_rows))
        found.append(engine.compare(rules, {name: rows.height for name, rows in failing.items()}, gx_counts))
        evidence.write_findings(run.path / "findings" / "validate.arrow", join_findings(found))
        with _database() as (database, url):
            judged, new = references.judge_references(run, municipality, frames, failing, database=database, url=url)
        evidence.write_findings(run.path / "findings" / "validate.arrow", join_findings([*found, new]))
        rejected = evidence.write_rejects(run, municipality)
        validated = {"rules": [r.model_dump() for r in results], "references": [r.model_dump() for r in judged]}
        run.write("validate", {**validated, "rejected": rejected})
    log.info("%s records rejected", f"{rejected:,}")
    return {"rules": len(rules), "rejected": rejected}


def reconcile(run_id: str) -> dict[str, Any]:
    """Prove counts and totals from the dump to the rows that would be promoted, and decide whether they may be."""
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    with _timed(run, "reconcile"):
        fragments = {name: part for name in municipality.dumps if (part := run.read(f"dumps/{name}")) is not None}
        proved: list[Control] = []
        found: list[pa.RecordBatch] = []
        for name, part in fragments.items():
            done, wrong = reconciliation.prove(name, municipality, part)
            proved.extend(done)
            found.append(wrong)
        rejected = evidence.rejected_records(run)
        with _database() as (database, url):
            counts = staging.settle(
                database,
                url,
                run_id,
                target_tables(municipality),
                rejected=rejected,
                one_per_key=one_per_key(municipality),
            )
            amounts = reconciliation.amounts(database, run, municipality, fragments)
        critical = frozenset(table.name for table in target_tables(municipality) if table.info["critical"])
        fates = reconciliation.fates(municipality, fragments, evidence.rejected_by_kind(run))
        made = run.read("made") or {}
        lines = reconciliation.lines(municipality, fragments, made, counts)
        found.append(controls.unexplained(fates, lines, amounts, critical=critical))
        found.append(reconciliation.limits(municipality, made, run.read("validate")["rules"], lines))
        evidence.write_findings(run.path / "findings" / "reconcile.arrow", join_findings(found))
        issues = evidence.issues(run)
        records = sum(fate.records for fate in fates if fate.role == "data")
        allowed = controls.rejects_allowed(municipality.folder.manifest.limits.rejects, records)
        validated = run.read("validate")
        rules = tuple(RuleResult(**rule) for rule in validated["rules"])
        promotable, reasons = controls.verdict(
            issues=issues, controls=proved, rules=rules, rejects=validated["rejected"], allowed=allowed
        )
        run.write(
            "reconcile",
            {
                "controls": [c.model_dump() for c in proved],
                "fates": [f.model_dump() for f in fates],
                "lines": [line.model_dump() for line in lines],
                "amounts": [a.model_dump() for a in amounts],
                "expected": {
                    table.name: sum(n.promotable for (name, *_), n in counts.items() if name == table.name)
                    for table in target_tables(municipality)
                },
                "allowed": allowed,
                "promotable": promotable,
                "reasons": [list(reason) for reason in reasons],
            },
        )
    for _, reason in reasons:
        log.warning("may not be promoted: %s", reason)
    return {"promotable": promotable, "question": question(record(run_id)), "reasons": [en for _, en in reasons]}


def approve(run_id: str, by: str) -> None:
    """Approve the promotion, which acknowledges the alerts."""
    run = open_run(run_id)
    run.write("approval", {"approved": True, "by": by[:100], "at": _now()})


def reject(run_id: str, by: str) -> None:
    """Refuse the promotion."""
    run = open_run(run_id)
    run.write("approval", {"approved": False, "by": by[:100], "at": _now()})


def promote(run_id: str) -> dict[str, int]:
    """Put the run's accepted rows in the place of the municipality's promoted ones.

    Raises:
        RunError: the run may not be promoted, or has not been approved.
    """
    run = open_run(run_id)
    municipality = load(municipality_folder(run.folder))
    decided, approval = run.read("reconcile"), run.read("approval")
    if not decided["promotable"]:
        raise RunError("this run may not be promoted: " + "; ".join(en for _, en in decided["reasons"]))
    if approval is None or not approval["approved"]:
        raise RunError("this run has not been approved; nothing was promoted")
    with _timed(run, "promote"), _database() as (database, _):
        promoted = loader.promote(
            database,
            run_id,
            run.code,
            target_tables(municipality),
            one_per_key=one_per_key(municipality),
            expected=decided["expected"],
        )
        amounts = []
        for amount in (AmountReconciliation(**a) for a in decided["amounts"]):
            table = next(t for t in target_tables(municipality) if t.name == amount.table)
            total = loader.promoted_sum(database, table, amount.column, run.code, amount.dump)
            amounts.append(
                {
                    **amount.model_dump(),
                    "in_table": format(total, "f"),
                    "agrees": amount.agrees and total == Decimal(amount.in_table),
                }
            )
        run.write("promote", {"rows": dict(promoted.rows), "former_run": promoted.former_run or "", "amounts": amounts})
    for table_name, count in promoted.rows.items():
        log.info("%s: %s rows promoted", table_name, f"{count:,}")
    return dict(promoted.rows)


def report(run_id: str) -> list[str]:
    """Write the reports, end the run in the ledger, and clear away what only the run needed."""
    run = open_run(run_id)
    final = record(run_id).model_copy(update={"finished": _now()})
    run.write("finished", {"at": final.finished})
    everything = run.path / "findings.arrow"
    evidence.join_finding_files(run, everything)
    files = render(final, run.path / "reports", findings=everything)
    sha256 = hashlib.sha256((run.path / "reports" / "run.json").read_bytes()).hexdigest()
    with (
        contextlib.suppress(Exception) if final.state == "failed" else contextlib.nullcontext(),
        _database() as (database, _),
    ):
        ledger.end_run(database, run_id, final.state, record_sha256=sha256)
        staging.drop_staging(database, run_id)
    for folder in ("mapped", "held", "looked_at"):
        shutil.rmtree(run.path / folder, ignore_errors=True)
    log.info("run %s: %s; reports in %s", run_id, final.state, run.path / "reports")
    return [str(file) for file in files]


def conclude(run_id: str, *, refused: bool) -> list[str]:
    """End a run that steps elsewhere may have left: note a refusal or a failure, then report."""
    run = open_run(run_id)
    if refused:
        reject(run_id, "the approver")
    elif run.read("promote") is None:
        decided = run.read("reconcile")
        if decided is None or decided["promotable"]:
            fail(run_id, "a step failed; see its log")
    return report(run_id)


def fail(run_id: str, reason: str) -> None:
    """Enter that a run failed; its reports can still be made."""
    run = open_run(run_id)
    run.write("failure", {"reason": reason[:500], "at": _now()})
    with contextlib.suppress(Exception), _database() as (database, _):
        ledger.end_run(database, run_id, "failed")


def rollback(folder: str) -> tuple[str, Mapping[str, int]]:
    """Put the municipality's former state back.

    Raises:
        RunError: there is no former state.
    """
    municipality = load(municipality_folder(folder))
    with _database() as (database, _):
        return loader.rollback(database, municipality.folder.manifest.municipality.code, target_tables(municipality))


def run_all(
    folder: str,
    *,
    mode: str = "rehearsal",
    rehearsal: int = 1,
    folder_of_dumps: str | None = None,
    ask: Callable[[str], str | None] | None = None,
) -> RunRecord:
    """Run every step in this process, without Airflow; the report is made however the run ends.

    Args:
        folder: the municipality's folder name.
        mode: rehearsal or cut-over.
        rehearsal: which rehearsal.
        folder_of_dumps: where the dumps lie.
        ask: asks a person the approval question and gives who approved, or None; automatic, where not given.
    """
    run_id = begin(folder, mode=mode, rehearsal=rehearsal, folder_of_dumps=folder_of_dumps)
    try:
        for part in receive(run_id):
            extract_map_stage(run_id, **part)
        join_slices(run_id)
        validate(run_id)
        decided = reconcile(run_id)
        if decided["promotable"]:
            approver = ask(decided["question"]) if ask is not None else "automatic"
            if approver is None:
                reject(run_id, "the person asked")
            else:
                approve(run_id, approver)
                promote(run_id)
    except BaseException as error:
        fail(run_id, type(error).__name__)
        raise
    report(run_id)
    return record(run_id)


def record(run_id: str) -> RunRecord:
    """Everything that may be said of a run so far."""
    run = open_run(run_id)
    return assemble(run, load(municipality_folder(run.folder)), database_version=_database_version)


def record_of_dag_run(dag_id: str, dag_run_id: str) -> RunRecord:
    """The record of the run that a DAG run was.

    Raises:
        RunError: it has begun none.
    """
    run = workspace.run_of_dag_run(dag_id, dag_run_id)
    if run is None:
        raise RunError(f"the DAG run {dag_run_id} has begun no run; the log of its task `begin` says why")
    return record(run.run_id)


def render_again(run_id: str) -> list[str]:
    """Write the reports of a run again, from what it left."""
    run = open_run(run_id)
    findings = run.path / "findings.arrow"
    return [
        str(f) for f in render(record(run_id), run.path / "reports", findings=findings if findings.exists() else None)
    ]


def list_runs(name: str | None) -> list[ledger.RunEntry]:
    """The runs that the ledger knows, of one municipality or of all."""
    with _database() as (database, _):
        loader.prepare(database, SYSTEMS)
        return ledger.list_runs(database, municipality_folder(name).name[:6] if name else None)


def _stage(url: str, run: Run, part: PartPlan, number: int, *, first: int = 1, last: int = staging.LAST) -> None:
    """Stage the rows that a slice (or what waited) gave a part."""
    file = mapped_file(run, part, number)
    if not file.exists():
        return
    with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
        batches = (rows.get_batch(i) for i in range(rows.num_record_batches))
        stream = pa.RecordBatchReader.from_batches(rows.schema, batches)
        count = staging.stage(
            url, run.run_id, part.table, stream, dump=part.dump, part=part.number, first=first, last=last
        )
    log.info("%s: %s rows staged for %s", part.dump, f"{count:,}", part.table)


@contextlib.contextmanager
def _database() -> Iterator[tuple[sa.Engine, str]]:
    url = settings().database()
    with away(url):
        yield connect(url), url


def _database_version() -> str:
    with _database() as (database, _), database.connect() as connection:
        return str(connection.execute(sa.text("SHOW server_version")).scalar())


@contextlib.contextmanager
def _timed(run: Run, step: str) -> Iterator[None]:
    started, clock = _now(), time.monotonic()
    log.info("%s", step)
    yield
    seconds = round(time.monotonic() - clock, 3)
    run.write(f"timings/{step.replace(' ', '-')}", {"step": step, "started": started, "seconds": seconds})


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
