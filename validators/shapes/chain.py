"""What a row begins with is what the row before it in its group ended with.

A row without the one value, or behind a row without the other, is not judged; nor is one without a place in the order.

    daily: {chain: opening, follows: closing, order: day, per: account, of: daily_balances}

Source: the instance's.
"""

from __future__ import annotations

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import after_another, after_another_sql, divided
from validators.shapes._terms import Term
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails whose value differs from the former row's."""
    column, follows, order, rows = given.column("chain"), given.column("follows"), given.column("order"), given.rows
    if column.type != follows.type:
        given.wrong("R005", f"`{column.name}` and `{follows.name}` are of two types")
    values = {"_value": column.value, "_left": follows.value}
    wrong = Term(pl.col("_value"), '"_value"').differs(Term(pl.col("_former"), '"_former"'))

    def failing(frames: Frames) -> pl.LazyFrame:
        former = {"_former": pl.col("_left").shift(1)}
        return after_another(rows.frame(frames), rows.per, order, rows.condition.term, values, former).filter(
            wrong.expr
        )

    former = {"_former": ('lag("_left")', "")}
    query = Query(after_another_sql(rows.per, order, rows.condition.term, values, former, wrong.sql, rows.sql))
    ja, en = together(rows.per)
    subject = f"{column.ja}と前の{follows.ja}", f"{column.en} and {follows.en} of the row before"
    said = (f"{ja}ごとの{subject[0]}", f"{subject[1]} per {en}") if rows.per else subject
    return (
        given.rule(
            (column, follows, order, *rows.per), failing, query, *said, divided_by=divided((rows.table, rows.per))
        ),
    )


SHAPE = Shape(
    "chain",
    __doc__ or "",
    "V424",
    (
        Parameter("chain", "the value that a row begins with", required=True),
        Parameter("follows", "the value of the former row that it must be", required=True),
        Parameter("order", "what orders the rows of a group: a date, a number or a text", required=True),
        Parameter("per", "the columns of a group; of none, all rows are one"),
    ),
    make,
)
