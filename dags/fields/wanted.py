"""The fields of each record kind that anybody needs: mappings, controls, and records that look at their headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from extractors.kinds import Kind
from mappings.control_plan import ControlPlan
from mappings.language.spec import DumpSpec
from mappings.plan import Plan
from mappings.provenance import followed


def kinds_of(
    name: str,
    dump: DumpSpec,
    plans: Mapping[str, Plan],
    schemas: Mapping[str, pa.Schema],
    controls: Sequence[ControlPlan],
) -> tuple[tuple[Kind, ...], Mapping[str, tuple[str, ...]], Mapping[str, Mapping[str, pa.DataType]]]:
    """The record kinds, each with the fields that anybody needs; those that are added up, or read of trailers; the context."""
    read = _added_or_read(dump)
    kinds, context = [], {}
    for kind_name, spec in dump.records.items():
        source = f"{name}.{kind_name}"
        used = frozenset[str]().union(*(plan.fields_used(source) for plan in plans.values()))
        of_objects = spec.objects.fields if spec.objects is not None else ()
        wanted = used | read[kind_name] | frozenset(of_objects) | _counted(controls, kind_name)
        if spec.role == "data":
            read[kind_name].update(*(_amounts(plan, source) for plan in plans.values()))
        elif used:
            context[kind_name] = {field: schemas[source].field(field).type for field in sorted(used)}
        told = (spec.field, spec.values, spec.group, wanted, spec.also, spec.parent)
        kinds.append(Kind(kind_name, *told, cut=frozenset(spec.cut)))
    return tuple(kinds), {kind: tuple(sorted(fields)) for kind, fields in read.items()}, context


def _added_or_read(dump: DumpSpec) -> dict[str, set[str]]:
    """Of each kind the fields that are added up file by file, or of a header or trailer compared with what was counted."""
    read: dict[str, set[str]] = {kind: set() for kind in dump.records}
    for control in dump.controls:
        stating = control.equals.partition(".")[0]
        for kind, _, field in (reference.partition(".") for reference in control.references):
            if kind in read and (control.per == "file" or dump.records[kind].role != "data"):
                read[kind].add(field)
        if control.by and stating in read:
            read[stating].update(control.by.values())
    return read


def _counted(controls: Sequence[ControlPlan], kind: str) -> frozenset[str]:
    """The fields of a kind that controls count by, or that state what belongs to a parent."""
    reads = {field for control in controls for s in control.subjects if s.kind == kind for field in s.reads}
    return frozenset(reads | {field for stating, field in (control.stated for control in controls) if stating == kind})


def _amounts(plan: Plan, source: str) -> set[str]:
    """The fields that go into a decimal column, at most multiplied: their sums are followed to the promoted table."""
    return {field for part in plan.parts_of(source) for one in followed(part) for field in one.fields}
