"""`hikkoshi lineage`: which fields each column is made of and where each field goes, as data or as a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "hikkoshi lineage mihon > lineage.json",
    "hikkoshi lineage mihon --format xlsx --out item_mapping.xlsx",
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
    from dags.authoring import lineage
    from dags.pipeline.folders import one_folder
    from dags.pipeline.town import load
    from migration_reports.records.item_mapping import workbook

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
