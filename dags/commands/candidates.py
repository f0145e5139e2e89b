"""`hikkoshi candidates`: the candidates of a run taken out to be decided upon, and the decisions read back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dags.commands._terminal import out
from dags.commands.contract import help_with

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(
    help=help_with(
        "Write the candidates of a run (two numbers that may be one person or firm) as .xlsx or .csv, with their numbers and columns for the decision to fill in.",
        "hikkoshi candidates export mihon candidates.xlsx",
    )
)
def export(
    run: Annotated[str, typer.Argument(help="The run; or a municipality, of which its latest is meant.")],
    target: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
    samples: Annotated[bool, typer.Option("--samples", help="Also the values that were compared, masked.")] = False,
) -> None:
    """Export candidates."""
    from dags.pipeline.candidates.export import export

    pairs, open_ = export(run, target, samples=samples)
    out.print(f"{target}: {pairs:,} pairs, {open_:,} to be decided", highlight=False, soft_wrap=True)


@app.command(
    "import",
    help=help_with(
        "Read the decisions of a filled-in list (.xlsx or .csv) into decisions/candidates.csv of the municipality's systems. A decision that was in force and is emptied is withdrawn. Nothing is changed where any line cannot be used, or decisions contradict one another.",
        "hikkoshi candidates import candidates.xlsx mihon",
    ),
)
def import_decisions(
    file: Annotated[Path, typer.Argument(help="The list.", exists=True, dir_okay=False)],
    municipality: Annotated[str, typer.Argument(help="A municipality: its folder, code, romaji, or path.")],
) -> None:
    """Import decisions."""
    from dags.authoring.decisions import candidates_import
    from dags.pipeline.folders import one_folder
    from dags.pipeline.town import load

    done = candidates_import.read_back(file, load(one_folder(municipality)))
    if not done:
        out.print("no line holds a decision; nothing was changed", highlight=False)
    for name, (new, changed, same, withdrawn) in done.items():
        said = f"{new:,} decisions new, {changed:,} changed, {same:,} as before, {withdrawn:,} withdrawn"
        out.print(f"{name}: {said}", highlight=False)
