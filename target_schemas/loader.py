"""Promotion, rollback and withdrawal: a municipality's rows are seen whole or not at all.

Promotion writes the accepted ones into a new partition beside the promoted one, proves its count, and swaps the two in
one transaction with the ledger entry; the former partition is kept, detached. Until that transaction commits, promoted
data are as they were, however a run ends.

In an area the promotions of a municipality are a pile: the one in force on top, below it those it superseded. Rollback
takes the top one off and keeps its rows; withdrawal takes any one out and drops its rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas import roles
from target_schemas.areas import Area, area_of, quote, six_digits
from target_schemas.database import briefly
from target_schemas.ledger import DECISIONS, PROMOTIONS, RUNS, in_force, installed, lock, unknown
from target_schemas.staging import chosen_rows, rejected_table, staging_schema, staging_tables


@dataclasses.dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: rows by table, and the run whose partitions it replaced."""

    rows: Mapping[str, int]
    former_run: str | None
    already: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback or withdrawal did: the run it took out, where, and the run now in force with its rows by table.

    `in_force` is None where nothing is in force any more.
    """

    run_id: str
    area: str
    municipality: str
    in_force: str | None
    rows: Mapping[str, int]


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
        return Promoted(_rows(connection, run_id), None, already=True)
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
        old = _partitions(connection, former) if former is not None else {}
        if left := sorted(old.keys() - new.keys()):
            raise RunError(
                f"run {former}, which is in force in {area.name}, also holds {', '.join(left)}, which this run does not "
                f"load. Nothing was promoted. Run with all its systems, or withdraw it: `hikkoshi withdraw {former}`."
            )
        _detach(connection, area, municipality, old)
        for partition in new.values():
            connection.execute(sa.text(f"ALTER TABLE {quote(schema)}.{quote(partition)} SET SCHEMA {area.schema}"))
        _attach(connection, area, municipality, new)
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
            _enter(connection, former, "superseded")
        _enter(connection, run_id, "promoted")
        _drop_older(connection, area, municipality)
    return Promoted(rows, former, already=False)


def rollback(engine: sa.Engine, municipality: str, area: Area, *, by: str, reason: str) -> Undone:
    """Take the promotion in force back and put the one before it in its place, in one transaction.

    The rows of the one that was rolled back are kept until a person withdraws it (of rehearsals: until the next).

    Args:
        engine: the database.
        municipality: its code.
        area: where.
        by: who decided it.
        reason: and why.

    Raises:
        RunError: there is nothing to go back to, or its rows are not kept any more.
        TransientError: others read the rows that are to be replaced; nothing was changed.
    """
    with briefly(engine, "the rollback") as connection:
        run_id = _in_force_now(connection, municipality, area)
        before = _below(connection, municipality, area)
        if before is None:
            raise RunError(
                f"run {run_id} is the only promotion of municipality {municipality} in {area.name}: there is no state "
                f"before it to go back to. Nothing was changed. `hikkoshi withdraw {run_id}` takes it out for good."
            )
        if not before.kept:
            raise _not_kept(before.run_id, area)
        _exchange(connection, area, municipality, run_id, before.run_id)
        _enter(connection, run_id, "rolled back")
        _enter(connection, before.run_id, "promoted")
        _note(connection, run_id, "rolled back", before.run_id, by, reason)
        return Undone(run_id, area.name, municipality, before.run_id, _rows(connection, before.run_id))


def withdraw(engine: sa.Engine, run_id: str, *, by: str, reason: str) -> Undone:
    """Take a promotion out for good and drop its rows; where it is in force, what was before it comes back, or nothing.

    Args:
        engine: the database.
        run_id: the run.
        by: who decided it.
        reason: and why.

    Raises:
        RunError: the run was not promoted, or what was before it has gone.
        TransientError: others read the rows; nothing was changed.
    """
    with briefly(engine, f"the withdrawal of run {run_id}") as connection:
        entry = (
            connection.execute(sa.select(RUNS).where(RUNS.c.run_id == run_id)).first()
            if installed(connection)
            else None
        )
        if entry is None:
            raise unknown(run_id)
        municipality, area = entry.municipality_code, area_of(entry.mode)
        lock(connection, municipality)
        state = connection.execute(sa.select(RUNS.c.state).where(RUNS.c.run_id == run_id)).scalar_one()
        if state not in ("promoted", "superseded", "rolled back"):
            raise RunError(
                f"run {run_id} is {state}: it has no promotion to withdraw. Nothing was changed; "
                "`hikkoshi runs` shows what has been promoted."
            )
        restored = None
        if state == "promoted":
            before = _below(connection, municipality, area)
            restored = before.run_id if before is not None and before.kept else None
            _exchange(connection, area, municipality, run_id, restored)
        _drop(connection, area, [run_id])
        _enter(connection, run_id, "withdrawn")
        if restored is not None:
            _enter(connection, restored, "promoted")
        _note(connection, run_id, "withdrawn", restored, by, reason)
        now = in_force(connection, municipality, area)
        return Undone(run_id, area.name, municipality, now, _rows(connection, now) if now is not None else {})


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Below:
    run_id: str
    kept: bool


def _in_force_now(connection: sa.Connection, municipality: str, area: Area) -> str:
    run_id = None
    if installed(connection):
        lock(connection, municipality)
        run_id = in_force(connection, municipality, area)
    if run_id is None:
        raise RunError(
            f"nothing of municipality {municipality} is in force in {area.name}, so there is nothing to roll back. "
            "Nothing was changed; `hikkoshi runs` shows what has been promoted."
        )
    return run_id


def _below(connection: sa.Connection, municipality: str, area: Area) -> _Below | None:
    """The promotion that the one in force has superseded, and whether its rows are kept."""
    row = connection.execute(_pile(municipality, area).limit(1)).first()
    return None if row is None else _Below(row.run_id, row.dropped_at is None)


def _pile(municipality: str, area: Area) -> sa.Select[tuple[str, object]]:
    """The promotions below the one in force, the latest first: run, and when its rows were dropped."""
    return (
        sa.select(PROMOTIONS.c.run_id, sa.func.max(PROMOTIONS.c.dropped_at).label("dropped_at"))
        .join(RUNS, RUNS.c.run_id == PROMOTIONS.c.run_id)
        .where(
            PROMOTIONS.c.municipality_code == municipality,
            PROMOTIONS.c.area == area.name,
            RUNS.c.state == "superseded",
        )
        .group_by(PROMOTIONS.c.run_id)
        .order_by(sa.func.max(PROMOTIONS.c.promoted_at).desc())
    )


def _partitions(connection: sa.Connection, run_id: str) -> dict[str, str]:
    found = connection.execute(
        sa.select(PROMOTIONS.c.table_name, PROMOTIONS.c.partition).where(PROMOTIONS.c.run_id == run_id)
    )
    return {row.table_name: row.partition for row in found}


def _rows(connection: sa.Connection, run_id: str) -> Mapping[str, int]:
    found = connection.execute(
        sa.select(PROMOTIONS.c.table_name, PROMOTIONS.c.row_count)
        .where(PROMOTIONS.c.run_id == run_id)
        .order_by(PROMOTIONS.c.table_name)
    )
    return {row.table_name: row.row_count for row in found}


def _exchange(connection: sa.Connection, area: Area, municipality: str, out: str, back: str | None) -> None:
    """Detach what one run has promoted and attach what another had, once all of it is known to be there."""
    returning = _partitions(connection, back) if back is not None else {}
    for partition in returning.values():
        if connection.execute(sa.select(sa.func.to_regclass(area.place(partition)))).scalar() is None:
            raise _not_kept(str(back), area)
    _detach(connection, area, municipality, _partitions(connection, out))
    _attach(connection, area, municipality, returning)


def _not_kept(run_id: str, area: Area) -> RunError:
    rule = f" (of each municipality's {area.name}s the last {area.kept} are)" if area.kept is not None else ""
    return RunError(
        f"the rows of run {run_id}, which was in force before, are not kept any more{rule}. Nothing was changed. "
        "A new run brings them back."
    )


def _detach(connection: sa.Connection, area: Area, municipality: str, partitions: Mapping[str, str]) -> None:
    """Detach partitions that the ledger calls in force.

    Raises:
        RunError: another one is attached than the ledger says.
    """
    for name, partition in partitions.items():
        attached = _attached(connection, area, name, municipality)
        if attached != partition:
            raise RunError(
                f"the ledger says that {partition} is in force in {area.schema}, but attached is {attached or 'none'}. "
                "Somebody changed the tables by hand. Nothing was changed; ask a DBA to attach what the ledger says."
            )
    if partitions:
        # All at once and in one order, before any is changed: so two promotions never wait for each other.
        places = ", ".join(f"ONLY {area.place(name)}" for name in sorted(partitions))
        connection.execute(sa.text(f"LOCK TABLE {places} IN ACCESS EXCLUSIVE MODE"))
    for name, partition in partitions.items():
        connection.execute(sa.text(f"ALTER TABLE {area.place(name)} DETACH PARTITION {area.place(partition)}"))


def _attach(connection: sa.Connection, area: Area, municipality: str, partitions: Mapping[str, str]) -> None:
    bound = f"FOR VALUES IN ('{six_digits(municipality)}')"
    for name, partition in sorted(partitions.items()):
        connection.execute(sa.text(f"ALTER TABLE {area.place(name)} ATTACH PARTITION {area.place(partition)} {bound}"))


def _attached(connection: sa.Connection, area: Area, table: str, municipality: str) -> str | None:
    query = sa.text(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
        "WHERE inhparent = CAST(:parent AS regclass) "
        "AND pg_get_expr(child.relpartbound, child.oid) = format('FOR VALUES IN (%L)', CAST(:code AS text))"
    )
    found = connection.execute(query, {"parent": area.place(table), "code": municipality}).scalar()
    return None if found is None else str(found)


def _enter(connection: sa.Connection, run_id: str, state: str) -> None:
    connection.execute(RUNS.update().where(RUNS.c.run_id == run_id).values(state=state))


def _note(connection: sa.Connection, run_id: str, what: str, restored: str | None, by: str, reason: str) -> None:
    if not (by.strip() and reason.strip()):
        raise RunError("say who decides this and why: both are kept in the ledger. Nothing was changed.")
    connection.execute(
        sa.insert(DECISIONS).values(run_id=run_id, what=what, restored=restored, by=by[:100], reason=reason[:500])
    )


def _drop_older(connection: sa.Connection, area: Area, municipality: str) -> None:
    """Drop the rows of the promotions that the area does not keep: all but the one in force and those just below it."""
    if area.kept is None:
        return
    below = connection.execute(_pile(municipality, area).limit(area.kept - 1)).scalars()
    kept = [in_force(connection, municipality, area), *below]
    older = sa.select(PROMOTIONS.c.run_id).where(
        PROMOTIONS.c.municipality_code == municipality,
        PROMOTIONS.c.area == area.name,
        PROMOTIONS.c.dropped_at.is_(None),
        PROMOTIONS.c.run_id.not_in(kept),
    )
    _drop(connection, area, connection.execute(older.distinct()).scalars().all())


def _drop(connection: sa.Connection, area: Area, runs: Iterable[str]) -> None:
    for run_id in runs:
        for partition in _partitions(connection, run_id).values():
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {area.place(partition)}"))
        connection.execute(
            PROMOTIONS.update()
            .where(PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.dropped_at.is_(None))
            .values(dropped_at=sa.func.now())
        )


def _partition(table: sa.Table, municipality: str, run_id: str) -> str:
    return f"{table.name}_{six_digits(municipality)}_{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"
