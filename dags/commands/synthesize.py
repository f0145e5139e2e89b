"""`hikkoshi synthesize`: the dumps of an invented municipality, with faults listed beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dags.commands._reading_options import Town
from dags.commands._terminal import out, progress

EXAMPLES = (
    "hikkoshi synthesize mihon --residents 20000 --faults 0.005",
    "hikkoshi synthesize mihon --system resident_records",
)


def synthesize(
    municipality: Town,
    system: Annotated[
        list[str] | None, typer.Option("--system", help="Only this system's; may be repeated. All, where not given.")
    ] = None,
    residents: Annotated[int, typer.Option("--residents", min=1, help="How many people.")] = 20_000,
    faults: Annotated[
        float, typer.Option("--faults", min=0, max=1, help="The share of records that get a fault.")
    ] = 0.005,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the municipality's inbox, where not given.")
    ] = None,
) -> None:
    """Synthesize dumps."""
    from dags.inspection import synthesis
    from dags.pipeline.folders import municipality_folder
    from dags.pipeline.run_folder import settings
    from mappings.language.reader import read_municipality

    town = municipality_folder(municipality)
    for name in read_municipality(town, only=system).systems:
        with progress(f"{town.name} {name}") as tell:
            several = synthesis.synthesize(
                town,
                system=name,
                residents=residents,
                seed=seed,
                faults=faults,
                out=folder or settings().inbox(town.name),
                progress=tell,
            )
        for made in several:
            said = f"{made.dump}: {made.records:,} records, {made.faulty:,} with a fault"
            out.print(said, highlight=False, soft_wrap=True)
            out.print(f"{made.faults}", highlight=False, soft_wrap=True)
