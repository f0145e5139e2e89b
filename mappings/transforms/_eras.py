"""The eras of the Japanese calendar, and what a date's parts make: source text, sort key and precision.

First days by law: 大正 1912-07-30, 昭和 1926-12-25, 平成 1989-01-08, 令和 2019-05-01 (元号を改める政令). 明治 was in force
from the first day of its first year (明治改元の詔); its dates before 明治6年1月1日 are of the lunar calendar, whose months have
30 days at most and whose last day was 明治5年12月2日 (改暦ノ布告), and stand in the key as they stand in the register.
30 July 1912 and 25 December 1926 belong to both of their eras; 平成 did not end by law in every document that names it
(平成31年5月1日 stays valid), so a day outside its era is kept and told of.

住民記録システム標準仕様書 1.1.8 (年月日の管理) has days that no calendar has, and unknown ones (不詳日), kept as they are.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import polars as pl
import pydantic

from mappings.transforms.contract import Outcome, Params, Workings

DISTANT = 99991231


@dataclasses.dataclass(frozen=True, slots=True)
class Era:
    """An era: its names, the year before its first, and its first and last day (YYYYMMDD)."""

    name: str
    kanji: str
    letter: str
    before: int
    first: int
    last: int


ERAS = (
    Era("meiji", "明治", "M", 1867, 18680101, 19120730),
    Era("taisho", "大正", "T", 1911, 19120730, 19261225),
    Era("showa", "昭和", "S", 1925, 19261225, 19890107),
    Era("heisei", "平成", "H", 1988, 19890108, 20190430),
    Era("reiwa", "令和", "R", 2018, 20190501, DISTANT),
)
FAMILIES: Mapping[str, tuple[int, ...]] = {"1-5": (1, 2, 3, 4, 5), "1-9": (1, 3, 5, 7, 9)}
"""The digits that name the eras in order: most systems' own, and that of pensions and social insurance."""

UNKNOWN_CODES = ("00", "99", "A")
"""Codings of 不詳日: 00, 99, and A1 to A4 (春夏秋冬, a season, as month; 上旬, 中旬, 下旬 as day). 00 always counts."""

GREGORIAN = 18730101
LAST_LUNAR = 18721202
"""明治6年1月1日, and the day before it, 明治5年12月2日, the last of the lunar calendar."""


class UnknownParams(Params):
    """unknown: how the field codes what is not known of a date, 00, 99 and A, with commas between (00)."""

    unknown: str = "00"

    @pydantic.field_validator("unknown")
    @classmethod
    def _known_codes(cls, value: str) -> str:
        wrong = [code for code in value.split(",") if code.strip() not in UNKNOWN_CODES]
        if wrong:
            raise ValueError(f"`{wrong[0][:20]}` is no coding of an unknown day: {', '.join(UNKNOWN_CODES)}")
        return value

    @property
    def codes(self) -> frozenset[str]:
        """The codings, apart."""
        return frozenset(code.strip() for code in self.unknown.split(","))


def seasonless(text: pl.Expr) -> pl.Expr:
    """A date's text with A1 to A4 as month and A1 to A3 as day, its last four characters, read as 00."""
    return text.str.replace("A[1-4](.{2})$", "00${1}").str.replace("A[1-3]$", "00")


def by_era(era: pl.Expr, digits: Sequence[int], attribute: str) -> pl.Expr:
    """An attribute of the era that a digit names; null where it names none."""
    chosen: pl.Expr = pl.lit(None, pl.Int64)
    for digit, one in zip(digits, ERAS, strict=True):
        chosen = pl.when(era == digit).then(pl.lit(getattr(one, attribute), pl.Int64)).otherwise(chosen)
    return chosen


def is_leap(year: pl.Expr) -> pl.Expr:
    """Whether a year of the Gregorian calendar has a 29 February."""
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def judge_of_era(
    source: pl.Expr,
    era: pl.Expr,
    digits: pl.Expr,
    family: Sequence[int],
    *,
    none: pl.Expr,
    failed: pl.Expr,
    given: pl.Expr,
    codes: frozenset[str],
    workings: Workings,
    numbered: Callable[[pl.Expr], pl.Expr] = lambda year: year,
) -> Outcome:
    """Judge a date of the digit of its era and YYMMDD, the last six digits of a number; the rest as `judge` takes it.

    `numbered` makes the year of an era what it is of the two digits that stand there.
    """
    before, of_era = workings.keep(by_era(era, family, "before")), numbered(digits // 10_000 % 100)
    return judge(
        source,
        pl.when(of_era != 0).then(before + of_era),
        digits // 100 % 100,
        digits % 100,
        first=by_era(era, family, "first"),
        last=by_era(era, family, "last"),
        none=given & none.fill_null(value=False),
        failed=digits.is_null() | before.is_null() | failed,
        given=given,
        codes=codes,
        lunar=True,
        workings=workings,
    )


def judge(
    source: pl.Expr,
    year: pl.Expr,
    month: pl.Expr,
    day: pl.Expr,
    *,
    first: pl.Expr,
    last: pl.Expr,
    none: pl.Expr,
    failed: pl.Expr,
    given: pl.Expr,
    codes: frozenset[str],
    lunar: bool,
    workings: Workings,
) -> Outcome:
    """Make a date of its parts. What is in no calendar is kept, and so is what is known of an unknown date.

    Args:
        source: what stands in the dump, as text.
        year, month, day: as numbers; the year null, month and day 0, where they are not known.
        first, last: the era's days (YYYYMMDD); a date outside is remarked on.
        none: the rows whose date says that there is none.
        failed: the rows that cannot be read.
        given: the rows that hold anything.
        codes: which codings of an unknown part apply.
        lunar: whether dates before 1873 are of the lunar calendar.
        workings: the columns that the parts are worked out from; is added to.
    """
    keep = workings.keep
    if "99" in codes:
        month, day = (pl.when(part == 99).then(0).otherwise(part) for part in (month, day))
    year, month, day, given, none = map(keep, (year, month, day, given, none))
    failed = keep(given & ~none & failed)
    read = keep(given & ~failed & ~none & year.is_not_null())
    yearless = given & ~failed & ~none & year.is_null()
    key = keep(year * 10_000 + month * 100 + day)
    longest = (
        pl.when(month == 2)
        .then(28 + is_leap(year).cast(pl.Int64))
        .when(month.is_in([4, 6, 9, 11]))
        .then(30)
        .otherwise(31)
    )
    if lunar:
        longest = (
            pl.when(key >= GREGORIAN)
            .then(longest)
            .when(key // 100 == LAST_LUNAR // 100)
            .then(LAST_LUNAR % 100)
            .otherwise(30)
        )
    impossible = keep(read & ((month > 12) | (day > longest)))
    unknown = keep(read & ~impossible & ((month == 0) | (day == 0)))
    outside = (
        pl.when(unknown)
        .then((year < first // 10_000) | (year > last // 10_000))
        .otherwise((key < first) | (key > last))
    )
    precision = (
        pl.when(none | yearless)
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
        source.alias("source"),
        pl.when(read).then(key.cast(pl.String).str.zfill(8)).alias("key"),
        precision.alias("precision"),
    )
    return Outcome(
        pl.when(given & ~failed).then(value),
        failed=(("M301", failed),),
        remarks=(
            ("M305", given & none),
            ("M306", yearless),
            ("M302", impossible),
            ("M303", unknown),
            ("M304", read & ~impossible & outside),
        ),
        workings=workings.made,
    )


@functools.cache
def kanji_numbers(largest: int) -> Mapping[str, str]:
    """Numbers as 和暦 text writes them, longest first: 元 and 一 to 九十九, and 〇 for zero -> digits."""
    units = "〇一二三四五六七八九"
    made = {"元": "1"}
    for number in range(largest + 1):
        tens, unit = divmod(number, 10)
        text = ("十" if tens == 1 else units[tens] + "十" if tens else "") + (units[unit] if unit or not tens else "")
        made[text] = str(number)
        if tens > 1 or (tens and unit):
            made.setdefault(units[tens] + units[unit], str(number))
    return dict(sorted(made.items(), key=lambda pair: -len(pair[0])))
