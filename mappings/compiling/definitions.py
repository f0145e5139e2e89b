"""What a problem shows beside itself: the copybook line that defines a field, and what a target column may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import sqlalchemy as sa

from migration_reports.findings import Definition, Position, nearest
from migration_reports.items import KINDS, filled_as, heading, is_text, item_of

MAX_CODES = 12


def field_definition(schema: pa.Schema, name: str) -> tuple[Definition, ...]:
    """Where the copybook defines a field of a record kind; nothing for a name that it does not have."""
    if name not in schema.names:
        return ()
    metadata = {key.decode(): value.decode() for key, value in (schema.field(name).metadata or {}).items()}
    file, _, rest = metadata.get("place", "").rpartition(":")
    file, _, line = file.rpartition(":")
    picture = f"PIC {metadata['picture']} " if metadata.get("picture") else ""
    offset, width = int(metadata.get("offset", "0")), int(metadata.get("width", "0"))
    place = f", bytes {offset + 1} to {offset + width}" if width else ""
    position = Position(file, int(line), int(rest)) if file and line.isdigit() and rest.isdigit() else None
    return (Definition(f"{name} {picture}({metadata.get('usage', '?')}){place}", position),)


def fields_by_name(schema: pa.Schema) -> dict[str, pa.Field]:
    """The fields of a record kind by their names."""
    return {field.name: field for field in schema}


def widths_of(fields: Mapping[str, pa.Field]) -> dict[str, int]:
    """The widths in bytes of the fields that say theirs."""
    return {name: int(field.metadata[b"width"]) for name, field in fields.items() if b"width" in (field.metadata or {})}


def usage_of(schema: pa.Schema, name: str) -> str:
    """How the bytes of a field are coded; empty for a name that the record kind does not have."""
    field = schema.field(name) if name in schema.names else None
    return (field.metadata or {}).get(b"usage", b"").decode() if field is not None else ""


def near_definition(schemas: Iterable[pa.Schema], name: str, names: Iterable[str]) -> tuple[Definition, ...]:
    """Where the field is defined that is nearest to a name that nobody knows."""
    close = nearest(name, names)
    return next((found for schema in schemas if close and (found := field_definition(schema, close))), ())


def column_definition(
    members: Sequence[sa.Column[object]], code_sets: Mapping[str, frozenset[str]]
) -> tuple[Definition, ...]:
    """What a target column (or a date's three) may hold: type, length, code set, and whether it must be filled."""
    item, name = item_of(members[0]), filled_as(members[0])
    title = item.ja if item.kind in ("D", "G") else heading(members[0]).ja
    column = members[0].type
    if isinstance(column, sa.Numeric) and column.precision is not None:
        parts = [KINDS[item.kind], f"{column.precision} digits"]
        parts += [f"{column.scale} of them decimals"] if column.scale else []
    else:
        parts = [KINDS[item.kind]]
    if is_text(item):
        parts.append(f"at most {item.length} character{'' if item.length == 1 else 's'}")
    if item.code_set:
        codes = sorted(code_sets.get(item.code_set, ()))
        more = f", ... ({len(codes)} codes)" if len(codes) > MAX_CODES else ""
        parts.append(f"code set {item.code_set}: {', '.join(codes[:MAX_CODES])}{more}")
    if any(not member.nullable for member in members):
        parts.append("mandatory")
    return (Definition(f"column {name} ({title}): {'; '.join(parts)}"),)
