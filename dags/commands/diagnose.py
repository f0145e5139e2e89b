"""`hikkoshi diagnose`: how a dump may be read, with the evidence."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dags.commands._reading_options import Library, Replaced, pairs_of
from dags.commands._terminal import err, out

EXAMPLES = (
    "hikkoshi diagnose unknown.dat",
    "hikkoshi diagnose unknown.dat --layout juki.cpy",
)


def diagnose(
    dump: Annotated[Path, typer.Argument(help="The dump file.", exists=True, dir_okay=False)],
    layout: Annotated[
        Path | None,
        typer.Option("--layout", help="The copybook of its records, if there is one.", exists=True, dir_okay=False),
    ] = None,
    library: Library = [],
    replace: Replaced = [],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Diagnose a dump."""
    from dags.inspection import reader

    replacing = pairs_of(replace, "--replace")
    found = reader.diagnose_file(dump, layout=layout, library=library, replacing=replacing)
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found), ensure_ascii=False) + "\n")
        return
    out.print(f"{dump.name}: {found.size:,} bytes, {found.sampled:,} looked at", highlight=False, markup=False)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("manifest line", "strength", "evidence"):
        table.add_column(name, overflow="fold", justify="right" if name == "strength" else "left")
    family = ""
    for proposal in found.proposals:
        if proposal.family != family and family:
            table.add_row("", "", "")
        family = proposal.family
        table.add_row(
            "\n".join((proposal.yaml, *proposal.lines[1:])), f"{proposal.strength:.0%}", "; ".join(proposal.evidence)
        )
    out.print(table, markup=False, highlight=False)
    for remark in found.remarks:
        out.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)
    out.print("\nto paste into the manifest, under `dumps:`", highlight=False)
    out.print(f"  {dump.stem}:\n    file: {dump.name}", highlight=False, markup=False)
    if layout is not None:
        out.print(f"    layout: layouts/{layout.name}", highlight=False, markup=False)
    if replacing:
        said = json.dumps(replacing, ensure_ascii=False)
        out.print(f"    replacing: {said}", highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in found.lines:
        out.print(f"    {line}", highlight=False, markup=False, soft_wrap=True)
    if not found.best("framing"):
        err.print(
            "no framing fits: are the bytes compressed or encrypted, or is this not the whole file?", highlight=False
        )
        raise typer.Exit(1)
