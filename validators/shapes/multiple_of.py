"""A number is a multiple of a unit: an amount that a law rounds, a quantity in lots.

    floored_base: {multiple_of: tax_base, unit: "1000", of: levies}

Source: the instance's, such as 地方税法 第20条の4の2 for fractions of bases and taxes.
"""

from __future__ import annotations

from validators.shapes._given import Given
from validators.shapes._terms import Term, number
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where a remainder is left; below zero, too."""
    column = given.column("multiple_of", "number")
    unit = given.number("unit")
    if unit is None:
        return ()
    if unit <= 0:
        given.wrong("R002", "`unit` is more than 0")
        return ()
    by = number(unit)
    left = Term(column.number.expr % by.expr, f"({column.number.sql} % {by.sql})")
    return given.mask(
        (column,), left.differs(number(0)), f"{column.ja} ({unit:f}の倍数)", f"{column.en} (a multiple of {unit:f})"
    )


SHAPE = Shape(
    "multiple_of",
    __doc__ or "",
    "V428",
    (
        Parameter("multiple_of", "the number", required=True),
        Parameter("unit", "what it is a multiple of", required=True),
    ),
    make,
)
