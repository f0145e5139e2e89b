"""A run in the data centre: entered in the ledger, its rows staged, and what runs left there that were killed cleared away."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import sqlalchemy as sa
from polars.io.plugins import register_io_source

from dags.pipeline import run_folder
from dags.pipeline.run_folder import Run, open_run, settings
from dags.pipeline.slice_files import mapped_file
from dags.pipeline.town import Municipality, target_tables
from mappings.compiling.columns import arrow_type
from mappings.plan import PartPlan
from migration_reports.findings import RunError, TransientError
from migration_reports.records.steps import Failure
from target_schemas.model import PhysicalTables, System
from target_schemas.postgres import ledger, staging
from target_schemas.postgres.areas import PRODUCTION, area_of
from target_schemas.postgres.database import reach
from target_schemas.postgres.promoted import PromotedTable, promoted_rows, promoted_table
from target_schemas.systems import SYSTEMS
from validators.elsewhere import Elsewhere

log = logging.getLogger("hikkoshi")


def reached() -> contextlib.AbstractContextManager[tuple[sa.Engine, str]]:
    """The data centre's database and its URL; see `target_schemas.postgres.database.reach`."""
    return reach(settings().database())


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


def elsewhere(database: sa.Engine, url: str, run: Run, tables: Iterable[str]) -> Mapping[str, Elsewhere]:
    """What the municipality has promoted of some tables of other systems, without those of which it has nothing.

    A rehearsal looks into its own area first and then into production, where such a system may have been cut over.
    """
    known = PhysicalTables(table for system in SYSTEMS for table in system.whole.tables)
    areas = dict.fromkeys((area_of(run.mode), PRODUCTION))
    found: dict[str, Elsewhere] = {}
    for key in tables:
        promoted = (promoted_table(database, key, run.code, area) for area in areas)
        table = next((one for one in promoted if one is not None), None)
        if table is not None:
            columns = {column.name: arrow_type(column) for column in known[key].columns}
            rows = _scanned(url, table, pa.schema(list(columns.items())))
            found[key] = Elsewhere(rows, table.selection(list(columns)))
            log.info("%s is looked up in what run %s has promoted", key, table.run_id)
    return found


def _scanned(url: str, table: PromotedTable, schema: pa.Schema) -> pl.LazyFrame:
    """The rows of a promoted table as a frame that reads only the columns that are asked for."""
    whole = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema

    def rows(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        names = columns if columns is not None else list(whole)
        read = pl.DataFrame(pl.from_arrow(promoted_rows(url, table, names))).cast({n: whole[n] for n in names})
        read = read.filter(predicate) if predicate is not None else read
        yield read.head(most) if most is not None else read

    return register_io_source(rows, schema=whole)


def in_force_besides(database: sa.Engine, run: Run, municipality: Municipality) -> tuple[System, ...]:
    """The systems of which the municipality has rows in the run's area and the run has none, in their editions."""
    moved = {system.name for system in municipality.systems}
    with database.connect() as connection:
        runs = ledger.in_force(connection, run.code, area_of(run.mode))
    entries = {name: ledger.find(database, run_id) for name, run_id in runs.items() if name not in moved}
    editions = {name: entry.editions[name] for name, entry in entries.items() if entry is not None}
    return tuple(system.in_edition(editions[system.name]) for system in SYSTEMS if system.name in editions)


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
