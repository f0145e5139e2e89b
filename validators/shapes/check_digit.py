"""A number's check digit follows from its other digits, as its kind says.

A column says by `check` which kind of number it holds, and has the rule then; an instance may say it, too:

    holder: {check_digit: invoice_no, kind: corporate_number, of: creditors}

Source: each kind's own, below.
"""

from __future__ import annotations

from migration_reports.items import item_of
from validators.shapes._given import Given
from validators.shapes._numbering import NUMBERINGS
from validators.shapes._terms import Term
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """None, where the municipality has yet to say how its numbers were given out.

    Raises:
        SpecError: what it says cannot be used.
    """
    column, kind = given.column("check_digit", "text"), given.text("kind", allowed=tuple(NUMBERINGS))
    if column.made:
        given.wrong("R005", f"`{column.name}` stands beside the row; a check digit is of the row's own numbers")
    if given.problems:
        return ()
    length = item_of(given.tables[given.table].columns[column.name]).length
    check = NUMBERINGS[kind].check(length, given.settings.get(kind, {}))
    if check is None:
        return ()
    wrong = Term(check.failing(column.name), f"({check.sql(column.name)})")
    return given.mask((column,), wrong, column.ja, column.en)


SHAPE = Shape(
    "check_digit",
    __doc__ or "",
    "V420",
    (
        Parameter("check_digit", "the column of numbers", required=True),
        Parameter("kind", f"which kind they are: {', '.join(NUMBERINGS)}", required=True),
    ),
    make,
)
