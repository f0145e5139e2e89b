"""A fiscal year (年度, April to March) as a number of the Gregorian calendar.

    420 (form gyy, eras 1-5), H20  ->  2008        20080401 (form date)  ->  2008        20080331  ->  2007        2008 (yyyy)  ->  2008
    31 (form yy, near 5010510), 01  ->  2019       07 (form yy, era reiwa)  ->  2025     26 (form yyyy, near 2026-04-01)  ->  2026

A year of an era is that of its fiscal year, so 平成31年度 and 令和元年度 are both 2019. `form` is gyy (the era's digit or letter,
and two digits of the year), yy (two digits of the year of an era that is told elsewhere), yyyy, or date (YYYYMMDD, its fiscal
year). The era of yy is `era`, or told by the field that this names, or the one in which the year is nearest to the fiscal year
of the day `near`, as in `wareki_date`. A yyyy may have lost its century: with `near` it is the nearest. `first_year` 00 says
that 元年 is coded 00.

Sources: 地方自治法 第208条 (a fiscal year begins on 1 April); 元号を改める政令 (the eras); otherwise as in `wareki_date`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal, Self

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms._around import EraParams, century, nearest, of_year, without
from mappings.transforms._eras import ERAS, FAMILIES, by_era
from mappings.transforms.contract import Outcome, Transform, Workings

NOWHERE = pl.lit(value=False)
BEGINS = pl.lit(4), pl.lit(1)
"""The month and day on which a fiscal year begins."""


class FiscalYearParams(EraParams):
    """form: gyy, yy, yyyy or date; eras: "1-5" or "1-9"; era, near: what tells the era of yy; first_year: 元年 (01)."""

    form: Literal["gyy", "yy", "yyyy", "date"]

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if self.form == "gyy" and self.eras is None:
            raise ValueError("eras belongs to form gyy, and must be given there")
        if self.eras is not None and self.form in ("yyyy", "date") and self.near is None:
            raise ValueError("eras belongs to form gyy, or to the day that near names")
        if self.form != "yyyy":
            self.check_told("yy", needed=self.form == "yy")
        elif self.era is not None:
            raise ValueError("era belongs to form yy")
        return self

    @property
    def knows_zero(self) -> bool:
        """Whether 00 is a year, and not the lack of one."""
        return self.first_year == "00" if self.form == "yy" else self.form == "yyyy" and self.near is not None


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """A year, where nothing told its era or century, and where two fit alike."""

    year: pl.Expr
    lost: pl.Expr = NOWHERE
    tie: pl.Expr = NOWHERE


def apply(values: Sequence[pl.Expr], params: FiscalYearParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Give the year; it fails where there is none of that form, and blank or zero is no value, but where 00 is a year."""
    value, *around = values
    workings = Workings()
    text = workings.keep(value.cast(pl.String).str.strip_chars())
    digits = workings.keep(_numbered_era(text, params).cast(pl.Int64, strict=False))
    given = value.is_not_null() & (text != "") & ((digits != 0).fill_null(value=True) | params.knows_zero)
    read = {"gyy": _of_era, "yy": _of_two, "yyyy": _whole, "date": _of_date}[params.form](
        digits, around, params, workings
    )
    year, lost = workings.keep(read.year), workings.keep(given & read.lost)
    made = Outcome(
        pl.when(given).then(year), failed=(("M301", given & year.is_null() & ~lost),), workings=workings.made
    )
    return without(made, lost, read.tie & given) if params.context or params.near else made


def _numbered_era(text: pl.Expr, params: FiscalYearParams) -> pl.Expr:
    """The text with the digit of its era in the place of the letter."""
    if params.form != "gyy":
        return text
    letters = {era.letter: str(digit) for era, digit in zip(ERAS, FAMILIES[params.eras or "1-5"], strict=True)}
    return pl.concat_str(text.str.slice(0, 1).str.to_uppercase().replace(letters), text.str.slice(1))


def _of_era(digits: pl.Expr, around: Sequence[pl.Expr], params: FiscalYearParams, workings: Workings) -> _Read:
    year = params.numbered(digits % 100)
    return _Read(pl.when(year > 0).then(by_era(digits // 100, FAMILIES[params.eras or "1-5"], "before") + year))


def _of_two(digits: pl.Expr, around: Sequence[pl.Expr], params: FiscalYearParams, workings: Workings) -> _Read:
    year = workings.keep(params.numbered(pl.when(digits.is_between(0, 99)).then(digits)))
    era, tie = params.told(around, year, *BEGINS, workings)
    return _Read(of_year(era, year), year.is_not_null() & era.is_null(), tie)


def _whole(digits: pl.Expr, around: Sequence[pl.Expr], params: FiscalYearParams, workings: Workings) -> _Read:
    whole = pl.when(digits.is_between(1868, 9999)).then(digits)
    if params.near is None:
        return _Read(whole)
    near, short = params.day(around, workings), digits.is_between(0, 99)
    close, tie = nearest(century(digits, near), *BEGINS, near, workings)
    return _Read(pl.when(short).then(close).otherwise(whole), short & near.is_null(), tie & short)


def _of_date(digits: pl.Expr, around: Sequence[pl.Expr], params: FiscalYearParams, workings: Workings) -> _Read:
    year, month, day = digits // 10_000, digits // 100 % 100, digits % 100
    good = year.is_between(1868, 9999) & month.is_between(1, 12) & day.is_between(0, 31)
    return _Read(pl.when(good).then(year - (month < 4).cast(pl.Int64)))


TRANSFORM = Transform(
    "fiscal_year", __doc__ or "", FiscalYearParams, takes=frozenset({"integer", "text"}), gives="integer", apply=apply
)
