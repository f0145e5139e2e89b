"""The numbers, or the periods, of a group follow one another without a gap.

Numbers begin with a first one; a number that comes twice is no gap, and what is no number is not judged.

    revisions: {no_gap: revision_no, from: "0", per: [fiscal_year, notice_no], of: levies}

Periods begin on the day after the last day so far of those that began before (`ends: on`), or on the day when they ended
(`ends: before`); earlier is no gap, and behind an open end, or one that is not known to the day, nothing is one. A period
whose beginning is not known to the day does not count.

    insured: {no_gap: [acquired, lost], ends: before, per: person_no, of: insured_persons}

Source: the instance's; a gap says that a row did not come.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import after_another, after_another_sql, divided
from validators.shapes._terms import Column, Term, number
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape

GREGORIAN, OPEN, UNKNOWN = 18_730_101, 99_991_231, 99_999_999
"""The first day of the calendar in which days are counted on; an end that is none; one that is not known."""

ENDS = ("on", "before")


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails before which a number, or a day, is missing."""
    columns = given.columns("no_gap")
    if len(columns) == 2:
        return _of_periods(given, *given.columns("no_gap", "date"))
    return _of_numbers(given)


def _of_numbers(given: Given) -> tuple[Rule, ...]:
    """The row fails whose number is more than one above the one before; the first one, if it is not `from`."""
    column, rows = given.column("no_gap", "number"), given.rows
    first = number(given.number("from", Decimal(1)) or 0)
    here, before = Term(pl.col("_number"), '"_number"'), Term(pl.col("_before"), '"_before"')
    begins = ~before.present() & here.differs(first)
    wrong = begins | (here - before > number(1)).surely()
    former = pl.col("_number").shift(1), 'lag("_number")', ""
    ja, en = together(rows.per)
    said = (f"{ja}ごとの{column.ja}", f"{column.en} per {en}") if rows.per else (column.ja, column.en)
    return (_rule(given, (column,), {"_number": column.number}, former, wrong, said),)


def _of_periods(given: Given, begin: Column, end: Column) -> tuple[Rule, ...]:
    """The row fails that begins later than the ends so far allow."""
    rows, ends = given.rows, given.text("ends", "on", allowed=ENDS)
    none = ~end.value.present()
    until = Term(
        pl.when(none.expr).then(OPEN).otherwise(end.day.expr.fill_null(UNKNOWN)).cast(pl.Int64),
        f"(CASE WHEN {none.sql} THEN {OPEN} ELSE coalesce({end.day.sql}, {UNKNOWN}) END)",
    )
    before = Term(pl.col("_before"), '"_before"')
    begun = Term(pl.col("_place"), '"_begun"')
    wrong = (begun > (_next(before) if ends == "on" else before)).surely()
    frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    former = pl.col("_until").cum_max().shift(1), 'max("_until")', frame
    ja, en = together(rows.per)
    subject = f"{begin.ja}から{end.ja}までの期間", f"periods from {begin.en} to {end.en}"
    said = (f"{ja}ごとの{subject[0]}", f"{subject[1]} per {en}") if rows.per else subject
    return (_rule(given, (begin, end), {"_until": until, "_begun": begin.day}, former, wrong, said),)


def _next(day: Term) -> Term:
    """The day after one, YYYYMMDD; of an end that is open, not known or of the lunar calendar, none that anything is after."""
    bounded = Term(day.expr.is_between(GREGORIAN, OPEN - 1), f"{day.sql} BETWEEN {GREGORIAN} AND {OPEN - 1}")
    after = pl.when(bounded.expr).then(day.expr).cast(pl.String).str.to_date("%Y%m%d").dt.offset_by("1d")
    sql = f"CAST(to_char(to_date(CAST({day.sql} AS text), 'YYYYMMDD') + 1, 'YYYYMMDD') AS bigint)"
    return Term(
        pl.when(day.expr.is_null())
        .then(None)
        .when(bounded.expr)
        .then(after.dt.strftime("%Y%m%d").cast(pl.Int64))
        .otherwise(UNKNOWN),
        f"(CASE WHEN {day.sql} IS NULL THEN NULL WHEN {bounded.sql} THEN {sql} ELSE {UNKNOWN} END)",
    )


def _rule(
    given: Given,
    columns: tuple[Column, ...],
    values: Mapping[str, Term],
    former: tuple[pl.Expr, str, str],
    wrong: Term,
    said: tuple[str, str],
) -> Rule:
    """The rows that are wrong beside `_before`, which `former` makes of those before them."""
    rows, (expr, call, frame) = given.rows, former

    def failing(frames: Frames) -> pl.LazyFrame:
        looked = {"_before": expr}
        return after_another(rows.frame(frames), rows.per, columns[0], rows.condition.term, values, looked).filter(
            wrong.expr
        )

    looked = {"_before": (call, frame)}
    query = Query(after_another_sql(rows.per, columns[0], rows.condition.term, values, looked, wrong.sql, rows.sql))
    return given.rule((*columns, *rows.per), failing, query, *said, divided_by=divided((rows.table, rows.per)))


SHAPE = Shape(
    "no_gap",
    __doc__ or "",
    "V427",
    (
        Parameter("no_gap", "the number; or two dates: the beginning and the end of a period", required=True),
        Parameter("per", "the columns of a group; of none, all rows are one"),
        Parameter("from", "the first number (1)"),
        Parameter("ends", "of periods, on: the end is the last day; before: it is the day after (on)"),
    ),
    make,
)
