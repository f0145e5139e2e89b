"""Of the rows of a group one at most is such a row: the second and later ones fail, in the order of dump and record.

    single_head: {one_at_most: [household_no], of: residents, where: {relationship: "01"}, unless: {change_reason: 2*}}

Source: the instance's.
"""

from __future__ import annotations

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import divided, later, later_sql
from validators.shapes._terms import every
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """A row in no group, because a column of it has no value, is not judged."""
    per, rows = given.columns("one_at_most"), given.rows
    if not per:
        given.wrong("R002", "`one_at_most` names the columns of a group")
        return ()
    meant = every([rows.condition.term, *(column.value.present() for column in per)])
    stored = list(dict.fromkeys(column.stored for column in per))

    def failing(frames: Frames) -> pl.LazyFrame:
        return later(rows.frame(frames).filter(meant.expr), stored)

    query = Query(later_sql([column.value.sql for column in per], meant.sql, rows.sql))
    ja, en = together(per, "・", " and ")
    columns = (*rows.condition.columns, *per)
    return (
        given.rule(
            columns,
            failing,
            query,
            f"{rows.title_ja}: {ja}ごとに一件まで",
            f"{rows.title_en}: one at most per {en}",
            divided_by=divided((rows.table, per)),
        ),
    )


SHAPE = Shape(
    "one_at_most",
    __doc__ or "",
    "V411",
    (Parameter("one_at_most", "the columns of a group", required=True),),
    make,
)
