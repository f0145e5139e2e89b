"""What a condition is made of: typed values, exact arithmetic, and days, each said for both engines.

Numbers are exact. A quotient is none, so it is only rounded (`floor`, `ceil`, `half_up`), to a unit; how many digits
could come of it is bounded before there are data. So is how far a day may be moved.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

import polars as pl

from validators.shapes._terms import FIRST, LAST, Column, Term, of_calendar, of_digits, quoted

MAX_DIGITS = 36
MAX_DAYS, MAX_MONTHS, MAX_MOVES = 36_600, 1_200, 5

Kind = Literal["text", "number", "date", "condition"]


class UnfitError(Exception):
    """Why values cannot be put together."""


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """A part of a condition.

    Attributes:
        term: the part for both engines; of a date the day as a number YYYYMMDD.
        type: what it is; a text that is written out may be a day.
        digits: of a number, how many it may have; of a day, how often it was moved.
        scale: how many of them after the point.
        said: a text or a number that is written out.
        filled: of a date, whether there is one at all, known to the day or not.
        calendar: of a date, the day as the engines' own calendars have it.
        by: of a quotient, what it is divided by.
    """

    term: Term
    type: Kind
    digits: int = 0
    scale: int = 0
    said: str | None = None
    filled: Term | None = None
    calendar: Term | None = None
    by: Typed | None = None


def bounded(term: Term, digits: int, scale: int) -> Typed:
    """A number, if it cannot have too many digits."""
    if digits > MAX_DIGITS:
        raise UnfitError(f"the numbers could have more than {MAX_DIGITS} digits")
    return Typed(term, "number", digits, scale)


def written(word: str) -> Typed:
    """A number that is written out."""
    value = Decimal(word)
    scale = max(0, -int(value.as_tuple().exponent))
    term = Term(pl.lit(value, dtype=pl.Decimal(38, scale)), f"CAST('{word}' AS numeric)")
    return dataclasses.replace(bounded(term, len(word.replace(".", "")), scale), said=word)


def of_column(column: Column) -> Typed:
    """The value of a column."""
    if column.type == "date":
        return Typed(column.day, "date", filled=column.value.present(), calendar=column.calendar)
    if column.type == "text":
        return Typed(column.value, "text")
    name = column.name
    exact = Term(pl.col(name).cast(pl.Decimal(38, column.scale)), f"CAST({quoted(name)} AS numeric)")
    return bounded(exact, column.precision, column.scale)


def added(left: Typed, right: Typed, *, less: bool) -> Typed:
    """The sum or the difference of two numbers."""
    scale = max(left.scale, right.scale)
    digits = max(left.digits - left.scale, right.digits - right.scale) + 1 + scale
    return bounded(left.term - right.term if less else left.term + right.term, digits, scale)


def times(left: Typed, right: Typed) -> Typed:
    """The product; of a quotient its dividend is multiplied."""
    scale = left.scale + right.scale
    type_ = pl.Decimal(38, scale)
    term = Term(left.term.expr.cast(type_) * right.term.expr.cast(type_), f"({left.term.sql} * {right.term.sql})")
    found = bounded(term, left.digits + right.digits, scale)
    by = [one for one in (left.by, right.by) if one is not None]
    return found if not by else dataclasses.replace(found, by=by[0] if len(by) == 1 else times(*by))


def quotient(left: Typed, right: Typed) -> Typed:
    """A quotient, which has no value yet: only rounded it has one."""
    if right.by is not None:
        raise UnfitError("a quotient cannot divide")
    return dataclasses.replace(left, by=right if left.by is None else times(left.by, right))


def rounded(value: Typed, unit: Decimal, way: str) -> Typed:
    """A number or a quotient down or up to a multiple of a unit, or half away from zero; null where it is divided by 0."""
    by = value.by or written("1")
    scale = max(0, -int(unit.as_tuple().exponent))
    whole = _unscaled(by, count=int(unit.scaleb(scale)) * 10**value.scale)
    part = _unscaled(value, count=10 ** (by.scale + scale))
    digits = max(value.digits + by.scale + scale, by.digits + len(unit.as_tuple().digits) + value.scale) + 1
    bounded(value.term, digits, 0)
    found = ROUND[way](part, whole)
    expr = found.expr.cast(pl.Decimal(38, scale)) * pl.lit(unit, dtype=pl.Decimal(38, scale))
    return bounded(
        Term(expr, f"({found.sql} * CAST('{unit:f}' AS numeric))"), value.digits + by.scale + scale + 1, scale
    )


def _unscaled(value: Typed, *, count: int) -> Term:
    """The digits of a number without its point, as a whole number, so many times."""
    expr = value.term.expr.cast(pl.Decimal(38, value.scale)).to_physical() * pl.lit(count, dtype=pl.Int128)
    return Term(expr, f"({value.term.sql} * {10**value.scale * count})")


def _down(part: Term, whole: Term) -> Term:
    """The greatest whole number that is no more than a quotient of whole numbers."""
    by = f"NULLIF({whole.sql}, 0)"
    below = f"(mod({part.sql}, {by}) <> 0 AND (({part.sql} < 0) <> ({whole.sql} < 0)))"
    return Term(part.expr // whole.expr, f"(div({part.sql}, {by}) - (CASE WHEN {below} THEN 1 ELSE 0 END))")


def _up(part: Term, whole: Term) -> Term:
    down = _down(_negative(part), whole)
    return _negative(down)


def _negative(whole: Term) -> Term:
    return Term(whole.expr * pl.lit(-1, dtype=pl.Int128), f"(- {whole.sql})")


def _half_up(part: Term, whole: Term) -> Term:
    sign = Term(part.expr.sign() * whole.expr.sign(), f"(sign({part.sql}) * sign({whole.sql}))")
    expr = (part.expr.abs() * 2 + whole.expr.abs()) // (whole.expr.abs() * 2)
    sql = f"div(abs({part.sql}) * 2 + abs({whole.sql}), NULLIF(abs({whole.sql}) * 2, 0))"
    return Term(sign.expr * expr, f"({sign.sql} * {sql})")


ROUND: Mapping[str, Callable[[Term, Term], Term]] = {"floor": _down, "ceil": _up, "half_up": _half_up}


def first_of(first: Typed, second: Typed) -> Typed:
    """The first of two values of one type that is there."""
    term = Term(pl.coalesce(first.term.expr, second.term.expr), f"coalesce({first.term.sql}, {second.term.sql})")
    scale = max(first.scale, second.scale)
    digits = max(first.digits - first.scale, second.digits - second.scale) + scale
    calendar = None
    if first.calendar is not None and second.calendar is not None:
        a, b = first.calendar, second.calendar
        calendar = Term(pl.coalesce(a.expr, b.expr), f"coalesce({a.sql}, {b.sql})")
    moves = max(first.digits, second.digits) if first.type == "date" else digits
    return Typed(term, first.type, moves, scale, calendar=calendar)


def chosen(first: Typed, second: Typed, *, least: bool) -> Typed:
    """The lesser or the greater of two values of one type; null where one of them is."""
    a, b = first.term, second.term
    scale = max(first.scale, second.scale)
    digits = max(first.digits - first.scale, second.digits - second.scale) + scale
    exact = ' COLLATE "C"' if first.type == "text" else ""
    sign, before = ("<=", a.expr <= b.expr) if least else (">=", a.expr >= b.expr)
    expr = pl.when(before).then(a.expr).when(~before).then(b.expr)
    sql = f"(CASE WHEN {a.sql} {sign} {b.sql}{exact} THEN {a.sql} WHEN {b.sql} IS NOT NULL AND {a.sql} IS NOT NULL THEN {b.sql} END)"
    calendar = None
    if first.calendar is not None and second.calendar is not None:
        c, d = first.calendar, second.calendar
        earlier = c.expr <= d.expr if least else c.expr >= d.expr
        calendar = Term(
            pl.when(earlier).then(c.expr).when(~earlier).then(d.expr),
            f"(CASE WHEN {c.sql} {sign} {d.sql} THEN {c.sql} WHEN {c.sql} IS NOT NULL AND {d.sql} IS NOT NULL THEN {d.sql} END)",
        )
    moves = max(first.digits, second.digits) if first.type == "date" else digits
    return Typed(Term(expr, sql), first.type, moves, scale, calendar=calendar)


def day(said: str) -> Typed:
    """A day that is written out as YYYYMMDD; beyond the calendar, only its number."""
    calendar = None
    with contextlib.suppress(ValueError):
        found = datetime.date(int(said[:4]), int(said[4:6]), int(said[6:]))
        if FIRST <= said <= LAST:
            calendar = Term(pl.lit(found), f"DATE '{found.isoformat()}'")
    return Typed(Term(pl.lit(int(said), dtype=pl.Int64), f"CAST('{said}' AS bigint)"), "date", calendar=calendar)


def days_between(first: Typed, last: Typed) -> Typed:
    """How many days the last is after the first, below zero before it."""
    a, b = _calendar(first), _calendar(last)
    days = (b.expr - a.expr).dt.total_days().cast(pl.Decimal(38, 0))
    return Typed(Term(days, f"CAST({b.sql} - {a.sql} AS numeric)"), "number", 7)


def moved(date: Typed, by: Typed, unit: str) -> Typed:
    """The day so many days, months or years after another; where a month has no such day, its last one."""
    if by.scale:
        raise UnfitError(f"the {unit} are a whole number")
    if date.digits == MAX_MOVES:
        raise UnfitError(f"a day is moved {MAX_MOVES} times at most")
    start, most = _calendar(date), MAX_DAYS if unit == "days" else MAX_MONTHS // (12 if unit == "years" else 1)
    within = Term(by.term.expr.abs() <= most, f"(abs({by.term.sql}) <= {most})")
    steps = pl.when(within.expr).then(by.term.expr).cast(pl.Int64)
    sql_steps = f"(CASE WHEN {within.sql} THEN CAST({by.term.sql} AS integer) END)"
    if unit == "days":
        expr, sql = start.expr + pl.duration(days=steps), f"({start.sql} + {sql_steps})"
    else:
        said = pl.concat_str([steps.cast(pl.String), pl.lit("mo" if unit == "months" else "y")])
        expr = start.expr.dt.offset_by(said)
        sql = f"CAST({start.sql} + make_interval({unit} => {sql_steps}) AS date)"
    number = (
        expr.dt.year().cast(pl.Int64) * 10_000 + expr.dt.month().cast(pl.Int64) * 100 + expr.dt.day().cast(pl.Int64)
    )
    term = Term(number, f"CAST(to_char({sql}, 'YYYYMMDD') AS bigint)")
    return Typed(term, "date", date.digits + 1, calendar=Term(expr, sql))


def part_of(date: Typed, part: str) -> Typed:
    """The year, the month or the fiscal year (from April) of a day."""
    day_ = date.term
    year = Term(day_.expr // 10_000, f"({day_.sql} / 10000)")
    month = Term(day_.expr // 100 % 100, f"({day_.sql} / 100 % 100)")
    early = Term(pl.when(month.expr <= 3).then(1).otherwise(0), f"(CASE WHEN {month.sql} <= 3 THEN 1 ELSE 0 END)")
    found = {"year": year, "month": month, "fiscal_year": year - early}[part]
    return Typed(Term(found.expr.cast(pl.Decimal(38, 0)), f"CAST({found.sql} AS numeric)"), "number", 4)


def joined_texts(first: Typed, second: Typed) -> Typed:
    """Two texts, one after the other; null where one is."""
    expr = pl.concat_str([first.term.expr, second.term.expr])
    return Typed(Term(expr, f"({first.term.sql} || {second.term.sql})"), "text")


def sliced(text: Typed, start: int, count: int) -> Typed:
    """Some characters of a text, from a first one on (1)."""
    expr = text.term.expr.str.slice(start - 1, count)
    return Typed(Term(expr, f"substr({text.term.sql}, {start}, {count})"), "text")


def day_of(text: Typed) -> Typed:
    """The day that eight digits are; none where the calendar has no such day."""
    found = of_calendar(text.term)
    number = pl.when(found.expr.is_not_null()).then(text.term.expr).cast(pl.Int64)
    sql = f"(CASE WHEN {found.sql} IS NOT NULL THEN CAST({text.term.sql} AS bigint) END)"
    return Typed(Term(number, sql), "date", calendar=found)


def number_of(text: Typed) -> Typed:
    """The number that digits are."""
    return bounded(of_digits(text.term), 18, 0)


def length_of(text: Typed) -> Typed:
    """How many characters a text has."""
    expr = text.term.expr.str.len_chars().cast(pl.Decimal(38, 0))
    return Typed(Term(expr, f"CAST(char_length({text.term.sql}) AS numeric)"), "number", 9)


OF_TEXT: Mapping[str, Callable[[Typed], Typed]] = {"day": day_of, "number": number_of, "length": length_of}


def _calendar(date: Typed) -> Term:
    if date.calendar is None:
        raise UnfitError("this is no day of the calendar")
    return date.calendar
