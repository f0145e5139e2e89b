"""A whole number as text of a fixed number of digits, with leading zeros: of a number, or of a text of any width.

123 (width 5)  ->  00123        123456 (width 5)  ->  fails        -1, 12A  ->  fails        blank  ->  no value

A number has at most 18 digits. One that is longer, such as a payment number of 20 or a bar code of 44, is text in the copybook
(PIC X), and is read as text here; full-width digits count as digits.

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

    width: int = pydantic.Field(ge=1, le=64)


def apply(values: Sequence[pl.Expr], params: DigitsParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Write the number with leading zeros; it fails where it is negative or has more digits."""
    (value,) = values
    if params.width > 18:
        return _of_text(values, params, tables)
    failed = (value < 0) | (value >= 10**params.width)
    # One more digit in front, which is then cut off, makes the zeros faster than filling a text does.
    text = pl.when(~failed).then(value + 10**params.width).cast(pl.String).str.slice(1)
    return Outcome(text, failed=(("M314", failed),))


def _of_text(values: Sequence[pl.Expr], params: DigitsParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Write the digits of a text with leading zeros; it fails where it holds anything else, or more of them."""
    (value,) = values
    text = (
        value.cast(pl.String)
        .str.strip_chars(" \u3000")
        .str.replace_many(list("０１２３４５６７８９"), list("0123456789"))
    )
    given, plain = text != "", text.str.contains("^[0-9]+$")
    long = text.str.len_bytes() > params.width
    made = pl.when(plain & ~long).then(text.str.zfill(params.width))
    return Outcome(made, failed=(("M313", given & ~plain), ("M314", plain & long)))


TRANSFORM = Transform(
    "digits",
    __doc__ or "",
    DigitsParams,
    takes=frozenset({"integer", "text"}),
    gives="text",
    apply=apply,
    cheap=True,
    of_text=_of_text,
)
