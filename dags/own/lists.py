"""A municipality's own lists, checked against what all share, and laid over it.

    own/tables/consumption_tax.csv    lines of a reference table: on their days they stand in the place of the shared ones
    own/codes/land_use.csv            codes of an open set: they are added to the shared ones

Both have the columns of the shared sheets, and hold for all systems of the municipality.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from mappings.language.folder import MunicipalityFolder
from migration_reports.codes import Code, CodeSet
from migration_reports.items import Item
from migration_reports.trouble import Position, Problem, did_you_mean
from target_schemas.code_sheets import read_own_codes
from target_schemas.model import System
from target_schemas.reference_sheets import LAST, ReferenceLine, ReferenceTable, next_day, read_lines
from target_schemas.reference_tables import REFERENCE_TABLES
from target_schemas.systems import CODE_SETS

SHARED = "joint."

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "Y083": "a time at which no line of a reference table holds (a note)",
        "Y080": "a list of a municipality's own for what there is not, or what takes none",
    }
)
"""What each problem code of own lists means."""


@dataclasses.dataclass(frozen=True, slots=True)
class OwnLine:
    """A line of a municipality's own, and the cells in which it differs: item, shared value and own."""

    table: ReferenceTable
    line: ReferenceLine
    cells: tuple[tuple[str, str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class OwnLists:
    """What a municipality has of its own.

    Attributes:
        tables: every reference table as it holds here, by name with the schema's.
        lines: its own lines of them.
        codes: by open set, its own codes.
    """

    tables: Mapping[str, ReferenceTable]
    lines: tuple[OwnLine, ...] = ()
    codes: Mapping[str, CodeSet] = dataclasses.field(default_factory=dict)


def of_municipality(spec: MunicipalityFolder, systems: Sequence[System], problems: list[Problem]) -> OwnLists:
    """Read the own lists of a municipality's folder.

    Args:
        spec: the folder.
        systems: those of its systems that are loaded, each in its edition.
        problems: is added to.
    """
    items = [item for system in systems for table in system.tables for item in table.items]
    code_sets = {**CODE_SETS, **{codes.name: codes for system in systems for codes in system.code_sets}}
    return read_own(spec.folder, spec.own, REFERENCE_TABLES, code_sets, items, problems)


def read_own(
    folder: str,
    texts: Mapping[str, str],
    tables: Mapping[str, ReferenceTable],
    code_sets: Mapping[str, CodeSet],
    items: Sequence[Item],
    problems: list[Problem],
) -> OwnLists:
    """Read a municipality's own lists.

    Args:
        folder: what positions call the municipality's.
        texts: the lists by path.
        tables: the shared reference tables.
        code_sets: the shared code sets.
        items: those of the municipality's systems.
        problems: is added to.
    """
    lines: list[OwnLine] = []
    codes: dict[str, CodeSet] = {}
    held = dict(tables)
    for path, text in texts.items():
        shown, parts = f"{folder}/{path}", PurePosixPath(path).with_suffix("").parts
        if len(parts) != 3 or not path.endswith(".csv"):
            allowed = ("own/codes/<code set>.csv", "own/tables/<reference table>.csv")
            problems.append(Problem("Y080", Position(shown), f"`{path[:80]}` is no list", allowed))
            continue
        _, kind, name = parts
        if kind == "tables" and f"{SHARED}{name}" in tables:
            table = tables[f"{SHARED}{name}"]
            own = read_lines(table, text, shown, problems)
            lines.extend(OwnLine(table, line, tuple(_changed(table, line))) for line in own)
            held[f"{SHARED}{name}"] = overridden(table, own)
        elif kind == "codes" and name in code_sets and code_sets[name].open:
            fits = _fits(items, name)
            codes[name] = read_own_codes(code_sets[name], text, shown, problems, fits=fits)
        else:
            problems.append(_unknown(kind, name, Position(shown), tables, code_sets))
    return OwnLists(MappingProxyType(held), tuple(lines), MappingProxyType(codes))


def _unknown(
    kind: str, name: str, place: Position, tables: Mapping[str, ReferenceTable], code_sets: Mapping[str, CodeSet]
) -> Problem:
    if kind == "codes" and name in code_sets:
        message, hint = f"code set `{name}` is not open", "its codes are the standard's; map the old ones to them"
        return Problem("Y080", place, message, (), hint)
    known = {
        "tables": [table.removeprefix(SHARED) for table in tables],
        "codes": [codes.name for codes in code_sets.values() if codes.open],
    }
    if kind not in known:
        return Problem("Y080", place, f"`own/{kind[:60]}` is no folder of lists", ("own/codes", "own/tables"))
    what = "reference table" if kind == "tables" else "open code set"
    hint = did_you_mean(name, known[kind])
    return Problem("Y080", place, f"there is no {what} `{name[:60]}`", tuple(known[kind]), hint)


def _fits(items: Sequence[Item], name: str) -> Callable[[str], str]:
    """What is wrong with a code of a set beside the items that hold it."""
    room = [(item.width or item.length, item) for item in items if item.code_set == name]

    def wrong(code: str) -> str:
        for most, item in room:
            if len(code) != most if item.width else most and len(code) > most:
                return f"does not fit `{item.name}`: {most} characters{'' if item.width else ' at most'}"
        return ""

    return wrong


def joined(code_sets: Sequence[CodeSet], own: Mapping[str, CodeSet]) -> tuple[CodeSet, ...]:
    """Code sets with a municipality's own codes; one that is open and has none stays open."""
    return tuple(codes.joined(own[codes.name].codes) if codes.name in own else codes for codes in code_sets)


def overridden(table: ReferenceTable, own: Sequence[ReferenceLine]) -> ReferenceTable:
    """A table in which, on the days of a municipality's own lines, those stand in the place of the shared ones."""
    left = list(table.lines)
    for line in own:
        key = table.key_of(line)
        left = [part for other in left for part in (_without(other, line) if table.key_of(other) == key else (other,))]
    lines = sorted((*left, *own), key=lambda line: (table.key_of(line), line.valid_from))
    return dataclasses.replace(table, lines=tuple(lines))


def _without(line: ReferenceLine, own: ReferenceLine) -> Iterator[ReferenceLine]:
    """What is left of a line's time before and after another's."""
    if not line.holds(own.valid_from, own.valid_to or LAST):
        yield line
        return
    if line.valid_from < own.valid_from:
        yield dataclasses.replace(line, valid_to=next_day(own.valid_from, -1))
    if own.valid_to and own.valid_to < (line.valid_to or LAST):
        yield dataclasses.replace(line, valid_from=next_day(own.valid_to))


def _changed(table: ReferenceTable, own: ReferenceLine) -> Iterator[tuple[str, str, str]]:
    """The cells in which an own line differs from the shared ones of its key and time; where there is none, all."""
    key = table.key_of(own)
    others = [
        line for line in table.lines if table.key_of(line) == key and line.holds(own.valid_from, own.valid_to or LAST)
    ]
    for name in (item.name for item in table.items if item.name not in table.by):
        shared = dict.fromkeys(line.cells[name] for line in others)
        if [*shared] != [own.cells[name]]:
            yield name, " / ".join(shared), own.cells[name]


def gaps(own: OwnLists) -> Iterator[Problem]:
    """A note for each time between two lines of a key at which none holds, in the tables that have lines of one's own."""
    for table in (own.tables[name] for name in dict.fromkeys(line.table.table.qualified for line in own.lines)):
        place = next(line.line.place for line in own.lines if line.table.table == table.table)
        for key, before, after in table.gaps():
            message = f"no line of {', '.join(key)} holds between {before} and {after}"
            yield Problem("Y083", Position(place.file), message, hint="a rule that looks it up on such a day fails")


def own_codes(own: OwnLists) -> Iterator[tuple[str, Code]]:
    """Every code of the municipality's own, with its set."""
    yield from ((name, code) for name, codes in own.codes.items() for code in codes.codes)
