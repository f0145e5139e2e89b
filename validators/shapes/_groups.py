"""Rows by group: the later ones of each, and what stands in the row before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from validators.shapes._terms import Column, Term, every, quoted
from validators.shapes.contract import KEY

ORDER_SQL = 'source_dump COLLATE "C", source_record'
"""In the order of dump and record, as Polars sorts."""


def later(rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """The second and later rows of each group, in the order of dump and record; only groups of several are sorted."""
    several = rows.group_by(by).agg(pl.len().alias("_rows")).filter(pl.col("_rows") > 1).select(by)
    again = rows.join(several, on=by, how="semi").sort(KEY, maintain_order=True)
    return again.filter(pl.int_range(pl.len()).over(by) > 0)


def later_sql(by: Sequence[str], condition: str, source: str = "{batch}") -> str:
    """The same in SQL; `by` and `condition` are SQL over the rows of the source."""
    return (
        f"SELECT source_record FROM (SELECT source_record, row_number() OVER (PARTITION BY {', '.join(by)} "  # noqa: S608
        f"ORDER BY {ORDER_SQL}) AS place FROM {source} WHERE {condition}) AS numbered WHERE place > 1"
    )


def grouped(per: Sequence[Column]) -> tuple[Term, list[pl.Expr], list[str]]:
    """Columns as the names of a group: whether a row is in one, and `_0`, `_1`, ... in both engines."""
    exprs = [column.value.expr.alias(f"_{n}") for n, column in enumerate(per)]
    sql = [f'{column.value.sql} AS "_{n}"' for n, column in enumerate(per)]
    return every([column.value.present() for column in per]), exprs, sql


def names(per: Sequence[Column]) -> list[str]:
    """The names that `grouped` gives."""
    return [f"_{n}" for n in range(len(per))]


def divided(*sides: tuple[str, Sequence[Column]]) -> Mapping[str, tuple[pl.Expr, ...]]:
    """By what rows may be divided that are grouped so: each side a table and the columns that group its rows."""
    grouping = dict(sides)
    if any(column.made for _, per in sides for column in per):
        return {}
    if not all(grouping.values()) or any(tuple(grouping[table]) != tuple(per) for table, per in sides):
        return {}
    return {table: tuple(column.value.expr for column in per) for table, per in grouping.items()}


def joined(per: Sequence[Column], left: str, right: str) -> str:
    """The condition in SQL that two rows are of one group."""
    return " AND ".join(f'{left}."_{n}" = {right}."_{n}"' for n in range(len(per))) or "true"


def after_another(
    rows: pl.LazyFrame,
    per: Sequence[Column],
    order: Column,
    meant: Term,
    values: Mapping[str, Term],
    former: Mapping[str, pl.Expr],
) -> pl.LazyFrame:
    """Rows in their order within each group, with what stands before them.

    Args:
        rows: the rows of a table.
        per: the columns that group them; of none, all rows are one group.
        order: what orders them within a group; its day or number, then dump and record.
        meant: which rows take part; those without a place in the order never do.
        values: by name, what is computed of each row.
        former: by name, what is computed of the ordered rows of a group.
    """
    place = ordered(order)
    present, keys, _ = grouped(per)
    taking = rows.filter((meant & present & place.present()).expr).with_columns(
        *keys, place.expr.alias("_place"), *(term.expr.alias(name) for name, term in values.items())
    )
    by = names(per)
    sorted_ = taking.sort("_place", *KEY)
    return sorted_.with_columns((expr.over(by) if by else expr).alias(name) for name, expr in former.items())


def after_another_sql(
    per: Sequence[Column],
    order: Column,
    meant: Term,
    values: Mapping[str, Term],
    former: Mapping[str, tuple[str, str]],
    wrong: str,
    source: str,
) -> str:
    """The same in SQL, with the condition of the rows that fail; `former` gives a function and the frame of its window."""
    place = ordered(order)
    present, _, keys = grouped(per)
    by = ", ".join(map(quoted, names(per)))
    window = f'{f"PARTITION BY {by} " if by else ""}ORDER BY "_place", {ORDER_SQL}'
    computed = [f"{term.sql} AS {quoted(name)}" for name, term in values.items()]
    inner = ", ".join(["source_dump", "source_record", *keys, f'{place.sql} AS "_place"', *computed])
    looks = [f"{call} OVER ({window} {frame}) AS {quoted(name)}" for name, (call, frame) in former.items()]
    outer = ", ".join(["source_record", *map(quoted, values), *looks])
    return (
        f"SELECT source_record FROM (SELECT {outer} FROM (SELECT {inner} FROM {source} "  # noqa: S608  our own columns
        f"WHERE {(meant & present & place.present()).sql}) AS taking) AS placed WHERE {wrong}"
    )


def ordered(column: Column) -> Term:
    """What a column's rows are ordered by: the day of a date, a number, or a text by its characters."""
    if column.type == "date":
        return column.day
    if column.type == "number" or column.digits:
        return column.number
    return Term(column.value.expr, f'{column.value.sql} COLLATE "C"')
