"""`hikkoshi withdraw`: a promotion, taken out for good."""

from __future__ import annotations

from typing import Annotated

import typer

from dags.commands._decision import By, Reason, Systems, Yes, decided, say_undone, user

EXAMPLES = (
    "hikkoshi withdraw 990027-c-20261123T094523-967f0a1b",
    "hikkoshi withdraw 990027-c-20261123T094523-967f0a1b --system resident_records",
)


def withdraw(
    run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")],
    system: Systems = None,
    reason: Reason = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Withdraw."""
    from dags import known_runs

    of = f" of {', '.join(system)}" if system else ""
    why = decided(f"Withdraw the promotion{of} of run {run_id} and drop its rows for good?", reason, yes=yes)
    done = known_runs.withdraw(run_id, by=by or user(), reason=why, systems=system or ())
    say_undone(done, "withdrawn; its rows were dropped")
