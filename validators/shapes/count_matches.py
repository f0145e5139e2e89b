"""A number that a row states is the number of rows of another table that belong to it.

Of a row that states none nothing is said.

    member_count_matches: {count_matches: member_count, counted: residents, of: households, per: household_no}

Source: the instance's; it proves that no row was lost on the way.
"""

from __future__ import annotations

from validators.shapes._children import COMPARISONS, beside, compared, comparison, counted, described, matched
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """Every row fails whose own number differs from what is found."""
    stated, found = given.column("count_matches", "number"), counted(given.others("counted"))
    given.only(found.rows, "counted", ())
    matched(given, "counted", given.rows, found.rows)
    failing, query = compared(given, stated.number, comparison(given), found, once=False)
    ja, en = described(found.rows)
    columns = (stated, *given.rows.per)
    return (
        given.rule(
            columns,
            failing,
            query,
            f"{stated.ja}と{ja}の件数",
            f"{stated.en} and number of {en}",
            (found.rows.table,),
            beside(given.rows, found.rows),
        ),
    )


SHAPE = Shape(
    "count_matches",
    __doc__ or "",
    "V417",
    (
        Parameter("count_matches", "the number that is stated", required=True),
        Parameter("counted", "the other rows: a table, or of, per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
        Parameter("compare", f"what is found {', '.join(COMPARISONS)} what is stated (equals)"),
        Parameter("tolerance", "by how much they may differ (0)"),
    ),
    make,
)
