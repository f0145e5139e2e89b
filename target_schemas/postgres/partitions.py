"""Partitions and the pile: what each promotion left in an area, what is attached there, and how the two are exchanged.

In an area the promotions of a municipality's system are a pile: the one in force on top, below it those it superseded.
Only the partitions of the one in force are attached; the others are kept beside their table, detached. Systems are piles
of their own, and those of one run are exchanged together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from migration_reports.trouble import RunError
from target_schemas.postgres.areas import Area, quote, six_digits
from target_schemas.postgres.ledger import PROMOTIONS, RUN_SYSTEMS, in_force


@dataclasses.dataclass(frozen=True, slots=True)
class Below:
    """The promotion of a system that the one in force has superseded, and whether its rows are kept."""

    run_id: str
    kept: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """Of a system the run whose rows go out of force, and the one whose rows come back; None: nothing does."""

    system: str
    out: str
    back: str | None


def below(connection: sa.Connection, municipality: str, area: Area, system: str) -> Below | None:
    """The promotion of a system below the one in force; None where that is the first."""
    row = connection.execute(_pile(municipality, area, system).limit(1)).first()
    return None if row is None else Below(row.run_id, row.dropped_at is None)


def _pile(municipality: str, area: Area, system: str) -> sa.Select[tuple[str, object]]:
    """The promotions below the one in force, the latest first: run, and when its rows were dropped."""
    return (
        sa.select(PROMOTIONS.c.run_id, sa.func.max(PROMOTIONS.c.dropped_at).label("dropped_at"))
        .join(
            RUN_SYSTEMS,
            sa.and_(RUN_SYSTEMS.c.run_id == PROMOTIONS.c.run_id, RUN_SYSTEMS.c.system == PROMOTIONS.c.system),
        )
        .where(
            PROMOTIONS.c.municipality_code == municipality,
            PROMOTIONS.c.area == area.name,
            PROMOTIONS.c.system == system,
            RUN_SYSTEMS.c.state == "superseded",
        )
        .group_by(PROMOTIONS.c.run_id)
        .order_by(sa.func.max(PROMOTIONS.c.promoted_at).desc())
    )


def partitions_of(connection: sa.Connection, run_id: str, system: str) -> Mapping[str, str]:
    """The partitions that a run has promoted of a system, by table; both are given with the system."""
    found = connection.execute(
        sa.select(PROMOTIONS.c.table_name, PROMOTIONS.c.partition).where(
            PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.system == system
        )
    )
    return {f"{system}.{row.table_name}": f"{system}.{row.partition}" for row in found}


def rows_of(connection: sa.Connection, run_id: str, systems: Collection[str]) -> Mapping[str, int]:
    """How many rows a run has promoted of some systems, by table."""
    found = connection.execute(
        sa.select(PROMOTIONS.c.system, PROMOTIONS.c.table_name, PROMOTIONS.c.row_count)
        .where(PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.system.in_(systems))
        .order_by(PROMOTIONS.c.system, PROMOTIONS.c.table_name)
    )
    return {f"{row.system}.{row.table_name}": row.row_count for row in found}


def exchange(connection: sa.Connection, area: Area, municipality: str, exchanges: Sequence[Exchange]) -> None:
    """Detach what runs have promoted and attach what others had, or nothing; all systems or none.

    Raises:
        RunError: what should come back is not there, or the tables are not as the ledger says.
    """
    going: dict[str, str] = {}
    returning: dict[str, str] = {}
    for one in exchanges:
        going.update(partitions_of(connection, one.out, one.system))
        back = partitions_of(connection, one.back, one.system) if one.back is not None else {}
        for partition in back.values():
            if connection.execute(sa.select(sa.func.to_regclass(area.place(partition)))).scalar() is None:
                raise not_kept(str(one.back), area)
        returning.update(back)
    detach(connection, area, municipality, going)
    attach(connection, area, municipality, returning)


def not_kept(run_id: str, area: Area) -> RunError:
    """What is said of a run that cannot come back, because its rows have gone."""
    rule = f" (of each municipality's {area.name}s the last {area.kept} are)" if area.kept is not None else ""
    return RunError(
        f"the rows of run {run_id}, which was in force before, are not kept any more{rule}. Nothing was changed. "
        "A new run brings them back."
    )


def detach(connection: sa.Connection, area: Area, municipality: str, partitions: Mapping[str, str]) -> None:
    """Detach partitions that the ledger calls in force; waits until nobody's transaction reads their tables.

    Of all systems at once: so nobody sees one system of the new run beside another of the former.

    Raises:
        RunError: another one is attached than the ledger says.
    """
    for name, partition in partitions.items():
        attached = _attached(connection, area, name, municipality)
        if attached != partition:
            raise RunError(
                f"the ledger says that {partition} is in force in {area.name}, but attached is {attached or 'none'}. "
                "Somebody changed the tables by hand. Nothing was changed; ask a DBA to attach what the ledger says."
            )
    if partitions:
        # All at once and in one order, before any is changed: so two promotions never wait for each other.
        places = ", ".join(f"ONLY {area.place(name)}" for name in sorted(partitions))
        connection.execute(sa.text(f"LOCK TABLE {places} IN ACCESS EXCLUSIVE MODE"))
    for name, partition in partitions.items():
        connection.execute(sa.text(f"ALTER TABLE {area.place(name)} DETACH PARTITION {area.place(partition)}"))


def attach(connection: sa.Connection, area: Area, municipality: str, partitions: Mapping[str, str]) -> None:
    """Attach partitions of a municipality to their tables, which shuts no reader out."""
    bound = f"FOR VALUES IN ('{six_digits(municipality)}')"
    for name, partition in sorted(partitions.items()):
        _complete(connection, area, name, partition)
        connection.execute(sa.text(f"ALTER TABLE {area.place(name)} ATTACH PARTITION {area.place(partition)} {bound}"))


def _attached(connection: sa.Connection, area: Area, table: str, municipality: str) -> str | None:
    query = sa.text(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
        "WHERE inhparent = CAST(:parent AS regclass) "
        "AND pg_get_expr(child.relpartbound, child.oid) = format('FOR VALUES IN (%L)', CAST(:code AS text))"
    )
    found = connection.execute(query, {"parent": area.place(table), "code": municipality}).scalar()
    return None if found is None else f"{table.partition('.')[0]}.{found}"


def _complete(connection: sa.Connection, area: Area, table: str, partition: str) -> None:
    """Add the columns to a partition that its table got from an edition after it was made; they are empty."""
    missing = connection.execute(
        sa.text(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = CAST(:parent AS regclass) AND attnum > 0 AND NOT attisdropped AND attname NOT IN "
            "(SELECT attname FROM pg_attribute WHERE attrelid = CAST(:child AS regclass) AND NOT attisdropped)"
        ),
        {"parent": area.place(table), "child": area.place(partition)},
    ).all()
    for name, kind in missing:
        connection.execute(sa.text(f"ALTER TABLE {area.place(partition)} ADD COLUMN {quote(name)} {kind}"))


def drop_older(connection: sa.Connection, area: Area, municipality: str, system: str) -> None:
    """Drop a system's rows of the promotions that the area does not keep: all but the one in force and those just below it."""
    if area.kept is None:
        return
    under = connection.execute(_pile(municipality, area, system).limit(area.kept - 1)).scalars()
    kept = [in_force(connection, municipality, area).get(system), *under]
    older = sa.select(PROMOTIONS.c.run_id).where(
        PROMOTIONS.c.municipality_code == municipality,
        PROMOTIONS.c.area == area.name,
        PROMOTIONS.c.system == system,
        PROMOTIONS.c.dropped_at.is_(None),
        PROMOTIONS.c.run_id.not_in(kept),
    )
    for run_id in connection.execute(older.distinct()).scalars().all():
        drop(connection, area, run_id, system)


def drop(connection: sa.Connection, area: Area, run_id: str, system: str) -> None:
    """Drop the rows that a run has promoted of a system; they must be detached. The ledger notes when."""
    for partition in partitions_of(connection, run_id, system).values():
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {area.place(partition)}"))
    connection.execute(
        PROMOTIONS.update()
        .where(PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.system == system, PROMOTIONS.c.dropped_at.is_(None))
        .values(dropped_at=sa.func.now())
    )
