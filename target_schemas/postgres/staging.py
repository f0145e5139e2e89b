"""Staging: a run's rows in tables of its own, without constraints, so that bad rows can be validated there.

Rows come by ADBC, a slice of a dump at a time, and a slice that is staged again replaces its own rows only. `settle` works out which rows will be promoted: those of no rejected record, and of
a table that keeps one row a key the preferred one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from target_schemas.postgres import roles
from target_schemas.postgres.areas import fitting, quote
from target_schemas.postgres.database import adbc_uri

LAST = 2**63 - 1
"""No record has a higher number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What becomes of the rows that one dump staged for one table."""

    staged: int
    rejected: int
    merged: int
    promotable: int


def staging_schema(run_id: str) -> str:
    """The schema that a run stages into."""
    return f"stage_{hashlib.sha256(run_id.encode()).hexdigest()[:16]}"


def staged_name(key: str) -> str:
    """What a table (system.table) is called in a staging schema, which has those of all systems."""
    return fitting(key.replace(".", "__"))


def staging_tables(run_id: str, tables: Sequence[sa.Table]) -> Mapping[str, sa.Table]:
    """The run's staging tables: the target's columns, none mandatory, and the engine's `_offset`, `_rank` and `_part`."""
    metadata = sa.MetaData(schema=staging_schema(run_id))
    return {
        table.key: sa.Table(
            staged_name(table.key),
            metadata,
            *[sa.Column(column.name, column.type) for column in table.columns],
            sa.Column("_offset", sa.BigInteger),
            sa.Column("_rank", sa.BigInteger),
            sa.Column("_part", sa.SmallInteger),
            prefixes=["UNLOGGED"],
        )
        for table in tables
    }


def create_staging(engine: sa.Engine, run_id: str, tables: Sequence[sa.Table]) -> None:
    """Create the run's staging tables, dropping what a former try left there."""
    schema = staging_schema(run_id)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        connection.execute(sa.schema.CreateSchema(schema))
        connection.execute(sa.text(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"))
        for table in (*staging_tables(run_id, tables).values(), rejected_table(run_id), _staged_slices(run_id)):
            _create(connection, table)


def drop_staging(engine: sa.Engine, run_id: str) -> None:
    """Drop the run's staging tables."""
    with engine.begin() as connection:
        for schema in (_promotable_schema(run_id), staging_schema(run_id)):
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))


def drop_orphans(engine: sa.Engine, running: Callable[[], Collection[str]]) -> tuple[str, ...]:
    """Drop the staging schemas of runs that are not running any more; gives their names.

    Args:
        engine: the database.
        running: tells the runs that are. A run is entered before it stages, so who is asked after the schemas were listed
            knows whoever has begun meanwhile.
    """
    query = sa.text(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^stage_[0-9a-f]{16}(_promotable)?$' ORDER BY nspname"
    )
    with engine.connect() as connection:
        there = connection.execute(query).scalars().all()
    kept = {name(run_id) for run_id in running() for name in (staging_schema, _promotable_schema)}
    orphans = tuple(name for name in there if name not in kept)
    for name in orphans:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))
    return orphans


def stage(
    url: str,
    run_id: str,
    table: str,
    rows: pa.RecordBatchReader,
    *,
    dump: str,
    part: int = 0,
    first: int = 1,
    last: int = LAST,
) -> int:
    """Stage the rows that some records of one dump give a part of a table; what they had staged there is replaced.

    Args:
        url: the database.
        run_id: the run.
        table: the table's key, system.table.
        rows: the rows.
        dump: the dump's name.
        part: the number of the part.
        first: the number of the first record.
        last: the number of the last one.

    Returns:
        How many rows were staged.
    """
    schema = staging_schema(run_id)
    place, noted = (
        f"{quote(schema)}.{quote(staged_name(table))}",
        f"{quote(schema)}.{quote(_staged_slices(run_id).name)}",
    )
    with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
        # Who stages the same slice meanwhile waits here, and then finds what was staged. Looking for rows in the table
        # itself would read all of it for every slice.
        cursor.execute(
            f"INSERT INTO {noted} VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (table_name, part, source_dump, first, last) "  # noqa: S608  quoted names
            "DO UPDATE SET times = staged_slices.times + 1",
            parameters=(table, part, dump, first, last),
        )
        cursor.execute(
            f"SELECT sum(times)::bigint FROM {noted} "  # noqa: S608  quoted names
            "WHERE table_name = $1 AND part = $2 AND source_dump = $3 AND first <= $5 AND last >= $4",
            parameters=(table, part, dump, first, last),
        )
        if cursor.fetchall()[0][0] > 1:
            cursor.execute(
                f"DELETE FROM {place} WHERE source_dump = $1 AND _part = $2 AND source_record BETWEEN $3 AND $4",  # noqa: S608  quoted names
                parameters=(dump, part, first, last),
            )
        count = cursor.adbc_ingest(staged_name(table), rows, mode="append", db_schema_name=schema)
        connection.commit()
    return int(count)


def settle(
    engine: sa.Engine,
    url: str,
    run_id: str,
    tables: Sequence[sa.Table],
    *,
    rejected: pa.Table,
    one_per_key: frozenset[str],
) -> Mapping[tuple[str, str, int], Counts]:
    """Work out what becomes of every staged row, without changing any. Safe to repeat.

    Args:
        engine: the database.
        url: the same, for ADBC.
        run_id: the run.
        tables: the target tables.
        rejected: the rejected records, columns source_dump and source_record.
        one_per_key: the tables that keep one row a key.

    Returns:
        Counts by (table, dump, part).
    """
    note_rejected(engine, url, run_id, rejected)
    staged = staging_tables(run_id, tables)
    keys = rejected_table(run_id)
    result: dict[tuple[str, str, int], Counts] = {}
    with engine.connect() as connection:
        for table in tables:
            source = staged[table.key]
            place = [source.c.source_dump, source.c["_part"]]
            all_rows = _by_part(connection, sa.select(*place))
            accepted = _by_part(connection, _accepted(source, keys, place))
            chosen = _by_part(connection, chosen_rows(table, source, keys, place, one_per_key))
            for (dump, part), count in all_rows.items():
                kept, best = accepted.get((dump, part), 0), chosen.get((dump, part), 0)
                result[table.key, dump, part] = Counts(count, count - kept, kept - best, best)
    return result


def staged_sums(
    engine: sa.Engine, run_id: str, table: sa.Table, column: str, dump: str, part: int
) -> tuple[Decimal, Decimal]:
    """Sum an amount over the rejected and accepted staged rows of one part from one dump, exactly."""
    source, keys = staging_tables(run_id, [table])[table.key], rejected_table(run_id)
    refused = sa.exists().where(
        keys.c.source_dump == source.c.source_dump, keys.c.source_record == source.c.source_record
    )
    total = sa.func.coalesce(sa.func.sum(source.c[column]), 0)
    of_dump = sa.and_(source.c.source_dump == dump, source.c["_part"] == part)
    with engine.connect() as connection:
        rejected = connection.execute(sa.select(total).where(of_dump, refused)).scalar_one()
        accepted = connection.execute(sa.select(total).where(of_dump, ~refused)).scalar_one()
    return Decimal(rejected), Decimal(accepted)


def note_rejected(engine: sa.Engine, url: str, run_id: str, rejected: pa.Table) -> None:
    """Note which records are rejected, columns source_dump and source_record, in the place of what was noted before."""
    keys = rejected_table(run_id)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {quote(str(keys.schema))}.{quote(keys.name)}"))
    if rejected.num_rows:
        with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(keys.name, rejected, mode="append", db_schema_name=keys.schema)
            connection.commit()


@contextlib.contextmanager
def promotable_views(
    engine: sa.Engine, run_id: str, tables: Sequence[sa.Table], one_per_key: frozenset[str]
) -> Iterator[str]:
    """Keep a view of each table's rows that would be promoted, beside what `note_rejected` notes meanwhile.

    Args:
        engine: the database.
        run_id: the run.
        tables: the target tables.
        one_per_key: the tables that keep one row a key.

    Yields:
        The schema in which the views are called as the staging tables are; it goes when the context ends.
    """
    schema, staged, keys = _promotable_schema(run_id), staging_tables(run_id, tables), rejected_table(run_id)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        connection.execute(sa.schema.CreateSchema(schema))
        for table in tables:
            source = staged[table.key]
            rows = chosen_rows(table, source, keys, list(source.columns), one_per_key)
            selection = rows.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
            # With the rights of who asks: a view reads with those of who made it, and past every policy.
            view = f"{quote(schema)}.{quote(staged_name(table.key))} WITH (security_invoker = true)"
            connection.execute(sa.text(f"CREATE VIEW {view} AS {selection}"))
    try:
        yield schema
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))


def _promotable_schema(run_id: str) -> str:
    return f"{staging_schema(run_id)}_promotable"


def rejected_table(run_id: str) -> sa.Table:
    """The run's table of rejected records."""
    return sa.Table(
        "rejected_records",
        sa.MetaData(schema=staging_schema(run_id)),
        sa.Column("source_dump", sa.Text, primary_key=True),
        sa.Column("source_record", sa.BigInteger, primary_key=True),
    )


def _staged_slices(run_id: str) -> sa.Table:
    """The run's table of which records of a dump were staged for a table, and how often."""
    return sa.Table(
        "staged_slices",
        sa.MetaData(schema=staging_schema(run_id)),
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("source_dump", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
    )


def _create(connection: sa.Connection, table: sa.Table) -> None:
    table.create(connection)
    for statement in roles.closed(f"{table.schema}.{quote(table.name)}"):
        connection.execute(statement)


def _accepted(source: sa.Table, keys: sa.Table, columns: Sequence[sa.ColumnElement[object]]) -> sa.Select[Any]:
    refused = sa.exists().where(
        keys.c.source_dump == source.c.source_dump, keys.c.source_record == source.c.source_record
    )
    # The stubs type a selection by its first ten columns.
    return sa.select(*columns).where(~refused)  # type: ignore[return-value]


def chosen_rows(
    table: sa.Table,
    source: sa.Table,
    keys: sa.Table,
    columns: Sequence[sa.ColumnElement[object]],
    one_per_key: frozenset[str],
) -> sa.Select[Any]:
    """The accepted rows, and of a table that keeps one row a key the preferred one of each."""
    query = _accepted(source, keys, columns)
    if table.key not in one_per_key:
        return query
    key = [source.c[column.name] for column in table.primary_key.columns]
    order = (*key, source.c["_rank"], source.c.source_dump, source.c.source_record, source.c["_part"])
    return query.ext(postgresql.distinct_on(*key)).order_by(*order)


def _by_part(connection: sa.Connection, query: sa.Select[Any]) -> Mapping[tuple[str, int], int]:
    rows = query.subquery()
    place = (rows.c.source_dump, rows.c["_part"])
    counted = sa.select(*place, sa.func.count()).group_by(*place)
    return {(row[0], row[1]): row[2] for row in connection.execute(counted)}
