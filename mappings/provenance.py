"""Provenance: which fields a column is made of, and what becomes of a field; derived from compiled plans, here only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pyarrow as pa

from mappings.language.spec import DumpSpec
from mappings.plan import OBJECT_TYPES, PartPlan, Plan

BESIDE_THE_DATA = "見出し・トレーラーの項目 (field of a header or trailer)"
"""Why a field of a header or trailer goes nowhere."""

Origin = tuple[str, str]
"""A record kind (dump.kind) and a field of it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a field.

    Attributes:
        targets: the columns that it goes to, as table.column, in every system's mapping.
        controls: whether a control reads it.
        tells_kinds: whether it tells the dump's record kinds apart.
        ignored_because: why it goes to no column; empty where nobody has said.
    """

    targets: tuple[str, ...]
    controls: bool
    tells_kinds: bool
    ignored_because: str


def fate_of(plans: Iterable[Plan], dump: str, spec: DumpSpec, kind: str, field: str) -> Fate:
    """What becomes of a field of a record kind, over all systems' mappings.

    Args:
        plans: the compiled mappings.
        dump: the dump's name.
        spec: how the manifest describes it.
        kind: the record kind.
        field: the field, or the list that it lies in; LIST.FIELD, which has its list's fate where that is not read.
    """
    outer = field.partition(".")[0]
    told = [plan.fates.get(f"{dump}.{kind}", {}) for plan in plans]
    said = [fates.get(field) or fates.get(outer, ((), "")) for fates in told]
    targets = tuple(dict.fromkeys(target for columns, _ in said for target in columns))
    of = spec.records[kind]
    read = {reference for control in spec.controls for reference in control.references}
    controls, tells = f"{kind}.{field}" in read, field == of.field or field in of.also
    reason = next((why for _, why in said if why), "")
    if of.role != "data" and not (targets or controls):
        reason = BESIDE_THE_DATA
    return Fate(targets, controls, tells, "" if targets else reason)


def decoded_as(part: PartPlan, name: str) -> tuple[Origin, ...]:
    """The fields, as the decoder's findings name them, that a column of a part's frame comes from.

    Of a table (OCCURS) that lies flat these are several; what is no field ($record) comes from none, a file
    beside the dump ($object) from the field that names it.
    """
    if name in OBJECT_TYPES and part.names_object:
        return ((part.source, part.names_object),)
    alias, dot, field = name.partition(".")
    joined = next((join.source for join in part.joins if dot and join.alias == alias), None)
    if joined is not None:
        return ((joined, field),)
    if dot and alias in part.around:
        return ((f"{part.dump}.{alias}", field),)
    if part.each is not None:
        return tuple((part.source, field) for field in part.each.fields(name))
    return () if name.startswith("$") else ((part.source, name),)


def found_as(part: PartPlan, name: str) -> tuple[Origin, ...]:
    """As `decoded_as`, a field inside a list once for all of its occurrences, as FIELD(*)."""
    if part.each is None or not part.each.lists or name not in (*part.each.members, *part.each.numbers):
        return decoded_as(part, name)
    stems = (field.partition("(")[0] for field in part.each.fields(name))
    return tuple(dict.fromkeys((part.source, f"{stem}(*)") for stem in stems))


def origins(part: PartPlan, names: Iterable[str]) -> tuple[Origin, ...]:
    """The fields of records that columns of a part's frame come from, each once; of an occurrence's member, its table."""
    return tuple(dict.fromkeys(origin for name in names for origin in _read_as(part, name)))


def _read_as(part: PartPlan, name: str) -> tuple[Origin, ...]:
    if part.each is not None and name in (*part.each.members, *part.each.numbers):
        return tuple((part.source, column) for column in part.each.columns(name))
    return decoded_as(part, name)


@dataclasses.dataclass(frozen=True, slots=True)
class Followed:
    """Fields that go into a decimal column, multiplied by `times` and otherwise unchanged: their sums agree.

    `name` is what rows call them; of the occurrences of a table there are several.
    """

    name: str
    fields: tuple[str, ...]
    column: str
    times: int


def followed(part: PartPlan) -> tuple[Followed, ...]:
    """The fields of a part whose sums can be followed into its table."""
    return tuple(
        Followed(column.sources[0], fields, column.targets[0], column.factor)
        for column in part.columns
        if column.factor is not None
        and pa.types.is_decimal(part.schema.field(column.targets[0]).type)
        and (fields := part.sums(column.sources[0]))
    )
