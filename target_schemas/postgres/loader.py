"""Promotion: a municipality's rows are seen whole or not at all.

Promotion makes the staged table the new partition, beside the promoted one: rejected rows leave it, it gets the key and
the checks, and its count is proved. Then the two are swapped in one transaction with the ledger entry; the former
partition is kept, detached. Until that transaction commits, promoted data are as they were, however a run ends. All
systems of a run are swapped in that one transaction, and no other system of the municipality is touched.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import partitions, roles
from target_schemas.postgres.areas import area_of, fitting, quote, six_digits
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
from target_schemas.postgres.settling import rejected_rows_out
from target_schemas.postgres.staging import AT_ONCE, ENGINE, PLAIN, RunTables, chosen_schema, staged_name


@dataclasses.dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: rows by table, and by system the run whose partitions it replaced, where there was one."""

    rows: Mapping[str, int]
    former: Mapping[str, str]
    already: bool


def promote(engine: sa.Engine, run: RunTables, municipality: str, *, expected: Mapping[str, int]) -> Promoted:
    """Put the run's accepted rows in the place of the municipality's promoted ones; promoting twice changes nothing.

    Args:
        engine: the database.
        run: the run's tables; they must have been settled. What is staged of them is taken.
        municipality: its code.
        expected: rows by table, as settled; the promotion is undone if it would differ.

    Raises:
        RunError: the run has ended, or the counts differ from what was settled.
        TransientError: others read the rows that are to be replaced; nothing was changed.
    """
    with engine.connect() as connection:
        if (done := _already(connection, run)) is not None:
            return done
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda key: _build(engine, run, municipality, key), run.targets):
            pass
    return _swap(engine, run, municipality, expected)


def _build(engine: sa.Engine, run: RunTables, municipality: str, key: str) -> None:
    """Make a staged table, or what was chosen of it, a partition with all that the run's edition asks of it.

    In one transaction: it is staged or it is ready, and what is ready is not built again.
    """
    partition, schema = _partition(run, key, municipality), quote(run.schema)
    ready = f"{schema}.{quote(partition)}"
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(ready, 0))))
        if connection.execute(sa.select(sa.func.to_regclass(ready))).scalar() is not None:
            return
        if key in run.one_per_key:
            source = f"{quote(chosen_schema(run.run_id))}.{quote(staged_name(key))}"
            connection.execute(sa.text(f"ALTER TABLE {source} RENAME TO {quote(partition)}"))
            chosen = f"{quote(chosen_schema(run.run_id))}.{quote(partition)}"
            connection.execute(sa.text(f"ALTER TABLE {chosen} SET SCHEMA {schema}"))
        else:
            connection.execute(rejected_rows_out(run, key))
            connection.execute(sa.text(f"ALTER TABLE {run.placed(key)} RENAME TO {quote(partition)}"))
        # One statement: PostgreSQL looks at every row once for all of it.
        clauses = ", ".join(_made_a_partition(run, key, municipality))
        connection.execute(sa.text(_verbatim(f"ALTER TABLE {ready} {clauses}")))
        for statement in roles.isolated(run.area, ready):
            connection.execute(statement)


def _verbatim(statement: str) -> str:
    """A statement with no parameters, whatever stands in it behind a colon."""
    return statement.replace(":", r"\:")


def _made_a_partition(run: RunTables, key: str, municipality: str) -> Iterator[str]:
    """The clauses of ALTER TABLE that make a table of accepted rows a partition."""
    table = run.targets[key]
    for name in ENGINE:
        yield f"DROP COLUMN {quote(name)}"
    for column in table.columns:
        if column.name in run.constants.get(key, {}):
            yield f"ALTER COLUMN {quote(column.name)} DROP DEFAULT"
        if not column.nullable:
            yield f"ALTER COLUMN {quote(column.name)} SET NOT NULL"
    for name, condition in _asked(table):
        yield f"ADD CONSTRAINT {quote(name)} CHECK ({condition})"
    # The bound as a valid CHECK spares every attachment, a rollback's too, a look at every row.
    yield f"ADD CONSTRAINT bound CHECK (municipality_code = '{six_digits(municipality)}')"
    yield f"ADD PRIMARY KEY ({', '.join(quote(c.name) for c in table.primary_key.columns)})"


def _asked(table: sa.Table) -> Iterator[tuple[str, str]]:
    """What the run's edition asks of the values of a table, as named conditions: the table's own, and how wide numbers are."""
    for constraint in table.constraints:
        if isinstance(constraint, sa.CheckConstraint):
            yield str(constraint.name), _sql(constraint.sqltext)
    for column in table.columns:
        if isinstance(column.type, sa.Numeric) and column.type.precision is not None:
            scale = column.type.scale or 0
            value: sa.ColumnClause[Any] = sa.column(column.name)
            most = 10 ** (column.type.precision - scale)
            fits = sa.and_(sa.func.abs(value) < most, sa.func.scale(value) <= scale)
            yield f"ck_{table.name}_{column.name}_fits", _sql(fits)


def _sql(condition: sa.ColumnElement[bool]) -> str:
    return str(condition.compile(dialect=PLAIN, compile_kwargs={"literal_binds": True}))


def _already(connection: sa.Connection, run: RunTables) -> Promoted | None:
    """What the run has promoted, where it is in force; None where it still runs. The run is held until the end."""
    entry = connection.execute(
        sa.select(RUNS.c.state, RUNS.c.mode).where(RUNS.c.run_id == run.run_id).with_for_update()
    ).first()
    if entry is None:
        raise unknown(run.run_id)
    if area_of(entry.mode) != run.area:
        raise ValueError(f"a {entry.mode} is not promoted into {run.area.name}")
    systems = states_of(connection, run.run_id)
    state = overall(entry.state, systems.values())
    if state == "promoted":
        return Promoted(partitions.rows_of(connection, run.run_id, systems), {}, already=True)
    if state != "running":
        raise RunError(f"the ledger says that run {run.run_id} is {state}. Nothing was promoted. Begin a new run.")
    return None


def _swap(engine: sa.Engine, run: RunTables, municipality: str, expected: Mapping[str, int]) -> Promoted:
    run_id, area = run.run_id, run.area
    new = {key: f"{_system(key)}.{_partition(run, key, municipality)}" for key in run.targets}
    ready = {key: f"{quote(run.schema)}.{quote(_bare(partition))}" for key, partition in new.items()}
    systems = list(dict.fromkeys(_system(key) for key in new))
    with briefly(engine, f"the promotion of run {run_id}") as connection:
        lock(connection, municipality)
        if (done := _already(connection, run)) is not None:
            return done
        rows = {key: _counted(connection, key, place, expected) for key, place in ready.items()}
        standing = in_force(connection, municipality, area)
        former = {system: standing[system] for system in systems if system in standing}
        old: dict[str, str] = {}
        for system, in_place in former.items():
            old.update(partitions.partitions_of(connection, in_place, system))
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


def promoted_sums(
    engine: sa.Engine, run: RunTables, municipality: str, summed: Mapping[str, Sequence[str]]
) -> Mapping[tuple[str, str, str], Decimal]:
    """Sum amounts over the municipality's promoted rows, exactly.

    Args:
        engine: the database.
        run: the run's tables.
        municipality: its code.
        summed: by table the columns that are added up.

    Returns:
        The sums by table, dump and column.
    """
    sums = {}
    with engine.connect() as connection:
        for key, columns in summed.items():
            there = run.area.table(run.targets[key])
            query = (
                sa.select(there.c.source_dump, *(sa.func.coalesce(sa.func.sum(there.c[name]), 0) for name in columns))
                .where(there.c.municipality_code == municipality)
                .group_by(there.c.source_dump)
            )
            for dump, *found in connection.execute(query):
                sums.update({(key, dump, name): Decimal(value) for name, value in zip(columns, found, strict=True)})
    return sums


def _partition(run: RunTables, key: str, municipality: str) -> str:
    """The name of a run's partition; until the swap those of all its systems stand in one schema."""
    made = hashlib.sha256(f"{run.run_id} {key}".encode()).hexdigest()[:10]
    return fitting(f"{_bare(key)}_{six_digits(municipality)}_{made}")


def _system(key: str) -> str:
    return key.partition(".")[0]


def _bare(key: str) -> str:
    return key.partition(".")[2]
