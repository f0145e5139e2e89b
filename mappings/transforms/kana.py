"""Half-width kana to full-width kana, a sound mark composed with the kana before it where the two make one.

    ｶﾞｯｺｳ ﾀﾛｳ  ->  ガッコウ タロウ        ｱﾞ  ->  ア゛ (no such kana: the mark stays apart)

Only kana and their marks change; letters, digits and spaces stay as they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import polars as pl

from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform


class KanaParams(Params):
    """No parameters."""


def _table() -> dict[str, str]:
    single = {chr(point): unicodedata.normalize("NFKC", chr(point)) for point in range(0xFF61, 0xFFA0)}
    single["ﾞ"], single["ﾟ"] = "゛", "゜"
    joined = {}
    for character in list(single):
        for mark in "ﾞﾟ":
            whole = unicodedata.normalize("NFKC", character + mark)
            if len(whole) == 1:
                joined[character + mark] = whole
    return joined | single


_TABLE = _table()


def apply(values: Sequence[pl.Expr], params: KanaParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Widen kana."""
    (value,) = values
    return Outcome(value.str.replace_many(list(_TABLE), list(_TABLE.values()), leftmost=True))


TRANSFORM = Transform("kana", __doc__ or "", KanaParams, takes=frozenset({"text"}), gives="text", apply=apply)
