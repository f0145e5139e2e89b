"""A number is the sum of others of its row, less some.

A part without a value counts as 0; of a row that states no sum nothing is said.

    balance: {sum_of_columns: closing, plus: [opening, income], minus: outgo, of: days}
    decided: {sum_of_columns: decided_amount, plus: [income_part, per_capita], minus: cut, floored: "100", of: levies}

Source: the instance's; it proves that no part was lost or read with another unit.
"""

from __future__ import annotations

from validators.shapes._given import Given, together
from validators.shapes._terms import number
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the stated number is not what its parts give."""
    total, plus, minus = (
        given.column("sum_of_columns", "number"),
        given.columns("plus", "number"),
        given.columns("minus", "number"),
    )
    computed = number(0)
    for column in plus:
        computed = computed + column.number.or_zero()
    for column in minus:
        computed = computed - column.number.or_zero()
    unit = given.number("floored")
    if unit is not None and unit <= 0:
        given.wrong("R002", "`floored` is more than 0")
    over = computed - total.number
    wrong = computed.differs(total.number) if unit is None else (over < number(0)) | (over >= number(unit))
    (added_ja, added_en), (less_ja, less_en) = together(plus, " + ", " + "), together(minus, " - ", " - ")
    ja = f"{total.ja} = {added_ja}" + (f" - {less_ja}" if less_ja else "")
    en = f"{total.en} = {added_en}" + (f" - {less_en}" if less_en else "")
    return given.mask((total, *plus, *minus), wrong, ja, en)


SHAPE = Shape(
    "sum_of_columns",
    __doc__ or "",
    "V423",
    (
        Parameter("sum_of_columns", "the stated sum", required=True),
        Parameter("plus", "the columns that are added", required=True),
        Parameter("minus", "the columns that are taken away"),
        Parameter("floored", "the unit below which the sum was cut off (100: down to a multiple of 100)"),
    ),
    make,
)
