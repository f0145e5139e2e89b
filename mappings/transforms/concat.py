"""Join several values into one text, leaving out those that are blank.

01, 11, (blank)  ->  0111

Source: 住民記録システム標準仕様書, 続柄 (up to four codes one after the other, as 0111).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class ConcatParams(Params):
    """separator: what stands between two values; nothing where it is not given."""

    separator: str = ""


def apply(values: Sequence[pl.Expr], params: ConcatParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Join the values that are not blank; null where all are."""
    present = [pl.when(value != "").then(value) for value in values]
    joined = pl.concat_str(present, separator=params.separator, ignore_nulls=True)
    return Outcome(pl.when(joined != "").then(joined))


TRANSFORM = Transform(
    "concat", __doc__ or "", ConcatParams, takes=frozenset({"text"}), gives="text", apply=apply, joins=True, cheap=True
)
