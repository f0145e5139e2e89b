"""Taking promotions back: rollback to what was in force before, and withdrawal for good; each by somebody, for a reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import partitions
from target_schemas.postgres.areas import Area, area_of
from target_schemas.postgres.database import briefly
from target_schemas.postgres.ledger import DECISIONS, RUNS, enter, in_force, installed, lock, unknown


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
        before = partitions.below(connection, municipality, area)
        if before is None:
            raise RunError(
                f"before run {run_id} nothing of municipality {municipality} was in force in {area.name}: there is no state "
                f"before it to go back to. Nothing was changed. `hikkoshi withdraw {run_id}` takes it out for good."
            )
        if not before.kept:
            raise partitions.not_kept(before.run_id, area)
        partitions.exchange(connection, area, municipality, run_id, before.run_id)
        enter(connection, run_id, "rolled back")
        enter(connection, before.run_id, "promoted")
        _note(connection, run_id, "rolled back", before.run_id, by, reason)
        return Undone(run_id, area.name, municipality, before.run_id, partitions.rows_of(connection, before.run_id))


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
            before = partitions.below(connection, municipality, area)
            restored = before.run_id if before is not None and before.kept else None
            partitions.exchange(connection, area, municipality, run_id, restored)
        partitions.drop(connection, area, [run_id])
        enter(connection, run_id, "withdrawn")
        if restored is not None:
            enter(connection, restored, "promoted")
        _note(connection, run_id, "withdrawn", restored, by, reason)
        now = in_force(connection, municipality, area)
        return Undone(
            run_id, area.name, municipality, now, partitions.rows_of(connection, now) if now is not None else {}
        )


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


def _note(connection: sa.Connection, run_id: str, what: str, restored: str | None, by: str, reason: str) -> None:
    if not (by.strip() and reason.strip()):
        raise RunError("say who decides this and why: both are kept in the ledger. Nothing was changed.")
    connection.execute(
        sa.insert(DECISIONS).values(run_id=run_id, what=what, restored=restored, by=by[:100], reason=reason[:500])
    )
