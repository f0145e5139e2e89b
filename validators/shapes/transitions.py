"""What follows what in a group is allowed: the states of an application, in the order in which they came.

`allowed` says after which value which ones may come, `first` with which a group may begin. A value that `allowed` does not
name has nothing after it. A row without the value, or without a place in the order, is left out.

    steps:
      transitions: state
      order: logged
      per: receipt_no
      allowed: {"01": ["02", "09"], "02": ["04", "09"], "04": ["05", "07"], "05": ["04"], "07": "08"}
      first: "01"
      of: status_log

Source: the instance's.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from validators.shapes._conditions import one_of
from validators.shapes._given import Given, together
from validators.shapes._groups import after_another, after_another_sql, divided
from validators.shapes._terms import Column
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape

MOST = 100
"""So many values may be named in `allowed`."""


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails that may not follow the one before it, or may not be the first."""
    column, order, rows = given.column("transitions", "text"), given.column("order"), given.rows
    said = given.instance.parameters["allowed"]
    if not isinstance(said, Mapping) or not 0 < len(said) <= MOST:
        given.wrong("R021", f"`allowed` is a mapping of 1 to {MOST} values to those that may follow them")
        return ()
    here, before = (Column(name, "text", name, name) for name in ("_value", "_former"))
    followed = ~here.value.present()
    for value, after in said.items():
        if words := given.words("allowed", after):
            followed = followed | (one_of(before, [str(value)]) & one_of(here, words))
    wrong = before.value.present() & ~followed
    if first := given.words("first", given.instance.parameters.get("first", ())):
        wrong = wrong | (~before.value.present() & ~one_of(here, first))
    meant, values = rows.condition.term & column.value.present(), {"_value": column.value}

    def failing(frames: Frames) -> pl.LazyFrame:
        former = {"_former": pl.col("_value").shift(1)}
        return after_another(rows.frame(frames), rows.per, order, meant, values, former).filter(wrong.expr)

    query = Query(
        after_another_sql(rows.per, order, meant, values, {"_former": ('lag("_value")', "")}, wrong.sql, rows.sql)
    )
    ja, en = together(rows.per)
    subject = f"{column.ja}の遷移", f"what follows what of the {column.en}"
    titles = (f"{ja}ごとの{subject[0]}", f"{subject[1]} per {en}") if rows.per else subject
    by = divided((rows.table, rows.per))
    return (given.rule((column, order, *rows.per), failing, query, *titles, divided_by=by),)


SHAPE = Shape(
    "transitions",
    __doc__ or "",
    "V452",
    (
        Parameter("transitions", "the value that changes", required=True),
        Parameter("allowed", "value: the values that may follow it", required=True),
        Parameter("order", "what orders the rows of a group: a date, a number or a text", required=True),
        Parameter("per", "the columns of a group; of none, all rows are one"),
        Parameter("first", "the values that a group may begin with; any, where it is left out"),
    ),
    make,
)
