"""The fields of each record kind that anybody needs: mappings, controls, and records that look at their headers."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from extractors.kinds import Kind
from mappings.language.spec import DumpSpec
from mappings.plan import Plan
from mappings.provenance import followed


def kinds_of(
    name: str, dump: DumpSpec, plans: Mapping[str, Plan], schemas: Mapping[str, pa.Schema]
) -> tuple[tuple[Kind, ...], Mapping[str, tuple[str, ...]], Mapping[str, Mapping[str, pa.DataType]]]:
    """The record kinds, each with the fields that anybody needs; the numeric fields that controls sum or read; the context."""
    controls: dict[str, set[str]] = {kind: set() for kind in dump.records}
    for control in dump.controls:
        for reference in (control.sum, control.value, control.equals):
            kind, dot, field = (reference or "").partition(".")
            if dot and kind in controls:
                controls[kind].add(field)
    kinds, context = [], {}
    for kind_name, spec in dump.records.items():
        source = f"{name}.{kind_name}"
        used = frozenset[str]().union(*(plan.fields_used(source) for plan in plans.values()))
        of_objects = spec.objects.fields if spec.objects is not None else ()
        wanted = used | controls[kind_name] | frozenset(of_objects)
        if spec.role == "data":
            controls[kind_name].update(*(_amounts(plan, source) for plan in plans.values()))
        elif used:
            context[kind_name] = {field: schemas[source].field(field).type for field in sorted(used)}
        told = (spec.field, spec.values, spec.group, wanted, spec.also, spec.parent)
        kinds.append(Kind(kind_name, *told, cut=frozenset(spec.cut)))
    return tuple(kinds), {kind: tuple(sorted(fields)) for kind, fields in controls.items()}, context


def _amounts(plan: Plan, source: str) -> set[str]:
    """The fields that go into a decimal column, at most multiplied: their sums are followed to the promoted table."""
    return {field for part in plan.parts_of(source) for one in followed(part) for field in one.fields}
