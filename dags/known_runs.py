"""What is done with runs that the ledger knows: list them, and take promotions back; nothing that reads dumps is imported."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from dags.centre import centre, reached
from dags.pipeline.folders import municipality_folder
from target_schemas.postgres import ledger, undo
from target_schemas.postgres.areas import area_of
from target_schemas.postgres.database import reach


def list_runs(name: str | None) -> list[ledger.RunEntry]:
    """The runs that the ledgers know, of one municipality or of all, database by database.

    Raises:
        TransientError: a database is away.
    """
    code = municipality_folder(name).name[:6] if name else None
    databases, found = centre(), list[ledger.RunEntry]()
    for database in databases if code is None else (databases.of(code),):
        with reach(database.url) as (engine, _):
            entries = ledger.list_runs(engine, code)
        found += [dataclasses.replace(entry, database=database.name) for entry in entries]
    return found


def rollback(folder: str, *, mode: str = "cut-over", by: str, reason: str, systems: Sequence[str] = ()) -> undo.Undone:
    """Put back what the municipality had in force before, in production or (mode rehearsal) in the rehearsals' area.

    Raises:
        RunError: there is no former state, or it is not kept any more; or no system is named and several runs are in force.
        TransientError: others read what is to be replaced.
    """
    code = municipality_folder(folder).name[:6]
    with reached(code) as (database, _):
        return undo.rollback(database, code, area_of(mode), by=by, reason=reason, systems=systems)


def withdraw(run_id: str, *, by: str, reason: str, systems: Sequence[str] = ()) -> undo.Undone:
    """Take a promotion out for good, of all its systems or of some, and drop its rows.

    Raises:
        RunError: the run, or a system that is named, was not promoted.
        TransientError: others read what is to be replaced.
    """
    # A run's id begins with its municipality's code; its folder need not be here any more.
    with reached(run_id[:6]) as (database, _):
        return undo.withdraw(database, run_id, by=by, reason=reason, systems=systems)
