"""Frozen models of a system's head, `system.yaml`; its items stand beside it in `items.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from migration_reports.items import CriticalRows
from migration_reports.specs import Spec
from migration_reports.trouble import Position
from migration_reports.yaml_schema import Schema, document, model_schema

Filled = Annotated[str, Field(min_length=1)]
Secret = Literal["password", "hash", "key", "answer", "template"]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Values = Annotated[tuple[Filled, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""One value, or several."""


class TitleSheet(Spec):
    """A name in both languages."""

    ja: Filled = Field(description="in Japanese")
    en: Filled = Field(description="in English")


class ReferenceSheet(Spec):
    """What becomes of a row whose item names a row that is not there, or is rejected."""

    orphan: Literal["falls", "stays"] = Field(
        description="falls: an error, its record is rejected; stays: an alert, it is promoted once a person has approved"
    )
    because: Filled = Field(description="why, in a sentence")
    beside: tuple[Filled, ...] = Field(
        (), description="further items of the same reference, where it takes several to name a row"
    )
    names: tuple[Filled, ...] = Field(
        (), description="the items of the other table that are named; those of the same names, or else its key"
    )
    on: Filled | None = Field(
        None, description="the date item on whose day a row of the other table must hold, which has a period"
    )


class PeriodSheet(Spec):
    """From when to when a row of the table holds; an end that is empty, or 9999-12-31, is open."""

    begin: Filled = Field(alias="from", description="the date item of its first day")
    until: Filled = Field(description="the date item of its end")
    ends: Literal["on", "before"] = Field("on", description="on: the end is the last day; before: it is the day after")
    per: tuple[Filled, ...] = Field(
        (), description="the items that rows of one group share; the key without its dates, where it says nothing"
    )
    overlaps: Literal["yes", "no"] = Field("no", description="yes: two rows of a group may hold on one day")
    gaps: Literal["yes", "no"] = Field(
        "yes", description="no: of a group some row holds on every day between the first and the last"
    )


class TableSheet(Spec):
    """A table; its items stand in items.csv."""

    ja: Filled = Field(description="its Japanese name")
    en: Filled = Field(description="its English name")
    based_on: Filled | None = Field(None, description="what it follows; the system's, where it says nothing")
    references: Mapping[str, ReferenceSheet] = Field({}, description="by item: what becomes of a row that names nobody")
    period: PeriodSheet | None = Field(None, description="from when to when a row holds; it gives the rules of periods")
    critical: Literal["yes", "no"] = Field("no", description="yes: no rejection of a row can be accepted")
    critical_when: Filled | Mapping[Filled, Values] | None = Field(
        None,
        description="the rows of which that is so: column: value, a list of values, or a beginning (`2*`), all of which "
        "must hold; or a condition in one text, as of `holds`",
    )

    def critical_rows(self, place: Position) -> CriticalRows | None:
        """The rows of which none may be lost, said at a place; None where that is said of all, or of none."""
        return None if self.critical_when is None else CriticalRows(self.critical_when, place)


class EvidenceSheet(Spec):
    """Items that speak for one person or firm where all of them are equal."""

    equal: tuple[Filled, ...] | Mapping[Filled, Filled] = Field(
        description="the items; where another table is compared, with its items where they are called otherwise"
    )
    weight: Literal["strong", "weak"] = Field("weak", description="how much it says")


class CandidatesSheet(Spec):
    """Pairs of rows that may be one person or firm under two numbers: proposed with evidence, decided by people."""

    ja: Filled = Field(description="what is looked for, in Japanese")
    en: Filled = Field(description="the same in English")
    of: Filled = Field(description="the table whose rows are compared")
    other: Filled | None = Field(
        None, alias="with", description="the table that they are compared with; with one another, where it says nothing"
    )
    number: tuple[Filled, ...] = Field(
        (), description="the items of a row's number; the table's key, where it says nothing"
    )
    evidence: Mapping[Filled, EvidenceSheet] = Field(
        description="what makes a pair, by a name of your own", min_length=1
    )
    beside: tuple[Filled, ...] | Mapping[Filled, Filled] = Field(
        (), description="further items, of which it is told whether they agree or differ"
    )
    forms: Mapping[Filled, Literal["exact", "text", "kana", "address"]] = Field(
        {}, description="as what items are compared that are not compared as their type is"
    )
    where: Mapping[Filled, tuple[Filled, ...]] = Field(
        {}, description="item: values; only rows that have one are compared"
    )
    most: Annotated[int, Field(ge=2, le=1000)] = Field(
        50, description="how many rows may share an evidence; where more do, it tells nothing, and is reported"
    )
    severity: Literal["error", "alert", "note"] = Field(
        "alert",
        description="what an open pair is in a cut-over; an error holds it. In a rehearsal it is at most an alert",
    )
    source: Filled = Field(description="the statute or specification that asks for it")


class SystemSheet(Spec):
    """A standard system."""

    title: TitleSheet = Field(description="what it is called")
    based_on: Filled = Field(description="the published specification that it follows in words and structure")
    editions: Mapping[str, Day] = Field(description="its editions, each with the day from which it is in force")
    refuse: tuple[Secret, ...] = Field(
        ("password",), description="the kinds of secrets that no mapping may move into it, told by the names of fields"
    )
    tables: Mapping[str, TableSheet] = Field(description="its tables, in load order")
    rules: Mapping[str, Mapping[str, Any]] = Field(
        {}, description="rules by a name of your own: the shape first, then of, its parameters, severity, source"
    )
    candidates: Mapping[str, CandidatesSheet] = Field({}, description="what people decide about, by a name of your own")


def system_schema() -> Schema:
    """The schema of a system's head."""
    return document("A standard system", model_schema(SystemSheet))
