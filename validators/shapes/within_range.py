"""A number lies within what a dated table allows on the row's own day: a limit of a year, a rate, a band of rents.

A row for which the table says nothing fails, too: nothing proves its number. Several rows may be valid; one that holds the
number is enough. A bound without a value is open.

    limit:
      within_range: decided_amount
      of: levies
      per: [part, fiscal_year]
      in: {of: levy_limits, highest: limit_amount}

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._children import beside, described, matched
from validators.shapes._dated import SAID, also, named, on_its_day, without
from validators.shapes._given import Given
from validators.shapes._terms import every
from validators.shapes.contract import Parameter, Rule, Shape

BOUNDS = ("lowest", "highest")


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where no valid row of the table holds its number."""
    column, rows, others = given.column("within_range", "number"), given.rows, given.others("in")
    given.only(others, "in", (*SAID, *BOUNDS))
    if rows.per or others.per:
        matched(given, "in", rows, others)
    bounds = {f"_{word}": given.column(word, "number", of=others).number for word in BOUNDS if word in others.said}
    if not bounds:
        given.wrong("R002", "`in` says `lowest`, `highest` or both")
    value = named("_value")
    holds = {"_lowest": named("_lowest") <= value, "_highest": value <= named("_highest")}
    within = every([~named(bound).present() | holds[bound] for bound in bounds])
    looked = also(on_its_day(given, others), {"_value": column.number}, bounds, within)
    failing, query = without(rows, others, looked)
    ja, en = described(others)
    day = given.columns("day", "date")
    columns = (column, *day, *rows.per)
    return (
        given.rule(
            columns,
            failing,
            query,
            f"{column.ja}と{ja}",
            f"{column.en} and {en}",
            (others.table,),
            beside(rows, others),
        ),
    )


SHAPE = Shape(
    "within_range",
    __doc__ or "",
    "V429",
    (
        Parameter("within_range", "the number", required=True),
        Parameter("in", "the table: of, lowest, highest, and per, from, until, ends, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there"),
        Parameter("day", "the row's own day"),
    ),
    make,
)
