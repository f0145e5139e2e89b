"""Where some columns have a value, another one has one too.

A text without a character is none; a date that stands in the register has a value, readable or not.

    reason_of_loss: {required_with: lost_reason, with: lost, of: insured_persons}

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._given import Given, together
from validators.shapes._terms import Column, Term, every
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where all of the others have a value and this one has none."""
    column, others = given.column("required_with"), given.columns("with")
    if not others:
        given.wrong("R002", "`with` names a column or more")
        return ()
    ja, en = together(others, "・", " and ")
    wrong = every([_filled(other) for other in others]) & ~_filled(column)
    return given.mask((column, *others), wrong, f"{ja}があるときの{column.ja}", f"{column.en} where there is {en}")


def _filled(column: Column) -> Term:
    value = column.value
    if column.type != "text":
        return value.present()
    return Term(value.expr != "", f"({value.sql} <> '')").surely()


SHAPE = Shape(
    "required_with",
    __doc__ or "",
    "V430",
    (
        Parameter("required_with", "the column that must have a value", required=True),
        Parameter("with", "the columns that ask for it, all of them together", required=True),
    ),
    make,
)
