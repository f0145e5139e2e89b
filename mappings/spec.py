"""Frozen models of what people write: a municipality's manifest and its mappings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import pydantic

from mappings.yaml_text import Path as YamlPath
from mappings.yaml_text import Places
from migration_reports.findings import Position


class Spec(pydantic.BaseModel):
    """A part of a spec: nothing unknown in it, and nothing changes it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class MunicipalitySpec(Spec):
    """Whose data it is."""

    code: str
    name: str
    romaji: str


class ChoiceSpec(Spec):
    """A family member by name, with its options."""

    name: str
    options: Mapping[str, str] = {}


class KindSpec(Spec):
    """A record kind: which records, which REDEFINES view, the kind they belong to, and what they are for.

    A value may be a range, `10..19`; `also` names more fields that must fit.
    """

    field: str | None = None
    values: tuple[str, ...] = ()
    group: str | None = None
    also: Mapping[str, tuple[str, ...]] = {}
    parent: str | None = None
    role: Literal["data", "header", "trailer"] = "data"


class ControlSpec(Spec):
    """A control: the count of a kind, or the sum of a field, equals a trailer's field or a stated number.

    `value` names a number in a header or trailer that must equal a stated one: the municipality's own code, say.
    """

    count: str | None = None
    sum: str | None = None
    value: str | None = None
    equals: str


class DumpSpec(Spec):
    """One expected dump."""

    file: str
    title: str
    layout: str
    framing: ChoiceSpec
    charset: ChoiceSpec
    dialect: ChoiceSpec = ChoiceSpec(name="ibm")
    container: ChoiceSpec | None = None
    options: Mapping[str, str] = {}
    records: Mapping[str, KindSpec]
    controls: tuple[ControlSpec, ...] = ()


class LimitsSpec(Spec):
    """How many records may be rejected: a number, or a share such as 0.5%."""

    rejects: str = "0"


class Manifest(Spec):
    """What a municipality hands over."""

    municipality: MunicipalitySpec
    dumps: Mapping[str, DumpSpec]
    systems: tuple[str, ...]
    limits: LimitsSpec = LimitsSpec()
    rules: Mapping[str, Mapping[str, str]] = {}


class WhenSpec(Spec):
    """The records whose field holds one of some values, or, where none are given, whose field is filled."""

    field: str
    values: tuple[str, ...] = ()


class TransformSpec(Spec):
    """One transform and its parameters."""

    name: str
    params: Mapping[str, Any] = {}


class ColumnSpec(Spec):
    """How a target column (or a date's three) is filled."""

    sources: tuple[str, ...] = ()
    constant: str | None = None
    transforms: tuple[TransformSpec, ...] = ()
    when: WhenSpec | None = None
    on_error: Literal["reject", "null", "keep"] = "reject"


class TableSpec(Spec):
    """How a target table is filled from one record kind."""

    source: str
    keep: Literal["every_row", "one_row_per_key"] = "every_row"
    when: WhenSpec | None = None
    prefer: WhenSpec | None = None
    columns: Mapping[str, ColumnSpec]
    empty: tuple[str, ...] = ()


class IgnoreSpec(Spec):
    """A source field that is deliberately left, and why. `FILLER@*` means every FILLER."""

    field: str
    reason: str


class MappingSpec(Spec):
    """How one system is filled."""

    system: str
    tables: Mapping[str, TableSpec]
    ignore: Mapping[str, tuple[IgnoreSpec, ...]] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Located:
    """A spec with the places of its parts."""

    file: str
    places: Places

    def at(self, *path: str | int) -> Position:
        """The place of a part, or of the nearest part that contains it."""
        whole: YamlPath = path
        while whole not in self.places and whole:
            whole = whole[:-1]
        return self.places[whole]


@dataclasses.dataclass(frozen=True, slots=True)
class CodeTable:
    """A code table: target code by source code."""

    codes: Mapping[str, str]
    file: str


@dataclasses.dataclass(frozen=True, slots=True)
class MunicipalityFolder:
    """Everything that a municipality's folder says."""

    folder: str
    manifest: Manifest
    manifest_places: Located
    mappings: Mapping[str, tuple[MappingSpec, Located]]
    code_tables: Mapping[str, CodeTable]
    sha256: Mapping[str, str]
