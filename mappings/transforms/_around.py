"""What is told elsewhere of a date that says too little: a day that it is near, or its era.

It stands in another field of the record, in a header or trailer of its file, or in the manifest. What it looks like is
read from its form alone: YYYYMMDD or YYYY-MM-DD, the letter or name of an era with YYMMDD or (of an era) without, and, where
the mapping names the family of its digit, GYYMMDD and (of an era) GYY or G.

Which year is nearest is told by days: of the candidates that whose day lies the fewest days from the day that is known, and
of two that lie equally far the earlier one, which is remarked on (M342).
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, Self, TypeVar

import polars as pl
import pydantic

from mappings.transforms._eras import ERAS, FAMILIES, by_era
from mappings.transforms.contract import REFERENCE_DATE, Outcome, Params, Workings

N = TypeVar("N", int, pl.Expr)
NAMES = tuple(era.name for era in ERAS)
NUMBERS = range(1, len(ERAS) + 1)
"""The eras in order: of the family 1-5 their own digits."""

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CALLED: Mapping[str, int] = {
    name: number
    for number, era, square in zip(NUMBERS, ERAS, "㍾㍽㍼㍻㋿", strict=True)
    for name in (era.kanji, era.kanji[0], era.letter, square)
}
NEVER = 1 << 40
_CALLS = f"^({'|'.join(sorted(_CALLED, key=len, reverse=True))})"


class AroundParams(Params):
    """near: a field, a day or reference_date that the year is nearest to; eras: of an era's digit there, its family."""

    words: ClassVar[tuple[str, ...]] = (REFERENCE_DATE,)
    near: str | None = None
    eras: Literal["1-5", "1-9"] | None = None

    @pydantic.model_validator(mode="after")
    def _is_day(self) -> Self:
        if self.near is not None and _DAY.fullmatch(self.near):
            try:
                datetime.date.fromisoformat(self.near)
            except ValueError:
                raise ValueError(f"near is {self.near}, which is no day") from None
        return self

    @property
    def context(self) -> tuple[str, ...]:
        """The field that the day stands in, where it is no constant."""
        return () if self.near is None or _DAY.fullmatch(self.near) else (self.near,)

    def day(self, values: Sequence[pl.Expr], workings: Workings) -> pl.Expr:
        """The day that is known, YYYYMMDD; null where what stands there is none. `values` are those of `context`."""
        if not values:
            return pl.lit(int((self.near or "").replace("-", "")), pl.Int64)
        return workings.keep(_once_each(values[0], functools.partial(_day_of, eras=self.eras)))


class EraParams(AroundParams):
    """era: an era, or the field that tells it; near, eras: of a day near by; first_year: how 元年 is coded, 01 or 00 (01)."""

    words: ClassVar[tuple[str, ...]] = (*NAMES, *AroundParams.words)
    era: Literal["meiji", "taisho", "showa", "heisei", "reiwa"] | str | None = None
    first_year: Literal["01", "00"] = "01"

    @property
    def context(self) -> tuple[str, ...]:
        """The field that the era or the day stands in, where it is no constant."""
        return super().context if self.era is None else () if self.era in NAMES else (self.era,)

    def check_told(self, form: str, *, needed: bool) -> None:
        """Prove that a form which lacks its era says whence it comes, and that no other one does."""
        told = [name for name, value in (("era", self.era), ("near", self.near)) if value is not None]
        if len(told) != needed:
            raise ValueError(f"era or near belongs to form {form}, and one of them must be given there")
        if self.era is not None and self.context and self.eras is None:
            raise ValueError('eras is missing: the family of the digit of the era in that field, "1-5" or "1-9"')

    def numbered(self, year: pl.Expr) -> pl.Expr:
        """A year of an era, 元年 as 1."""
        return pl.when(year == 0).then(1).otherwise(year) if self.first_year == "00" else year

    def told(
        self, values: Sequence[pl.Expr], year: pl.Expr, month: pl.Expr, day: pl.Expr, workings: Workings
    ) -> tuple[pl.Expr, pl.Expr]:
        """The number of the era (1 to 5) of a year that lacks it, null where nothing tells it; and whether two fit alike.

        Args:
            values: those of `context`.
            year, month, day: as numbers.
            workings: is added to.
        """
        if self.era is not None:
            known = pl.lit(NAMES.index(self.era) + 1, pl.Int64) if self.era in NAMES else None
            return known if known is not None else era_of(values[0], self.eras, workings), pl.lit(value=False)
        near = self.day(values, workings)
        years = [of_year(pl.lit(number, pl.Int64), year) for number in NUMBERS]
        found, tie = nearest(years, month, day, near, workings)
        number = pl.sum_horizontal((found >= one).cast(pl.Int64) for one in years)
        return pl.when(near.is_not_null()).then(number), tie


def era_of(value: pl.Expr, eras: str | None, workings: Workings) -> pl.Expr:
    """The number of the era (1 to 5) that a field tells: by its name or letter, by its digit, or by a day of it."""
    return workings.keep(_once_each(value, functools.partial(_era_of, eras=eras)))


def nearest(
    years: Sequence[pl.Expr], month: pl.Expr, day: pl.Expr, near: pl.Expr, workings: Workings
) -> tuple[pl.Expr, pl.Expr]:
    """Which of some years brings a month and day nearest to a day, and whether another does as well.

    Args:
        years: the candidates, the earliest first; null where one is none.
        month, day: as numbers; where one is none of a calendar, the middle of the year or month stands for it.
        near: the day that is known, YYYYMMDD.
        workings: is added to.

    Returns:
        The year, and the mask of the rows where a later one lies equally near.
    """
    middle = pl.when(month.is_between(1, 12)).then(month).otherwise(7)
    within = pl.when(day >= 1).then(day).otherwise(15)
    late, gone = map(workings.keep, _in_year(middle, within))
    late_known, gone_known = _in_year(near // 100 % 100, near % 100)
    known = workings.keep(_days_before(near // 10_000 - late_known) + gone_known)
    best: pl.Expr = pl.lit(None, pl.Int64)
    least, tie = pl.lit(NEVER, pl.Int64), pl.lit(value=False)
    for year in years:
        away = workings.keep((_before(year - late) + gone - known).abs().fill_null(NEVER))
        tie = workings.keep(pl.when(away == least).then(away < NEVER).otherwise(tie & (away > least)))
        best = workings.keep(pl.when(away < least).then(year).otherwise(best))
        least = workings.keep(pl.min_horizontal(away, least))
    return best, tie


def century(year: pl.Expr, near: pl.Expr) -> tuple[pl.Expr, ...]:
    """The years that two digits of a Gregorian year may mean near a day."""
    base = near // 1_000_000 * 100
    return tuple(base + shift + year for shift in (-100, 0, 100))


def without(outcome: Outcome, lost: pl.Expr, tie: pl.Expr) -> Outcome:
    """An outcome that was made without the rows whose context says nothing, with what is said of these and of ties."""
    return dataclasses.replace(
        outcome, failed=(*outcome.failed, ("M341", lost)), remarks=(*outcome.remarks, ("M342", tie & ~lost))
    )


def of_year(era: pl.Expr, year: pl.Expr) -> pl.Expr:
    """A year of an era (its number, 1 to 5) as one of the Gregorian calendar."""
    return by_era(era, NUMBERS, "before") + year


def _once_each(value: pl.Expr, read: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """A number read from texts, each text once: what a header says is the same for thousands of records."""

    def of(series: pl.Series) -> pl.Series:
        frame = series.alias("value").to_frame()
        known = frame.unique().with_columns(read(pl.col("value")).alias("read"))
        return frame.join(known, on="value", how="left", nulls_equal=True, maintain_order="left")["read"]

    return value.map_batches(of, return_dtype=pl.Int64, is_elementwise=True)


def _era_of(value: pl.Expr, eras: str | None) -> pl.Expr:
    text = _plain(value)
    day = _number(text, "^([0-9]{8})$")
    in_force = pl.sum_horizontal((day >= era.first).cast(pl.Int64) for era in ERAS)
    digit = _by_digit(text.str.extract("^0?([1-9])(?:[0-9]{2}|[0-9]{6})?$"), eras)
    return pl.coalesce(_called(text), digit, pl.when(in_force > 0).then(in_force))


def _day_of(value: pl.Expr, eras: str | None) -> pl.Expr:
    text = _plain(value)
    era = pl.coalesce(_called(text), _by_digit(text.str.extract("^([1-9])[0-9]{6}$"), eras))
    of_era = _number(text, "^[^0-9]*[0-9]?([0-9]{6})$")
    in_era = of_year(era, of_era // 10_000) * 10_000 + of_era % 10_000
    day = pl.coalesce(_number(text, "^([0-9]{8})$"), in_era)
    sound = (
        (day // 10_000).is_between(1868, 9999) & (day // 100 % 100).is_between(1, 12) & (day % 100).is_between(1, 31)
    )
    return pl.when(sound).then(day)


def _called(text: pl.Expr) -> pl.Expr:
    """The number of the era whose name or letter stands first."""
    return text.str.extract(_CALLS).replace_strict(_CALLED, default=None, return_dtype=pl.Int64)


def _plain(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.String).str.strip_chars(" \u3000").str.to_uppercase().str.replace_all("[-/.]", "")


def _number(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.extract(form).cast(pl.Int64, strict=False)


def _by_digit(digit: pl.Expr, eras: str | None) -> pl.Expr:
    """The number of the era that a digit names; null where nobody says of which family it is."""
    known = {str(d): number for d, number in zip(FAMILIES[eras], NUMBERS, strict=True)} if eras else {}
    return digit.replace_strict(known, default=None, return_dtype=pl.Int64) if known else pl.lit(None, pl.Int64)


def _in_year(month: pl.Expr, day: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Of a year that begins in March: whether a day is of the one before, and how many days have gone by in it."""
    late = (month < 3).cast(pl.Int64)
    return late, (153 * (month - 3 + 12 * late) + 2) // 5 + day


def _days_before(year: N) -> N:
    """The days before the first of March of a year: differences of these are differences of days."""
    return 365 * year + year // 4 - year // 100 + year // 400


_DAYS = pl.Series([_days_before(year) for year in range(10_200)], dtype=pl.Int64)


def _before(year: pl.Expr) -> pl.Expr:
    """`_days_before`, looked up."""
    return pl.lit(_DAYS).gather(year.clip(0, len(_DAYS) - 1))
