"""`hikkoshi withdraw`: a promotion, taken out for good."""

from __future__ import annotations

from typing import Annotated

import typer

from dags.commands._decision import By, Reason, Yes, decided, say_undone, user

EXAMPLES = ("hikkoshi withdraw 990027-c-20261123T094523-967f0a1b",)


def withdraw(
    run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")],
    reason: Reason = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Withdraw."""
    from dags import runs

    why = decided(f"Withdraw the promotion of run {run_id} and drop its rows for good?", reason, yes=yes)
    say_undone(runs.withdraw(run_id, by=by or user(), reason=why), "withdrawn; its rows were dropped")
