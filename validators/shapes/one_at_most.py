"""Of the rows of a group one at most is such a row: the second and later ones fail, in the order of dump and record.

    single_head: {one_at_most: [household_no], of: residents, where: {relationship: "01"}, unless: {change_reason: 2*}}
    uid: {one_at_most: uid, folded: "yes", of: accounts}
    same_person: {one_at_most: [name_kana, birth, address], of: parties, severity: alert}

Source: the instance's.
"""

from __future__ import annotations

import string

import polars as pl

from validators.shapes._given import Given, together
from validators.shapes._groups import divided, later, later_sql
from validators.shapes._terms import Column, Term, every
from validators.shapes.contract import Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """A row in no group, because a column of it has no value, is not judged."""
    per, rows = given.columns("one_at_most"), given.rows
    if not per:
        given.wrong("R002", "`one_at_most` names the columns of a group")
        return ()
    meant = every([rows.condition.term, *(column.value.present() for column in per)])
    alike = folded if given.text("folded", "no", allowed=("yes", "no")) == "yes" else (lambda column: column.value)
    by = {f"_{n}": alike(column) for n, column in enumerate(dict.fromkeys(per))}

    def failing(frames: Frames) -> pl.LazyFrame:
        own = rows.frame(frames).filter(meant.expr)
        return later(own.with_columns(term.expr.alias(name) for name, term in by.items()), list(by))

    query = Query(later_sql([term.sql for term in by.values()], meant.sql, rows.sql))
    ja, en = together(per, "・", " and ")
    columns = (*rows.condition.columns, *per)
    return (
        given.rule(
            columns,
            failing,
            query,
            f"{rows.title_ja}: {ja}ごとに一件まで",
            f"{rows.title_en}: one at most per {en}",
            divided_by={rows.table: tuple(term.expr for term in by.values())} if divided((rows.table, per)) else {},
        ),
    )


def folded(column: Column) -> Term:
    """A text with small letters for the capitals A to Z, as directories compare names."""
    if column.type != "text":
        return column.value
    expr = column.value.expr.str.replace_many(list(string.ascii_uppercase), list(string.ascii_lowercase))
    sql = f"translate({column.value.sql}, '{string.ascii_uppercase}', '{string.ascii_lowercase}')"
    return Term(expr, sql)


SHAPE = Shape(
    "one_at_most",
    __doc__ or "",
    "V411",
    (
        Parameter("one_at_most", "the columns of a group", required=True),
        Parameter("folded", "yes: capitals and small letters (A to Z) are one (no)"),
    ),
    make,
)
