"""How what cannot be taken back is decided at a terminal: who, why, and whether it is meant."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

from dags.commands._terminal import out

Reason = Annotated[str | None, typer.Option("--reason", help="Why; it is kept in the ledger. Asked for, if not given.")]
By = Annotated[str | None, typer.Option("--by", help="Who decided it; the user of this machine, where not given.")]
Systems = Annotated[
    list[str] | None, typer.Option("--system", help="Only this system, and no other; it may be given several times.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


def decided(question: str, reason: str | None, *, yes: bool) -> str:
    """The reason of a decision, once the person at the terminal has confirmed it, or --yes stands for that."""
    person = sys.stdin.isatty()
    if not yes and not person:
        raise typer.BadParameter("nobody is at a terminal to confirm this: give --yes and --reason", param_hint="--yes")
    if not yes:
        typer.confirm(question, default=False, abort=True)
    if reason is None and not person:
        raise typer.BadParameter("say why; it is kept in the ledger", param_hint="--reason")
    return reason if reason is not None else str(typer.prompt("理由 / Reason"))


def user() -> str:
    """Who decides, where nobody is named: the user of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a person"


def say_undone(done: Any, what: str) -> None:
    """Say what was taken back, and what is in force by now, of each system."""
    for of in done.systems:
        out.print(f"{of.system} of run {of.run_id} was {what}", highlight=False, soft_wrap=True)
        now = f"run {of.in_force}" if of.in_force else "nothing"
        out.print(
            f"in force in {done.area} of {done.municipality}: of {of.system} {now}", highlight=False, soft_wrap=True
        )
        for table, count in of.rows.items():
            out.print(f"  {table}: {count:,} rows", highlight=False)
