"""What tells the rows of a key apart whose dates are not known, and which of the rows of a key comes first."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from mappings.plan import PartPlan

LATEST = 99_999_999

MOST_RECORDS, MOST_ROWS = 2**40, 2**17
"""Of a dump, and of a record: the places of all rows of 64 parts fit 64 bits."""


def dated_key(part: PartPlan, exprs: Mapping[str, pl.Expr]) -> Mapping[str, pl.Expr]:
    """The dates of a key, which say that nothing is known where they say nothing; and what tells such rows apart.

    That is their place in the order of arrival, unlike any other row's: part, record, row of the record. Whoever settles
    the rows of all slices counts them up from 1 in that order.
    """
    made: dict[str, pl.Expr] = {}
    for date in part.dates:
        made[f"{date}_key"] = exprs[f"{date}_key"].fill_null("00000000")
        made[f"{date}_precision"] = exprs[f"{date}_precision"].fill_null("unknown")
    if part.arrival:
        known = [made[f"{date}_precision"].is_in(["day", "impossible"]) for date in part.dates]
        nth = pl.int_range(pl.len()).over("_record") if part.each is not None else pl.lit(0, pl.Int64)
        place = (pl.lit(part.number, pl.Int64) * MOST_RECORDS + pl.col("_record")) * MOST_ROWS + nth + 1
        made[part.arrival] = pl.when(pl.all_horizontal(known)).then(0).otherwise(place)
    return made


def rank(part: PartPlan, days: Mapping[str, pl.Expr]) -> pl.Expr:
    """Which row of a key comes first: the lowest."""
    if part.keep == "preferred":
        mask = pl.all_horizontal(condition.mask for condition in part.prefer)
        return pl.when(mask).then(0).otherwise(1).cast(pl.Int64)
    day = days[part.by].cast(pl.Int64, strict=False)
    if part.keep == "first":
        return day.fill_null(LATEST)
    latest = LATEST - day.fill_null(0)
    if part.keep == "last":
        return latest
    # A row that has not begun on that day comes after all that have, the one that begins soonest first.
    return pl.when(day.fill_null(0) <= int(part.on)).then(latest).otherwise(day + 2 * LATEST)
