"""`hikkoshi runs`: the runs that the ledger knows."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from dags.commands._terminal import out

EXAMPLES = (
    "hikkoshi runs",
    "hikkoshi runs mihon --json",
)


def runs(
    municipality: Annotated[str | None, typer.Argument(help="Only this municipality's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List runs, with the systems that are in force."""
    from dags import known_runs
    from dags.pipeline.folders import municipality_folders
    from dags.pipeline.run_folder import settings

    entries = known_runs.list_runs(municipality)
    towns = {folder.name[:6]: folder.name for folder in municipality_folders(None)}
    if as_json:
        for entry in entries:
            line = {**dataclasses.asdict(entry), "town": towns.get(entry.municipality_code, "")}
            sys.stdout.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        return
    several = settings().databases is not None
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("run", "town", "kind", "state", "in force in", "started", "finished", *["database"] * several):
        table.add_column(name, no_wrap=name != "run", overflow="fold")
    for e in entries:
        kind = e.mode if e.mode == "cut-over" else f"rehearsal {e.rehearsal}"
        finished = f"{e.finished:%Y-%m-%d %H:%M:%S}" if e.finished else ""
        town = towns.get(e.municipality_code, e.municipality_code)
        where = f"{e.area}: {', '.join(e.in_force)}" if e.in_force else ""
        # Systems that stand differently are said one by one.
        differ = len(set(e.systems.values())) > 1
        state = ", ".join(f"{name} {state}" for name, state in e.systems.items()) if differ else e.state
        started = f"{e.started:%Y-%m-%d %H:%M:%S}"
        table.add_row(e.run_id, town, kind, state, where, started, finished, *[e.database] * several)
    out.print(table)
