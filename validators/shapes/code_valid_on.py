"""What a row names is, on the row's own day, a valid row of another table: a section, a code of a dated list.

A row that names nothing, or whose day is not known, is not judged. A period of the other table without a beginning or an
end known to the day is open on that side; without `day` the row need only be there, as by year.

    section:
      code_valid_on: section_code
      day: committed
      of: commitments
      in: {of: staff_authentication.org_units, per: section_code, from: valid_from, until: valid_until}

Source: the instance's.
"""

from __future__ import annotations

import dataclasses

from validators.shapes._children import beside, described, matched
from validators.shapes._dated import SAID, on_its_day, without
from validators.shapes._given import Given, together
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the other table has no row of this name that is valid on the day."""
    columns = given.columns("code_valid_on")
    rows, others = dataclasses.replace(given.rows, per=columns), given.others("in", per="code_valid_on")
    given.only(others, "in", SAID)
    matched(given, "in", rows, others)
    failing, query = without(rows, others, on_its_day(given, others))
    (ja, en), (other_ja, other_en) = together(columns), described(others)
    day = given.columns("day", "date")
    on_ja, on_en = "".join(f"{c.ja}における" for c in day), "".join(f" on the {c.en}" for c in day)
    subject = f"{ja}の{on_ja}{other_ja}", f"{en}: {other_en} valid{on_en}"
    return (given.rule((*columns, *day), failing, query, *subject, (others.table,), beside(rows, others)),)


SHAPE = Shape(
    "code_valid_on",
    __doc__ or "",
    "V431",
    (
        Parameter("code_valid_on", "the columns that name a row", required=True),
        Parameter(
            "in",
            "the other rows: of, per (their columns that are named), from, until, ends, where, unless",
            required=True,
        ),
        Parameter("day", "the row's own day"),
    ),
    make,
)
