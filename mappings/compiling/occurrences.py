"""OCCURS to rows: which columns of a batch are the occurrences of a table, and what they are called in a row."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType

import pyarrow as pa

from mappings.plan import Occurrences


def tables_of(schema: pa.Schema) -> tuple[str, ...]:
    """The tables (OCCURS) that a record kind has."""
    names: dict[str, None] = {}
    for field in schema:
        if pa.types.is_list(field.type):
            names[field.name] = None
        names.update(dict.fromkeys(_occurs(field)))
    return tuple(names)


def tables_around(schema: pa.Schema, member: str) -> tuple[str, ...]:
    """The tables (OCCURS) that a field without subscripts stands in, the outermost first; none where it stands in none."""
    for field in schema:
        if field.name.partition("(")[0] == member and field.name != member:
            return _occurs(field)
        element = field.type.value_type if pa.types.is_list(field.type) else None
        if element is not None and pa.types.is_struct(element) and any(part.name == member for part in element):
            return (field.name,)
    return ()


def compile_occurrences(table: str, schema: pa.Schema) -> Occurrences | None:
    """Find the occurrences of a table; None where there is no such table.

    A table of a varying number of occurrences is a list. Of one with a fixed number every occurrence has columns of its
    own, `NAME(1)`, `NAME(2)`; in a table inside another, those of every occurrence of the outer one. The name in a row is
    that without the table's subscript.
    """
    if table in schema.names and pa.types.is_list(schema.field(table).type):
        element = schema.field(table).type.value_type
        members = {m.name: m.type for m in element} if pa.types.is_struct(element) else {table: element}
        return Occurrences(table, MappingProxyType(members), column=table)
    rows: dict[tuple[int, ...], dict[str, str]] = defaultdict(dict)
    members = {}
    for field in schema:
        occurs = _occurs(field)
        if table not in occurs:
            continue
        depth = occurs.index(table) + 1
        stem, _, subscripts = field.name.rpartition("(")
        numbers = tuple(map(int, subscripts.rstrip(")").split(",")))
        rest = numbers[depth:]
        name = f"{stem}({','.join(map(str, rest))})" if rest else stem
        rows[numbers[:depth]][field.name] = name
        members.setdefault(name, field.type)
    if not rows:
        return None
    flat = tuple((numbers[-1], MappingProxyType(rows[numbers])) for numbers in sorted(rows))
    return Occurrences(table, MappingProxyType(members), flat=flat)


def _occurs(field: pa.Field) -> tuple[str, ...]:
    return tuple(filter(None, (field.metadata or {}).get(b"occurs", b"").decode().split(",")))
