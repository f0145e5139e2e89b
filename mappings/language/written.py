"""How values are written wherever specs have them: one text or several, numbers that count, and conditions on records."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from migration_reports.specs import Spec


def listed(value: Any) -> Any:
    """A list, where only one was written."""
    return value if isinstance(value, list) else [value]


Texts = Annotated[tuple[str, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
"""One text, or several."""

Whole = Annotated[int, Field(ge=1)]
Filled = Annotated[str, Field(min_length=1)]


class WhenSpec(Spec):
    """Which records: those whose field holds one of some values, or none of them, or is filled; or an SQL condition."""

    field: str | None = Field(None, description="the field; alone: where it is filled, or is not zero")
    values: tuple[str, ...] = Field((), description="the values of which it must hold one")
    besides: tuple[str, ...] = Field((), description="the values that it must not hold")
    sql: str | None = Field(None, description='an SQL condition; fields in double quotes, "JJ-SEIBETSU" = 1')


def _conditions(value: Any) -> Any:
    return [{"sql": part} if isinstance(part, str) else part for part in listed(value)]


When = Annotated[
    tuple[WhenSpec, ...],
    BeforeValidator(_conditions, json_schema_input_type=str | WhenSpec | list[str | WhenSpec]),
]
"""Conditions that must all hold."""
