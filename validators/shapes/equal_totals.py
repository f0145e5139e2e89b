"""Two tables, also of two systems, have one total in every group.

A group that differs is told of once, at its first row in the order of dump and record; a group that only the other table
has, at that table's first row of it, by a second rule whose name ends in `.missing`. What has no value counts as 0.

    receipts_booked:
      equal_totals: amount
      of: receipts
      per: [booked, item]
      to: {of: financial_accounting.revenue_receipts, amount: amount, per: [booked, account]}

Source: the instance's.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from validators.shapes._children import Found, beside, described, matched, summed, totals, totals_sql
from validators.shapes._given import Given
from validators.shapes._groups import ORDER_SQL, grouped, joined, names
from validators.shapes._terms import Term, number
from validators.shapes.contract import KEY, Failing, Frames, Parameter, Query, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """Two rules: the groups of this table that differ, and those that it lacks."""
    amount, theirs = given.column("equal_totals", "number"), given.others("to")
    given.only(theirs, "to", ("amount",))
    if "amount" not in theirs.said:
        given.wrong("R002", "`to` needs `amount`: the column that is summed")
    other = given.column("amount", "number", of=theirs)
    matched(given, "to", given.rows, theirs)
    tolerance = number(given.number("tolerance") or 0)
    by = beside(given.rows, theirs)
    here, there = summed(given.rows, amount), summed(theirs, other)
    mine_ja, their_ja = given.rows.title_ja, described(theirs)[0]
    mine_en, their_en = given.rows.title_en, described(theirs)[1]
    ja = f"{mine_ja}の{amount.ja}と{their_ja}の{other.ja}の合計"
    en = f"totals of {mine_en} ({amount.en}) and {their_en} ({other.en})"
    first = given.rule((amount, *given.rows.per), *_differing(here, there, tolerance), ja, en, (theirs.table,), by)
    lacking = given.rule((), *_differing(there, here, tolerance, missing=True), ja, en, (given.table,), by)
    columns = tuple(dict.fromkeys(column.name for column in (other, *theirs.per)))
    missing = dataclasses.replace(lacking, name=f"{first.name}.missing", table=theirs.table, columns=columns)
    return first, missing


def _differing(own: Found, other: Found, tolerance: Term, *, missing: bool = False) -> tuple[Failing, Query]:
    """The first row of each group whose totals differ; where `missing` is asked, of those that only it has."""
    present, keys, keys_sql = grouped(own.rows.per)
    meant = own.rows.condition.term & present
    by = names(own.rows.per)
    more = Term(pl.col("_found"), "own.found").or_zero()
    less = Term(pl.col("_other"), "other.found").or_zero()
    wrong = (more - less > tolerance) | (less - more > tolerance)
    if missing:
        wrong = wrong & ~Term(pl.col("_there"), "other.there").present()

    def failing(frames: Frames) -> pl.LazyFrame:
        others = totals(frames, other).with_columns(pl.lit(value=True).alias("_there")).rename({"_found": "_other"})
        groups = totals(frames, own).join(others, on=by, how="left").filter(wrong.expr)
        rows = frames[own.rows.table].filter(meant.expr).with_columns(keys).join(groups, on=by, how="semi")
        return rows.sort(KEY, maintain_order=True).unique(by, keep="first", maintain_order=True)

    group = f"PARTITION BY {', '.join(column.value.sql for column in own.rows.per)}"
    rank, whole = f"row_number() OVER ({group} ORDER BY {ORDER_SQL}) AS place", f"{own.sql} OVER ({group}) AS found"
    sql = (
        f"SELECT own.source_record FROM (SELECT source_record, {', '.join(keys_sql)}, {rank}, {whole} FROM {{batch}} AS batch "  # noqa: S608
        f"WHERE {meant.sql}) AS own LEFT JOIN (SELECT *, true AS there FROM ({totals_sql(other, f'{{{other.rows.table}}}')}) AS t) "
        f"AS other ON {joined(own.rows.per, 'own', 'other')} WHERE place = 1 AND {wrong.sql}"
    )
    return failing, Query(sql)


SHAPE = Shape(
    "equal_totals",
    __doc__ or "",
    "V425",
    (
        Parameter("equal_totals", "the number that is summed", required=True),
        Parameter("to", "the other rows: of, amount, and per, where, unless", required=True),
        Parameter(
            "per",
            "the columns that make a group, in both tables; of other names in the other, also there",
            required=True,
        ),
        Parameter("tolerance", "by how much the totals may differ (0)"),
    ),
    make,
)
