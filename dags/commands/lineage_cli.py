"""`hikkoshi lineage`: which fields each column is made of and where each field goes, as data or as a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dags.commands.terminal import help_with

app = typer.Typer()


@app.command(
    help=help_with(
        "Show which fields each column is made of: OpenLineage JSON, or the item mapping table (項目マッピング表).",
        "hikkoshi lineage mihon > lineage.json",
        "hikkoshi lineage mihon --format xlsx --out item_mapping.xlsx",
    )
)
def lineage(
    municipality: Annotated[str, typer.Argument(help="A municipality: its folder, code, romaji, or path.")],
    form: Annotated[
        str, typer.Option("--format", help="json (OpenLineage column lineage) or xlsx (item mapping table).")
    ] = "json",
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; for json standard output, where not given.")
    ] = None,
) -> None:
    """Show the lineage of columns; no data are touched."""
    from dags.authoring import lineage  # noqa: PLC0415
    from dags.pipeline.folders import one_folder  # noqa: PLC0415
    from dags.pipeline.municipality import load  # noqa: PLC0415
    from migration_reports.records.item_mapping import workbook  # noqa: PLC0415

    if form not in ("json", "xlsx"):
        raise typer.BadParameter("one of json, xlsx", param_hint="--format")
    if form == "xlsx" and out is None:
        raise typer.BadParameter("a workbook needs a file to be written to", param_hint="--out")
    town = load(one_folder(municipality))
    if form == "json":
        data = (json.dumps(lineage.column_lineage(town), ensure_ascii=False, indent=1) + "\n").encode()
    else:
        name = town.folder.manifest.municipality
        data = workbook(f"{name.name} {name.code}", lineage.target_items(town), lineage.source_items(town))
    if out is None:
        sys.stdout.write(data.decode())
    else:
        out.write_bytes(data)
