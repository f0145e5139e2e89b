"""Digits in a text as a whole number; full-width digits count as digits.

00123  ->  123        １２  ->  12        1,200  ->  fails        blank  ->  no value

Source: JIS X 0201 and JIS X 0208 (the digits of one byte and of two).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class NumberParams(Params):
    """No parameters."""


def apply(values: Sequence[pl.Expr], params: NumberParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the number; it fails where the text is none."""
    text = values[0].str.replace_many(list("０１２３４５６７８９－"), list("0123456789-")).str.strip_chars()
    number = pl.when(text.str.contains(r"^-?[0-9]{1,18}$")).then(text).cast(pl.Int64, strict=False)
    return Outcome(number, failed=(("M313", number.is_null() & (text != "")),))


TRANSFORM = Transform("number", __doc__ or "", NumberParams, takes=frozenset({"text"}), gives="integer", apply=apply)
