"""The periods of a group do not overlap: a row fails that begins before an earlier one has ended.

A period without an end is open. One whose beginning or end is not known to the day is not judged. `until` is the last day
of a period (`ends: on`), or the day after it (`ends: before`): then one may begin on the day that another ends. Hours of a
day, or numbers, are periods too; one of them without an end is not judged.

    insured: {no_overlap: [acquired, lost], ends: before, per: person_no, of: insured_persons}
    booked: {no_overlap: [from_at, to_at], ends: before, per: [room_no, day], of: reservations}

Source: the instance's.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import after_another, after_another_sql, divided, ordered
from validators.shapes._terms import Column, Term
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape

OPEN = Term(pl.lit(99_999_999), "99999999")
ENDS = ("on", "before")


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails whose first day lies within a period that began before it, or on the same day."""
    dates, rows = given.columns("no_overlap"), given.rows
    if len(dates) != 2 or dates[0].type != dates[1].type:
        given.wrong(
            "R002", "`no_overlap` names the beginning and the end of a period: two dates, or two columns of one type"
        )
        return ()
    begin, end = dates if dates[0].digits is dates[1].digits else (_text(column) for column in dates)
    until = _until(end)
    meant = rows.condition.term & until.present()
    wrong = Term(pl.col("_place"), '"_place"') <= Term(pl.col("_ended"), '"_ended"')
    if given.text("ends", "on", allowed=ENDS) == "before":
        wrong = Term(pl.col("_place"), '"_place"') < Term(pl.col("_ended"), '"_ended"')
    values = {"_until": until, "_begun": ordered(begin)}

    def failing(frames: Frames) -> pl.LazyFrame:
        former = {"_ended": pl.col("_until").cum_max().shift(1)}
        return after_another(rows.frame(frames), rows.per, begin, meant, values, former).filter(wrong.expr)

    frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    sql = wrong.sql.replace('"_place"', '"_begun"')
    query = Query(
        after_another_sql(rows.per, begin, meant, values, {"_ended": ('max("_until")', frame)}, sql, rows.sql)
    )
    ja, en = together(rows.per)
    subject = f"{begin.ja}から{end.ja}までの期間", f"periods from {begin.en} to {end.en}"
    said = (f"{ja}ごとの{subject[0]}", f"{subject[1]} per {en}") if rows.per else subject
    return (given.rule((begin, end, *rows.per), failing, query, *said, divided_by=divided((rows.table, rows.per))),)


def _text(column: Column) -> Column:
    """A text that is compared as one, whatever it holds."""
    return dataclasses.replace(column, digits=False)


def _until(end: Column) -> Term:
    """When a period ends; a date that is not there leaves it open."""
    if end.type != "date":
        return ordered(end)
    none = ~end.value.present()
    return Term(
        pl.when(none.expr).then(OPEN.expr).otherwise(end.day.expr).cast(pl.Int64),
        f"(CASE WHEN {none.sql} THEN {OPEN.sql} ELSE {end.day.sql} END)",
    )


SHAPE = Shape(
    "no_overlap",
    __doc__ or "",
    "V426",
    (
        Parameter("no_overlap", "two dates, times or numbers: the beginning and the end of a period", required=True),
        Parameter("per", "the columns of a group; of none, all rows are one", required=False),
        Parameter("ends", "on: the end is the last day; before: it is the day after (on)"),
    ),
    make,
)
