"""One part of a name that a separator divides: the family name before it, the given name after it.

    山田　太郎 (part family)  ->  山田        山田・太郎 (separators "・")  ->  山田        山田太郎  ->  山田太郎, with an alert

The first separator divides; by default the ideographic and the half-width space. `separators` names others in use, such as
・ ＊ , or /, each a character. A name without one has no given name.

Source: 住民記録システム標準仕様書 1.1.1 has the name as one item; no standard says what parts it. The separators are those of registers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms.contract import Outcome, Params, Transform


class SplitNameParams(Params):
    """part: family or given; separators: the characters that divide (half-width and ideographic space)."""

    part: Literal["family", "given"]
    separators: str = pydantic.Field(default=" \u3000", min_length=1, max_length=10)


def apply(values: Sequence[pl.Expr], params: SplitNameParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Take a part; a name without a separator is all family name, and is remarked on."""
    name = values[0].str.strip_chars(" \u3000" + params.separators)
    divides = "[" + "".join(re.escape(character) for character in params.separators) + "]"
    parts = name.str.replace(divides, "\x1f").str.splitn("\x1f", 2)
    part = parts.struct.field("field_0" if params.part == "family" else "field_1")
    part = part.str.strip_chars(" \u3000" + params.separators).str.replace_all("\u3000", " ")
    whole = (name != "") & ~name.str.contains(divides)
    return Outcome(pl.when(part != "").then(part), remarks=(("M311", whole),))


TRANSFORM = Transform(
    "split_name", __doc__ or "", SplitNameParams, takes=frozenset({"text"}), gives="text", apply=apply
)
