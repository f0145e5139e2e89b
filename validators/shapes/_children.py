"""A row beside what another table's rows of its group come to: how many they are, or their sum."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import polars as pl

from validators.shapes._given import Given, Rows
from validators.shapes._groups import ORDER_SQL, divided, grouped, joined, names
from validators.shapes._terms import NUMBER, Column, Term, number, quoted
from validators.shapes.contract import KEY, Failing, Frames, Query, Rule

NUMERAL = re.compile(r"-?[0-9]+([.][0-9]+)?")

COMPARISONS = ("equals", "at_most", "at_least")


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What the other rows of a group come to.

    Attributes:
        rows: the other rows.
        expr: their aggregate in Polars.
        sql: the same in SQL.
    """

    rows: Rows
    expr: pl.Expr
    sql: str


def counted(rows: Rows) -> Found:
    """How many there are."""
    return Found(rows, pl.len().cast(NUMBER), "count(*)")


def summed(rows: Rows, column: Column) -> Found:
    """The sum of a column of theirs; no value counts as 0."""
    return Found(rows, column.number.expr.sum(), f"sum({column.number.sql})")


def totals(frames: Frames, found: Found) -> pl.LazyFrame:
    """One row a group, `_0`, `_1`, ... and `_found`."""
    present, keys, _ = grouped(found.rows.per)
    rows = found.rows.frame(frames).filter((found.rows.condition.term & present).expr)
    return rows.group_by(keys).agg(found.expr.alias("_found"))


def totals_sql(found: Found) -> str:
    """The same in SQL."""
    present, _, keys = grouped(found.rows.per)
    by = ", ".join(str(n + 1) for n in range(len(keys)))
    condition = (found.rows.condition.term & present).sql
    return f"SELECT {', '.join(keys)}, {found.sql} AS found FROM {found.rows.sql} WHERE {condition} GROUP BY {by}"  # noqa: S608


def matched(given: Given, name: str, mine: Rows, theirs: Rows) -> None:
    """Prove that both sides are tied by as many columns, of the same types."""
    if not mine.per or [column.type for column in mine.per] != [column.type for column in theirs.per]:
        said = f"a row and those of `{name}` are tied by as many columns, of the same types (`per`)"
        given.wrong("R002", said)


def compared(
    given: Given, stated: Term, wrong: Callable[[Term, Term], Term], found: Found, *, once: bool
) -> tuple[Failing, Query]:
    """The rows whose stated number is wrong beside what was found; `once`: of a group, its preferred row stands for it."""
    rows = given.rows
    present, keys, keys_sql = grouped(rows.per)
    meant = rows.condition.term & present & stated.present()
    by = names(rows.per)
    verdict = wrong(Term(pl.col("_stated"), "stated"), Term(pl.col("_found"), "found").or_zero())

    def failing(frames: Frames) -> pl.LazyFrame:
        own = rows.frame(frames).filter(meant.expr).with_columns(*keys, stated.expr.alias("_stated"))
        fallen = own.join(totals(frames, found), on=by, how="left").filter(verdict.expr)
        return fallen.sort("_rank", *KEY).unique(by, keep="first", maintain_order=True) if once else fallen

    sql = (
        f"SELECT own.* FROM (SELECT source_record, source_dump, _rank, {', '.join(keys_sql)}, {stated.sql} AS stated "  # noqa: S608
        # Great Expectations names what it puts here only where nothing is joined, and PostgreSQL 15 wants a name.
        f"FROM {rows.named} WHERE {meant.sql}) AS own LEFT JOIN ({totals_sql(found)}) AS other "
        f"ON {joined(rows.per, 'own', 'other')} WHERE {verdict.sql}"
    )
    return failing, Query(_first(sql, by) if once else sql.replace("own.*", "own.source_record", 1))


def _first(sql: str, by: Sequence[str]) -> str:
    """Of the rows that fail, the preferred one of each group; those that do not fail are not put in order."""
    group = ", ".join(map(quoted, by))
    return (
        f"SELECT source_record FROM (SELECT source_record, row_number() OVER (PARTITION BY {group} "  # noqa: S608
        f"ORDER BY _rank, {ORDER_SQL}) AS place FROM ({sql}) AS fallen) AS placed WHERE place = 1"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Stated:
    """What is stated: a column of the row, or a number that the instance writes out, which holds for a whole group."""

    term: Term
    columns: tuple[Column, ...]
    ja: str
    en: str


def stated(given: Given, name: str) -> Stated:
    """What an instance says under a name."""
    said = given.text(name)
    if NUMERAL.fullmatch(said):
        return Stated(number(given.number(name) or 0), (), said, said)
    column = given.column(name, "number")
    return Stated(column.number, (column,), column.ja, column.en)


def existing(given: Given, wrong: Callable[[Term, Term], Term], ja: str, en: str) -> tuple[Rule, ...]:
    """A rule about how many of the other rows there are, told of each group once."""
    name = given.shape.name
    found = counted(given.others(name))
    given.only(found.rows, name, ())
    matched(given, name, given.rows, found.rows)
    failing, query = compared(given, number(1), wrong, found, once=True)
    said_ja, said_en = described(found.rows)
    return (
        given.rule(
            given.rows.per,
            failing,
            query,
            f"{given.rows.title_ja}ごとに{said_ja}{ja}",
            f"{given.rows.title_en}: {en} of {said_en}",
            (found.rows.table,),
            beside(given.rows, found.rows),
        ),
    )


def beside(mine: Rows, theirs: Rows) -> Mapping[str, tuple[pl.Expr, ...]]:
    """By what both tables' rows may be divided; see `divided`."""
    return divided((mine.table, mine.per), (theirs.table, theirs.per))


def described(rows: Rows) -> tuple[str, str]:
    """Other rows in words."""
    said = rows.condition
    return (
        f"{rows.title_ja} ({said.ja})" if said.ja else rows.title_ja,
        f"{rows.title_en} ({said.en})" if said.en else rows.title_en,
    )


def comparison(given: Given) -> Callable[[Term, Term], Term]:
    """How the stated number is compared, as the instance says it; true where it is wrong."""
    tolerance = given.number("tolerance", Decimal(0)) or Decimal(0)
    said = given.text("compare", "equals", allowed=COMPARISONS)

    def wrong(stated: Term, found: Term) -> Term:
        more, less = found - stated > number(tolerance), stated - found > number(tolerance)
        return more if said == "at_most" else less if said == "at_least" else more | less

    return wrong
