"""A number that a row states is the sum over the rows of another table that belong to it; or bounds it.

A row without any other states 0. What has no value counts as 0; of a row that states nothing nothing is said.

    terms: {sum_matches: annual_tax, summed: {of: instalments, amount: amount}, of: levies, per: [fiscal_year, notice_no]}

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._children import COMPARISONS, beside, compared, comparison, described, matched, summed
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """Every row fails whose own number differs from the sum."""
    stated, rows = given.column("sum_matches", "number"), given.others("summed")
    given.only(rows, "summed", ("amount",))
    amount = given.column("amount", "number", of=rows)
    if "amount" not in rows.said:
        given.wrong("R002", "`summed` needs `amount`: the column that is summed")
    matched(given, "summed", given.rows, rows)
    failing, query = compared(given, stated.number, comparison(given), summed(rows, amount), once=False)
    ja, en = described(rows)
    subject = f"{stated.ja}と{ja}の{amount.ja}の合計", f"{stated.en} and sum of the {amount.en} of {en}"
    return (given.rule((stated, *given.rows.per), failing, query, *subject, (rows.table,), beside(given.rows, rows)),)


SHAPE = Shape(
    "sum_matches",
    __doc__ or "",
    "V422",
    (
        Parameter("sum_matches", "the number that is stated", required=True),
        Parameter("summed", "the other rows: of, amount, and per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
        Parameter("compare", f"what is found {', '.join(COMPARISONS)} what is stated (equals)"),
        Parameter("tolerance", "by how much they may differ (0)"),
    ),
    make,
)
