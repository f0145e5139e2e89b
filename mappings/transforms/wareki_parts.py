"""A date of the Japanese calendar whose era stands in a field of its own: era and YYMMDD, or era, year, month and day.

    3 and 630209  ->  source 3630209, key 19880209, day        S, 63, 2 and 9  ->  source S630209, the same key

The era is a digit of the family that `eras` names, or a letter. Everything else is as in `wareki_date`, its sources too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms._eras import ERAS, FAMILIES, UnknownParams, judge_of_era, seasonless
from mappings.transforms.contract import Outcome, Transform, Workings


class WarekiPartsParams(UnknownParams):
    """eras: the family of the era's digit, "1-5" or "1-9"; unknown: codings of what is not known (00)."""

    eras: Literal["1-5", "1-9"]


def apply(values: Sequence[pl.Expr], params: WarekiPartsParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where the parts make none."""
    family = FAMILIES[params.eras]
    workings = Workings()
    texts = [workings.keep(value.cast(pl.String).str.strip_chars()) for value in values]
    letters = {era.letter: str(digit) for era, digit in zip(ERAS, family, strict=True)}
    era = workings.keep(texts[0].str.to_uppercase().replace(letters).cast(pl.Int64, strict=False))
    widths = [6] if len(texts) == 2 else [2] * (len(texts) - 1)
    rest = pl.concat_str([text.str.zfill(width) for text, width in zip(texts[1:], widths, strict=True)])
    source = pl.concat_str([texts[0], rest])
    digits = workings.keep((seasonless(rest) if "A" in params.codes else rest).cast(pl.Int64, strict=False))
    given = pl.any_horizontal([text.is_not_null() & (text != "") for text in texts])
    none = (digits == 0) & (era.is_null() | (era == 0) | era.is_in(list(family)))
    if "99" in params.codes:
        none = none | (digits == 999_999)
    not_six = ~digits.is_between(0, 999_999)
    too_few = pl.lit(len(texts) not in (2, 4))
    return judge_of_era(
        source, era, digits, family,
        none=none, failed=not_six | too_few, given=given, codes=params.codes, workings=workings,
    )  # fmt: skip


TRANSFORM = Transform(
    "wareki_parts",
    __doc__ or "",
    WarekiPartsParams,
    takes=frozenset({"integer", "text"}),
    gives="date",
    apply=apply,
    joins=True,
)
