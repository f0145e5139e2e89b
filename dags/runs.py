"""What is done with whole runs: run one from end to end, conclude and tell them."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import logging
from collections.abc import Callable, Collection

from dags import steps
from dags.centre import reached
from dags.pipeline import data_centre, reporting, run_folder
from dags.pipeline.receiving import cuts
from dags.pipeline.run_folder import open_run
from migration_reports.findings import RunError, SpecError, TransientError
from migration_reports.pages.question import question
from migration_reports.records.assembly import state_of
from migration_reports.records.run_record import RunRecord
from target_schemas.postgres import ledger
from validators.gate import Gate, opened

log = logging.getLogger("hikkoshi")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to the question whether a run may be promoted."""

    approved: bool
    by: str
    reason: str = ""


def run_all(
    folder: str,
    *,
    systems: Collection[str] | None = None,
    mode: str = "rehearsal",
    rehearsal: int = 1,
    folder_of_dumps: str | None = None,
    ask_person: Callable[[str], Answer] | None = None,
    gate: Gate | None = None,
) -> RunRecord:
    """Run every step in this process, without Airflow; the report is made however the run ends.

    Args:
        folder: the municipality's folder name.
        systems: those that are moved; all that it has, where not given.
        mode: rehearsal or cut-over.
        rehearsal: which rehearsal.
        folder_of_dumps: where the dumps lie.
        ask_person: asks a person the approval question; approved automatically, where not given.
        gate: one that is open already.

    Raises:
        RunError: a cut-over is to be approved automatically.
    """
    if mode == "cut-over" and ask_person is None:
        raise RunError("a cut-over is approved by a person, never automatically. Nothing was begun.")
    # Great Expectations is imported beside everything up to validation, and takes memory no longer than that.
    with contextlib.ExitStack() as until_validated:
        counting = until_validated.enter_context(opened(gate))
        run_id = steps.begin(
            folder,
            systems=systems,
            mode=mode,
            rehearsal=rehearsal,
            folder_of_dumps=folder_of_dumps,
            started_by=getpass.getuser(),
        )
        try:
            for part in steps.receive(run_id):
                steps.extract_map_stage(run_id, **part)
            steps.join_slices(run_id)
            steps.validate(run_id, counting)
            until_validated.close()
            if steps.reconcile(run_id).promotable:
                answer = ask_person(ask(run_id)) if ask_person is not None else None
                if answer is not None and not answer.approved:
                    steps.reject(run_id, answer.by, reason=answer.reason)
                else:
                    by, reason = (answer.by, answer.reason) if answer is not None else ("automatic", "")
                    steps.approve(run_id, by, reason=reason, automatic=answer is None)
                    steps.promote(run_id)
        except steps.HeldError as held:
            log.warning("%s", held)
        except BaseException as error:
            said = (RunError, SpecError, TransientError)
            steps.fail(run_id, str(error) if isinstance(error, said) else type(error).__name__)
            with contextlib.suppress(*said):
                steps.report(run_id)
            raise
        steps.report(run_id)
        return record(run_id)


def ask(run_id: str, *, page: str = "") -> str:
    """Write the provisional reports, and give the question whether the run may be promoted, in Markdown.

    Args:
        run_id: the run.
        page: the address under which the run's reports are served; it is linked in the question.
    """
    run = data_centre.running(run_id)
    so_far = reporting.record(run)
    reporting.write_reports(run, so_far)
    links = {"暫定報告書": f"{page}/result.ja.html", "provisional report": f"{page}/result.en.html"} if page else {}
    return question(so_far, links=links)


def conclude(run_id: str) -> list[str]:
    """End a run that steps elsewhere may have left: note a failure that nobody noted, then report."""
    run = open_run(run_id)
    if state_of(run.results(()))[0] in ("running", "waiting"):
        # Killed behind its swap, a run has no result of it, and is promoted all the same.
        with reached(run.code) as (database, _):
            entry = ledger.find(database, run_id)
        if entry is None or entry.state == "running":
            steps.fail(run_id, "a step failed; see its log")
    return steps.report(run_id)


def record(run_id: str) -> RunRecord:
    """Everything that may be said of a run so far; see `reporting.record`."""
    return reporting.record(open_run(run_id))


def record_of_dag_run(dag_id: str, dag_run_id: str) -> RunRecord:
    """The record of the run that a DAG run was.

    Raises:
        RunError: it has begun none.
    """
    run = run_folder.run_of_dag_run(dag_id, dag_run_id)
    if run is None:
        raise RunError(f"the DAG run {dag_run_id} has begun no run; the log of its task `begin` says why")
    return reporting.record(run)


def name_of_slice(run_id: str, dump: str, number: int) -> str:
    """How a slice of a dump is called where people read of it."""
    return cuts.named(dump, number, cuts.planned(open_run(run_id), dump))


def render_again(run_id: str) -> list[str]:
    """Write the reports of a run again, from what it left and what the ledger says of it now."""
    run = open_run(run_id)
    return [str(file) for file in reporting.write_reports(run, reporting.record(run))]
