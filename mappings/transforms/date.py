"""A date of the Gregorian calendar as source text, sort key and precision: YYYYMMDD, or less that is told elsewhere.

    20240229  ->  key 20240229, day        19450100  ->  key 19450100, month        20230229, 20241301  ->  impossible, kept
    0         ->  no date (unknown)        99999999 (unknown 99)  ->  no date       00000209  ->  unknown, without a key
    1227 (form mmdd, near 2026-01-10)  ->  20251227          260110 (form yymmdd, near 2026-01-10)  ->  20260110
    2026032 (form yyyyddd)  ->  20260201                     26032 (form yyddd, near 2026-01-10)    ->  20260201

`form` is yyyymmdd, yymmdd, mmdd, or with the day of the year (the Julian date of mainframes) yyyyddd or yyddd. What lacks its
century or its year takes that which brings it nearest to a day: `near` is that day, a field that holds one (of a header or
trailer too), or reference_date, the manifest's. Of two that lie equally far the earlier is taken and told of. 29 February is
looked for in leap years only, the one before that day, its own and the one after it; where none of these is one, the date
is impossible, and kept. Day 366 of a common year is impossible and kept, as the 32nd of December. A date without its month
has no year that would be nearest.

`unknown` names the codings of what is not known: 00, 99, A (A1 to A4), as in `wareki_date`.

Sources: JIS X 0301 (the form); 住民記録システム標準仕様書 1.1.8 (days that no calendar has, and unknown ones, are kept);
全国銀行協会, 口座振替 (引落日 MMDD).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms._around import AroundParams, century, nearest, without
from mappings.transforms._eras import DISTANT, UnknownParams, is_leap, judge, seasonless
from mappings.transforms.contract import Outcome, Transform, Workings

EARLIEST = 18680101
WIDTHS = {"yyyymmdd": 8, "yymmdd": 6, "mmdd": 4, "yyyyddd": 7, "yyddd": 5}
NEAR = ("yymmdd", "mmdd", "yyddd")
BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
"""The days of a common year before each of its months."""


class DateParams(AroundParams, UnknownParams):
    """form: how it is written (yyyymmdd); near, eras: a day near by, of a form that lacks its year; unknown: codings (00)."""

    form: Literal["yyyymmdd", "yymmdd", "mmdd", "yyyyddd", "yyddd"] = "yyyymmdd"

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.form in NEAR) != (self.near is not None):
            raise ValueError(f"near belongs to the forms {', '.join(NEAR)}, and must be given there")
        return self


def apply(values: Sequence[pl.Expr], params: DateParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where it is no number of the form; one before 1868 is remarked on."""
    value, *around = values
    workings, width = Workings(), WIDTHS[params.form]
    text = workings.keep(value.cast(pl.String).str.strip_chars())
    given = value.is_not_null() & (text != "")
    plain = seasonless(text) if "A" in params.codes else text
    digits = workings.keep(plain.cast(pl.Int64, strict=False))
    digits = workings.keep(pl.when(digits.is_between(0, 10**width - 1)).then(digits))
    none = digits == 0
    if "99" in params.codes:
        none = none | (digits == 10**width - 1)
    none = workings.keep(given & none.fill_null(value=False))
    by_day = params.form.endswith("ddd")
    year, month, day = (digits // 1000, pl.lit(1), digits % 1000) if by_day else _parts(digits)
    tie, lost, failed = pl.lit(value=False), pl.lit(value=False), digits.is_null()
    if params.form in NEAR:
        near = params.day(around, workings)
        lost = workings.keep(given & digits.is_not_null() & ~none & near.is_null())
        year, tie = nearest(_candidates(params.form, year, digits, near, workings), month, day, near, workings)
        known = month != 0 if "99" not in params.codes else ~month.is_in([0, 99])
        year = workings.keep(pl.when(known | (params.form != "mmdd")).then(year))
        given, tie = given & ~lost, tie & given & ~none & year.is_not_null()
    else:
        year = pl.when(year != 0).then(year)
    if by_day:
        failed = failed | (day > 366)
        month, day = _of_year(year, day)
    made = judge(
        text.str.zfill(width),
        year,
        month,
        day,
        first=pl.lit(EARLIEST, pl.Int64),
        last=pl.lit(DISTANT, pl.Int64),
        none=none,
        failed=failed,
        given=given,
        codes=params.codes,
        lunar=False,
        workings=workings,
    )
    return without(made, lost, tie) if params.form in NEAR else made


def _parts(digits: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    return digits // 10_000, digits // 100 % 100, digits % 100


def _candidates(form: str, year: pl.Expr, digits: pl.Expr, near: pl.Expr, workings: Workings) -> tuple[pl.Expr, ...]:
    """The years that a date may be of, the earliest first."""
    if form != "mmdd":
        return century(year, near)
    own = workings.keep(near // 10_000)
    around = (own - 1, own, own + 1)
    leaps = [workings.keep(is_leap(one)) for one in around]
    # Where no year near by has the day, it is the nearest year's and impossible.
    free = workings.keep((digits != 229) | ~pl.any_horizontal(leaps))
    return tuple(pl.when(free | leap).then(one) for one, leap in zip(around, leaps, strict=True))


def _of_year(year: pl.Expr, day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Month and day of a day of the year; of day 0 neither is known."""
    leap = is_leap(year).cast(pl.Int64)
    ends = [pl.lit(before) + (leap if before > BEFORE[1] else 0) for before in BEFORE]
    month = pl.sum_horizontal((day > end).cast(pl.Int64) for end in ends)
    return month, pl.when(day == 0).then(0).otherwise(
        day - pl.max_horizontal(pl.when(day > end).then(end) for end in ends)
    )


TRANSFORM = Transform(
    "date", __doc__ or "", DateParams, takes=frozenset({"integer", "text"}), gives="date", apply=apply
)
