"""What any loader of a run's tables must do at least: the two denominators of the pipeline's costs.

`bare` is an ingest and nothing else: every staged row, rejected ones too, by ADBC over one connection, a table after the
other, into new tables that ask nothing.

`checked` is what ends as the pipeline ends, done the shortest way that is known: over one connection and in one
transaction a table, a new table of the parent's columns, the promoted rows of it by ADBC (every column of the edition and
of lineage, without what only the engine needs), then one ALTER TABLE with all that the promoted partition has been
asked (NOT NULLs, the edition's CHECKs, the bound as a CHECK, the primary key; read from the catalogue), and then its
ATTACH to a partitioned parent that has a primary key.

Both read Arrow IPC files as the pipeline writes them (lz4, batch by batch). Which rows are rejected, and which of several
with one key are kept, has been worked out before: no floor does it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import findings_store
from dags.pipeline.run_folder import Run, open_run
from dags.pipeline.run_specs import municipality_of
from dags.pipeline.slice_files import open_writer, staged_frame
from dags.pipeline.town import Municipality, one_per_key, target_tables
from migration_reports.items import table_of
from migration_reports.records.steps import Promotion
from target_schemas.postgres.areas import Area, area_of, quote, six_digits
from target_schemas.postgres.database import adbc_uri
from validators.shapes.contract import KEY

SCHEMA = "bench"
BATCH_ROWS = 32_768


@dataclasses.dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table: files of those staged, the file of those promoted, and what is asked of these.

    `parent` is the promoted table, `asked` what an ALTER TABLE adds, `bound` what an ATTACH says.
    """

    name: str
    staged: tuple[Path, ...]
    promoted: Path
    parent: str
    asked: tuple[str, ...]
    bound: str


def take(run_id: str, engine: sa.Engine, folder: Path) -> tuple[TableRows, ...]:
    """Keep the rows of a run that has promoted and not yet reported, which clears them away.

    Args:
        run_id: the run.
        engine: the database.
        folder: where they are kept; it must be new.

    Raises:
        RuntimeError: the rows that are kept are not as many as were promoted.
    """
    run = open_run(run_id)
    municipality = municipality_of(run)
    promotion = run.read(Promotion)
    taken = []
    for table in target_tables(municipality):
        files = sorted((run.path / "mapped" / table.key).rglob("*.arrow"))
        if not files:
            continue
        staged = tuple(_kept(file, folder / table.key / f"{n}.arrow") for n, file in enumerate(files))
        promoted = folder / f"{table.key}.arrow"
        with pa.memory_map(str(files[0])) as source:
            schema = pa.ipc.open_file(source).schema
        names = [column.name for column in table.columns]
        count = _write(_promoted(run, municipality, table), pa.schema([schema.field(name) for name in names]), promoted)
        if promotion is None or promotion.rows[table.key] != count:
            raise RuntimeError(f"{table.key}: {count} rows are kept, others were promoted")
        area = area_of(run.mode)
        asked = tuple(_asked(engine, area, table.key))
        bound = f"FOR VALUES IN ('{six_digits(run.code)}')"
        taken.append(TableRows(table.name, staged, promoted, area.place(table.key), asked, bound))
    return tuple(taken)


def bare(url: str, tables: Iterable[TableRows]) -> None:
    """Ingest the staged rows into new tables that ask nothing."""
    with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
        for table in tables:
            cursor.adbc_ingest(table.name, _rows(*table.staged), mode="create", db_schema_name=SCHEMA)
        connection.commit()


def checked(url: str, tables: Iterable[TableRows]) -> None:
    """Ingest the promoted rows into new tables, ask of them what is asked of a partition, and attach them."""
    with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
        for table in tables:
            place, parent = f"{SCHEMA}.{quote(table.name)}", f"{SCHEMA}.{quote(table.name + '_parent')}"
            cursor.execute(f"CREATE TABLE {place} AS SELECT * FROM {table.parent} WITH NO DATA")
            cursor.adbc_ingest(table.name, _rows(table.promoted), mode="append", db_schema_name=SCHEMA)
            cursor.execute(f"ALTER TABLE {place} {', '.join(table.asked)}")
            cursor.execute(f"ALTER TABLE {parent} ATTACH PARTITION {place} {table.bound}")
            connection.commit()


def cleared(engine: sa.Engine, tables: Iterable[TableRows]) -> None:
    """Make an empty schema for the next floor, with the parents that stand in a data centre beforehand."""
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(SCHEMA, cascade=True, if_exists=True))
        connection.execute(sa.schema.CreateSchema(SCHEMA))
        for table in tables:
            parent = f"{SCHEMA}.{quote(table.name + '_parent')}"
            like = f"(LIKE {table.parent} INCLUDING INDEXES)"
            connection.execute(sa.text(f"CREATE TABLE {parent} {like} PARTITION BY LIST (municipality_code)"))


def _promoted(run: Run, municipality: Municipality, table: sa.Table) -> pl.LazyFrame:
    """The rows of a table that were promoted: those of no rejected record, and where a key has one, the preferred of it."""
    rejected = pl.DataFrame(pl.from_arrow(findings_store.rejected_records(run))).lazy()
    accepted = staged_frame(run.path, municipality, table.key).join(rejected, on=KEY, how="anti")
    if table.key not in one_per_key(municipality):
        return accepted
    key = table_of(table).key
    return accepted.sort(*key, "_rank", *KEY, "_part", nulls_last=True).unique(key, keep="first")


def _kept(file: Path, to: Path) -> Path:
    # What clears the run away takes its name from the file, and no more.
    to.parent.mkdir(parents=True, exist_ok=True)
    to.hardlink_to(file)
    return to


def _write(rows: pl.LazyFrame, schema: pa.Schema, to: Path) -> int:
    """Write rows as the pipeline writes them; gives how many."""
    table = rows.select(schema.names).collect(engine="streaming").to_arrow(compat_level=pl.CompatLevel.oldest())
    with open_writer(to, schema) as writer:
        writer.write_table(table.cast(schema), max_chunksize=BATCH_ROWS)
    return int(table.num_rows)


def _rows(*files: Path) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
                yield from (rows.get_batch(number) for number in range(rows.num_record_batches))

    with pa.memory_map(str(files[0])) as first:
        return pa.RecordBatchReader.from_batches(pa.ipc.open_file(first).schema, batches())


def _asked(engine: sa.Engine, area: Area, key: str) -> Iterator[str]:
    """What the promoted partition of a table is asked, as parts of an ALTER TABLE."""
    query = sa.text(
        "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('c', 'n', 'p') AND "
        "conrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = CAST(:parent AS regclass)) ORDER BY 2, 1"
    )
    with engine.connect() as connection:
        for name, kind, definition in connection.execute(query, {"parent": area.place(key)}):
            # A key's name is its index's too, of which the schema has only one.
            yield f"ADD {definition}" if kind == "p" else f"ADD CONSTRAINT {quote(name)} {definition}"
