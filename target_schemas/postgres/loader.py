"""Promotion: a municipality's rows are seen whole or not at all.

Promotion writes the accepted ones into a new partition beside the promoted one, proves its count, and swaps the two in
one transaction with the ledger entry; the former partition is kept, detached. Until that transaction commits, promoted
data are as they were, however a run ends. All systems of a run are swapped in that one transaction, and no other system
of the municipality is touched.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import partitions, roles
from target_schemas.postgres.areas import Area, area_of, fitting, quote, six_digits
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import (
    PROMOTIONS,
    RUNS,
    enter,
    enter_promoted,
    in_force,
    lock,
    overall,
    states_of,
    unknown,
)
from target_schemas.postgres.staging import chosen_rows, rejected_table, staging_schema, staging_tables


@dataclasses.dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: rows by table, and by system the run whose partitions it replaced, where there was one."""

    rows: Mapping[str, int]
    former: Mapping[str, str]
    already: bool


def promote(
    engine: sa.Engine,
    run_id: str,
    municipality: str,
    tables: Sequence[sa.Table],
    *,
    area: Area,
    one_per_key: frozenset[str],
    expected: Mapping[str, int],
) -> Promoted:
    """Put the run's accepted rows in the place of the municipality's promoted ones; promoting twice changes nothing.

    Args:
        engine: the database.
        run_id: the run; it must have been settled.
        municipality: its code.
        tables: the target tables.
        area: where to; that of the run's mode.
        one_per_key: the tables that keep one row a key.
        expected: rows by table, as settled; the promotion is undone if it would differ.

    Raises:
        RunError: the run has ended, or the counts differ from what was settled.
        TransientError: others read the rows that are to be replaced; nothing was changed.
    """
    with engine.connect() as connection:
        if (done := _already(connection, run_id, area)) is not None:
            return done
    with engine.begin() as connection:
        for table in tables:
            _build(connection, run_id, municipality, table, area, one_per_key)
    return _swap(engine, run_id, municipality, tables, area, expected)


def _build(
    connection: sa.Connection,
    run_id: str,
    municipality: str,
    table: sa.Table,
    area: Area,
    one_per_key: frozenset[str],
) -> None:
    """Build a table's new partition beside the staged rows, with all that the run's edition asks of it."""
    source, schema = staging_tables(run_id, [table])[table.key], staging_schema(run_id)
    partition = _partition(table, municipality, run_id)
    ready = f"{quote(schema)}.{quote(partition)}"
    connection.execute(sa.text(f"DROP TABLE IF EXISTS {ready}"))
    connection.execute(
        sa.text(f"CREATE TABLE {ready} (LIKE {area.place(table.key)} INCLUDING DEFAULTS INCLUDING COMMENTS)")
    )
    target = sa.Table(partition, sa.MetaData(), *[sa.Column(column.name) for column in table.columns], schema=schema)
    for name, condition in _asked(table):
        connection.execute(sa.schema.AddConstraint(sa.CheckConstraint(condition, name=name, table=target)))
    mandatory = [f"ALTER COLUMN {quote(column.name)} SET NOT NULL" for column in table.columns if not column.nullable]
    connection.execute(sa.text(f"ALTER TABLE {ready} {', '.join(mandatory)}"))
    names = target.columns.keys()
    chosen = chosen_rows(table, source, rejected_table(run_id), [source.c[name] for name in names], one_per_key)
    connection.execute(target.insert().from_select(names, chosen))
    columns = ", ".join(quote(c.name) for c in table.primary_key.columns)
    connection.execute(sa.text(f"ALTER TABLE {ready} ADD PRIMARY KEY ({columns})"))
    # The bound as a valid CHECK spares every attachment, a rollback's too, a look at every row.
    bound = f"CHECK (municipality_code = '{six_digits(municipality)}')"
    connection.execute(sa.text(f"ALTER TABLE {ready} ADD CONSTRAINT bound {bound}"))
    for statement in roles.isolated(area, ready):
        connection.execute(statement)


def _asked(table: sa.Table) -> Iterator[tuple[Any, sa.ColumnElement[bool] | sa.TextClause]]:
    """What the run's edition asks of the values of a table, as named conditions: the table's own, and how wide numbers are."""
    for constraint in table.constraints:
        if isinstance(constraint, sa.CheckConstraint):
            yield constraint.name, constraint.sqltext
    for column in table.columns:
        if isinstance(column.type, sa.Numeric) and column.type.precision is not None:
            scale = column.type.scale or 0
            value: sa.ColumnClause[Any] = sa.column(column.name)
            most = 10 ** (column.type.precision - scale)
            fits = sa.and_(sa.func.abs(value) < most, sa.func.scale(value) <= scale)
            yield sa.schema.conv(f"ck_{table.name}_{column.name}_fits"), fits


def _already(connection: sa.Connection, run_id: str, area: Area) -> Promoted | None:
    """What the run has promoted, where it is in force; None where it still runs. The run is held until the end."""
    run = connection.execute(
        sa.select(RUNS.c.state, RUNS.c.mode).where(RUNS.c.run_id == run_id).with_for_update()
    ).first()
    if run is None:
        raise unknown(run_id)
    if area_of(run.mode) != area:
        raise ValueError(f"a {run.mode} is not promoted into {area.name}")
    systems = states_of(connection, run_id)
    state = overall(run.state, systems.values())
    if state == "promoted":
        return Promoted(partitions.rows_of(connection, run_id, systems), {}, already=True)
    if state != "running":
        raise RunError(f"the ledger says that run {run_id} is {state}. Nothing was promoted. Begin a new run.")
    return None


def _swap(
    engine: sa.Engine,
    run_id: str,
    municipality: str,
    tables: Sequence[sa.Table],
    area: Area,
    expected: Mapping[str, int],
) -> Promoted:
    new = {table.key: f"{table.schema}.{_partition(table, municipality, run_id)}" for table in tables}
    ready = {key: f"{quote(staging_schema(run_id))}.{quote(_bare(partition))}" for key, partition in new.items()}
    systems = list(dict.fromkeys(_system(key) for key in new))
    with briefly(engine, f"the promotion of run {run_id}") as connection:
        lock(connection, municipality)
        if (done := _already(connection, run_id, area)) is not None:
            return done
        rows = {key: _counted(connection, key, place, expected) for key, place in ready.items()}
        standing = in_force(connection, municipality, area)
        former = {system: standing[system] for system in systems if system in standing}
        old: dict[str, str] = {}
        for system, run in former.items():
            old.update(partitions.partitions_of(connection, run, system))
        partitions.detach(connection, area, municipality, old)
        for key, place in ready.items():
            connection.execute(sa.text(f"ALTER TABLE {place} SET SCHEMA {quote(area.schema(_system(key)))}"))
        partitions.attach(connection, area, municipality, new)
        entries = [
            {
                "run_id": run_id,
                "system": _system(key),
                "table_name": _bare(key),
                "area": area.name,
                "municipality_code": municipality,
                "partition": _bare(partition),
                "row_count": rows[key],
            }
            for key, partition in new.items()
        ]
        connection.execute(sa.insert(PROMOTIONS), entries)
        for system in systems:
            if system in former:
                enter(connection, former[system], system, "superseded")
            enter(connection, run_id, system, "promoted")
            partitions.drop_older(connection, area, municipality, system)
        enter_promoted(connection, run_id)
    return Promoted(rows, former, already=False)


def _counted(connection: sa.Connection, key: str, place: str, expected: Mapping[str, int]) -> int:
    """How many rows of a table are ready.

    Raises:
        RunError: not as many as were settled.
    """
    ready = connection.execute(sa.text(f"SELECT count(*) FROM {place}")).scalar_one()  # noqa: S608  quoted names
    if ready != expected.get(key, 0):
        raise RunError(
            f"{key}: {ready} rows are ready, {expected.get(key, 0)} were settled. "
            "Nothing was promoted. Run again; if it happens again, report it to the developers."
        )
    return int(ready)


def promoted_sum(
    engine: sa.Engine, table: sa.Table, column: str, municipality: str, dump: str, *, area: Area
) -> Decimal:
    """Sum an amount over the municipality's promoted rows of one dump in an area, exactly."""
    there = area.table(table)
    query = sa.select(sa.func.coalesce(sa.func.sum(there.c[column]), 0)).where(
        there.c.municipality_code == municipality, there.c.source_dump == dump
    )
    with engine.connect() as connection:
        return Decimal(connection.execute(query).scalar_one())


def _partition(table: sa.Table, municipality: str, run_id: str) -> str:
    """The name of a run's partition; until the swap those of all its systems stand in one schema."""
    made = hashlib.sha256(f"{run_id} {table.key}".encode()).hexdigest()[:10]
    return fitting(f"{table.name}_{six_digits(municipality)}_{made}")


def _system(key: str) -> str:
    return key.partition(".")[0]


def _bare(key: str) -> str:
    return key.partition(".")[2]
