"""A condition over the columns of one row holds; where a value is missing and the condition says nothing, so does the rule.

It is written as in SQL, of comparisons, `and`, `or`, `not`, `in`, `is null`, `+`, `-`, `*`, `/`, `||` and functions (below)
over columns, numbers and 'texts'. A date is a day where it is known to the day, and is compared with others or 'YYYYMMDD'.
Of rows that stand beside it the condition holds for each of them; `not` says so of rows that may not be there.

    no_tax: {holds: "annual_tax = 0 or tax_base >= 300000", of: levies, severity: alert}
    failed_and_paid:
      holds: "receipt.batch_no is null"
      beside: {receipt: {of: tax.receipts, per: [batch_no, notice_no]}}
      unless: {result: "0"}
      of: transfer_details

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._expression import ExpressionError, read
from validators.shapes._given import Given, together
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the condition is false."""
    text = given.text("holds")
    if not given.rows.columns:
        return ()
    try:
        term, columns = read(text, given.rows.columns)
    except ExpressionError as error:
        given.wrong("R006", f"`{text[:60]}`: {error}")
        return ()
    ja, en = together(columns)
    return given.mask(columns, ~term, f"{ja} ({text})", f"{en} ({text})")


SHAPE = Shape("holds", __doc__ or "", "V433", (Parameter("holds", "the condition", required=True),), make)
