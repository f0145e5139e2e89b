"""Half-width kana to full-width kana, a sound mark composed with the kana before it where the two make one.

    ｶﾞｯｺｳ ﾀﾛｳ  ->  ガッコウ タロウ        ｱﾞ  ->  ア゛ (no such kana: the mark stays apart)
    キョウコ (small fold)  ->  キヨウコ                        ﾀﾛ-, タロ－ (long unify)  ->  タロー

Only kana and their marks change; letters, digits and spaces stay as they are. `small: fold` writes ァィゥェォッャュョヮ large,
as old systems do, so that two writings of a name compare equal; `long: unify` writes a hyphen or a dash after a kana as
the long mark ー. What either changes is told of, row by row; small kana are never invented.

Sources: JIS X 0201 and JIS X 0208 (the two kinds of kana; Unicode has which pairs compose); 全国銀行協会 and the layouts of 年金
特別徴収 (カナ大文字のみ: why old fields have no small kana, and a hyphen for the long mark).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

_SMALL = dict(zip("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ", strict=True))
_DASHES = "-‐‑–—―－−ｰ"


class KanaParams(Params):
    """small: keep or fold (keep); long: keep or unify (keep)."""

    small: Literal["keep", "fold"] = "keep"
    long: Literal["keep", "unify"] = "keep"


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
    """Widen kana, and fold or unify where asked."""
    (value,) = values
    wide = value.str.replace_many(list(_TABLE), list(_TABLE.values()), leftmost=True)
    changed = wide
    if params.long == "unify":
        changed = changed.str.replace_all(f"([ァ-ヺー])[{_DASHES}]", "${1}ー")
    if params.small == "fold":
        changed = changed.str.replace_many(list(_SMALL), list(_SMALL.values()))
    told = params.long == "unify" or params.small == "fold"
    return Outcome(changed, remarks=(("M312", (changed != wide).fill_null(value=False)),) if told else ())


TRANSFORM = Transform("kana", __doc__ or "", KanaParams, takes=frozenset({"text"}), gives="text", apply=apply)
