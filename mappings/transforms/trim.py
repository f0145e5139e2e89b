"""Take away the spaces around a text, half-width and ideographic.

"　山田　太郎 "  ->  "山田　太郎"

Source: none; mainframe fields are filled with the spaces of their code, X'40', X'20' or an ideographic one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class TrimParams(Params):
    """No parameters."""


def apply(values: Sequence[pl.Expr], params: TrimParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Trim the text."""
    return Outcome(values[0].str.strip_chars(" \u3000"))


TRANSFORM = Transform(
    "trim", __doc__ or "", TrimParams, takes=frozenset({"text"}), gives="text", apply=apply, cheap=True
)
