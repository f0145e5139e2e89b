"""縮退: characters that the target cannot hold to the usual forms that a table names, each row that changed told of.

    髙橋 (table: 髙,高)  ->  高橋, and M320            高橋  ->  高橋            𠮷田 (not in the table)  ->  𠮷田

The table is a code table (CSV with the header old,new,label): old is a character with its variation selector, where it has
one; longer texts are tried first. What the table does not name stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform


class FallbackParams(Params):
    """table: the table's file, inside the municipality's folder."""

    table: str


def apply(values: Sequence[pl.Expr], params: FallbackParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Replace what the table names."""
    (value,) = values
    codes = tables[params.table].codes
    changed = value.str.replace_many(list(codes), list(codes.values()), leftmost=True)
    return Outcome(changed, remarks=(("M320", (changed != value).fill_null(value=False)),))


TRANSFORM = Transform("fallback", __doc__ or "", FallbackParams, takes=frozenset({"text"}), gives="text", apply=apply)
