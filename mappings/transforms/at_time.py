"""A date and a time of another field as one timestamp, YYYYMMDDHHMMSS.

    20260401, and 0930 in the field  ->  20260401093000        20260331, and 2530  ->  20260401013000 (told of)
    20230230 (impossible), and 0930  ->  20230230093000        a day that is not known, or no time  ->  fails

It follows the step that reads the date: `[{wareki_date: {form: yymmdd, near: header.JH-YMD}}, {at_time: {time: NS-HM}}]`. Hours
past 24 are those of the next day. Where no date stands there is no timestamp.

Source: JIS X 0301 (the form); otherwise as in `time`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms._times import time_of
from mappings.transforms.contract import Outcome, Params, Transform, Workings


class AtTimeParams(Params):
    """time: the field that holds the time, HHMM or with form: hhmmss HHMMSS; also of a header or trailer, kind.FIELD."""

    time: str
    form: Literal["hhmm", "hhmmss"] = "hhmm"

    @property
    def context(self) -> tuple[str, ...]:
        """The field that holds the time."""
        return (self.time,)


def apply(values: Sequence[pl.Expr], params: AtTimeParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Join them; it fails where either is missing and the other is not, or the day is not known."""
    date, field = values
    workings = Workings()
    time, given = time_of(field, len(params.form), workings)
    key, precision = date.struct.field("key"), date.struct.field("precision")
    dated = key.is_not_null()
    hours = workings.keep(time.str.slice(0, 2).cast(pl.Int64))
    over = workings.keep((hours >= 24).fill_null(value=False))
    next_day = key.str.to_date("%Y%m%d", strict=False).dt.offset_by("1d").dt.strftime("%Y%m%d")
    day = pl.when(over).then(next_day).when(precision.is_in(["day", "impossible"])).then(key)
    clock = (
        pl.when(over).then(pl.concat_str((hours - 24).cast(pl.String).str.zfill(2), time.str.slice(2))).otherwise(time)
    )
    made = workings.keep(pl.concat_str(day, clock.str.pad_end(6, "0")))
    return Outcome(
        made,
        failed=(("M343", dated & time.is_null()), ("M344", given & time.is_not_null() & made.is_null())),
        remarks=(("M345", over & made.is_not_null()),),
        workings=workings.made,
    )


TRANSFORM = Transform("at_time", __doc__ or "", AtTimeParams, takes=frozenset({"date"}), gives="text", apply=apply)
