"""One part of a name that a space divides: the family name before it, the given name after it.

    山田　太郎 (part family)  ->  山田        山田太郎  ->  山田太郎, with an alert (no part given: nothing)

Both the ideographic and the half-width space divide; the first one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform


class SplitNameParams(Params):
    """part: family or given."""

    part: Literal["family", "given"]


def apply(values: Sequence[pl.Expr], params: SplitNameParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Take a part; a name without a space is all family name, and is remarked on."""
    name = values[0].str.strip_chars(" \u3000")
    parts = name.str.replace_all("\u3000", " ").str.splitn(" ", 2)
    part = parts.struct.field("field_0" if params.part == "family" else "field_1").str.strip_chars()
    whole = (name != "") & ~name.str.contains("[ \u3000]")
    return Outcome(pl.when(part != "").then(part), remarks=(("M311", whole),))


TRANSFORM = Transform(
    "split_name", __doc__ or "", SplitNameParams, takes=frozenset({"text"}), gives="text", apply=apply
)
