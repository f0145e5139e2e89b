"""縮退: characters that the target cannot hold to the usual forms that a table names, each row that changed told of.

    髙橋 (table: 髙,高)  ->  高橋, and M320            高橋  ->  高橋            𠮷田 (not in the table)  ->  𠮷田

The table is a code table (CSV with the header old,new,label): old is a character with its variation selector, where it has
one; longer texts are tried first. A variation selector goes with the character that it belongs to: a row of the character
alone is for every variant that has none of its own. What the table does not name stays.

Source: 文字情報基盤, MJ縮退マップ. 7,167 of its characters have several forms to fall back to, so it is no table to apply as it
stands: the municipality chooses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

_REPLACED = "\ufdd0"
"""A noncharacter, which is for a program's own use and stands in no text: it marks where a replaced text ended."""

_SELECTORS = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]*"


class FallbackParams(Params):
    """table: the table's file, inside the municipality's folder."""

    table: str


def apply(values: Sequence[pl.Expr], params: FallbackParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Replace what the table names."""
    (value,) = values
    codes = tables[params.table].codes
    by_length = {old: f"{codes[old]}{_REPLACED}" for old in sorted(codes, key=len, reverse=True)}
    changed = value.str.replace_many(by_length, leftmost=True).str.replace_all(_REPLACED + _SELECTORS, "")
    return Outcome(changed, remarks=(("M320", (changed != value).fill_null(value=False)),))


TRANSFORM = Transform("fallback", __doc__ or "", FallbackParams, takes=frozenset({"text"}), gives="text", apply=apply)
