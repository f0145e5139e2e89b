"""A whole number as text of a fixed number of digits, with leading zeros.

123 (width 5)  ->  00123        123456 (width 5)  ->  fails        -1  ->  fails

Source: 中間標準レイアウト仕様, データ項目一覧表 (桁数: a number is filled with zeros on the left).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class DigitsParams(Params):
    """width: how many digits."""

    width: int = pydantic.Field(ge=1, le=18)


def apply(values: Sequence[pl.Expr], params: DigitsParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Write the number with leading zeros; it fails where it is negative or has more digits."""
    (value,) = values
    failed = (value < 0) | (value >= 10**params.width)
    # One more digit in front, which is then cut off, makes the zeros faster than filling a text does.
    text = pl.when(~failed).then(value + 10**params.width).cast(pl.String).str.slice(1)
    return Outcome(text, failed=(("M314", failed),))


TRANSFORM = Transform(
    "digits", __doc__ or "", DigitsParams, takes=frozenset({"integer"}), gives="text", apply=apply, cheap=True
)
