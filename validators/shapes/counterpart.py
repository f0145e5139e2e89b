"""A row has a counterpart: a row of another table that fits it, by columns, by its day, or by a condition between the two.

In the condition the other row's columns are `other.COLUMN`. A row without a value of a column that ties it, or whose day
is not known, is not judged. Turned round, as an instance of the other table, it proves the other way.

    insured:
      counterpart:
        of: resident_records.insurance_flags
        per: [person_no, ordinal]
        if: acquired = other.acquired and (lost = other.lost or lost is null and other.lost is null)
      of: insured_persons

Source: the instance's.
"""

from __future__ import annotations

import polars as pl

from validators.shapes import _beside
from validators.shapes._children import described
from validators.shapes._given import Given
from validators.shapes._groups import divided
from validators.shapes._terms import every
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape

FOUND = '"other._found"'


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where no such row is found."""
    rows, parameters = given.rows, given.instance.parameters
    looked = _beside.looked(given, "other", parameters["counterpart"], rows.columns, repr(parameters))
    if looked.last is not None:
        given.wrong("R020", "`last` says which of several rows is meant; a counterpart is any of them")
    day = looked.rows.said.get("day")
    days = () if day is None else (given.named(rows.columns, str(day), "the row", "date"),)
    meant = every([rows.condition.term, *(c.value.present() for c in looked.mine), *(c.day.present() for c in days)])

    def failing(frames: Frames) -> pl.LazyFrame:
        return looked.frame(rows.frame(frames).filter(meant.expr), frames, each=True).filter(
            pl.col("other._found").is_null()
        )

    own = f"(SELECT * FROM {rows.named} WHERE {meant.sql})"  # noqa: S608
    query = Query(f"SELECT source_record FROM {looked.sql(own, each=True)} AS placed WHERE {FOUND} IS NULL")  # noqa: S608
    ja, en = described(looked.rows)
    tables = (looked.rows.table, *looked.rows.tables)
    columns = (*looked.mine, *days) or tuple(rows.columns.values())[:1]
    by = divided((rows.table, looked.mine), (looked.rows.table, looked.rows.per))
    by = {} if looked.rows.beside else by
    return (given.rule(columns, failing, query, f"{ja}との対応", f"counterpart among {en}", tables, by),)


SHAPE = Shape(
    "counterpart",
    __doc__ or "",
    "V450",
    (
        Parameter(
            "counterpart",
            "the other rows: of, per (names, or theirs: ours), day, from, until, ends, if, where, unless, beside",
            required=True,
        ),
    ),
    make,
)
