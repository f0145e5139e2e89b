"""The pipeline on one page: one function a step, in order; every step may be repeated.

    begin -> receive -> extract_map_stage (a slice of a dump at a time) -> join_slices -> validate -> reconcile
        -> approve -> promote -> report

Steps know nothing of Airflow; the DAGs and `dags.runs` are two doors to them. Each reads what the former left in the
run's folder and leaves a typed result of its own; tables never leave the disk and the database.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

from dags.centre import reached
from dags.pipeline import data_centre, findings_store, judging, proof, rejects, reporting, run_folder
from dags.pipeline.candidates import search as candidates
from dags.pipeline.controls.parents import with_parents
from dags.pipeline.data_centre import running
from dags.pipeline.extraction import extract_and_map
from dags.pipeline.folders import municipality_folder
from dags.pipeline.receiving import attachments, cuts, reception
from dags.pipeline.run_folder import Run, now, open_run, settings
from dags.pipeline.run_specs import files_left, keep, municipality_of
from dags.pipeline.slice_files import JOINED, read_context
from dags.pipeline.waiting import from_ledger, map_waiting, waiting
from migration_reports.findings import RunError, join_findings
from migration_reports.records.assembly import state_of
from migration_reports.records.counted import Made, made_by_all
from migration_reports.records.run_record import Decision
from migration_reports.records.steps import Approval, Failure, Finished, Held, Promotion, Receipts, Validation, Verdict
from target_schemas.postgres import installation, loader
from validators.gate import Gate, opened

log = logging.getLogger("hikkoshi")


class HeldError(RunError):
    """The run goes no further, because of what was received; its report says why."""


class SliceOf(TypedDict):
    """A slice to read, as it is handed over: the dump, and the slice's number from 1."""

    dump: str
    number: int


def begin(
    folder: str,
    *,
    systems: Collection[str] | None = None,
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
        systems: those that are moved; all that it has, where not given.
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
        UsageError: the municipality has no such system.
        TransientError: the database is away.
    """
    settings().make_private()
    source, new = municipality_folder(folder), run_folder.new_folder()
    try:
        municipality = keep(source, new / "specs", systems=systems)
        code, name = municipality.folder.manifest.municipality.code, municipality.folder.folder
        run = Run(
            run_id=run_folder.new_run_id(code, mode, rehearsal),
            folder=name,
            code=code,
            mode=mode,
            rehearsal=rehearsal,
            owner=owner or run_folder.this_process(),
            inbox=str(Path(folder_of_dumps).resolve() if folder_of_dumps else settings().inbox(name)),
            started=now(),
            started_by=started_by,
            dag_id=dag_run[0],
            dag_run_id=dag_run[1],
            left=files_left(source, municipality),
        )
        with reached(code) as (database, _):
            installation.install(database, municipality.systems, code)
            run_folder.make_run(run, new)
            data_centre.enter(database, run, municipality)
        run_folder.note_dag_run(run)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    log.info("run %s of %s begun", run.run_id, run.folder)
    return run.run_id


def receive(run_id: str) -> list[SliceOf]:
    """Compare what lies in the inbox with what the manifest expects; give the slices to read.

    Raises:
        HeldError: an expected file is missing, empty, or a copy of another; nothing is read then.
    """
    run = running(run_id)
    municipality = municipality_of(run)
    with run.timed("receive"):
        receipts, found, reasons = reception.received(run, municipality)
        run.write(Receipts(receipts=receipts))
        findings_store.write_findings(run, "receive", found)
        for receipt in receipts:
            log.info("%s: %s, %s bytes", receipt.file, receipt.status, f"{receipt.bytes:,}")
        run.forget(Held)
        if reasons:
            run.write(Held(reasons=reasons))
            raise HeldError("this run may not be promoted: " + "; ".join(reason.en for reason in reasons))
        return [SliceOf(dump=dump, number=number) for dump, number in cuts.plan(run, municipality)]


def extract_map_stage(run_id: str, dump: str, number: int) -> None:
    """Read one slice of a dump, map it, keep the rows as Arrow IPC and stage them in the database."""
    run = running(run_id)
    municipality = municipality_of(run)
    parts = cuts.planned(run, dump)
    part, reading = parts[number - 1], municipality.dumps[dump].reading
    with run.timed(f"extract_map_stage {cuts.named(dump, number, parts)}"):
        last = cuts.last_record(number, parts)
        with (
            reached(run.code) as (_, url),
            cuts.opened(run, dump, reading, number) as stream,
            attachments.Linker(run, municipality, dump, number) as linker,
            data_centre.slice_staged(url, run, municipality, dump, number, first=part.record, last=last) as sink,
        ):
            context = read_context(run.path, municipality, dump)
            account = extract_and_map(
                sink, municipality, dump, stream, run_id=run_id, part=part, linker=linker, context=context
            )
        run.write(account, cuts.slice_name(dump, number))


def join_slices(run_id: str) -> None:
    """Add up what was counted of the slices of each dump; map and stage what had to wait for all of them."""
    run = running(run_id)
    municipality = municipality_of(run)
    with run.timed("join_slices"):
        joined = {dump: cuts.join(run, municipality, dump) for dump in cuts.cuts_of(run)}
        accounts = {dump: with_parents(run, municipality, dump, account) for dump, account in joined.items()}
        for dump, account in accounts.items():
            run.write(account, dump)
        attachments.settle(run, municipality)
        made = [account.made for account in accounts.values()]
        if waiting(municipality):
            with reached(run.code) as (database, url):
                made.append(map_waiting(run.path, municipality, from_ledger(run, database), run_id=run_id))
                for part in waiting(municipality):
                    data_centre.stage(url, run, municipality, part, JOINED)
        run.write(Made(parts=made_by_all(made)))


def validate(run_id: str, gate: Gate | None = None) -> Validation:
    """Judge all staged rows by every rule in both engines, work out whom that rejects; `gate`: one that is open already."""
    run = running(run_id)
    municipality = municipality_of(run)
    with run.timed("validate"), opened(gate) as counting:
        findings_store.forget_findings(run, "validate", "candidates", "reconcile")
        with reached(run.code) as (database, url):
            data_centre.stage_again(database, url, run, municipality)
            evaluation = judging.evaluate(run, municipality, counting, database=database, url=url)
            findings_store.write_findings(run, "validate", evaluation.found)
            judged, new = judging.judge_references(run, municipality, evaluation, counting, database=database, url=url)
            candidates.search(run, municipality, evaluation.frames, database=database, url=url)
        findings_store.write_findings(run, "validate", join_findings([evaluation.found, new]))
        rejected = rejects.write_rejects(run, municipality)
        validation = evaluation.told(judged, rejected)
        run.write(validation)
    log.info("%s records rejected", f"{rejected:,}")
    return validation


def reconcile(run_id: str) -> Verdict:
    """Prove counts and totals from the dump to the rows that would be promoted, and decide whether they may be."""
    run = running(run_id)
    municipality = municipality_of(run)
    with run.timed("reconcile"):
        results = run.results(municipality.dumps)
        with reached(run.code) as (database, url):
            data_centre.stage_again(database, url, run, municipality)
            counts, amounts = proof.settle(database, url, run, municipality, results.accounts)
        proved, found = proof.prove(run, municipality, results, counts, amounts)
        findings_store.write_findings(run, "reconcile", found)
        verdict = proof.decide(municipality, results, proved, findings_store.issues(run))
        run.write(verdict)
    for reason in verdict.reasons:
        log.warning("may not be promoted: %s", reason.en)
    return verdict


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
    run = running(run_id)
    if automatic and run.mode == "cut-over":
        raise RunError("a cut-over is approved by a person, never automatically; nothing was promoted")
    _decide(run, approved=True, by=by, reason=reason, at=at, automatic=automatic)


def reject(run_id: str, by: str, *, reason: str = "", at: str = "") -> None:
    """Refuse the promotion; see `approve`."""
    _decide(running(run_id), approved=False, by=by, reason=reason, at=at, automatic=False)


def _decide(run: Run, *, approved: bool, by: str, reason: str, at: str, automatic: bool) -> None:
    said = reason.strip()[:1000]
    run.write(
        Approval(decision=Decision(approved=approved, by=by[:100], at=at or now(), reason=said, automatic=automatic))
    )


def promote(run_id: str) -> Promotion:
    """Put the run's accepted rows in the place of the municipality's promoted ones.

    Raises:
        RunError: the run may not be promoted, or has not been approved.
    """
    run = open_run(run_id)
    municipality = municipality_of(run)
    verdict, approval = run.read(Verdict), run.read(Approval)
    if verdict is None:
        raise RunError("this run has not been reconciled; nothing was promoted")
    if not verdict.promotable:
        raise RunError("this run may not be promoted: " + "; ".join(reason.en for reason in verdict.reasons))
    if approval is None or not approval.decision.approved:
        raise RunError("this run has not been approved; nothing was promoted")
    with run.timed("promote"), reached(run.code) as (database, _):
        attachments.keep(run, municipality, findings_store.rejected_records(run))
        promoted = loader.promote(
            database, data_centre.run_tables(run, municipality), run.code, expected=verdict.expected
        )
        amounts = proof.promoted_amounts(database, run, municipality, verdict.amounts)
        former = ", ".join(dict.fromkeys(promoted.former.values()))
        promotion = Promotion(rows=dict(promoted.rows), former_run=former, amounts=amounts)
        run.write(promotion)
    for table_name, count in promotion.rows.items():
        log.info("%s: %s rows promoted", table_name, f"{count:,}")
    return promotion


def report(run_id: str) -> list[str]:
    """Write the reports, end the run in the ledger, and clear away what only the run needed."""
    run = open_run(run_id)
    if run.read(Finished) is None:
        run.write(Finished(at=now()))
    data_centre.end(run, state_of(run.results(()))[0])
    final = reporting.record(run)
    files = reporting.write_reports(run, final)
    run_folder.clear(run.path)
    data_centre.end(run, final.state, record=run.path / run_folder.RECORD)
    log.info("run %s: %s; reports in %s", run_id, final.state, run.path / "reports")
    return [str(file) for file in files]


def fail(run_id: str, reason: str) -> None:
    """Note that a run failed; its reports can still be made."""
    open_run(run_id).write(Failure(reason=reason[:500], at=now()))
