"""A code through a code table (CSV with the header old,new,label).

1 -> 1 (男)        7, not in the table  ->  fails        blank  ->  no value
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform


class LookupParams(Params):
    """table: the code table's file, inside the municipality's folder."""

    table: str


def apply(values: Sequence[pl.Expr], params: LookupParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Replace a code by the target's; it fails where the table does not hold it."""
    codes = tables[params.table].codes
    text = values[0].cast(pl.String).str.strip_chars()
    found = text.replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.String)
    return Outcome(found, failed=(("M310", found.is_null() & (text != "")),))


TRANSFORM = Transform(
    "lookup", __doc__ or "", LookupParams, takes=frozenset({"text", "integer"}), gives="text", apply=apply
)
