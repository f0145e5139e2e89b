"""Somebody is of some age on a day of the row: not yet, or no longer, a row would not be there.

Only dates known to the day are judged. An age is reached on the birthday; who was born on 29 February reaches it on
1 March of a common year.

    care_part: {age_on_day: birth, day: acquired, from: "40", below: "65", of: care_periods}

Source: the instance's; 年齢計算ニ関する法律 counts from the day of birth.
"""

from __future__ import annotations

import polars as pl

from validators.shapes._given import Given
from validators.shapes._terms import Term
from validators.shapes.contract import Parameter, Rule, Shape

YEAR = 10_000
"""Between a day YYYYMMDD and the same day of the year before."""


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where the age on the day is below `from`, or not below `below`."""
    birth, on = given.column("age_on_day", "date"), given.column("day", "date")
    low, high = given.number("from"), given.number("below")
    if (low is None and high is None) or any(n is not None and (n != int(n) or n < 0) for n in (low, high)):
        given.wrong("R002", "`from`, `below` or both are whole years")
        return ()
    lived = on.day - birth.day
    bounds = [lived < _years(int(low))] if low is not None else []
    bounds += [lived >= _years(int(high))] if high is not None else []
    wrong = bounds[0] if len(bounds) == 1 else bounds[0] | bounds[1]
    ages = f"{'' if low is None else int(low)}–{'' if high is None else int(high) - 1}"
    return given.mask((birth, on), wrong, f"{on.ja}における年齢 {ages}", f"age {ages} on the {on.en}")


def _years(count: int) -> Term:
    return Term(pl.lit(count * YEAR), str(count * YEAR))


SHAPE = Shape(
    "age_on_day",
    __doc__ or "",
    "V432",
    (
        Parameter("age_on_day", "the date of birth", required=True),
        Parameter("day", "the day on which the age is asked", required=True),
        Parameter("from", "the least age, in years"),
        Parameter("below", "the age that is not yet reached"),
    ),
    make,
)
