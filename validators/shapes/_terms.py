"""Expressions over one row, each said twice: for Polars and as SQL. A column's value, its day, its number."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import polars as pl

NUMBER = pl.Decimal(38, 9)
"""Numbers of every column, so that two of them can be compared and joined; 29 digits before the point."""

Type = Literal["text", "number", "date"]

CALENDAR = (
    "^([0-9]{4}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|1[0-9]|2[0-8]))"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)0229)$"
)
"""A day that the calendar has, as YYYYMMDD; without a colon, which a database library would take for a sign of its own."""

FIRST, LAST = "16000101", "29991231"
"""Between them the engines' calendars are used; what an open end is written as (99991231) lies beyond."""

_PLAIN = re.compile(r"[\w .,/-]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One expression for both engines. NULL behaves in Polars as it does in SQL."""

    expr: pl.Expr
    sql: str

    def __and__(self, other: Term) -> Term:
        return Term(self.expr & other.expr, f"({self.sql} AND {other.sql})")

    def __or__(self, other: Term) -> Term:
        return Term(self.expr | other.expr, f"({self.sql} OR {other.sql})")

    def __invert__(self) -> Term:
        return Term(~self.expr, f"(NOT {self.sql})")

    def __add__(self, other: Term) -> Term:
        return Term(self.expr + other.expr, f"({self.sql} + {other.sql})")

    def __sub__(self, other: Term) -> Term:
        return Term(self.expr - other.expr, f"({self.sql} - {other.sql})")

    def __lt__(self, other: Term) -> Term:
        return Term(self.expr < other.expr, f"({self.sql} < {other.sql})")

    def __le__(self, other: Term) -> Term:
        return Term(self.expr <= other.expr, f"({self.sql} <= {other.sql})")

    def __gt__(self, other: Term) -> Term:
        return other < self

    def __ge__(self, other: Term) -> Term:
        return other <= self

    def differs(self, other: Term) -> Term:
        """Whether the two differ; null where one is."""
        return Term(self.expr != other.expr, f"({self.sql} <> {other.sql})")

    def present(self) -> Term:
        """Whether there is a value."""
        return Term(self.expr.is_not_null(), f"({self.sql} IS NOT NULL)")

    def surely(self) -> Term:
        """A condition whose null is false."""
        return Term(self.expr.fill_null(value=False), f"coalesce({self.sql}, false)")

    def or_zero(self) -> Term:
        """A number whose null is 0."""
        return Term(self.expr.fill_null(Decimal(0)), f"coalesce({self.sql}, 0)")


ALWAYS = Term(pl.lit(value=True), "true")


def every(terms: Sequence[Term]) -> Term:
    """All of some conditions; true of none."""
    whole = ALWAYS
    for number, term in enumerate(terms):
        whole = whole & term if number else term
    return whole


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL; what Great Expectations, SQLAlchemy or the database could take for a sign of theirs is spelled out."""
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    return "U&'" + "".join(c if c.isascii() and c.isalnum() else f"\\+{ord(c):06X}" for c in text) + "'"


def number(value: Decimal | int) -> Term:
    """A number that is given."""
    return Term(pl.lit(Decimal(value), dtype=NUMBER), f"CAST({literal(str(value))} AS numeric)")


def of_digits(text: Term) -> Term:
    """The number that a text of 1 to 18 digits is; of other characters none."""
    formed = Term(text.expr.str.contains("^[0-9]{1,18}$"), f"{text.sql} ~ '^[0-9]{{{{1,18}}}}$'")
    number = pl.when(formed.expr).then(text.expr).cast(pl.Decimal(38, 0))
    return Term(number, f"(CASE WHEN {formed.sql} THEN CAST({text.sql} AS numeric) END)")


def of_calendar(text: Term) -> Term:
    """The day of the engines' calendars that eight digits are; else none."""
    found = text.expr.str.contains(CALENDAR) & text.expr.is_between(pl.lit(FIRST), pl.lit(LAST))
    braced = CALENDAR.replace("{", "{{").replace("}", "}}")
    sql = f"{text.sql} ~ '{braced}' AND {text.sql} COLLATE \"C\" BETWEEN '{FIRST}' AND '{LAST}'"
    day = pl.when(found).then(text.expr).str.to_date("%Y%m%d", strict=False)
    return Term(day, f"(CASE WHEN {sql} THEN CAST({text.sql} AS date) END)")


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column, or a date by its group.

    Attributes:
        name: how sheets and findings call it.
        type: what its values are.
        ja: its Japanese name.
        en: its English name.
        scale: of a number, the digits after its point.
        precision: of a number, all its digits.
        digits: whether a number is written as text.
        made: whether it stands beside the row, or was computed, so that its table does not hold it.
    """

    name: str
    type: Type
    ja: str
    en: str
    scale: int = 0
    precision: int = 18
    digits: bool = False
    made: bool = False

    @property
    def stored(self) -> str:
        """The column that holds its value."""
        return f"{self.name}_key" if self.type == "date" else self.name

    @property
    def value(self) -> Term:
        """Its value as it is grouped and joined by."""
        if self.type == "number":
            return self.number
        return Term(pl.col(self.stored), quoted(self.stored))

    @property
    def number(self) -> Term:
        """Its number; a text of other characters than digits is none."""
        column, name = pl.col(self.name), quoted(self.name)
        if not self.digits:
            return Term(column.cast(NUMBER), f"CAST({name} AS numeric)")
        digits = of_digits(Term(column, name))
        return Term(digits.expr.cast(NUMBER), digits.sql)

    @property
    def known(self) -> Term:
        """Whether a date is known to the day."""
        precision = f"{self.name}_precision"
        return Term(pl.col(precision) == "day", f"({quoted(precision)} = 'day')")

    @property
    def day(self) -> Term:
        """The date as a number YYYYMMDD where it is known to the day, else null."""
        key = f"{self.name}_key"
        known = self.known.expr & pl.col(key).str.contains("^[0-9]{8}$")
        sql = f"{self.known.sql} AND {quoted(key)} ~ '^[0-9]{{{{8}}}}$'"
        day = pl.when(known).then(pl.col(key)).cast(pl.Int64)
        return Term(day, f"(CASE WHEN {sql} THEN CAST({quoted(key)} AS bigint) END)")

    @property
    def calendar(self) -> Term:
        """The date as a day of the engines' calendars, where it is known to the day and within them; else null."""
        key = of_calendar(Term(pl.col(f"{self.name}_key"), quoted(f"{self.name}_key")))
        day = pl.when(self.known.expr).then(key.expr)
        return Term(day, f"(CASE WHEN {self.known.sql} THEN {key.sql} END)")
