"""What people decided about candidates, proved against what their systems declare, and given to the mapping as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from mappings.language.decisions import Settled, settle, table_by
from mappings.language.folder import CodeTable, MunicipalityFolder, Period, SystemFolder
from migration_reports.candidates import Candidates
from migration_reports.findings import Position, Problem, did_you_mean
from target_schemas.model import System


def decided(spec: MunicipalityFolder, systems: Sequence[System], problems: list[Problem]) -> MunicipalityFolder:
    """The folder with the decisions of each system among its code tables, for `resolved`.

    Args:
        spec: the folder as it was read.
        systems: those that it moves.
        problems: is added to.
    """
    made = {system.name: _with_tables(spec.systems[system.name], system.candidates, problems) for system in systems}
    return dataclasses.replace(spec, systems=MappingProxyType({**spec.systems, **made}))


def settled(folder: SystemFolder, candidates: Sequence[Candidates], problems: list[Problem]) -> Mapping[str, Settled]:
    """By candidates, what the decisions about them come to.

    Args:
        folder: what the municipality says of the system.
        candidates: what the system declares.
        problems: is added to.
    """
    names = [one.name for one in candidates]
    for line in folder.decisions:
        if line.candidates not in names:
            problems.append(_unknown(line.candidates, names, line.position))
    return {
        one.name: settle(
            (line for line in folder.decisions if line.candidates == one.name), between=one.between, problems=problems
        )
        for one in candidates
    }


def _with_tables(folder: SystemFolder, candidates: Sequence[Candidates], problems: list[Problem]) -> SystemFolder:
    tables = dict(folder.code_tables)
    between = {one.name: one.between for one in candidates}
    for name, one in settled(folder, candidates, problems).items():
        period = Period("", "", MappingProxyType(dict(one.numbers)))
        tables[table_by(name)] = CodeTable((period,), "", others="are none" if between[name] else "stay")
    problems.extend(_misused(folder, {one.name: one for one in candidates}))
    return dataclasses.replace(folder, code_tables=MappingProxyType(tables))


def _misused(folder: SystemFolder, candidates: Mapping[str, Candidates]) -> Iterator[Problem]:
    """Where the mapping follows decisions about candidates that there are not, or would merge what they are found by."""
    for table, parts in folder.mapping.tables.items():
        for part, spec in enumerate(parts):
            for column, said in spec.columns.items():
                for number, step in enumerate(said.transforms):
                    by = step.params.get("by")
                    if step.name != "resolved" or not isinstance(by, str):
                        continue
                    at = ("tables", table, part, "columns", column, "transforms", number, "resolved")
                    place = folder.mapping_places.at(*at, "by")
                    if by not in candidates:
                        yield _unknown(by, tuple(candidates), place)
                    elif column in _numbers(candidates[by], f"{folder.name}.{table}"):
                        message = f"`{column}` of {table} is the number by which `{by}` is found: rows would be merged"
                        hint = "resolve a column that refers to it, and leave every row its own number"
                        yield Problem("Y118", place, message, (), hint)


def _numbers(candidates: Candidates, table: str) -> tuple[str, ...]:
    """The columns of a table that are the number of candidates."""
    own = candidates.number if table == candidates.of else ()
    return (*own, *(candidates.other_number if table == candidates.other else ()))


def _unknown(name: str, known: Sequence[str], place: Position) -> Problem:
    hint = did_you_mean(name, known) or ("" if known else "the system declares none")
    return Problem("Y116", place, f"unknown candidates `{name[:60]}`", tuple(known), hint)
