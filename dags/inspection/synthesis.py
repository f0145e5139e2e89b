"""A municipality's synthetic dumps, a system's recipe and layout found in its own folder or in its package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from extractors.synthesis import write
from extractors.synthesis.write import Synthesized
from mappings.language.reader import read_municipality
from migration_reports.findings import UsageError


def synthesize(
    folder: Path,
    *,
    system: str | None = None,
    residents: int,
    seed: int,
    faults: float,
    out: Path,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Synthesized, ...]:
    """Write a system's dumps of an invented municipality; the other arguments are those of `extractors.synthesis.write`.

    Args:
        system: whose dumps; it need not be said where the municipality has one.

    Raises:
        SpecError: the municipality's specs, its recipe or the layout cannot be used.
        UsageError: there is no such system, or there are several and none was named.
    """
    systems = read_municipality(folder, only=None if system is None else (system,)).systems
    if len(systems) > 1:
        raise UsageError(f"{folder.name} has several systems; say whose dump is meant: {', '.join(systems)}")
    (folder_of_system,) = systems.values()
    own, *of_package = (root.path for root in folder_of_system.roots)
    return write.synthesize(
        own,
        residents=residents,
        seed=seed,
        faults=faults,
        out=out,
        package=next(iter(of_package), None),
        progress=progress,
    )
