"""OCCURS to rows: which columns of a batch are the occurrences of a table, and what they are called in a row."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pyarrow as pa

from mappings.plan import VALUE, Occurrences, Runs

_SUBSCRIPTED = re.compile(r"(?P<stem>[^(]+)\((?P<numbers>\d+(?:,\d+)*)\)(?P<group>.*)")


@dataclasses.dataclass(frozen=True, slots=True)
class _Cell:
    """A field of one occurrence: the tables that its name has subscripts of, the outermost first, and those."""

    field: pa.Field
    stem: str
    group: str
    tables: tuple[str, ...]
    numbers: tuple[int, ...]

    def called(self, depth: int) -> str:
        """What it is called where so many of its subscripts are told by the row."""
        left = ",".join(map(str, self.numbers[depth:]))
        return f"{self.stem}({left}){self.group}" if left else f"{self.stem}{self.group}"


def tables_of(fields: Iterable[pa.Field]) -> tuple[str, ...]:
    """The tables (OCCURS) that a record kind has, and those inside them."""
    names: dict[str, None] = {}
    for field in fields:
        if pa.types.is_list(field.type):
            names.update(dict.fromkeys((field.name, *tables_of(_members(field)))))
        elif (cell := _cell(field)) is not None:
            names.update(dict.fromkeys(cell.tables))
    return tuple(names)


def tables_around(fields: Iterable[pa.Field], member: str) -> tuple[str, ...]:
    """The tables (OCCURS) that a field without subscripts stands in, the outermost first; none where it stands in none."""
    for field in fields:
        cell = _cell(field)
        if cell is not None and cell.stem == member:
            return cell.tables
        if pa.types.is_list(field.type):
            inside = _members(field)
            deeper = tables_around(inside, member)
            if deeper or any(part.name == member for part in inside):
                return (field.name, *deeper)
    return ()


def compile_occurrences(table: str, schema: pa.Schema) -> Occurrences | None:
    """Find the occurrences of a table; None where there is no such table.

    A table of a varying number of occurrences is a list. Of one with a fixed number every occurrence has columns of its
    own, `NAME(1)`, `NAME(2)`; in a table inside another, those of every occurrence of the outer one. The name in a row is
    that without the subscripts of the table and of those around it, whose other members are in the row as well.
    """
    lists = _lists_to(table, schema)
    if lists is None:
        return None
    names = tuple(field.name for field in lists)
    members = {m.name: m.type for f in lists for m in _members(f) if not (m.name in names and pa.types.is_list(m.type))}
    if names[-1:] == (table,):
        return Occurrences(names, names, (), MappingProxyType({}), MappingProxyType(members))
    cells = _cells(_members(lists[-1]) if lists else schema)
    inside = next(cell.tables for cell in cells if table in cell.tables)
    around = inside[: inside.index(table) + 1]
    found: dict[str, dict[tuple[int, ...], str]] = {}
    for cell in cells:
        depth = _common(cell.tables, around)
        if not depth:
            continue
        members.pop(cell.field.name, None)
        name = cell.called(depth)
        members[name] = cell.field.type
        found.setdefault(name, {})[cell.numbers[:depth]] = cell.field.name
    flat = {name: tuple(by[at] for at in sorted(by)) for name, by in found.items()}
    last = max((at for by in found.values() for at in by), key=len)
    shape = tuple(max(at[axis] for by in found.values() for at in by if len(at) > axis) for axis in range(len(last)))
    return Occurrences((*names, *around), names, shape, MappingProxyType(flat), MappingProxyType(members))


def runs_of(each: Occurrences, runs: Runs) -> Occurrences | None:
    """The runs of equal occurrences of a table; None where an occurrence holds more than one value."""
    if each.table not in each.members:
        return None
    members = {name: kind for name, kind in each.members.items() if name != each.table}
    return dataclasses.replace(each, members=MappingProxyType({**members, VALUE: each.members[each.table]}), runs=runs)


def fields_in_rows(each: Occurrences, schema: pa.Schema) -> Mapping[str, pa.Field]:
    """By its name in a row, the field of the layout: of several that of the first occurrence."""
    fields: dict[str, pa.Field] = {field.name: field for field in schema}
    for column in each.lists:
        fields.update({member.name: member for member in _members(fields[column])})
    firsts = {name: fields[columns[0]] for name, columns in each.flat.items()}
    return {name: field for name, field in {**fields, **firsts}.items() if name in each.members}


def _lists_to(table: str, fields: Iterable[pa.Field]) -> tuple[pa.Field, ...] | None:
    """The lists in which a table lies, the outermost first, itself included where it is one."""
    for field in fields:
        if pa.types.is_list(field.type):
            inner = () if field.name == table else _lists_to(table, _members(field))
            if inner is not None:
                return (field, *inner)
        elif (cell := _cell(field)) is not None and table in cell.tables:
            return ()
    return None


def members_of(field: pa.Field) -> tuple[pa.Field, ...]:
    """The fields that lie in a list, and in lists in it; none where its occurrences are values."""
    if not pa.types.is_list(field.type) or not pa.types.is_struct(field.type.value_type):
        return ()
    return tuple(one for member in _members(field) for one in members_of(member) or (member,))


def _members(field: pa.Field) -> tuple[pa.Field, ...]:
    """The columns that a list becomes, an occurrence a row."""
    element = field.type.value_type
    return tuple(element) if pa.types.is_struct(element) else (pa.field(field.name, element, metadata=field.metadata),)


def _cells(fields: Iterable[pa.Field]) -> list[_Cell]:
    return [cell for cell in map(_cell, fields) if cell is not None]


def _cell(field: pa.Field) -> _Cell | None:
    found = _SUBSCRIPTED.fullmatch(field.name)
    occurs = _occurs(field)
    if found is None or not occurs:
        return None
    numbers = tuple(map(int, found["numbers"].split(",")))
    return _Cell(field, found["stem"], found["group"], occurs[-len(numbers) :], numbers)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many tables two fields have around them in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _occurs(field: pa.Field) -> tuple[str, ...]:
    return tuple(filter(None, (field.metadata or {}).get(b"occurs", b"").decode().split(",")))
