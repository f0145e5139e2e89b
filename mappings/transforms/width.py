"""Full-width letters and digits to half-width ones, or the other way.

    Ｂ棟５０１ (to half)  ->  B棟501        12-3 (to full)  ->  １２-３

Kana are left to `kana`; a wave dash and its kind stay what the source's code says.

Source: JIS X 0201 and JIS X 0208 (the letters and digits that both have).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

_SETS = {
    "digits": "0123456789",
    "latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}
_SETS["all"] = _SETS["digits"] + _SETS["latin"]
_SHIFT = 0xFEE0


class WidthParams(Params):
    """to: half or full; what: digits, latin or all."""

    to: Literal["half", "full"]
    what: Literal["digits", "latin", "all"] = "all"


def apply(values: Sequence[pl.Expr], params: WidthParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Change the width."""
    half = list(_SETS[params.what])
    full = [chr(ord(character) + _SHIFT) for character in half]
    before, after = (full, half) if params.to == "half" else (half, full)
    return Outcome(values[0].str.replace_many(before, after))


TRANSFORM = Transform("width", __doc__ or "", WidthParams, takes=frozenset({"text"}), gives="text", apply=apply)
