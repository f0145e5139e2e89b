"""A date of the Gregorian calendar, YYYYMMDD, as source text, sort key and precision.

    20240229  ->  key 20240229, day        19450100  ->  key 19450100, month        20230229, 20241301  ->  impossible, kept
    0         ->  no date (unknown)        99999999 (unknown 99)  ->  no date       00000209  ->  unknown, without a key

`unknown` names the codings of what is not known: 00, 99, A (A1 to A4), as in `wareki_date`.

Sources: JIS X 0301 (the form); 住民記録システム標準仕様書 1.1.8 (days that no calendar has, and unknown ones, are kept).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms._eras import DISTANT, UnknownParams, judge, seasonless
from mappings.transforms.contract import Outcome, Transform, Workings

EARLIEST = 18680101


class DateParams(UnknownParams):
    """unknown: codings of what is not known, 00, 99 and A, with commas between (00)."""


def apply(values: Sequence[pl.Expr], params: DateParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where it is no number of at most eight digits; one before 1868 is remarked on."""
    (value,) = values
    workings = Workings()
    text = workings.keep(value.cast(pl.String).str.strip_chars())
    given = value.is_not_null() & (text != "")
    plain = seasonless(text) if "A" in params.codes else text
    digits = workings.keep(plain.cast(pl.Int64, strict=False))
    none = digits == 0
    if "99" in params.codes:
        none = none | (digits == 99_999_999)
    year = digits // 10_000
    return judge(
        text.str.zfill(8),
        pl.when(year != 0).then(year),
        digits // 100 % 100,
        digits % 100,
        first=pl.lit(EARLIEST, pl.Int64),
        last=pl.lit(DISTANT, pl.Int64),
        none=given & none.fill_null(value=False),
        failed=digits.is_null() | (year < 0) | (year > 9999),
        given=given,
        codes=params.codes,
        lunar=False,
        workings=workings,
    )


TRANSFORM = Transform(
    "date", __doc__ or "", DateParams, takes=frozenset({"integer", "text"}), gives="date", apply=apply
)
