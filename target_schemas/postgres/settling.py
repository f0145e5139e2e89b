"""Settling: which staged rows will be promoted, as the database counts and adds them up.

Those of no rejected record will be, and of a table that keeps one row a key the preferred one of each; such a table's
rows are chosen once, here, into a table of their own.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migration_reports.items import table_of
from target_schemas.postgres.areas import quote
from target_schemas.postgres.database import adbc_uri
from target_schemas.postgres.staging import (
    AT_ONCE,
    RunTables,
    chosen_schema,
    create_beside,
    make_like_target,
    promotable_schema,
    rejected_table,
    staged_name,
)

SORTING = "64MB"
"""So much memory a sort of rows to choose from may take before it goes to disk."""


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What becomes of the rows that one dump staged for one part of a table.

    Attributes:
        staged: all of them.
        rejected: those of rejected records.
        merged: accepted ones that another of the same key is preferred to.
        promotable: those that would be promoted.
        sums: by column the sum over rejected rows and over accepted ones, exactly.
        critical: the rejected ones of which none may be lost.
    """

    staged: int
    rejected: int
    merged: int
    promotable: int
    sums: Mapping[str, tuple[Decimal, Decimal]] = dataclasses.field(default_factory=dict)
    critical: int = 0


NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})
NONE_CRITICAL: Mapping[str, str] = MappingProxyType({})

Settled = Mapping[tuple[str, str, int], Counts]
"""By table, dump and number of the part."""


def settle(
    engine: sa.Engine,
    url: str,
    run: RunTables,
    *,
    rejected: pa.Table,
    summed: Mapping[str, Sequence[str]] = NOTHING,
    critical: Mapping[str, str] = NONE_CRITICAL,
) -> Settled:
    """Work out what becomes of every staged row, without changing any. Safe to repeat.

    Args:
        engine: the database.
        url: the same, for ADBC.
        run: the run's tables.
        rejected: the rejected records, columns source_dump and source_record.
        summed: by table the columns that are added up.
        critical: by table the condition, in SQL, on rows of which none may be lost.
    """
    note_rejected(engine, url, run.run_id, rejected)
    with engine.begin() as connection:
        create_beside(connection, chosen_schema(run.run_id))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tables = pool.map(
            lambda key: _settle(engine, run, key, summed.get(key, ()), critical.get(key, "false")), run.targets
        )
        return {place: counts for of_table in tables for place, counts in of_table.items()}


def _settle(engine: sa.Engine, run: RunTables, key: str, summed: Sequence[str], critical: str) -> Settled:
    with engine.begin() as connection:
        connection.execute(sa.text(f"SET LOCAL work_mem = '{SORTING}'"))
        _number(connection, run, key)
        chosen = _choose(connection, run, key) if key in run.one_per_key else None
        result = {}
        for (dump, part), counts in _counted(connection, run, key, summed, critical).items():
            kept = counts.promotable if chosen is None else chosen.get((dump, part), 0)
            merged = counts.promotable - kept
            result[key, dump, part] = dataclasses.replace(counts, merged=merged, promotable=kept)
    return result


def _number(connection: sa.Connection, run: RunTables, key: str) -> None:
    """Number, from 1 and in the order of arrival, the accepted rows of one key whose dates are not known."""
    table = table_of(run.targets[key])
    if not table.arrival:
        return
    source = run.staged[key]
    seq, place = source.c[table.arrival], sa.literal_column("ctid", sa.Text)
    order = (source.c["_part"], source.c.source_record, seq)
    number = sa.func.row_number().over(
        partition_by=[source.c[name] for name in table.key if name != table.arrival], order_by=order
    )
    numbers: list[sa.ColumnElement[Any]] = [place.label("place"), number.label("number")]
    unknown = _accepted_rows(run, key, numbers).where(seq > 0).subquery()
    numbered = sa.update(source).values({table.arrival: unknown.c.number})
    row = sa.literal_column(f"{run.placed(key)}.ctid", sa.Text)
    connection.execute(numbered.where(row == unknown.c.place, seq != unknown.c.number))


def _counted(
    connection: sa.Connection, run: RunTables, key: str, summed: Sequence[str], critical: str
) -> Mapping[tuple[str, int], Counts]:
    """Count and add up a staged table's rows in one pass, by dump and part."""
    source, keys = run.staged[key], rejected_table(run.run_id)
    place = (source.c.source_dump, source.c["_part"])
    refused = keys.c.source_record
    sums = [
        sa.func.coalesce(sa.func.sum(source.c[name]).filter(condition), 0)
        for name in summed
        for condition in (refused.is_not(None), refused.is_(None))
    ]
    lost = sa.func.count(refused).filter(sa.text(f"({critical})"))
    query = (
        sa.select(*place, sa.func.count(), sa.func.count(refused), lost, *sums)
        .select_from(source.outerjoin(keys, _same_record(source, keys)))
        .group_by(*place)
    )
    counted = {}
    for dump, part, staged, rejected, gone, *amounts in connection.execute(query):
        pairs = zip(summed, map(Decimal, amounts[::2]), map(Decimal, amounts[1::2]), strict=True)
        sums_of = {name: (lost, kept) for name, lost, kept in pairs}
        counted[dump, part] = Counts(staged, rejected, 0, staged - rejected, sums_of, gone)
    return counted


class InGroup(NamedTuple):
    """What is staged of a group: its rows, and their number, or sum, over rejected rows and over accepted ones."""

    rows: int
    rejected: Decimal
    accepted: Decimal


def groups_settled(
    engine: sa.Engine, run: RunTables, key: str, by: Sequence[str], column: str | None
) -> Mapping[tuple[str, int], Mapping[tuple[str, ...], InGroup]]:
    """Count, or add up, a staged table's rows by what stands in some columns, once it is noted which are rejected.

    Args:
        engine: the database.
        run: the run's tables.
        key: the table.
        by: the columns that make the groups.
        column: what is added up; rows are counted, where none is given.

    Returns:
        By dump and number of the part, then by the texts in the columns; null is empty.
    """
    source, keys = run.staged[key], rejected_table(run.run_id)
    place = (source.c.source_dump, source.c["_part"])
    groups = [sa.func.coalesce(sa.cast(source.c[name], sa.Text), "") for name in by]
    refused = keys.c.source_record
    added = sa.func.count() if column is None else sa.func.sum(source.c[column])
    sums = [sa.func.coalesce(added.filter(condition), 0) for condition in (refused.is_not(None), refused.is_(None))]
    query = (
        sa.select(*place, *groups, sa.func.count(), *sums)
        .select_from(source.outerjoin(keys, _same_record(source, keys)))
        .group_by(*place, *groups)
    )
    found: dict[tuple[str, int], dict[tuple[str, ...], InGroup]] = {}
    with engine.connect() as connection:
        for dump, part, *values, rows, lost, kept in connection.execute(query):
            found.setdefault((dump, part), {})[tuple(values)] = InGroup(rows, Decimal(lost), Decimal(kept))
    return found


def _choose(connection: sa.Connection, run: RunTables, key: str) -> Mapping[tuple[str, int], int]:
    """Choose the rows of a table that keeps one row a key; gives how many, by dump and part."""
    table = run.in_schema(chosen_schema(run.run_id), key)
    make_like_target(connection, run, table, key, logged=True)
    chosen = chosen_rows(run, key, list(run.staged[key].columns))
    connection.execute(table.insert().from_select(table.columns.keys(), chosen))
    place = (table.c.source_dump, table.c["_part"])
    counts = connection.execute(sa.select(*place, sa.func.count()).group_by(*place))
    return {(dump, part): count for dump, part, count in counts}


def note_rejected(engine: sa.Engine, url: str, run_id: str, rejected: pa.Table) -> None:
    """Note which records are rejected, columns source_dump and source_record, in the place of what was noted before."""
    keys = rejected_table(run_id)
    place = f"{quote(str(keys.schema))}.{quote(keys.name)}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {place}"))
    if rejected.num_rows:
        with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(keys.name, rejected, mode="append", db_schema_name=keys.schema)
            # Without it the planner takes the few for many, and sorts every staged row to find them.
            cursor.execute(f"ANALYZE {place}")
            connection.commit()


@dataclasses.dataclass(frozen=True, slots=True)
class Views:
    """Views of what would be promoted.

    Attributes:
        schema: where they lie, called as the staging tables are.
        accepted: of tables that keep one row a key, the place of all accepted rows: which keys there are can be asked
            of these without putting any in order.
    """

    schema: str
    accepted: Mapping[str, str]


@contextlib.contextmanager
def promotable_views(engine: sa.Engine, run: RunTables) -> Iterator[Views]:
    """Keep a view of each table's rows that would be promoted, beside what `note_rejected` notes meanwhile.

    Args:
        engine: the database.
        run: the run's tables.

    Yields:
        The views; they go when the context ends.
    """
    schema = promotable_schema(run.run_id)
    with engine.begin() as connection:
        create_beside(connection, schema)
        for key in run.targets:
            rows = chosen_rows(run, key, list(run.staged[key].columns))
            _view(connection, f"{quote(schema)}.{quote(staged_name(key))}", rows)
        accepted = {key: f"{quote(schema)}.accepted_{n}" for n, key in enumerate(sorted(run.one_per_key))}
        for key, place in accepted.items():
            _view(connection, place, _accepted_rows(run, key, list(run.staged[key].columns)))
    try:
        yield Views(schema, accepted)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))


def _view(connection: sa.Connection, place: str, rows: sa.Select[Any]) -> None:
    selection = rows.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    # With the rights of who asks: a view reads with those of who made it, and past every policy.
    connection.execute(sa.text(f"CREATE VIEW {place} WITH (security_invoker = true) AS {selection}"))


def _accepted_rows(run: RunTables, key: str, columns: Sequence[sa.ColumnElement[object]]) -> sa.Select[Any]:
    source, keys = run.staged[key], rejected_table(run.run_id)
    # The stubs type a selection by its first ten columns.
    return sa.select(*columns).where(~sa.exists().where(_same_record(source, keys)))  # type: ignore[return-value]


def chosen_rows(run: RunTables, key: str, columns: Sequence[sa.ColumnElement[object]]) -> sa.Select[Any]:
    """The accepted rows, and of a table that keeps one row a key the preferred one of each."""
    source, query = run.staged[key], _accepted_rows(run, key, columns)
    if key not in run.one_per_key:
        return query
    # A run's rows are of one municipality: to compare it first would only make the order dearer.
    own = [name for name in run.targets[key].primary_key.columns.keys() if name != "municipality_code"]  # noqa: SIM118
    of = [source.c[name] for name in own]
    order = (*of, source.c["_rank"], source.c.source_dump, source.c.source_record, source.c["_part"])
    return query.ext(postgresql.distinct_on(*of)).order_by(*order)


def rejected_rows_out(run: RunTables, key: str) -> sa.Delete:
    """The statement that takes the rows of rejected records out of a staged table."""
    source = run.staged[key]
    return sa.delete(source).where(_same_record(source, rejected_table(run.run_id)))


def _same_record(source: sa.Table, keys: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(keys.c.source_dump == source.c.source_dump, keys.c.source_record == source.c.source_record)
