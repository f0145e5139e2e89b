"""`hikkoshi explain`: the way from dump bytes to a column, or what a code means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dags.commands._terminal import err, out, visible

EXAMPLES = (
    "hikkoshi explain mihon residents.birth",
    "hikkoshi explain mihon residents.birth --record 12",
    "hikkoshi explain tehon",
    "hikkoshi explain Y022",
)


def explain(
    municipality: Annotated[
        str,
        typer.Argument(
            metavar="MUNICIPALITY|CODE",
            help="A municipality: its folder, code, romaji, or path; or a code such as Y022.",
        ),
    ],
    column: Annotated[
        str | None, typer.Argument(help="table.column, or a column that only one table has; a date by its name.")
    ] = None,
    record: Annotated[
        int | None, typer.Option("--record", min=1, help="Follow this record of the dump, value by value, masked.")
    ] = None,
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the dumps lie, where not in the usual inbox.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Explain a column."""
    from dags.authoring import explain as work
    from dags.authoring.merged import merged
    from dags.pipeline.folders import one_folder
    from dags.pipeline.run_folder import settings
    from dags.pipeline.town import load

    if column is None and (told := work.code(municipality)):
        sys.stdout.writelines(f"{line}\n" for line in told)
        return
    folder = one_folder(municipality)
    town = load(folder)
    if column is None:
        if record is not None:
            raise typer.BadParameter("a record is followed into a column", param_hint="COLUMN")
        sys.stdout.writelines(f"{visible(line)}\n" for line in merged(town))
        return
    table, name = work.column_of(town, column)
    sections = list(work.explain(town, table, name))
    if record is not None:
        where = inbox or settings().inbox(folder.name)
        sections += work.explain_record(town, table, name, record=record, inbox=where, reveal=reveal)
    for section in sections:
        out.print(section.title, style="bold", highlight=False, markup=False, soft_wrap=True)
        for label, said in section.lines:
            out.print(f"    {label:<20} {said}", highlight=False, markup=False, soft_wrap=True)
    if record is not None and not reveal:
        err.print("values are masked; --reveal shows them", highlight=False)
