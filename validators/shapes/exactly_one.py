"""A row has one row of another table, neither none nor several.

Of a key that several records name, the preferred row fails.

    main_appointment: {exactly_one: {of: appointments, where: {kind: "1"}}, of: employees, per: employee_no}

Source: the instance's.
"""

from __future__ import annotations

from validators.shapes._children import existing
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where another number than one is found."""
    return existing(given, lambda stated, found: found.differs(stated), "ちょうど一件", "exactly one")


SHAPE = Shape(
    "exactly_one",
    __doc__ or "",
    "V434",
    (
        Parameter("exactly_one", "the other rows: a table, or of, per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
    ),
    make,
)
