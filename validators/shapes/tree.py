"""Rows name the one above them, and nobody is above himself: every way up ends, within so many steps.

A row that names nobody ends it, and so does one that names a row that is not there, which a reference tells of. All rows
on a circle fail, and all from which a way leads into one.

    sections: {tree: parent_code, key: section_code, of: org_units}

Source: the instance's.
"""

from __future__ import annotations

import polars as pl

from validators.shapes._given import Given
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape

STEPS, MOST = 16, 64
"""How many steps up there are, where nothing is said; and how many may be said."""


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails from which a way leads up that is longer than it may be."""
    parent, key, rows = given.column("tree"), given.column("key"), given.rows
    if parent.type != key.type:
        given.wrong("R005", f"`{parent.name}` and `{key.name}` are of two types")
    steps = int(given.number("steps") or STEPS)
    if not 0 < steps <= MOST:
        given.wrong("R021", f"`steps` is a whole number from 1 to {MOST}")
        return ()
    meant = rows.condition.term & parent.value.present() & key.value.present()

    def failing(frames: Frames) -> pl.LazyFrame:
        own = rows.frame(frames).filter(meant.expr)
        edges = own.select(key.value.expr.alias("_key"), parent.value.expr.alias("_above")).unique()
        left = edges
        for _ in range(steps):
            left = edges.join(left.select("_key").unique(), left_on="_above", right_on="_key", how="semi")
        return own.with_columns(key.value.expr.alias("_key")).join(left.select("_key").unique(), on="_key", how="semi")

    edges = f"SELECT DISTINCT {key.value.sql} AS key, {parent.value.sql} AS above FROM {rows.sql} WHERE {meant.sql}"  # noqa: S608
    sql = (
        f"WITH RECURSIVE edges AS ({edges}), up AS (SELECT key, 0 AS steps FROM edges UNION "  # noqa: S608
        f"SELECT edges.key, up.steps + 1 FROM edges, up WHERE edges.above = up.key AND up.steps < {steps}) "
        f"SELECT source_record FROM {rows.sql} WHERE {meant.sql} AND {key.value.sql} IN "
        f"(SELECT key FROM up WHERE steps = {steps})"
    )
    subject = f"{rows.title_ja}の階層 ({parent.ja})", f"{rows.title_en}: the way up by {parent.en}"
    return (given.rule((parent, key), failing, Query(sql), *subject),)


SHAPE = Shape(
    "tree",
    __doc__ or "",
    "V453",
    (
        Parameter("tree", "the column that names the row above", required=True),
        Parameter("key", "the column that it names", required=True),
        Parameter("steps", f"how many steps up there may be ({STEPS})"),
    ),
    make,
)
