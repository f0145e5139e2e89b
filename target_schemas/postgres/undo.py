"""Taking promotions back: rollback to what was in force before, and withdrawal for good; each by somebody, for a reason.

Both are done to systems of one municipality in one transaction, and to each of them or to none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from migration_reports.trouble import RunError
from target_schemas.postgres import partitions
from target_schemas.postgres.areas import Area, area_of
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import DECISIONS, RUNS, enter, in_force, installed, lock, states_of, unknown
from target_schemas.postgres.partitions import Exchange


@dataclasses.dataclass(frozen=True, slots=True)
class SystemUndone:
    """Of one system the run that was taken out, and the run now in force with its rows by table; None: nothing is."""

    system: str
    run_id: str
    in_force: str | None
    rows: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Undone:
    """What a rollback or withdrawal did to a municipality's systems in an area."""

    area: str
    municipality: str
    systems: tuple[SystemUndone, ...]


def rollback(
    engine: sa.Engine, municipality: str, area: Area, *, by: str, reason: str, systems: Collection[str] = ()
) -> Undone:
    """Take promotions in force back and put those before them in their place, in one transaction.

    The rows of those that were rolled back are kept until a person withdraws them (of rehearsals until the next).

    Args:
        engine: the database.
        municipality: its code.
        area: where.
        by: who decided it.
        reason: and why.
        systems: which systems; where none is named, those in force, which must then be of one run.

    Raises:
        RunError: of a system there is nothing to go back to, or its rows are not kept any more; or it is not clear which
            systems are meant.
        TransientError: others read the rows that are to be replaced; nothing was changed.
    """
    with briefly(engine, "the rollback") as connection:
        _decided(by, reason)
        out = _to_roll_back(connection, municipality, area, systems)
        exchanges = [
            Exchange(system, run_id, _before(connection, municipality, area, system, run_id))
            for system, run_id in out.items()
        ]
        partitions.exchange(connection, area, municipality, exchanges)
        for one in exchanges:
            _entered(connection, one, "rolled back", by, reason)
        return _undone(connection, area, municipality, exchanges)


def withdraw(engine: sa.Engine, run_id: str, *, by: str, reason: str, systems: Collection[str] = ()) -> Undone:
    """Take a promotion out for good and drop its rows; where it is in force, what was before it comes back, or nothing.

    Args:
        engine: the database.
        run_id: the run.
        by: who decided it.
        reason: and why.
        systems: which of its systems; all that it has promoted and nobody has withdrawn, where none is named.

    Raises:
        RunError: the run, or a system that is named, has no promotion to withdraw.
        TransientError: others read the rows; nothing was changed.
    """
    with briefly(engine, f"the withdrawal of run {run_id}") as connection:
        _decided(by, reason)
        entry = (
            connection.execute(sa.select(RUNS).where(RUNS.c.run_id == run_id)).first()
            if installed(connection)
            else None
        )
        if entry is None:
            raise unknown(run_id)
        municipality, area = entry.municipality_code, area_of(entry.mode)
        lock(connection, municipality)
        states = _to_withdraw(connection, run_id, systems)
        exchanges = []
        for system, state in states.items():
            before = partitions.below(connection, municipality, area, system) if state == "promoted" else None
            exchanges.append(Exchange(system, run_id, before.run_id if before is not None and before.kept else None))
        standing = [one for one in exchanges if states[one.system] == "promoted"]
        partitions.exchange(connection, area, municipality, standing)
        for one in exchanges:
            partitions.drop(connection, area, run_id, one.system)
            _entered(connection, one, "withdrawn", by, reason)
        return _undone(connection, area, municipality, exchanges)


def _to_roll_back(
    connection: sa.Connection, municipality: str, area: Area, systems: Collection[str]
) -> Mapping[str, str]:
    """The runs in force that are to be rolled back, by system."""
    standing: Mapping[str, str] = {}
    if installed(connection):
        lock(connection, municipality)
        standing = in_force(connection, municipality, area)
    missing = [system for system in systems if system not in standing]
    if missing or not standing:
        what = f"{_listed(missing)} of municipality {municipality}" if missing else f"municipality {municipality}"
        there = f" In force are {_listed(standing)}." if standing else ""
        raise RunError(
            f"nothing of {what} is in force in {area.name}, so there is nothing to roll back.{there} "
            "Nothing was changed; `hikkoshi runs` shows what has been promoted."
        )
    chosen = {system: standing[system] for system in systems or standing}
    if not systems and len(set(standing.values())) > 1:
        known = ", ".join(f"{system} of run {run_id}" for system, run_id in standing.items())
        raise RunError(
            f"what is in force of municipality {municipality} in {area.name} comes from several runs: {known}. "
            f"Nothing was changed. Say which systems are meant, such as --system {next(iter(standing))}."
        )
    return chosen


def _before(connection: sa.Connection, municipality: str, area: Area, system: str, run_id: str) -> str:
    """The run that was in force of a system before the one that is."""
    before = partitions.below(connection, municipality, area, system)
    if before is None:
        raise RunError(
            f"before run {run_id} nothing of {system} of municipality {municipality} was in force in {area.name}: there is "
            "no state before it to go back to. Nothing was changed. "
            f"`hikkoshi withdraw {run_id} --system {system}` takes it out for good."
        )
    if not before.kept:
        raise partitions.not_kept(before.run_id, area)
    return before.run_id


def _to_withdraw(connection: sa.Connection, run_id: str, systems: Collection[str]) -> Mapping[str, str]:
    """The states of the systems of a run that are to be withdrawn."""
    state = connection.execute(sa.select(RUNS.c.state).where(RUNS.c.run_id == run_id)).scalar_one()
    states = states_of(connection, run_id)
    kept = {system: now for system, now in states.items() if now not in ("", "withdrawn")}
    missing = [system for system in systems if system not in kept]
    if missing or not kept:
        known = [f"{system} is {states[system] or state}" for system in missing if system in states]
        known += [f"it has no {system}" for system in missing if system not in states]
        what = "; ".join(known) or f"it is {'withdrawn' if state == 'promoted' else state}"
        raise RunError(
            f"run {run_id}: {what}; so there is no promotion to withdraw. Nothing was changed; "
            "`hikkoshi runs` shows what has been promoted."
        )
    return {system: kept[system] for system in systems or kept}


def _undone(connection: sa.Connection, area: Area, municipality: str, exchanges: Sequence[Exchange]) -> Undone:
    standing = in_force(connection, municipality, area)
    done = []
    for one in exchanges:
        now = standing.get(one.system)
        rows = partitions.rows_of(connection, now, [one.system]) if now is not None else {}
        done.append(SystemUndone(one.system, one.out, now, rows))
    return Undone(area.name, municipality, tuple(done))


def _entered(connection: sa.Connection, one: Exchange, what: str, by: str, reason: str) -> None:
    """Enter what was decided of a system, and its states."""
    enter(connection, one.out, one.system, what)
    if one.back is not None:
        enter(connection, one.back, one.system, "promoted")
    values = {"what": what, "restored": one.back, "by": by.strip()[:100], "reason": reason.strip()[:500]}
    connection.execute(sa.insert(DECISIONS).values(run_id=one.out, system=one.system, **values))


def _decided(by: str, reason: str) -> None:
    if not (by.strip() and reason.strip()):
        raise RunError("say who decides this and why: both are kept in the ledger. Nothing was changed.")


def _listed(names: Collection[str]) -> str:
    return " and ".join(names)
