"""A code through a code table (CSV with the header old,new,label, or old,new,label,valid_from,valid_to).

    1 -> 1 (男)        7, not in the table  ->  fails        blank  ->  no value
    13, at a day of fiscal 2019  ->  12 (委託料, as 節 are numbered since 2020)        13, without a day  ->  fails

Codes are renumbered in mid-life. Where the table's lines have a time, `at` names the column of the same table whose day
(of a date, or a text of four or eight digits) says which line is meant; a day that two lines with other codes may mean fails.

Source: 地方自治法施行規則 第15条 別記 (the 節 of 歳出予算 as they are numbered since fiscal 2020); the table's form is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.code_table import FIRST, LAST
from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform, Workings


class LookupParams(Params):
    """table: the code table's file, inside the municipality's folder; at: the column whose day decides."""

    table: str
    at: str | None = None


def apply(values: Sequence[pl.Expr], params: LookupParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Replace a code by the target's; it fails where the table does not hold it (at that time)."""
    workings = Workings()
    text = workings.keep(values[0].cast(pl.String).str.strip_chars())
    found, clash = pl.lit(None, pl.String), pl.lit(value=False)
    table = tables[params.table]
    # Of a day that is known to the month or the year only, the whole of it is meant.
    earliest = (values[1].cast(pl.String) if len(values) > 1 else pl.lit(None, pl.String)).str.pad_end(8, "0")
    latest = earliest.str.replace("0000$", "9999").str.replace("00$", "99")
    for period in table.periods:
        code = text.replace_strict(
            list(period.codes), list(period.codes.values()), default=None, return_dtype=pl.String
        )
        if period.first or period.last:
            holds = (latest >= (period.first or FIRST)) & (earliest <= (period.last or LAST))
            code = pl.when(holds.fill_null(value=False)).then(code)
            clash = clash | (code.is_not_null() & found.is_not_null() & (code != found))
        found = pl.coalesce(found, code) if table.dated else code
    if table.dated:
        found = pl.when(~clash.fill_null(value=False)).then(found)
    found = workings.keep(found)
    return Outcome(found, failed=(("M310", found.is_null() & (text != "")),), workings=workings.made)


TRANSFORM = Transform(
    "lookup",
    __doc__ or "",
    LookupParams,
    takes=frozenset({"text", "integer"}),
    gives="text",
    apply=apply,
    beside="at",
)
