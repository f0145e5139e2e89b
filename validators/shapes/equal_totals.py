"""Tables, also of several systems, have one total in every group.

A group that differs is told of once, at its first row in the order of dump and record: a row of this table where it has
the group, else of the next table that has it, by a further rule whose name ends in `.missing`, or `.missing.N` where there are several. What has no value counts
as 0. Several tables may stand on either side: `and` adds to this one, `to` is one or a list.

    receipts_booked:
      equal_totals: amount
      of: receipts
      per: [booked, item]
      and: [{of: national_health_insurance.receipts, amount: amount}]
      to: {of: financial_accounting.revenue_receipts, amount: amount, per: [booked, account]}

Source: the instance's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl

from validators.shapes._children import Found, described, matched, summed, totals, totals_sql
from validators.shapes._given import Given, Rows
from validators.shapes._groups import ORDER_SQL, divided, grouped, joined, names
from validators.shapes._terms import NUMBER, Column, Term, number
from validators.shapes.contract import DIFFERENCE, KEY, Failing, Frames, Parameter, Query, Rule, Shape


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """Rows of one table: what is summed of them, and on which side their sum counts."""

    rows: Rows
    amount: Column
    left: bool

    @property
    def found(self) -> Found:
        """Its sum by group, in rules about any table."""
        return summed(dataclasses.replace(self.rows, base=f"{{{self.rows.table}}}"), self.amount)


def make(given: Given) -> tuple[Rule, ...]:
    """A rule for each table: the groups that differ and that no table before it has."""
    amount = given.column("equal_totals", "number")
    first = Side(given.rows, amount, left=True)
    sides = (first, *_others(given, "and", left=True), *_others(given, "to", left=False))
    tolerance = number(given.number("tolerance") or 0)
    by = divided(*((side.rows.table, side.rows.per) for side in sides))
    ja = f"{_titles(sides, left=True)[0]}と{_titles(sides, left=False)[0]}の合計"
    en = f"totals of {_titles(sides, left=True)[1]} and {_titles(sides, left=False)[1]}"
    tables = tuple(side.rows.table for side in sides)
    rules = []
    for place, side in enumerate(sides):
        failing, query = _differing(sides, place, tolerance)
        said = (amount, *given.rows.per) if place == 0 else ()
        rule = given.rule(said, failing, query, ja, en, tuple(t for t in tables if t != side.rows.table), by)
        if place:
            columns = tuple(dict.fromkeys(column.name for column in (side.amount, *side.rows.per)))
            which = "missing" if len(sides) == 2 else f"missing.{place}"
            rule = dataclasses.replace(rule, name=f"{rule.name}.{which}", table=side.rows.table, columns=columns)
        rules.append(dataclasses.replace(rule, tells=(DIFFERENCE,)))
    return tuple(rules)


def _others(given: Given, name: str, *, left: bool) -> tuple[Side, ...]:
    said = given.instance.parameters.get(name, ())
    return tuple(_side(given, name, one, left=left) for one in (said if isinstance(said, list | tuple) else [said]))


def _side(given: Given, name: str, said: object, *, left: bool) -> Side:
    rows = given.rows_of(name, said)
    given.only(rows, name, ("amount",))
    if "amount" not in rows.said:
        given.wrong("R002", f"`{name}` needs `amount`: the column that is summed")
    matched(given, name, given.rows, rows)
    return Side(rows, given.column("amount", "number", of=rows), left)


def _titles(sides: Sequence[Side], *, left: bool) -> tuple[str, str]:
    said = [(*described(side.rows), side.amount) for side in sides if side.left is left]
    return "・".join(f"{ja} ({c.ja})" for ja, _, c in said), ", ".join(f"{en} ({c.en})" for _, en, c in said)


def _differing(sides: Sequence[Side], place: int, tolerance: Term) -> tuple[Failing, Query]:
    """The first row of each group whose totals differ, of those groups that no table before has."""
    rows = sides[place].rows
    present, keys, keys_sql = grouped(rows.per)
    meant, by = rows.condition.term & present, names(rows.per)
    more, less = Term(pl.col("_left"), "sum(stated)"), Term(pl.col("_right"), "sum(other)")
    wrong = (more - less > tolerance) | (less - more > tolerance)

    def failing(frames: Frames) -> pl.LazyFrame:
        parts = [_part(totals(frames, side.found), side, at) for at, side in enumerate(sides)]
        whole = pl.concat(parts).group_by(by).agg(pl.col("_left", "_right").sum(), pl.col("_at").min())
        groups = whole.filter(wrong.expr & (pl.col("_at") == place))
        told = (pl.col("_left") - pl.col("_right")).alias(DIFFERENCE)
        own = rows.frame(frames).filter(meant.expr).with_columns(keys).join(groups.select(*by, told), on=by)
        return own.sort(KEY, maintain_order=True).unique(by, keep="first", maintain_order=True)

    parts = " UNION ALL ".join(_part_sql(side, at) for at, side in enumerate(sides))
    numbers = ", ".join(str(n + 1) for n in range(len(by)))
    columns = ", ".join(f'"{name}"' for name in by)
    groups = f"SELECT {columns} FROM ({parts}) AS parts GROUP BY {numbers} HAVING {wrong.sql} AND min(at) = {place}"  # noqa: S608
    group = f"PARTITION BY {', '.join(column.value.sql for column in rows.per)}"
    rank = f"row_number() OVER ({group} ORDER BY {ORDER_SQL}) AS place"
    sql = (
        f"SELECT own.source_record FROM (SELECT source_record, {', '.join([*keys_sql, rank])} "  # noqa: S608
        f"FROM {dataclasses.replace(rows, base='{batch}').named} WHERE {meant.sql}) AS own "
        f"JOIN ({groups}) AS other ON {joined(rows.per, 'own', 'other')} WHERE place = 1"
    )
    return failing, Query(sql)


def _part(found: pl.LazyFrame, side: Side, at: int) -> pl.LazyFrame:
    nothing, here = pl.lit(0, dtype=NUMBER), pl.col("_found").fill_null(0)
    left, right = (here, nothing) if side.left else (nothing, here)
    return found.select(*names(side.rows.per), left.alias("_left"), right.alias("_right"), pl.lit(at).alias("_at"))


def _part_sql(side: Side, at: int) -> str:
    columns = ", ".join(f'"{name}"' for name in names(side.rows.per))
    values = "coalesce(found, 0) AS stated, 0 AS other" if side.left else "0 AS stated, coalesce(found, 0) AS other"
    return f"SELECT {columns}, {values}, {at} AS at FROM ({totals_sql(side.found)}) AS side"  # noqa: S608


SHAPE = Shape(
    "equal_totals",
    __doc__ or "",
    "V425",
    (
        Parameter("equal_totals", "the number that is summed", required=True),
        Parameter("to", "the other rows, or a list of them: of, amount, and per, where, unless, beside", required=True),
        Parameter(
            "per",
            "the columns that make a group, in all tables; of other names in another, also there",
            required=True,
        ),
        Parameter("and", "further rows whose sums are added to those of this table, in the form of `to`"),
        Parameter("tolerance", "by how much the totals may differ (0)"),
    ),
    make,
)
