"""A municipality's synthetic dump, its recipe and layout found in its own folder or in its package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from extractors.synthesis import write
from extractors.synthesis.write import Synthesized
from mappings.language.reader import read_municipality


def synthesize(
    folder: Path,
    *,
    residents: int,
    seed: int,
    faults: float,
    out: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Synthesized:
    """Write a dump of an invented municipality; the arguments are those of `extractors.synthesis.write`.

    Raises:
        SpecError: the municipality's specs, its recipe or the layout cannot be used.
    """
    roots = read_municipality(folder).roots
    package = roots[1] if len(roots) > 1 else None
    return write.synthesize(
        folder, residents=residents, seed=seed, faults=faults, out=out, package=package, progress=progress
    )
