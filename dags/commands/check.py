"""`hikkoshi check`: every problem of specs, with its place; no data are touched."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated

import typer

from dags.commands._terminal import err, visible

EXAMPLES = (
    "hikkoshi check",
    "hikkoshi check mihon",
    "hikkoshi check ../towns/990027_mihon --format github",
)


def check(
    municipality: Annotated[
        str | None, typer.Argument(help="One municipality, or the path of its folder; all, where not given.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, json, github or sarif.")] = "text",
) -> None:
    """Check specs; no data are touched."""
    from dags.authoring import check as checking
    from dags.authoring import problem_formats
    from dags.pipeline.folders import municipality_folders

    names = [known.name for known in problem_formats.FORMATS]
    if form not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--format")
    checked = [checking.check(folder) for folder in municipality_folders(municipality)]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else problem_formats.WIDTH
    if text := problem_formats.render(checked, form, width=width):
        # JSON escapes by itself, and may not be spelled otherwise.
        sys.stdout.write(f"{text if form in ('json', 'sarif') else visible(text)}\n")
    codes = [problem.code for one in checked for problem in one.problems]
    if codes:
        guesses = codes.count(problem_formats.GUESS)
        rest = "; `hikkoshi explain CODE` says more of each" if len(codes) > guesses else ""
        err.print(f"{len(codes) - guesses} problem(s), {guesses} guess(es) open{rest}", highlight=False)
        raise typer.Exit(2)
