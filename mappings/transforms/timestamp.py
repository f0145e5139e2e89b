"""A timestamp as text, YYYYMMDDHHMMSS, of one field that holds a date and a time.

    20260401093015  ->  20260401093015        202604010930 (form yyyymmddhhmm)  ->  20260401093000
    2026-04-01 09:30:15, 2026/04/01T09:30:15  ->  20260401093015
    20230230093015  ->  impossible, kept      20260401246000, 20260401  ->  fails        blank, 0  ->  no value

Where date and time stand in two fields, `at_time` joins them.

Source: JIS X 0301 and ISO 8601 (the form); 住民記録システム標準仕様書 1.1.8 (days that no calendar has are kept).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform, Workings

_TIME = "(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){{{0}}}"


class TimestampParams(Params):
    """form: yyyymmddhhmmss or yyyymmddhhmm (yyyymmddhhmmss)."""

    form: Literal["yyyymmddhhmmss", "yyyymmddhhmm"] = "yyyymmddhhmmss"


def apply(values: Sequence[pl.Expr], params: TimestampParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read it; it fails where it is none."""
    workings = Workings()
    text = workings.keep(values[0].cast(pl.String).str.strip_chars(" \u3000").str.replace_all("[-/:T ]", ""))
    given = ~text.str.contains("^0*$")
    form = f"^(?:1[89]|[2-9][0-9])[0-9]{{6}}{_TIME.format((len(params.form) - 10) // 2)}$"
    sound = workings.keep(text.str.contains(form))
    day = text.str.slice(0, 8)
    impossible = sound & day.str.to_date("%Y%m%d", strict=False).is_null()
    return Outcome(
        pl.when(sound).then(text.str.pad_end(14, "0")),
        failed=(("M343", given & ~sound),),
        remarks=(("M302", impossible),),
        workings=workings.made,
    )


TRANSFORM = Transform(
    "timestamp", __doc__ or "", TimestampParams, takes=frozenset({"integer", "text"}), gives="text", apply=apply
)
