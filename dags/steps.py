"""The pipeline on one page: one function a step, in order; every step may be repeated.

    begin -> receive -> extract_map_stage (a slice of a dump at a time) -> join_slices -> validate -> reconcile
        -> approve -> promote -> report

Steps know nothing of Airflow; the DAGs and the command are two doors to them. Each reads what the former left in the
run's folder and leaves its own; tables never leave the disk and the database.
"""

# Above 400 lines: every step of the pipeline, in order, is read in one place.

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import getpass
import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import evidence, inbox, reconciliation, references, run_specs, slices, workspace
from dags.pipeline.assembly import assemble, state_of
from dags.pipeline.extraction import extract_and_map
from dags.pipeline.folders import municipality_folder
from dags.pipeline.mapped_files import JOINED, mapped_file, parts_of, staged_frame
from dags.pipeline.municipality import Municipality, one_per_key, target_tables
from dags.pipeline.waiting import from_ledger, map_waiting, waiting
from dags.pipeline.workspace import Run, open_run, settings
from mappings.plan import PartPlan
from migration_reports.findings import RunError, SpecError, TransientError, join_findings
from migration_reports.pages.question import question
from migration_reports.pages.render import render
from migration_reports.records.run_record import (
    AmountReconciliation,
    Control,
    Decision,
    RuleResult,
    RunRecord,
)
from target_schemas.postgres import installation, ledger, loader, staging, undo
from target_schemas.postgres.areas import area_of
from target_schemas.postgres.database import away, connect
from validators import controls, engine

log = logging.getLogger("hikkoshi")


class Held(RunError):  # noqa: N818  it is a state of the run
    """The run goes no further, because of what was received; its report says why."""


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
    settings().make_private()
    owner = owner or workspace.this_process()
    source, new = municipality_folder(folder), workspace.new_folder()
    try:
        municipality = run_specs.keep(source, new / "specs")
        code = municipality.folder.manifest.municipality.code
        run = Run(
            workspace.new_run_id(code, mode, rehearsal),
            municipality.folder.folder,
            code,
            mode,
            rehearsal,
            owner,
            str(Path(folder_of_dumps).resolve() if folder_of_dumps else settings().inbox(municipality.folder.folder)),
            _now(),
            started_by,
            *dag_run,
        )
        with _database() as (database, _):
            installation.install(database, municipality.systems, code)
            workspace.make_run(run, new)
            _enter(database, run, municipality)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    log.info("run %s of %s begun", run.run_id, run.folder)
    return run.run_id


def _enter(database: sa.Engine, run: Run, municipality: Municipality) -> None:
    """Enter a run in the ledger, and clear away what runs that have ended left behind."""
    try:
        abandoned = ledger.begin_run(
            database,
            run_id=run.run_id,
            municipality=run.code,
            mode=run.mode,
            rehearsal=run.rehearsal,
            owner=run.owner,
            alive=lambda other: workspace.is_alive(other, asking=run.owner),
        )
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    for old in abandoned:
        log.warning("run %s had been left unfinished and is marked abandoned", old)
    _tidy(database)
    staging.create_staging(database, run.run_id, target_tables(municipality))
    if run.dag_run_id:
        workspace.note_dag_run(run)


def _tidy(database: sa.Engine) -> None:
    """Clear away the rows and half files that runs left behind which were killed, or could not reach the database."""
    entries = ledger.list_runs(database)
    for name in staging.drop_orphans(database, {e.run_id for e in entries if e.state == "running"}):
        log.warning("the staging schema %s of a run that has ended was dropped", name)
    for run_id in workspace.clear_left_behind({e.run_id for e in entries if e.state != "running"}):
        log.warning("run %s has ended: its mapped rows and half files were deleted", run_id)


def receive(run_id: str) -> list[dict[str, Any]]:
    """Compare what lies in the inbox with what the manifest expects; give the slices to read: dump and number.

    Raises:
        Held: an expected file is missing, empty, or a copy of another; nothing is read then.
    """
    run = _running(run_id)
    municipality = run_specs.municipality_of(run)
    with _timed(run, "receive"):
        receipts, found = inbox.receive(municipality, Path(run.inbox))
        run.write("receive", {"receipts": [receipt.model_dump() for receipt in receipts]})
        evidence.write_findings(run.path / "findings" / "receive.arrow", found)
        for receipt in receipts:
            log.info("%s: %s, %s bytes", receipt.file, receipt.status, f"{receipt.bytes:,}")
        if reasons := inbox.why_held(receipts, Path(run.inbox)):
            run.write("held", {"reasons": reasons})
            raise Held("this run may not be promoted: " + "; ".join(en for _, en in reasons))
        parts = slices.plan(run, municipality)
    return [{"dump": dump, "number": number} for dump, number in parts]


def name_of_slice(run_id: str, dump: str, number: int) -> str:
    """How a slice of a dump is called where people read of it."""
    return slices.named(dump, number, slices.planned(open_run(run_id), dump))


def extract_map_stage(run_id: str, dump: str, number: int) -> None:
    """Read one slice of a dump, map it, keep the rows as Arrow IPC and stage them in the database."""
    run = _running(run_id)
    municipality = run_specs.municipality_of(run)
    parts = slices.planned(run, dump)
    part, reader = parts[number - 1], municipality.dumps[dump]
    with _timed(run, f"extract_map_stage {slices.named(dump, number, parts)}"):
        with slices.opened(run, dump, reader.reading, number) as stream:
            summary = extract_and_map(run, municipality, dump, reader, stream, number=number, part=part)
        last = slices.last_record(number, parts)
        with _database() as (_, url):
            for mapped in parts_of(municipality, dump):
                if not mapped.waits:
                    _stage(url, run, mapped, number, first=part.record, last=last)
        run.write(f"slices/{dump}/{number:04}", summary)


def join_slices(run_id: str) -> None:
    """Join what was counted of the slices of each dump; map and stage what had to wait for all of them."""
    run = _running(run_id)
    municipality = run_specs.municipality_of(run)
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
    run = _running(run_id)
    municipality = run_specs.municipality_of(run)
    with _timed(run, "validate"):
        evidence.forget_findings(run, "validate", "reconcile")
        tables = {table.name: table for table in target_tables(municipality)}
        rules = reconciliation.rules(municipality, tables)
        frames = {name: staged_frame(run, municipality, name) for name in tables}
        heights = {name: frame.select(pl.len()).collect().item() for name, frame in frames.items()}
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
            counted = failing[rule.name].height, gx_counts[rule.name], new.num_rows
            results.append(reconciliation.result(rule, *counted, rows=heights[rule.table]))
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
    run = _running(run_id)
    municipality = run_specs.municipality_of(run)
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
    return {"promotable": promotable, "reasons": [en for _, en in reasons]}


def ask(run_id: str, *, page: str = "") -> str:
    """Write the provisional reports, and give the question whether the run may be promoted, in Markdown.

    Args:
        run_id: the run.
        page: the address under which the run's reports are served; it is linked in the question.
    """
    run = _running(run_id)
    waiting_record = record(run_id)
    _write_reports(run, waiting_record)
    links = {"暫定報告書": f"{page}/result.ja.html", "provisional report": f"{page}/result.en.html"} if page else {}
    return question(waiting_record, links=links)


def approve(run_id: str, by: str, *, reason: str = "", at: str = "", automatic: bool = False) -> None:
    """Approve the promotion; where a person does, that acknowledges the alerts.

    Args:
        run_id: the run.
        by: the person's name.
        reason: what they said.
        at: when, in ISO 8601; now, where not given.
        automatic: whether it is approved because everything agrees, and nobody was asked.

    Raises:
        RunError: a cut-over is to be approved automatically.
    """
    run = _running(run_id)
    if automatic and run.mode == "cut-over":
        raise RunError("a cut-over is approved by a person, never automatically; nothing was promoted")
    _decide(run, approved=True, by=by, reason=reason, at=at, automatic=automatic)


def reject(run_id: str, by: str, *, reason: str = "", at: str = "") -> None:
    """Refuse the promotion; see `approve`."""
    _decide(_running(run_id), approved=False, by=by, reason=reason, at=at, automatic=False)


def _decide(run: Run, *, approved: bool, by: str, reason: str, at: str, automatic: bool) -> None:
    decision = Decision(
        approved=approved, by=by[:100], at=at or _now(), reason=reason.strip()[:1000], automatic=automatic
    )
    run.write("approval", decision.model_dump())


def promote(run_id: str) -> dict[str, int]:
    """Put the run's accepted rows in the place of the municipality's promoted ones.

    Raises:
        RunError: the run may not be promoted, or has not been approved.
    """
    run = open_run(run_id)
    municipality = run_specs.municipality_of(run)
    decided, approval = run.read("reconcile"), run.read("approval")
    if decided is None:
        raise RunError("this run has not been reconciled; nothing was promoted")
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
            area=area_of(run.mode),
            one_per_key=one_per_key(municipality),
            expected=decided["expected"],
        )
        amounts = []
        for amount in (AmountReconciliation(**a) for a in decided["amounts"]):
            table = next(t for t in target_tables(municipality) if t.name == amount.table)
            total = loader.promoted_sum(database, table, amount.column, run.code, amount.dump, area=area_of(run.mode))
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
    if run.read("finished") is None:
        run.write("finished", {"at": _now()})
    left = run.read("failure") is not None
    with contextlib.suppress(TransientError) if left else contextlib.nullcontext(), _database() as (database, _):
        # Only a run that was not promoted takes this: what was, the ledger knows from its swap.
        ledger.end_run(database, run_id, state_of(run)[0])
        staging.drop_staging(database, run_id)
    final = record(run_id)
    files = _write_reports(run, final)
    sha256 = hashlib.sha256((run.path / "reports" / "run.json").read_bytes()).hexdigest()
    with contextlib.suppress(TransientError) if left else contextlib.nullcontext(), _database() as (database, _):
        ledger.end_run(database, run_id, final.state, record_sha256=sha256)
    workspace.clear(run.path)
    log.info("run %s: %s; reports in %s", run_id, final.state, run.path / "reports")
    return [str(file) for file in files]


def _write_reports(run: Run, said: RunRecord) -> tuple[Path, ...]:
    """Write the reports into a folder of their own, and put it in the place of the former when it is whole."""
    everything = run.path / "findings.arrow"
    evidence.join_finding_files(run, everything)
    with workspace.replaced(run.path / "reports") as new:
        names = [file.name for file in render(said, new, findings=everything)]
    return tuple(run.path / "reports" / name for name in names)


def conclude(run_id: str) -> list[str]:
    """End a run that steps elsewhere may have left: note a failure that nobody noted, then report."""
    run = open_run(run_id)
    if state_of(run)[0] in ("running", "waiting"):
        # Killed behind its swap, a run has no result of it, and is promoted all the same.
        with _database() as (database, _):
            entry = ledger.find(database, run_id)
        if entry is None or entry.state == "running":
            fail(run_id, "a step failed; see its log")
    return report(run_id)


def fail(run_id: str, reason: str) -> None:
    """Note that a run failed; its reports can still be made."""
    open_run(run_id).write("failure", {"reason": reason[:500], "at": _now()})


def rollback(folder: str, *, mode: str = "cut-over", by: str, reason: str) -> undo.Undone:
    """Put back what the municipality had in force before, in production or (mode rehearsal) in the rehearsals' area.

    Raises:
        RunError: there is no former state, or it is not kept any more.
        TransientError: others read what is to be replaced.
    """
    code = municipality_folder(folder).name[:6]
    with _database() as (database, _):
        return undo.rollback(database, code, area_of(mode), by=by, reason=reason)


def withdraw(run_id: str, *, by: str, reason: str) -> undo.Undone:
    """Take a promotion out for good, and drop its rows.

    Raises:
        RunError: the run was not promoted.
        TransientError: others read what is to be replaced.
    """
    with _database() as (database, _):
        return undo.withdraw(database, run_id, by=by, reason=reason)


def run_all(
    folder: str,
    *,
    mode: str = "rehearsal",
    rehearsal: int = 1,
    folder_of_dumps: str | None = None,
    ask_person: Callable[[str], Answer] | None = None,
) -> RunRecord:
    """Run every step in this process, without Airflow; the report is made however the run ends.

    Args:
        folder: the municipality's folder name.
        mode: rehearsal or cut-over.
        rehearsal: which rehearsal.
        folder_of_dumps: where the dumps lie.
        ask_person: asks a person the approval question; approved automatically, where not given.

    Raises:
        RunError: a cut-over is to be approved automatically.
    """
    if mode == "cut-over" and ask_person is None:
        raise RunError("a cut-over is approved by a person, never automatically. Nothing was begun.")
    run_id = begin(
        folder, mode=mode, rehearsal=rehearsal, folder_of_dumps=folder_of_dumps, started_by=getpass.getuser()
    )
    try:
        for part in receive(run_id):
            extract_map_stage(run_id, **part)
        join_slices(run_id)
        validate(run_id)
        if reconcile(run_id)["promotable"]:
            answer = ask_person(ask(run_id)) if ask_person is not None else None
            if answer is not None and not answer.approved:
                reject(run_id, answer.by, reason=answer.reason)
            else:
                by, reason = (answer.by, answer.reason) if answer is not None else ("automatic", "")
                approve(run_id, by, reason=reason, automatic=answer is None)
                promote(run_id)
    except Held as held:
        log.warning("%s", held)
    except BaseException as error:
        said = (RunError, SpecError, TransientError)
        fail(run_id, str(error) if isinstance(error, said) else type(error).__name__)
        with contextlib.suppress(*said):
            report(run_id)
        raise
    report(run_id)
    return record(run_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to the question whether a run may be promoted."""

    approved: bool
    by: str
    reason: str = ""


def record(run_id: str) -> RunRecord:
    """Everything that may be said of a run so far: what it did, from its folder; how it stands, from the ledger.

    Raises:
        TransientError: the ledger cannot be asked.
    """
    run = open_run(run_id)
    entry, version = None, ""
    failed = run.read("failure") is not None and run.read("promote") is None
    with contextlib.suppress(TransientError) if failed else contextlib.nullcontext(), _database() as (database, _):
        entry = ledger.find(database, run_id)
        version = _version(database)
    return assemble(
        run,
        run_specs.municipality_of(run),
        in_ledger=entry.state if entry is not None else "",
        specs_changed=run_specs.changed(run, settings().municipalities / run.folder),
        database_version=version,
    )


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
    """Write the reports of a run again, from what it left and what the ledger says of it now."""
    run = open_run(run_id)
    return [str(file) for file in _write_reports(run, record(run_id))]


def list_runs(name: str | None) -> list[ledger.RunEntry]:
    """The runs that the ledger knows, of one municipality or of all."""
    with _database() as (database, _):
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


def _version(database: sa.Engine) -> str:
    with database.connect() as connection:
        return str(connection.execute(sa.text("SHOW server_version")).scalar())


def _running(run_id: str) -> Run:
    """Open a run that has not ended.

    Raises:
        RunError: it has ended: what it left is evidence, and is not worked on again.
    """
    run = open_run(run_id)
    with _database() as (database, _):
        entry = ledger.find(database, run_id)
    if entry is None or entry.state != "running":
        state = entry.state if entry is not None else "not known to this data centre"
        raise RunError(
            f"run {run_id} has ended ({state}), and what it left stays as it is. "
            "Start a new run; in Airflow, clear `begin` with all tasks after it, or trigger the DAG again."
        )
    return run


@contextlib.contextmanager
def _timed(run: Run, step: str) -> Iterator[None]:
    started, clock = _now(), time.monotonic()
    log.info("%s", step)
    yield
    seconds = round(time.monotonic() - clock, 3)
    run.write(f"timings/{step.replace(' ', '-')}", {"step": step, "started": started, "seconds": seconds})


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
