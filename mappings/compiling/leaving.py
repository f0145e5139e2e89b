"""Which records are left, and why: each reason's conditions proved against the fields of its record kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from mappings.compiling.complaints import Complaints
from mappings.compiling.conditions import compiled
from mappings.compiling.definitions import fields_by_name, widths_of
from mappings.compiling.uses import Uses
from mappings.language.controls import LeaveSpec
from mappings.language.spec import MappingSpec
from mappings.plan import Leave
from migration_reports.specs import Located


def compile_leaves(
    spec: MappingSpec, places: Located, schemas: Mapping[str, pa.Schema], uses: Uses, complain: Complaints
) -> Mapping[str, tuple[Leave, ...]]:
    """Compile what `leave:` says.

    Args:
        spec: the mapping.
        places: of its parts.
        schemas: by source (dump.kind), the fields of each record kind.
        uses: is told of the fields that decide.
        complain: where problems are collected.

    Returns:
        By source its reasons, in their order.
    """
    made: dict[str, tuple[Leave, ...]] = {}
    for source, leaves in spec.leave.items():
        if source not in schemas:
            complain.unknown("Y020", places.at("leave", source, "key"), f"record kind `{source}`", schemas)
            continue
        made[source] = tuple(
            _leave(schemas[source], source, leave, number, places, complain) for number, leave in enumerate(leaves)
        )
        for field in (name for leave in made[source] for condition in leave.when for name in condition.reads):
            uses.note_left(source, field)
    return MappingProxyType(made)


def _leave(
    schema: pa.Schema, source: str, spec: LeaveSpec, number: int, places: Located, complain: Complaints
) -> Leave:
    at = ("leave", source, number)
    if not spec.reason.strip() or spec.reason.strip().startswith(("?", "？")):
        hint = "say why: the reports count by it"
        complain.add("Y103", places.at(*at, "reason"), f"nobody has said why records of {source} are left", (), hint)
    if not spec.when:
        hint = "say which: when: {field: FIELD, values: [...]}"
        complain.add("Y103", places.at(*at, "when"), f"every record of {source} would be left", (), hint)
    types = {field.name: field.type for field in schema}
    return Leave(
        spec.reason, compiled(spec.when, types, widths_of(fields_by_name(schema)), places, (*at, "when"), complain)
    )
