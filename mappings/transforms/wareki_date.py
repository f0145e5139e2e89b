"""A date of the Japanese calendar, GYYMMDD, as source text, sort key and precision.

    3630209  ->  source 3630209, key 19880209, day
    3200100  ->  key 19450100, month (the day is not known)
    3630230  ->  key 19880230, impossible, kept             0  ->  no date (unknown)            6010101  ->  fails

The digit of the era is one of two families, and the field says which: "1-5" (1 明治 2 大正 3 昭和 4 平成 5 令和) or "1-9"
(1 3 5 7 9, as in pensions and social insurance). It is never guessed: 3 is Showa in one and Taisho in the other.

Dates that no calendar has stay as they stand, because the resident-record standard requires it. A date outside its
era is kept too: documents of 平成31年5月 and later are valid. 30 July 1912 and 25 December 1926 belong to both eras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform

ERAS = ((1867, 18680125, 19120730), (1911, 19120730, 19261225), (1925, 19261225, 19890107), (1988, 19890108, 20190430),
        (2018, 20190501, 99991231))  # fmt: skip
"""For 明治 大正 昭和 平成 令和: the year before its first, its first day and its last (YYYYMMDD)."""

FAMILIES = {"1-5": (1, 2, 3, 4, 5), "1-9": (1, 3, 5, 7, 9)}


class WarekiDateParams(Params):
    """eras: the family of the era's digit, "1-5" or "1-9"."""

    eras: Literal["1-5", "1-9"]


def apply(values: Sequence[pl.Expr], params: WarekiDateParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where there is no such era, year, month or day."""
    digits = values[0].cast(pl.Int64, strict=False)
    no_number = digits.is_null() & (values[0].cast(pl.String).str.strip_chars() != "")
    era, year_of_era = digits // 1_000_000, digits // 10_000 % 100
    month, day = digits // 100 % 100, digits % 100
    of_era = dict(zip(FAMILIES[params.eras], ERAS, strict=True))

    def by_era(index: int) -> pl.Expr:
        return era.replace_strict(
            list(of_era), [row[index] for row in of_era.values()], default=None, return_dtype=pl.Int64
        )

    year = by_era(0) + year_of_era
    zero = digits == 0
    failed = (
        digits.is_not_null()
        & ~zero
        & (by_era(0).is_null() | (year_of_era == 0) | (month > 12) | (day > 31) | ((month == 0) & (day > 0)))
    )
    read = ~failed & ~zero
    unknown = read & ((month == 0) | (day == 0))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = pl.when(month == 2).then(28 + leap.cast(pl.Int64)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    impossible = read & ~unknown & (day > longest)
    key = year * 10_000 + month * 100 + day
    whole_outside = (key < by_era(1)) | (key > by_era(2))
    year_outside = (year < by_era(1) // 10_000) | (year > by_era(2) // 10_000)
    outside = read & ~impossible & pl.when(unknown).then(year_outside).otherwise(whole_outside)
    precision = (
        pl.when(zero)
        .then(pl.lit("unknown"))
        .when(impossible)
        .then(pl.lit("impossible"))
        .when(month == 0)
        .then(pl.lit("year"))
        .when(day == 0)
        .then(pl.lit("month"))
        .otherwise(pl.lit("day"))
    )
    value = pl.struct(
        digits.cast(pl.String).str.zfill(7).alias("source"),
        pl.when(read).then(key.cast(pl.String).str.zfill(8)).alias("key"),
        precision.alias("precision"),
    )
    failed = failed | no_number
    usable = digits.is_not_null() & ~failed
    return Outcome(
        pl.when(usable).then(value),
        failed=(("M301", failed),),
        remarks=(("M305", zero), ("M302", impossible), ("M303", unknown), ("M304", outside)),
    )


TRANSFORM = Transform(
    "wareki_date",
    __doc__ or "",
    WarekiDateParams,
    takes=frozenset({"integer", "text"}),
    gives="date",
    apply=apply,
)
