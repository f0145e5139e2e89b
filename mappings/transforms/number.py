"""A whole number written in digits, full-width ones too; and a number in units of 10, 1,000 or so many yen in yen.

    00123  ->  123        １２  ->  12        1,200  ->  fails        blank  ->  no value
    1234 (times 1000: 千円)  ->  1234000        -5 (times 100)  ->  -500        12.5, a decimal (times 1000)  ->  12500.0

A field that is a number already is taken as it is, and a decimal stays one. What is multiplied can be followed: the sum of
the field in the dump, times `times`, must be that of the column and of the rejected rows.

Source: JIS X 0201 and JIS X 0208 (the digits of one byte and of two).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform

LARGEST = 2**63 - 1


class NumberParams(Params):
    """times: what it is multiplied by (1)."""

    times: int = pydantic.Field(1, ge=1, le=1_000_000)


def apply(values: Sequence[pl.Expr], params: NumberParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the number; it fails where the text is none, or is too large."""
    text = values[0].str.replace_many(list("０１２３４５６７８９－"), list("0123456789-")).str.strip_chars()
    number = pl.when(text.str.contains(r"^-?[0-9]{1,18}$")).then(text).cast(pl.Int64, strict=False)
    unreadable = ("M313", number.is_null() & (text != ""))
    multiplied = multiply([number], params, tables)
    return Outcome(multiplied.value, failed=(unreadable, *multiplied.failed))


def multiply(values: Sequence[pl.Expr], params: NumberParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Multiply a number; it fails where there is no room for what comes of it."""
    (value,) = values
    if params.times == 1:
        return Outcome(value)
    long = value.abs() > LARGEST // params.times
    return Outcome(pl.when(~long).then(value) * params.times, failed=(("M314", long),))


TRANSFORM = Transform(
    "number",
    __doc__ or "",
    NumberParams,
    takes=frozenset({"text", "integer", "decimal"}),
    gives="integer",
    apply=apply,
    numeric=multiply,
    factor="times",
)
