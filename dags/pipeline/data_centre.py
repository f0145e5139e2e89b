"""A run in the data centre: entered in the ledger, its rows staged, and what runs left there that were killed cleared away."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import run_folder
from dags.pipeline.run_folder import Run, open_run, settings
from dags.pipeline.slice_files import mapped_file
from dags.pipeline.town import Municipality, target_tables
from mappings.plan import PartPlan
from migration_reports.findings import RunError, TransientError
from migration_reports.records.steps import Failure
from target_schemas.postgres import ledger, staging
from target_schemas.postgres.database import away, connect

log = logging.getLogger("hikkoshi")


@contextlib.contextmanager
def reached() -> Iterator[tuple[sa.Engine, str]]:
    """The database and its URL, for Great Expectations and for ADBC.

    Raises:
        TransientError: it is away.
    """
    url = settings().database()
    with away(url):
        yield connect(url), url


def enter(database: sa.Engine, run: Run, municipality: Municipality) -> None:
    """Enter a run in the ledger, clear away what runs that have ended left behind, and make its staging tables.

    Raises:
        RunError: another run of the municipality is in progress; the run's folder is deleted then.
    """
    try:
        abandoned = ledger.begin_run(
            database,
            run_id=run.run_id,
            municipality=run.code,
            mode=run.mode,
            rehearsal=run.rehearsal,
            owner=run.owner,
            alive=lambda other: run_folder.is_alive(other, asking=run.owner),
            editions={name: system.manifest.edition for name, system in municipality.folder.systems.items()},
        )
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    for old in abandoned:
        log.warning("run %s had been left unfinished and is marked abandoned", old)
    _tidy(database)
    staging.create_staging(database, run.run_id, target_tables(municipality))


def _tidy(database: sa.Engine) -> None:
    """Clear away the rows and half files that runs left behind which were killed, or could not reach the database."""
    entries = ledger.list_runs(database)
    for name in staging.drop_orphans(database, {e.run_id for e in entries if e.state == "running"}):
        log.warning("the staging schema %s of a run that has ended was dropped", name)
    for run_id in run_folder.clear_left_behind({e.run_id for e in entries if e.state != "running"}):
        log.warning("run %s has ended: its mapped rows and half files were deleted", run_id)


def running(run_id: str) -> Run:
    """Open a run that has not ended.

    Raises:
        RunError: it has ended: what it left is evidence, and is not worked on again.
    """
    run = open_run(run_id)
    with reached() as (database, _):
        entry = ledger.find(database, run_id)
    if entry is None or entry.state != "running":
        state = entry.state if entry is not None else "not known to this data centre"
        raise RunError(
            f"run {run_id} has ended ({state}), and what it left stays as it is. "
            "Start a new run; in Airflow, clear `begin` with all tasks after it, or trigger the DAG again."
        )
    return run


def stage(url: str, run: Run, part: PartPlan, number: int, *, first: int = 1, last: int = staging.LAST) -> None:
    """Stage the rows that a slice (or what waited) gave a part.

    Args:
        url: the database.
        run: the run.
        part: the part.
        number: the number of the slice.
        first: the first record that the slice may hold.
        last: the last one.
    """
    file = mapped_file(run.path, part, number)
    if not file.exists():
        return
    with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
        batches = (rows.get_batch(i) for i in range(rows.num_record_batches))
        stream = pa.RecordBatchReader.from_batches(rows.schema, batches)
        count = staging.stage(
            url, run.run_id, part.table, stream, dump=part.dump, part=part.number, first=first, last=last
        )
    log.info("%s: %s rows staged for %s", part.dump, f"{count:,}", part.table)


def end(run: Run, state: str, *, record: Path | None = None) -> None:
    """End a run in the ledger, which knows by itself what was promoted, and drop what it staged.

    Args:
        run: the run.
        state: how it stands.
        record: the file of its record, once there is one; the ledger notes its SHA-256.

    Raises:
        TransientError: the data centre is away, and the run did not stop by itself.
    """
    sha256 = hashlib.sha256(record.read_bytes()).hexdigest() if record is not None else None
    stopped = run.read(Failure) is not None
    with contextlib.suppress(TransientError) if stopped else contextlib.nullcontext(), reached() as (database, _):
        ledger.end_run(database, run.run_id, state, record_sha256=sha256)
        staging.drop_staging(database, run.run_id)
