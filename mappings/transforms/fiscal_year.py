"""A fiscal year (年度, April to March) as a number of the Gregorian calendar.

    420 (form gyy, eras 1-5)  ->  2008        20080401 (form date)  ->  2008        20080331  ->  2007        2008 (yyyy)  ->  2008

A year of an era is that of its fiscal year, so 平成31年度 and 令和元年度 are both 2019. `form` is gyy (era digit and two digits
of the year), yyyy, or date (YYYYMMDD, its fiscal year).

Sources: 地方自治法 第208条 (a fiscal year begins on 1 April); 元号を改める政令 (the eras); otherwise as in `wareki_date`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms._eras import FAMILIES, by_era
from mappings.transforms.contract import Outcome, Params, Transform


class FiscalYearParams(Params):
    """form: gyy, yyyy or date; eras: of gyy, the family of the era's digit, "1-5" or "1-9"."""

    form: Literal["gyy", "yyyy", "date"]
    eras: Literal["1-5", "1-9"] | None = None

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.form == "gyy") != (self.eras is not None):
            raise ValueError("eras belongs to form gyy, and must be given there")
        return self


def apply(values: Sequence[pl.Expr], params: FiscalYearParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Give the year; it fails where there is none of that form, and blank or zero is no value."""
    (value,) = values
    text = value.cast(pl.String).str.strip_chars()
    digits = value.cast(pl.Int64, strict=False)
    given = value.is_not_null() & (text != "") & (digits != 0).fill_null(value=True)
    if params.eras is not None:
        of_era = digits % 100
        year = pl.when(of_era > 0).then(by_era(digits // 100, FAMILIES[params.eras], "before") + of_era)
    elif params.form == "yyyy":
        year = pl.when(digits.is_between(1868, 9999)).then(digits)
    else:
        month, day = digits // 100 % 100, digits % 100
        good = (digits // 10_000).is_between(1868, 9999) & month.is_between(1, 12) & day.is_between(0, 31)
        year = pl.when(good).then(digits // 10_000 - (month < 4).cast(pl.Int64))
    failed = given & year.is_null()
    return Outcome(pl.when(given).then(year), failed=(("M301", failed),))


TRANSFORM = Transform(
    "fiscal_year", __doc__ or "", FiscalYearParams, takes=frozenset({"integer", "text"}), gives="integer", apply=apply
)
