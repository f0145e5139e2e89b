"""A number given to a source key once and for all: the same key gets the same number in every run.

    A-17 (series resident, width 10)  ->  0000000001, and again 0000000001 in the next rehearsal and in the cut-over
    A-17 in another system (series resident, new no)  ->  0000000001, the cross-reference from old numbers to new
    B-99 (new no, and never given a number)  ->  fails

Numbers are counted up for each municipality and series, in the order of the keys, and kept in the ledger. A system that
only refers to what another one numbers says `new: no`.

Source: 住民記録システム標準仕様書 1.1.13 (宛名番号 and 世帯番号 are given out one after the other, and never again).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class AssignParams(Params):
    """series: which numbers; width: how many digits (10); new: whether unknown keys get one, yes or no (yes)."""

    series: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    width: int = pydantic.Field(default=10, ge=1, le=18)
    new: Literal["yes", "no"] = "yes"


def apply(values: Sequence[pl.Expr], params: AssignParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Take the key's number out of `tables`, where the engine has put the series' numbers; it fails where there is none."""
    key = values[0].cast(pl.String)
    (numbers,) = tables[params.series].periods
    found = key.replace_strict(
        pl.Series(list(numbers.codes), dtype=pl.String),
        pl.Series(list(numbers.codes.values()), dtype=pl.String),
        default=None,
        return_dtype=pl.String,
    ).str.zfill(params.width)
    long = found.str.len_chars() > params.width
    return Outcome(
        pl.when(~long).then(found),
        failed=(("M318", found.is_null() & (key != "")), ("M314", long.fill_null(value=False))),
    )


TRANSFORM = Transform(
    "assign", __doc__ or "", AssignParams, takes=frozenset({"text", "integer"}), gives="text", apply=apply, assigns=True
)
