"""A number that a row states is the number of rows of another table that belong to it, or bounds it.

Of a row that states none nothing is said. A number that is written out holds for every group, which is told of once.

    member_count_matches: {count_matches: member_count, counted: residents, of: households, per: household_no}
    entries: {count_matches: "5", compare: at_most, counted: entries, of: entries, per: [user_no, month]}

Source: the instance's; it proves that no row was lost on the way.
"""

from __future__ import annotations

from validators.shapes._children import COMPARISONS, beside, compared, comparison, counted, described, matched, stated
from validators.shapes._given import Given
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """Every row fails whose own number differs from what is found."""
    said, found = stated(given, "count_matches"), counted(given.others("counted"))
    given.only(found.rows, "counted", ())
    matched(given, "counted", given.rows, found.rows)
    failing, query = compared(given, said.term, comparison(given), found, once=not said.columns)
    ja, en = described(found.rows)
    columns = (*said.columns, *given.rows.per)
    return (
        given.rule(
            columns,
            failing,
            query,
            f"{said.ja}と{ja}の件数",
            f"{said.en} and number of {en}",
            (found.rows.table,),
            beside(given.rows, found.rows),
        ),
    )


SHAPE = Shape(
    "count_matches",
    __doc__ or "",
    "V417",
    (
        Parameter("count_matches", "the number that is stated: a column, or a number", required=True),
        Parameter("counted", "the other rows: a table, or of, per, where, unless", required=True),
        Parameter("per", "the columns that both tables share; of other names in the other, also there", required=True),
        Parameter("compare", f"what is found {', '.join(COMPARISONS)} what is stated (equals)"),
        Parameter("tolerance", "by how much they may differ (0)"),
    ),
    make,
)
