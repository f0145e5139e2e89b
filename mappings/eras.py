"""The eras of the Japanese calendar, and what a date's parts make: source text, sort key and precision.

First days by law: 大正 1912-07-30, 昭和 1926-12-25, 平成 1989-01-08, 令和 2019-05-01 (元号を改める政令); 明治 began on
1868-01-25 of the Gregorian calendar (明治改元の詔), and its dates before 1873-01-01 are of the lunar calendar, whose days
are kept as they stand. 30 July 1912 and 25 December 1926 belong to both of their eras; 平成 did not end by law in every
document that names it (平成31年5月1日 stays valid), so a day outside its era is kept and told of.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import polars as pl
import pydantic

from mappings.transform import Outcome, Params

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
    Era("meiji", "明治", "M", 1867, 18680125, 19120730),
    Era("taisho", "大正", "T", 1911, 19120730, 19261225),
    Era("showa", "昭和", "S", 1925, 19261225, 19890107),
    Era("heisei", "平成", "H", 1988, 19890108, 20190430),
    Era("reiwa", "令和", "R", 2018, 20190501, DISTANT),
)
FAMILIES: Mapping[str, tuple[int, ...]] = {"1-5": (1, 2, 3, 4, 5), "1-9": (1, 3, 5, 7, 9)}
"""The digits that name the eras in order: most systems' own, and that of pensions and social insurance."""

UNKNOWN_CODES = ("00", "99", "A")
"""Codings of 不詳日: 00, 99, and A1 to A4 (春夏秋冬, a season, as month; 上旬, 中旬, 下旬 as day)."""


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


def seasonless(text: pl.Expr, month_at: int) -> pl.Expr:
    """A date's text with A1 to A4 as month and A1 to A3 as day read as 00: no calendar has them."""
    month = text.str.replace(f"^(.{{{month_at}}})A[1-4]", "${1}00")
    return month.str.replace(f"^(.{{{month_at + 2}}})A[1-3]$", "${1}00")


def by_era(era: pl.Expr, digits: Sequence[int], attribute: str) -> pl.Expr:
    """An attribute of the era that a digit names; null where it names none."""
    values = [getattr(one, attribute) for one in ERAS]
    return era.replace_strict(list(digits), values, default=None, return_dtype=pl.Int64)


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
) -> Outcome:
    """Make a date of its parts.

    Args:
        source: what stands in the dump, as text.
        year, month, day: of the Gregorian calendar, as numbers; month and day 0 where they are not known.
        first, last: the era's days (YYYYMMDD); a date outside is remarked on.
        none: the rows whose date says that there is none.
        failed: the rows that cannot be read.
        given: the rows that hold anything.
        codes: which codings of an unknown part apply.
    """
    if "99" in codes:
        month, day = (pl.when(part == 99).then(0).otherwise(part) for part in (month, day))
    failed = given & ~none & (failed | (month > 12) | (day > 31) | ((month == 0) & (day > 0)))
    if "00" not in codes and "99" not in codes and "A" not in codes:
        failed = failed | (given & ~none & ((month == 0) | (day == 0)))
    read = given & ~failed & ~none
    unknown = read & ((month == 0) | (day == 0))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = pl.when(month == 2).then(28 + leap.cast(pl.Int64)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    impossible = read & ~unknown & (day > longest)
    key = year * 10_000 + month * 100 + day
    outside = (
        pl.when(unknown)
        .then((year < first // 10_000) | (year > last // 10_000))
        .otherwise((key < first) | (key > last))
    )
    precision = (
        pl.when(none)
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
            ("M302", impossible),
            ("M303", unknown),
            ("M304", read & ~impossible & outside),
        ),
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
