"""What is written into which field: a recipe that fits the town and the layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pyarrow as pa

from extractors.layout import Field, Segment
from extractors.synthesis.faults import FaultKind
from extractors.synthesis.formats import Format
from extractors.synthesis.recipe import Role
from extractors.synthesis.rows import Way
from extractors.synthesis.town.contract import Attribute
from migration_reports.findings import Position


def is_text(field: Field) -> bool:
    """Whether a field holds text."""
    return bool(field.arrow_type == pa.string())


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """An attribute as a kind reaches it, and how it is written."""

    way: Way
    attribute: Attribute
    position: Position
    format: Format | None = None
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Total:
    """A count of the records of a kind, or the sum of one of its fields."""

    kind: str
    field: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What stands in a field: a constant, an attribute, a total, or how many occurrences of a table are filled."""

    field: Field
    what: str | Source | Total | TablePlan


@dataclasses.dataclass(frozen=True, slots=True)
class TablePlan:
    """A table: the entity that fills it, how many occurrences it has at the most, and what stands in its fields.

    Of a table with a fixed number of occurrences each field has one of every occurrence; of one whose number varies
    (`column`, its list) one of any.
    """

    of: str
    occurs: int
    columns: tuple[tuple[tuple[Field, ...], str | Source], ...]
    column: str = ""
    elementary: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class FaultPlan:
    """A fault: which field, what is done, how often (None: an equal part of what is left), where, and who finds it."""

    field: Field
    kind: FaultKind
    code: str
    rule: str
    rate: float | None
    where: tuple[tuple[Source, frozenset[str]], ...]
    format: Format | None
    than: Source | None
    value: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class KindPlan:
    """The records of one kind."""

    name: str
    role: Role | None
    of: str | None
    per: str | None
    where: tuple[tuple[Source, frozenset[str]], ...]
    segment: Segment
    columns: tuple[ColumnPlan, ...]
    tables: tuple[TablePlan, ...]
    spared: tuple[Way, ...]
    faults: tuple[FaultPlan, ...]
