"""A number is what a formula makes of its row, and of rows beside it such as the lines of a dated table: compared, not set.

What the old system computed may be lawful all the same, so a difference is an alert, and never changes a value. The report
gives of each such rule how many rows differ, and by how much in sum and at most; of a row its place and its difference,
and neither of the two numbers. A row fails, too, for which nothing can be computed, because the table says nothing of it;
of a row without the number nothing is said.

    rent:
      recompute: own_rent
      as: floor(base.amount * location * area / 65 * age_factor * convenience, 100)
      beside: {base: {of: rent_base, per: [fiscal_year, income_band]}}
      of: rents

What a quotient gives is rounded as the formula says: `floor(n, 100)` 100円未満切捨て, `ceil`, `half_up` 四捨五入. A first
instalment that takes the fraction is a formula of the later ones, `floor(levy.annual_tax / levy.terms, 1000)` unless
{term: "01"}, and one of the first, `levy.annual_tax - (levy.terms - 1) * floor(levy.annual_tax / levy.terms, 1000)`.

Source: the instance's.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import polars as pl

from validators.shapes._expression import ExpressionError, read_value
from validators.shapes._given import Given, together
from validators.shapes._terms import NUMBER, Term, number
from validators.shapes.contract import DIFFERENCE, Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the formula gives another number, or none."""
    stated, rows, text = given.column("recompute", "number"), given.rows, given.text("as")
    if not rows.columns:
        return ()
    try:
        value, read = read_value(text, rows.columns)
    except ExpressionError as error:
        given.wrong("R006", f"`{text[:60]}`: {error}")
        return ()
    if value.type != "number":
        given.wrong("R005", f"`as` gives {value.type}, where a number is meant")
        return ()
    computed = Term(value.term.expr.cast(NUMBER), value.term.sql)
    tolerance = number(given.number("tolerance", Decimal(0)) or 0)
    more = stated.number - computed
    wrong = ~computed.present() | (more > tolerance) | (number(0) - more > tolerance)
    meant = rows.condition.term & stated.number.present() & wrong
    difference = more.expr.alias(DIFFERENCE)

    def failing(frames: Frames) -> pl.LazyFrame:
        fallen = rows.frame(frames, numbered=True).filter(meant.expr).with_columns(difference)
        return fallen.sort("_row", difference.abs()).unique("_row", keep="last", maintain_order=True)

    sql = f'SELECT source_record FROM (SELECT DISTINCT "_row", source_record FROM {rows.numbered} WHERE {meant.sql}) AS fallen'  # noqa: S608
    ja, en = together([stated, *(column for column in read if column != stated)])
    rule = given.rule((stated, *read), failing, Query(sql), f"{ja} ({text})", f"{en} ({text})")
    return (dataclasses.replace(rule, divided_by=given.apart(rows), tells=(DIFFERENCE,)),)


SHAPE = Shape(
    "recompute",
    __doc__ or "",
    "V451",
    (
        Parameter("recompute", "the number that is stated", required=True),
        Parameter("as", "the formula, as `holds` writes values", required=True),
        Parameter("tolerance", "by how much they may differ (0)"),
    ),
    make,
)
