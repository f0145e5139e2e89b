"""The numbers of a group follow one another without a gap, from a first one on.

A number that comes twice is no gap. What is no number is not judged.

    revisions: {no_gap: revision_no, from: "0", per: [fiscal_year, notice_no], of: levies}

Source: the instance's; a gap says that a row did not come.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import after_another, after_another_sql, divided
from validators.shapes._terms import Term, number
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails whose number is more than one above the one before; the first one, if it is not `from`."""
    column, rows = given.column("no_gap", "number"), given.rows
    first = number(given.number("from", Decimal(1)) or 0)
    here, before = Term(pl.col("_number"), '"_number"'), Term(pl.col("_before"), '"_before"')
    begins = ~before.present() & here.differs(first)
    wrong = begins | (here - before > number(1)).surely()
    values = {"_number": column.number}

    def failing(frames: Frames) -> pl.LazyFrame:
        former = {"_before": pl.col("_number").shift(1)}
        return after_another(rows.frame(frames), rows.per, column, rows.condition.term, values, former).filter(
            wrong.expr
        )

    former = {"_before": ('lag("_number")', "")}
    query = Query(after_another_sql(rows.per, column, rows.condition.term, values, former, wrong.sql, rows.sql))
    ja, en = together(rows.per)
    said = (f"{ja}ごとの{column.ja}", f"{column.en} per {en}") if rows.per else (column.ja, column.en)
    return (given.rule((column, *rows.per), failing, query, *said, divided_by=divided((rows.table, rows.per))),)


SHAPE = Shape(
    "no_gap",
    __doc__ or "",
    "V427",
    (
        Parameter("no_gap", "the number", required=True),
        Parameter("per", "the columns of a group; of none, all rows are one"),
        Parameter("from", "the first number (1)"),
    ),
    make,
)
