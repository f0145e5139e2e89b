"""The month that an occurrence stands for, where a table has one a month of a year that need not begin in January.

    2023, occurrence 1 (first 4)  ->  202304        2023, occurrence 12 (first 4)  ->  202403        2023, 12 (first 6)  ->  202405
    2023, occurrence 10 (first 4, gives yyyy)  ->  2024        (gives mm)  ->  01        (gives yyyymm00)  ->  20240100
    2023, occurrence 13  ->  fails        23, occurrence 1  ->  fails: no year of the Gregorian calendar

What flows in is the year in which the twelve months begin, a number of the Gregorian calendar, however it was read
(`fiscal_year`); the month's number is `$occurrence`, or what `occurrence` names: `$occurrence(TABLE)` of a table around, or a
field. With `year` it is the other way: the month's number flows in, and `year` names the field that holds the year.
`gives` is yyyymm, yyyy (the calendar year), mm, or yyyymm00, which `date` reads as a day of which the month is known.

Sources: 地方自治法 第208条 (a fiscal year begins on 1 April); 地方税法 第321条の5 (特別徴収 from June to May).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform, Workings

EARLIEST, LATEST = 1868, 9998


class MonthOfParams(Params):
    """first: the month that occurrence 1 is; occurrence: the month's number ($occurrence), or year: the year's field; gives."""

    first: int = pydantic.Field(ge=1, le=12)
    occurrence: str | None = None
    year: str | None = None
    gives: Literal["yyyymm", "yyyy", "mm", "yyyymm00"] = "yyyymm"

    @pydantic.model_validator(mode="after")
    def _one_flows_in(self) -> Self:
        if self.year is not None and self.occurrence is not None:
            raise ValueError("either occurrence or year; the other one flows in")
        return self

    @property
    def context(self) -> tuple[str, ...]:
        """What is read besides the value that flows in."""
        return (self.year or self.occurrence or "$occurrence",)


def apply(values: Sequence[pl.Expr], params: MonthOfParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Give the month; it fails where the year is none of four digits, or the number none from 1 to 12."""
    workings = Workings()
    numbers = [value.cast(pl.Int64, strict=False) for value in values]
    year, number = reversed(numbers) if params.year is not None else numbers
    good = workings.keep(year.is_between(EARLIEST, LATEST) & number.is_between(1, 12))
    since = number + params.first - 2
    year, month = workings.keep(year + since // 12), since % 12 + 1
    made = {"yyyymm": year * 100 + month, "yyyy": year, "mm": month + 100, "yyyymm00": (year * 100 + month) * 100}
    text = made[params.gives].cast(pl.String)
    given = pl.all_horizontal(value.cast(pl.String).str.strip_chars() != "" for value in values)
    return Outcome(
        pl.when(good).then(text.str.slice(1) if params.gives == "mm" else text),
        failed=(("M330", given.fill_null(value=False) & ~good.fill_null(value=False)),),
        workings=workings.made,
    )


TRANSFORM = Transform(
    "month_of",
    __doc__ or "",
    MonthOfParams,
    takes=frozenset({"integer", "text"}),
    gives="text",
    apply=apply,
)
