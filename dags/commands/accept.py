"""`hikkoshi accept`: the guesses of draft, confirmed one by one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dags.commands._reading_options import Town
from dags.commands._terminal import err, out
from migration_reports.trouble import UsageError

if TYPE_CHECKING:
    from dags.authoring.acceptance import OpenGuess

EXAMPLES = (
    "hikkoshi accept midori",
    "hikkoshi accept midori --list",
    "hikkoshi accept midori residents.birth resident_records/mapping.yaml:31",
    "hikkoshi accept midori --all",
)


def accept(
    municipality: Town,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLACE...", help="The guesses that are right: table.column, or file:line."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Confirm every guess, unseen.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the open guesses, and change nothing.")] = False,
) -> None:
    """Confirm guesses."""
    from dags.authoring import acceptance as work
    from dags.pipeline.folders import one_folder

    if bool(places) + every + listed > 1:
        raise typer.BadParameter("give places, --all or --list, one of them", param_hint="PLACE")
    guesses = work.open_guesses(one_folder(municipality))
    if listed:
        for guess in guesses:
            out.print(f"{guess.position}  {guess.name}: {guess.reason}", highlight=False, markup=False, soft_wrap=True)
    if places:
        right = work.chosen(guesses, places)
    elif every:
        right = guesses
    elif listed or not guesses:
        right = ()
    elif sys.stdin.isatty():
        right = _asked(guesses)
    else:
        raise UsageError("nobody can be asked here: name the guesses that are right, or give --all or --list")
    for file in work.strike(right):
        out.print(f"{file}", highlight=False, markup=False, soft_wrap=True)
    left = len(guesses) - len(right)
    err.print(
        f"{len(right)} guesses confirmed, {left} open" + ("; `hikkoshi check` says what else is" if right else ""),
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def _asked(guesses: tuple[OpenGuess, ...]) -> tuple[OpenGuess, ...]:
    """The guesses that a person says are right. Until the last answer nothing is written."""
    right: list[OpenGuess] = []
    for number, guess in enumerate(guesses, 1):
        out.print(f"\n{number} of {len(guesses)}  {guess.name}", style="bold", highlight=False, markup=False)
        out.print(f"  {guess.position}", highlight=False, markup=False, soft_wrap=True)
        for line in guess.lines:
            out.print(f"    {line}", highlight=False, markup=False, soft_wrap=True)
        out.print(f"  because {guess.reason}", highlight=False, markup=False, soft_wrap=True)
        answer = ""
        while answer not in ("y", "n", "a", "q"):
            answer = (
                typer.prompt("Is it right? y(es), n(o, leave it open), a(ll that follow), q(uit asking)")
                .strip()
                .lower()
            )
        if answer == "a":
            return (*right, *guesses[number - 1 :])
        if answer == "q":
            break
        right += [guess] if answer == "y" else []
    return tuple(right)
