"""Frozen models of what a dump must agree with, and of the records that are deliberately left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mappings.language.written import Texts, When, Whole, listed
from migration_reports.specs import Spec


def _columns_of(value: Any) -> Any:
    return {field: field for field in listed(value)} if isinstance(value, str | list) else value


By = Annotated[Mapping[str, str], BeforeValidator(_columns_of, json_schema_input_type=str | list[str] | dict[str, str])]
"""Fields that group records, each with the column that a control file calls it by; the same name, where none is said."""


class ControlSpec(Spec):
    """A control: what is counted or added up equals a trailer's field, a stated number, or a control file's column."""

    count: Texts | None = Field(None, description="a record kind, or several")
    sum: Texts | None = Field(None, description="kind.FIELD, a number; of several kinds the sum of all")
    hash: Texts | None = Field(None, description="kind.FIELD, a key number whose sum means nothing by itself")
    value: str | None = Field(None, description="kind.FIELD of a header or trailer")
    equals: str = Field(
        description="kind.FIELD of a trailer (with per: parent, of the parent or of another that belongs to it), a number, "
        "or FILE.csv#column of a control file in the inbox"
    )
    when: When = Field((), description="which records are meant; all, where it is not said")
    by: By = Field({}, description="the fields whose values make the groups, each with its column in the control file")
    per: Literal["parent", "file"] | None = Field(
        None,
        description="parent: each parent states what belongs to it; file: each file of the dump has a header and trailer "
        "of its own",
    )
    times: Whole = Field(
        1, description="what one of the dump's numbers stands for: 1000, where the dump counts in 千円"
    )
    unit: Whole = Field(1, description="what one of the stated numbers stands for: 1000, where the control is in 千円")
    rounding: Literal["down", "half_up", "up"] | None = Field(
        None, description="how the stated numbers were rounded to their unit; exactly, where it is not said"
    )
    modulus: Whole | None = Field(None, description="a hash total is stated without its multiples of this")

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """What is counted: record kinds, each with the field that is added up; of a count there is none."""
        named = self.count or self.sum or self.hash or ()
        return tuple((kind, field) for kind, _, field in (name.partition(".") for name in named))

    @property
    def file(self) -> str:
        """The control file that states it; empty where there is none."""
        return self.equals.partition("#")[0] if "#" in self.equals else ""

    @property
    def references(self) -> tuple[str, ...]:
        """Every kind.FIELD that it names but those of SQL conditions."""
        fields = (*self.by, *(when.field for when in self.when if when.field is not None))
        grouped = (f"{kind}.{field}" for kind, _ in self.subjects for field in fields)
        stated = () if self.file else (self.equals,)
        return (*(self.sum or ()), *(self.hash or ()), *((self.value,) if self.value else ()), *stated, *grouped)


class LeaveSpec(Spec):
    """Records that are deliberately left, and why: they are counted by the reason, and make no row."""

    reason: str = Field(description="why, as the reports say it; a question mark is what draft leaves")
    when: When = Field(description="which records; where several reasons fit, the first counts")
