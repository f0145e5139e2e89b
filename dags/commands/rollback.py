"""`hikkoshi rollback`: what was in force before, put back."""

from __future__ import annotations

from typing import Annotated

import typer

from dags.commands._decision import By, Reason, Systems, Yes, decided, say_undone, user
from dags.commands._reading_options import Town

EXAMPLES = (
    "hikkoshi rollback mihon",
    "hikkoshi rollback mihon --system resident_records",
    'hikkoshi rollback mihon --rehearsals --yes --reason "wrong inbox"',
)


def rollback(
    municipality: Town,
    rehearsals: Annotated[
        bool, typer.Option("--rehearsals", help="In the rehearsals' area, and not in production.")
    ] = False,
    system: Systems = None,
    reason: Reason = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Roll back."""
    from dags import known_runs
    from dags.pipeline.folders import municipality_folder

    town, area = municipality_folder(municipality).name, "the rehearsals' area" if rehearsals else "PRODUCTION"
    of = f" of {', '.join(system)}" if system else ""
    why = decided(f"Put back what {town} had in force{of} before, in {area}?", reason, yes=yes)
    mode = "rehearsal" if rehearsals else "cut-over"
    say_undone(
        known_runs.rollback(town, mode=mode, by=by or user(), reason=why, systems=system or ()),
        "rolled back; its rows are kept",
    )
