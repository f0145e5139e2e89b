"""`where` and `unless`: which rows a rule judges, by what stands in a column."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

import polars as pl

from validators.shapes._terms import ALWAYS, NUMBER, Column, Term, every, literal

MOST, LEAST = 10**18, Decimal("1e-9")


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """Which rows of a table are meant; never null.

    Attributes:
        term: the condition.
        columns: the columns that it looks at.
        ja: what it says, in Japanese; empty where it says nothing.
        en: the same in English.
    """

    term: Term = ALWAYS
    columns: tuple[Column, ...] = ()
    ja: str = ""
    en: str = ""


def condition(where: Mapping[Column, Sequence[str]], unless: Mapping[Column, Sequence[str]]) -> Condition:
    """The rows that have all of `where`'s values and none of `unless`'s.

    Raises:
        ValueError: a value that a column of numbers cannot have.
    """
    wanted = [one_of(column, values) for column, values in where.items()]
    refused = [~one_of(column, values) for column, values in unless.items()]
    ja = [f"{c.ja} {'・'.join(v)}" for c, v in where.items()] + [
        f"{c.ja} {'・'.join(v)} を除く" for c, v in unless.items()
    ]
    en = [f"{c.en} {' or '.join(v)}" for c, v in where.items()] + [
        f"unless {c.en} {' or '.join(v)}" for c, v in unless.items()
    ]
    return Condition(every([*wanted, *refused]), (*where, *unless), "、".join(ja), ", ".join(en))


def one_of(column: Column, values: Sequence[str]) -> Term:
    """Whether the column has one of some values; false where it has none."""
    return holds_one(column, values).surely()


def holds_one(column: Column, values: Sequence[str]) -> Term:
    """Whether the column has one of some values; null where it has none.

    Raises:
        ValueError: a value that a column of numbers cannot have.
    """
    if column.type == "number":
        try:
            numbers = [Decimal(value) for value in values]
        except InvalidOperation:
            raise ValueError(f"{column.name} is a number") from None
        if not all(n.is_finite() and abs(n) < MOST and n == n.quantize(LEAST) for n in numbers):
            raise ValueError(f"{column.name} is a number of at most 18 digits, 9 of them after the point")
        listed = ", ".join(f"CAST({literal(str(n))} AS numeric)" for n in numbers)
        return Term(
            column.number.expr.is_in(pl.lit(pl.Series(numbers, dtype=NUMBER)).implode()),
            f"{column.number.sql} IN ({listed})",
        )
    whole = [value for value in values if not value.endswith("*")]
    found = [_begins(column, value[:-1]) for value in values if value.endswith("*")]
    if whole:
        listed = ", ".join(map(literal, whole))
        found.append(Term(column.value.expr.is_in(whole), f"{column.value.sql} IN ({listed})"))
    any_of = found[0]
    for term in found[1:]:
        any_of = any_of | term
    return any_of


def _begins(column: Column, text: str) -> Term:
    return Term(column.value.expr.str.starts_with(text), f"starts_with({column.value.sql}, {literal(text)})")
