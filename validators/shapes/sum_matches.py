"""A number that a row states is the sum over the rows of another table that belong to it; or bounds it.

A row without any other states 0. What has no value counts as 0; of a row that states nothing nothing is said. A
number that is written out holds for every group, which is told of once.

    month: {sum_matches: "2700", compare: at_most, summed: {of: overtime, amount: minutes}, of: overtime, per: [employee_no, month]}
    terms: {sum_matches: annual_tax, summed: {of: instalments, amount: amount}, of: levies, per: [fiscal_year, notice_no]}

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._children import COMPARISONS, beside, compared, comparison, described, matched, stated, summed
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """Every row fails whose own number differs from the sum."""
    said, rows = stated(given, "sum_matches"), given.others("summed")
    given.only(rows, "summed", ("amount",))
    amount = given.column("amount", "number", of=rows)
    if "amount" not in rows.said:
        given.wrong("R002", "`summed` needs `amount`: the column that is summed")
    matched(given, "summed", given.rows, rows)
    failing, query = compared(given, said.term, comparison(given), summed(rows, amount), once=not said.columns)
    ja, en = described(rows)
    subject = f"{said.ja}と{ja}の{amount.ja}の合計", f"{said.en} and sum of the {amount.en} of {en}"
    return (
        given.rule((*said.columns, *given.rows.per), failing, query, *subject, (rows.table,), beside(given.rows, rows)),
    )


SHAPE = Shape(
    "sum_matches",
    __doc__ or "",
    "V422",
    (
        Parameter("sum_matches", "the number that is stated: a column, or a number", required=True),
        Parameter("summed", "the other rows: of, amount, and per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
        Parameter("compare", f"what is found {', '.join(COMPARISONS)} what is stated (equals)"),
        Parameter("tolerance", "by how much they may differ (0)"),
    ),
    make,
)
