"""`hikkoshi check`: whose specs are meant, and what is wrong with them, at places that an editor can open."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from dags.authoring import written_examples
from dags.authoring.excerpt import Lines, lines_of
from dags.own.lists import gaps
from dags.pipeline import town as towns
from dags.pipeline.folders import called
from mappings.language.package import packages_of
from migration_reports.findings import Position, Problem, SpecError


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """One municipality's specs, checked: their problems, or what a sound one holds and what was noted of it.

    Attributes:
        folder: the municipality's.
        problems: what is wrong, at paths from the current folder.
        summary: what a sound one holds.
        name: how commands may call it.
        notes: what was noted of its copybooks.
        lines: the texts that the problems speak of.
    """

    folder: Path
    problems: tuple[Problem, ...] = ()
    summary: str = ""
    notes: tuple[Problem, ...] = ()
    name: str = ""
    lines: Lines | None = None


def check(folder: Path) -> Checked:
    """Check a municipality's folder; no data are touched."""
    try:
        town = towns.load(folder)
        written_examples.read(town)
    except SpecError as error:
        problems = tuple(_opened(problem, folder) for problem in error.problems)
        return Checked(folder, problems, name=called(folder), lines=lines_of((folder, packages_of(folder))))
    fields = sum(
        len(schema) for system in town.plans for schema in written_examples.schemas_of(town, system, data=True).values()
    )
    tables = len({part.table for plan in town.plans.values() for part in plan.parts})
    # Dumps of one copybook have its notes once.
    noted = dict.fromkeys(note for dump in town.dumps.values() for note in dump.layout.notes)
    notes = tuple(_opened(note, folder) for note in (*noted, *gaps(town.own)))
    return Checked(folder, (), f"{len(town.dumps)} dump(s), {fields} fields, {tables} tables", notes=notes)


def _opened(problem: Problem, folder: Path) -> Problem:
    """A problem whose places are paths from the current folder, rather than names of folders."""
    defined = tuple(
        dataclasses.replace(d, position=_path(d.position, folder)) if d.position is not None else d
        for d in problem.defined
    )
    return dataclasses.replace(problem, position=_path(problem.position, folder), defined=defined)


def _path(position: Position, folder: Path) -> Position:
    first = Path(position.file).parts[0]
    if first == folder.name:
        path = folder.parent / position.file
    else:
        package = packages_of(folder) / position.file
        path = package if package.exists() else folder / position.file
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return dataclasses.replace(position, file=str(shown))
