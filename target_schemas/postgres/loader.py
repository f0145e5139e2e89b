"""Promotion: a municipality's rows are seen whole or not at all.

Promotion writes the accepted ones into a new partition beside the promoted one, proves its count, and swaps the two in
one transaction with the ledger entry; the former partition is kept, detached. Until that transaction commits, promoted
data are as they were, however a run ends.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import partitions, roles
from target_schemas.postgres.areas import Area, area_of, quote, six_digits
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import PROMOTIONS, RUNS, enter, in_force, lock, unknown
from target_schemas.postgres.staging import chosen_rows, rejected_table, staging_schema, staging_tables


@dataclasses.dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: rows by table, and the run whose partitions it replaced."""

    rows: Mapping[str, int]
    former_run: str | None
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
    staged, keys = staging_tables(run_id, tables), rejected_table(run_id)
    schema = staging_schema(run_id)
    with engine.begin() as connection:
        for table in tables:
            name = _partition(table, municipality, run_id)
            ready = f"{quote(schema)}.{quote(name)}"
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {ready}"))
            connection.execute(
                sa.text(
                    f"CREATE TABLE {ready} "
                    f"(LIKE {area.place(table.name)} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)"
                )
            )
            source = staged[table.name]
            names = [column.name for column in table.columns]
            chosen = chosen_rows(table, source, keys, [source.c[name] for name in names], one_per_key)
            target = sa.Table(name, sa.MetaData(), *[sa.Column(n) for n in names], schema=schema)
            connection.execute(target.insert().from_select(names, chosen))
            columns = ", ".join(quote(c.name) for c in table.primary_key.columns)
            connection.execute(sa.text(f"ALTER TABLE {ready} ADD PRIMARY KEY ({columns})"))
            # The bound as a valid CHECK spares every attachment, a rollback's too, a look at every row.
            connection.execute(
                sa.text(
                    f"ALTER TABLE {ready} ADD CONSTRAINT bound CHECK (municipality_code = '{six_digits(municipality)}')"
                )
            )
            for statement in roles.isolated(area, ready):
                connection.execute(statement)
    return _swap(engine, run_id, municipality, tables, area, expected)


def _already(connection: sa.Connection, run_id: str, area: Area) -> Promoted | None:
    """What the run has promoted, where it is in force; None where it still runs. The run is held until the end."""
    run = connection.execute(
        sa.select(RUNS.c.state, RUNS.c.mode).where(RUNS.c.run_id == run_id).with_for_update()
    ).first()
    if run is None:
        raise unknown(run_id)
    if area_of(run.mode) != area:
        raise ValueError(f"a {run.mode} is not promoted into {area.name}")
    if run.state == "promoted":
        return Promoted(partitions.rows_of(connection, run_id), None, already=True)
    if run.state != "running":
        raise RunError(f"the ledger says that run {run_id} is {run.state}. Nothing was promoted. Begin a new run.")
    return None


def _swap(
    engine: sa.Engine,
    run_id: str,
    municipality: str,
    tables: Sequence[sa.Table],
    area: Area,
    expected: Mapping[str, int],
) -> Promoted:
    schema = staging_schema(run_id)
    new = {table.name: _partition(table, municipality, run_id) for table in tables}
    rows: dict[str, int] = {}
    with briefly(engine, f"the promotion of run {run_id}") as connection:
        lock(connection, municipality)
        if (done := _already(connection, run_id, area)) is not None:
            return done
        for name, partition in new.items():
            ready = f"{quote(schema)}.{quote(partition)}"
            rows[name] = connection.execute(sa.text(f"SELECT count(*) FROM {ready}")).scalar_one()  # noqa: S608  quoted names
            if rows[name] != expected.get(name, 0):
                raise RunError(
                    f"{name}: {rows[name]} rows are ready, {expected.get(name, 0)} were settled. "
                    "Nothing was promoted. Run again; if it happens again, report it to the developers."
                )
        former = in_force(connection, municipality, area)
        old = partitions.partitions_of(connection, former) if former is not None else {}
        if left := sorted(old.keys() - new.keys()):
            raise RunError(
                f"run {former}, which is in force in {area.name}, also holds {', '.join(left)}, which this run does not "
                f"load. Nothing was promoted. Run with all its systems, or withdraw it: `hikkoshi withdraw {former}`."
            )
        partitions.detach(connection, area, municipality, old)
        for partition in new.values():
            connection.execute(sa.text(f"ALTER TABLE {quote(schema)}.{quote(partition)} SET SCHEMA {area.schema}"))
        partitions.attach(connection, area, municipality, new)
        entries = [
            {
                "run_id": run_id,
                "table_name": name,
                "area": area.name,
                "municipality_code": municipality,
                "partition": partition,
                "row_count": rows[name],
            }
            for name, partition in new.items()
        ]
        connection.execute(sa.insert(PROMOTIONS), entries)
        if former is not None:
            enter(connection, former, "superseded")
        enter(connection, run_id, "promoted")
        partitions.drop_older(connection, area, municipality)
    return Promoted(rows, former, already=False)


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
    return f"{table.name}_{six_digits(municipality)}_{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"
