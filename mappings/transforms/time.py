"""A time of day as text, HHMM or HHMMSS; hours up to 47 are those of the next day, as attendance is kept.

    0830, 830  ->  0830        2530  ->  2530 (half past one of the next day)        083015 (form hhmmss)  ->  083015
    0775, 4800  ->  fails      blank  ->  no value                                   08:30  ->  0830

A field that holds decimal hours in some records (0775 for seven hours and three quarters) is no time: say with `when` which
records mean what. It is never guessed.

Source: JIS X 0301 (the form); hours past 24 are usual in attendance records and time-tables, and no standard that is public
has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms._times import time_of
from mappings.transforms.contract import Outcome, Params, Transform, Workings


class TimeParams(Params):
    """form: hhmm or hhmmss (hhmm)."""

    form: Literal["hhmm", "hhmmss"] = "hhmm"


def apply(values: Sequence[pl.Expr], params: TimeParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the time; it fails where there is none."""
    workings = Workings()
    time, given = time_of(values[0], len(params.form), workings)
    return Outcome(time, failed=(("M343", given & time.is_null()),), workings=workings.made)


TRANSFORM = Transform(
    "time", __doc__ or "", TimeParams, takes=frozenset({"integer", "text"}), gives="text", apply=apply
)
