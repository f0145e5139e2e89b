"""A run in the data centre: entered in the ledger, its rows staged, and what runs left there that were killed cleared away."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import sqlalchemy as sa
from polars.io.plugins import register_io_source

from dags.centre import reached
from dags.own.reference_rows import rows_of
from dags.pipeline import run_folder
from dags.pipeline.receiving import cuts
from dags.pipeline.run_folder import Run, open_run
from dags.pipeline.slice_files import JOINED, SliceFiles, mapped_file, parts_of
from dags.pipeline.town import Municipality, one_per_key, target_tables
from mappings.compiling.columns import arrow_type
from mappings.engine import Mapped
from mappings.plan import PartPlan
from migration_reports.findings import RunError, TransientError
from migration_reports.records.steps import Failure
from target_schemas.model import PhysicalTables, System
from target_schemas.postgres import ledger, municipal, staging
from target_schemas.postgres.areas import PRODUCTION, area_of
from target_schemas.postgres.promoted import PromotedTable, promoted_rows, promoted_table
from target_schemas.postgres.staging import LAST, Feed, RunTables, Staged
from target_schemas.reference_sheets import ReferenceTable
from target_schemas.systems import SYSTEMS
from validators.elsewhere import Elsewhere

log = logging.getLogger("hikkoshi")


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
    with database.begin() as connection:
        municipal.put_codes(connection, area_of(run.mode), run.code, municipality.own.codes.values())
    staging.create_staging(database, run_tables(run, municipality))


def run_tables(run: Run, municipality: Municipality) -> RunTables:
    """The run's tables in the data centre."""
    targets = {table.key: table for table in target_tables(municipality)}
    constants: dict[str, dict[str, str | int | None]] = {}
    for plan in municipality.plans.values():
        for part in plan.parts:
            of_part = part.constants(run.code, run.run_id)
            others = constants.get(part.table, of_part)
            constants[part.table] = {k: v for k, v in of_part.items() if k in others and others[k] == v}
    return RunTables(run.run_id, area_of(run.mode), targets, one_per_key(municipality), constants)


def _tidy(database: sa.Engine) -> None:
    """Clear away the rows and half files that runs left behind which were killed, or could not reach the database."""
    for name in staging.drop_orphans(database, functools.partial(ledger.running, database)):
        log.warning("the staging schema %s of a run that has ended was dropped", name)
    # Whoever has reported has cleared before: a centre's thousands of folders are not looked through for every run.
    for run_id in run_folder.clear_left_behind(ledger.ended_without_record(database)):
        log.warning("run %s has ended: its mapped rows and half files were deleted", run_id)


def running(run_id: str) -> Run:
    """Open a run that has not ended.

    Raises:
        RunError: it has ended: what it left is evidence, and is not worked on again.
    """
    run = open_run(run_id)
    with reached(run.code) as (database, _):
        entry = ledger.find(database, run_id)
    if entry is None or entry.state != "running":
        state = entry.state if entry is not None else "not known to this data centre"
        raise RunError(
            f"run {run_id} has ended ({state}), and what it left stays as it is. "
            "Start a new run; in Airflow, clear `begin` with all tasks after it, or trigger the DAG again."
        )
    return run


class StagedFiles:
    """The files of a slice, whose rows are staged while they are written.

    Args:
        files: the files.
        feed: stages the rows.
    """

    def __init__(self, files: SliceFiles, feed: Feed) -> None:
        self._files, self._feed = files, feed
        self.write_looked_at, self.write_findings = files.write_looked_at, files.write_findings

    def write(self, mapped: Mapped) -> None:
        """Write what a batch gives, and stage the rows of it that wait for nothing."""
        self._files.write(mapped)
        for (table, number), rows in mapped.rows.items():
            if rows.num_rows:
                self._feed.write(Staged(table, number), rows)


@contextlib.contextmanager
def slice_staged(
    url: str, run: Run, municipality: Municipality, dump: str, number: int, *, first: int, last: int
) -> Iterator[StagedFiles]:
    """Where a slice of a dump goes: into files of the run's folder, and into the staged tables.

    Args:
        url: the database.
        run: the run.
        municipality: whose dump it is.
        dump: the dump.
        number: the number of the slice.
        first: the first record that the slice may hold.
        last: the last one.
    """
    parts = [Staged(part.table, part.number) for part in parts_of(municipality, dump) if not part.waits]
    tables = run_tables(run, municipality)
    with SliceFiles(run.path, municipality, dump, number) as files:
        with Feed(url, tables, parts, dump=dump, first=first, last=last) as feed:
            yield StagedFiles(files, feed)
        for staged, count in feed.counts().items():
            log.info("%s: %s rows staged for %s", dump, f"{count:,}", staged.table)


def stage(
    url: str, run: Run, municipality: Municipality, part: PartPlan, number: int, *, first: int = 1, last: int = LAST
) -> None:
    """Stage the rows that lie in the file of a slice, or of what waited.

    Args:
        url: the database.
        run: the run.
        municipality: whose.
        part: the part that made them.
        number: the number of the slice.
        first: the first record that the slice may hold.
        last: the last one.
    """
    file = mapped_file(run.path, part, number)
    if not file.exists():
        if part.waits:
            return
        raise RunError(
            f"the rows that slice {number} of {part.dump} gave {part.table} are not in the run's folder any more; nothing was "
            "promoted. Begin a new run."
        )
    staged, tables = Staged(part.table, part.number), run_tables(run, municipality)
    with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
        batches = (rows.get_batch(i) for i in range(rows.num_record_batches))
        count = staging.stage(url, tables, staged, batches, dump=part.dump, first=first, last=last)
    log.info("%s: %s rows staged for %s", part.dump, f"{count:,}", part.table)


def stage_again(database: sa.Engine, url: str, run: Run, municipality: Municipality) -> None:
    """Stage from the run's files what is not staged, where a promotion that came to no end has taken it.

    Who is killed in here leaves what was staged and noted; the next try goes on with the rest.
    """
    tables = run_tables(run, municipality)
    if not staging.is_staged(database, tables):
        staging.create_staging(database, tables)
    there = staging.noted(database, run.run_id)
    for plan in municipality.plans.values():
        for part in plan.parts:
            slices = cuts.planned(run, part.dump)
            places = [(n, one.record, cuts.last_record(n, slices)) for n, one in enumerate(slices, 1)]
            for number, first, last in [(JOINED, 1, LAST)] if part.waits else places:
                if (part.table, part.number, part.dump, first, last) not in there:
                    stage(url, run, municipality, part, number, first=first, last=last)


def elsewhere(
    database: sa.Engine, url: str, run: Run, municipality: Municipality, tables: Iterable[str]
) -> Mapping[str, Elsewhere]:
    """The reference tables among some, and what the municipality has promoted of the others, without those that it has not.

    A rehearsal looks into its own area first and then into production, where such a system may have been cut over.
    """
    known = PhysicalTables(table for system in SYSTEMS for table in system.whole.tables)
    areas = dict.fromkeys((area_of(run.mode), PRODUCTION))
    found: dict[str, Elsewhere] = {}
    for key in tables:
        if (reference := municipality.own.tables.get(key)) is not None:
            found[key] = _referred(database, run, reference)
            continue
        promoted = (promoted_table(database, key, run.code, area) for area in areas)
        table = next((one for one in promoted if one is not None), None)
        if table is not None:
            columns = {column.name: arrow_type(column) for column in known[key].columns}
            rows = _scanned(url, table, pa.schema(list(columns.items())))
            found[key] = Elsewhere(rows, table.selection(list(columns)))
            log.info("%s is looked up in what run %s has promoted", key, table.run_id)
    return found


def _referred(database: sa.Engine, run: Run, reference: ReferenceTable) -> Elsewhere:
    """A reference table as it holds for the municipality, put where SQL reads it, too."""
    rows = rows_of(reference)
    place = municipal.put_lines(database, area_of(run.mode), run.code, reference.table, rows.to_pylist())
    return Elsewhere(pl.DataFrame(pl.from_arrow(rows)).lazy(), place)


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
    with (
        contextlib.suppress(TransientError) if stopped else contextlib.nullcontext(),
        reached(run.code) as (database, _),
    ):
        ledger.end_run(database, run.run_id, state, record_sha256=sha256)
        staging.drop_staging(database, run.run_id)
