"""`python -m dags.inspection.compiled`: have compiled what every municipality's dumps need, so that no run waits for it.

A few invented records of each system are written and read; what that compiles is kept (`extractors.kernels.memory`) and
serves every later process. What other layouts need is compiled when they are first read, and kept too.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dags.inspection.synthesis import synthesize
from dags.pipeline.folders import municipality_folders
from dags.pipeline.town import DumpReader, load
from extractors.batches import extract
from migration_reports.findings import SpecError

FAULTS = 0.5
"""So many that every kind of fault has its part in what is compiled."""


def main() -> int:
    """Write and read; a folder that is no sound municipality is left to `hikkoshi check`."""
    with tempfile.TemporaryDirectory(prefix="hikkoshi-") as folder:
        for town in municipality_folders(None):
            try:
                compile_for(town, Path(folder) / town.name)
            except SpecError:
                continue
    return 0


def compile_for(town: Path, out: Path) -> None:
    """Write and read invented records of a municipality's systems.

    Args:
        town: the municipality's folder.
        out: the folder to write into.

    Raises:
        SpecError: its specs have problems, or no recipe says how its records are invented.
    """
    municipality = load(town)
    for system in municipality.folder.systems:
        synthesize(town, system=system, residents=100, seed=1, faults=FAULTS, out=out)
    for name, dump in municipality.dumps.items():
        if files := [file for pattern in dump.spec.file for file in sorted(out.glob(pattern))]:
            _read(name, dump, files)


def _read(name: str, dump: DumpReader, files: list[Path]) -> None:
    reading = dump.reading
    with reading.open(files) as stream:
        for _ in extract(
            stream,
            name=name,
            layout=reading.layout,
            framing=reading.framing,
            charset=reading.charset,
            kinds=dump.kinds,
            blanks=reading.blanks,
            fixed_places=reading.fixed_places,
        ):
            pass


if __name__ == "__main__":
    sys.exit(main())
