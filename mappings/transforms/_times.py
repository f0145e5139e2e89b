"""Times of day: what all that read them have in common."""

from __future__ import annotations

import polars as pl

from mappings.transforms.contract import Workings

_FORM = "^(?:[0-3][0-9]|4[0-7])(?:[0-5][0-9])+$"


def time_of(value: pl.Expr, width: int, workings: Workings) -> tuple[pl.Expr, pl.Expr]:
    """A time as text of so many digits (4 or 6), null where it is none; and whether anything stands there.

    Hours go to 47. Zeros may be missing on the left, and colons may stand between the parts.
    """
    text = workings.keep(value.cast(pl.String).str.strip_chars(" \u3000").str.replace_all(":", ""))
    filled = workings.keep(text.str.zfill(width))
    sound = filled.str.contains(_FORM) & (text != "") & (filled.str.len_bytes() == width)
    return workings.keep(pl.when(sound).then(filled)), text.is_not_null() & (text != "")
