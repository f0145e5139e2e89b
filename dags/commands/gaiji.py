"""`hikkoshi gaiji`: the ledger of a run taken out for identification, and the decisions read back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dags.commands._terminal import out
from dags.commands.contract import help_with

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(
    help=help_with(
        "Write the gaiji ledger of a run as .csv, .xlsx or .html, with columns for the decision to fill in.",
        "hikkoshi gaiji export 990027-r01-20261123T094523-967f gaiji.xlsx",
    )
)
def export(
    run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")],
    target: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
) -> None:
    """Export a ledger."""
    from dags.pipeline import gaiji_ledger

    rows = gaiji_ledger.export(run_id, target)
    out.print(f"{target}: {rows:,} codes", highlight=False, soft_wrap=True)


@app.command(
    "import",
    help=help_with(
        "Read the decisions of a filled-in ledger (.csv or .xlsx) into the municipality's gaiji table. A decision that was in force and is emptied is withdrawn. Nothing is changed where any line cannot be used.",
        "hikkoshi gaiji import gaiji.xlsx mihon",
    ),
)
def import_decisions(
    file: Annotated[Path, typer.Argument(help="The ledger.", exists=True, dir_okay=False)],
    municipality: Annotated[str, typer.Argument(help="A municipality: its folder, code, romaji, or path.")],
    dump: Annotated[str | None, typer.Option("--dump", help="Only the lines of this dump.")] = None,
) -> None:
    """Import decisions."""
    from dags.authoring.decisions import gaiji_import
    from dags.pipeline.folders import one_folder
    from dags.pipeline.town import load

    done = gaiji_import.read_back(file, load(one_folder(municipality)), dump=dump)
    if not done:
        out.print("no line holds a decision; nothing was changed", highlight=False)
    for name, (new, changed, same, withdrawn) in done.items():
        said = f"{new:,} decisions new, {changed:,} changed, {same:,} as before, {withdrawn:,} withdrawn"
        out.print(f"{name}: {said}", highlight=False)
