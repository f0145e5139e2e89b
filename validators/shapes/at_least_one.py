"""A row has one row at least of another table.

Of a key that several records name, the preferred row fails.

    household_has_head:
      at_least_one: {of: residents, where: {relationship: "01"}, unless: {change_reason: 2*}}
      of: households
      per: household_no

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._children import existing
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where none is found."""
    return existing(given, lambda stated, found: found < stated, "一件以上", "one at least")


SHAPE = Shape(
    "at_least_one",
    __doc__ or "",
    "V412",
    (
        Parameter("at_least_one", "the other rows: a table, or of, per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
    ),
    make,
)
