"""The specs of a run: copied when it begins, with their SHA-256, and read from that copy ever after.

Every step of the run, its approval and every later report read the copy, so that what is said of a run is what was run,
whatever becomes of the municipality's folder. The copy has the form of what it was made of: `municipalities/<folder>` with
the folders of the systems that the run moves, and `packages/<name>` where one of them is based on one.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from dags.pipeline.run_folder import Run, read_result, write_result
from dags.pipeline.town import Municipality, load
from mappings.language.own_lists import OWN
from mappings.language.package import packages_of
from mappings.language.reader import read_municipality
from migration_reports.findings import RunError, SpecError, UsageError
from migration_reports.private_files import write_whole
from migration_reports.records.steps import Specs

FORMER = "specs.json"
"""Where a former program kept the hashes, among the specs."""

MOST_BYTES = 64_000_000
"""Of a municipality's specs and its package's together; a dump that lies among them is none."""


def keep(folder: Path, target: Path, *, systems: Collection[str] | None = None) -> Municipality:
    """Copy a municipality's specs and its packages', and prove the copy.

    Args:
        folder: the municipality's folder.
        target: where to copy to; it is made, owner-only.
        systems: those that the run moves, the others are not copied; all that it has, where not given.

    Raises:
        SpecError: the specs have problems.
        RunError: what lies in the folder is too much to be specs.
        UsageError: the municipality has no such system.
    """
    of_systems = read_municipality(folder, only=systems).systems
    packages = {root.path.name for system in of_systems.values() for root in system.roots[1:]}
    hashes: dict[str, str] = {}
    size = 0
    for name, file in _specs(folder, of_systems, packages):
        size += file.stat().st_size
        if size > MOST_BYTES:
            raise RunError(
                f"{file.parent} holds more than {MOST_BYTES:,} bytes. A municipality's folder holds specs only: move dumps "
                "and other large files out of it, into the inbox. Nothing was begun."
            )
        data = file.read_bytes()
        write_whole(target / name, data)
        hashes[name] = hashlib.sha256(data).hexdigest()
    write_result(target.parent, Specs(sha256=hashes))
    return load(target / "municipalities" / folder.name)


def files_left(folder: Path, municipality: Municipality) -> tuple[str, ...]:
    """The files that the municipality expects of systems which are not moved; none of a system whose specs have problems."""
    names: list[str] = []
    for other in sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name not in municipality.folder.systems):
        with contextlib.suppress(SpecError, UsageError):
            names += read_municipality(folder, only=(other,)).files
    return tuple(names)


def _specs(folder: Path, systems: Collection[str], packages: Collection[str]) -> Iterator[tuple[str, Path]]:
    """The files of a municipality's head, of its own lists, of some of its systems and of packages, each with its place in a copy."""
    for file in files(folder):
        inner = file.relative_to(folder)
        if len(inner.parts) == 1 or inner.parts[0] in (OWN, *systems):
            yield (Path("municipalities") / folder.name / inner).as_posix(), file
    for package in sorted(packages):
        root = packages_of(folder) / package
        for file in files(root):
            yield (Path("packages") / package / file.relative_to(root)).as_posix(), file


def files(root: Path) -> Iterator[Path]:
    """The files of a folder of specs, in order; hidden ones and links that lead out of it are none."""
    for file in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if file.is_file() and not hidden and file.resolve().is_relative_to(root.resolve()):
            yield file


def municipality_of(run: Run) -> Municipality:
    """The municipality as the run's own copy of its specs has it, compiled once a process.

    Raises:
        RunError: the copy is not what it was when the run began.
    """
    return _compiled(run.path / "specs", run.folder)


@functools.lru_cache(maxsize=8)
def _compiled(copy: Path, folder: str) -> Municipality:
    hashes = _hashes(copy)
    there = {
        file.relative_to(copy).as_posix(): file for file in files(copy) if file.relative_to(copy).as_posix() != FORMER
    }
    wrong = sorted(
        {name for name, file in there.items() if hashlib.sha256(file.read_bytes()).hexdigest() != hashes.get(name)}
        | (hashes.keys() - there.keys())
    )
    if wrong:
        raise RunError(
            f"the run's own copy of the specs has been changed: {', '.join(wrong[:5])} in {copy}. "
            "Nothing was done. Put it back as it was, or run again."
        )
    try:
        return load(copy / "municipalities" / folder)
    except SpecError as error:
        raise RunError(f"this program cannot use the specs that the run began with: {error}. Run again.") from None


def changed(run: Run, folder: Path) -> tuple[str, ...]:
    """The specs of the run's systems in the municipality's folder, and of their packages, that are not what the run used.

    Args:
        run: the run.
        folder: the municipality's folder as it is now.
    """
    hashes = _hashes(run.path / "specs")
    parts = [Path(name).parts for name in hashes]
    systems = {inner[0] for kind, _, *inner in parts if kind == "municipalities" and len(inner) > 1}
    packages = {name for kind, name, *_ in parts if kind == "packages"}
    now = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in _specs(folder, systems, packages)}
    return tuple(sorted(name for name in hashes.keys() | now.keys() if hashes.get(name) != now.get(name)))


def _hashes(copy: Path) -> Mapping[str, str]:
    specs = read_result(copy.parent, Specs)
    if specs is None:
        raise RunError(f"{copy} is missing: the run began with a program that kept no specs. Run again.")
    return specs.sha256
