"""Conditions of mappings -> masks over the columns of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from mappings.compiling.complaints import Complaints
from mappings.expression import ExpressionError, compile_expression
from mappings.language.written import WhenSpec
from mappings.plan import Condition
from migration_reports.specs import Located


def compile_condition(when: WhenSpec, types: Mapping[str, pa.DataType], widths: Mapping[str, int]) -> Condition:
    """Compile one condition.

    A field holds a value where it equals it as text; without values, where it is filled (a number: is not zero).

    Args:
        when: the condition as it is written.
        types: the columns' Arrow types.
        widths: the most characters that a column of text holds, where that is known.

    Raises:
        ExpressionError: it cannot be used.
    """
    if (when.field is None) == (when.sql is None):
        raise ExpressionError("a condition has a field, or is an SQL text", ("field", "sql"))
    if when.sql is not None:
        made = compile_expression(when.sql, {name: name for name in types}, types, widths)
        if made.gives != pl.Boolean:
            raise ExpressionError(f"a condition is true or false; this gives {made.gives}")
        return Condition(made.expr.fill_null(value=False), made.reads, made.reads)
    assert when.field is not None
    if when.field not in types:
        raise UnknownFieldError(when.field)
    number = not pa.types.is_string(types[when.field])
    for value in (*when.values, *when.besides):
        if number and not is_number(value):
            raise ExpressionError(f"`{value[:40]}` is no number, and `{when.field}` is one")
    column = pl.col(when.field)
    # A value is compared as text, and a number with its own digits: 01 and 1 are one number.
    text = column.cast(pl.String)
    mask = pl.lit(value=True)
    if when.values:
        mask = mask & text.is_in([plain(value) if number else value for value in when.values])
    if when.besides:
        mask = mask & ~text.is_in([plain(value) if number else value for value in when.besides])
    if not when.values and not when.besides:
        mask = column != 0 if number else text != ""
    filled = when.field if number and not (when.values or when.besides) else ""
    return Condition(mask.fill_null(value=False), (when.field,), filled=filled)


def compiled(
    whens: Sequence[WhenSpec],
    types: Mapping[str, pa.DataType],
    widths: Mapping[str, int],
    located: Located,
    path: tuple[str | int, ...],
    complain: Complaints,
) -> tuple[Condition, ...]:
    """Compile conditions; what is wrong with one is added to the complaints, at its place.

    Args:
        whens: the conditions as they are written.
        types: the columns' Arrow types.
        widths: the most characters that a column of text holds, where that is known.
        located: the places of the spec's parts.
        path: where in it the conditions stand.
        complain: where problems are collected.
    """
    made = []
    for number, when in enumerate(whens):
        try:
            made.append(compile_condition(when, types, widths))
        except UnknownFieldError as error:
            complain.unknown("Y021", located.at(*path, number, "field"), f"field `{error.field}`", types)
        except ExpressionError as error:
            complain.add("Y044", located.at(*path, number), f"condition: {error.message}", error.allowed, error.hint)
    return tuple(made)


class UnknownFieldError(Exception):
    """A condition on a field that is not there."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def is_number(text: str) -> bool:
    """Whether a text is a number as a spec writes one: digits, perhaps a point and a minus."""
    return text.removeprefix("-").replace(".", "", 1).isdigit() and text.isascii()


def plain(number: str) -> str:
    """A number as Polars writes it: 007 and 7 are one."""
    sign = "-" if number.startswith("-") else ""
    whole, point, rest = number.removeprefix("-").partition(".")
    return sign + (whole.lstrip("0") or "0") + point + rest
