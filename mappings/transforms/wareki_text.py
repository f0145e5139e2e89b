"""A date written out in the Japanese calendar, in kanji or Latin letters, with or without a month and a day.

    昭和六十三年二月三日  ->  key 19880203, day        S63.2.3, 昭63年2月3日, 昭和６３年２月３日  ->  the same
    平成元年五月          ->  key 19890500, month      令和二年  ->  key 20200000, year          不詳  ->  no date (unknown)

Separators are 年月日, period, slash and hyphen, half-width or full-width; numbers are kanji (十 or place by place), half-width
or full-width digits, and 元 is 1. Text that is no date fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mappings.eras import ERAS, by_era, judge, kanji_numbers
from mappings.spec import CodeTable
from mappings.transform import Outcome, Params, Transform

_NAMES = {name: str(n) for n, era in enumerate(ERAS, 1) for name in (era.kanji, era.kanji[0], era.letter)}
_FULL = {chr(0xFF10 + n): str(n) for n in range(10)} | {chr(0xFF21 + n): chr(0x41 + n) for n in range(26)}
_SEPARATORS = {
    "年": ".",
    "月": ".",
    "日": "",
    "/": ".",
    "-": ".",
    "．": ".",
    "／": ".",
    "－": ".",
    "−": ".",
    "・": ".",
    "　": "",
    " ": "",
}
_FORM = r"^([1-5])\.?([0-9]{1,2})(?:\.([0-9]{1,2})(?:\.([0-9]{1,2}))?)?\.?$"
_NONE = ("不詳", "不明")


class WarekiTextParams(Params):
    """No parameters."""


def apply(values: Sequence[pl.Expr], params: WarekiTextParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where the text is none."""
    (value,) = values
    source = value.str.strip_chars(" \u3000")
    plain = source.str.replace_many(list(_FULL), list(_FULL.values())).str.to_uppercase()
    names = dict(sorted(_NAMES.items(), key=lambda pair: -len(pair[0])))
    plain = plain.str.replace("^(" + "|".join(names) + ")", "<$1>")
    plain = plain.str.replace_many([f"<{name}>" for name in names], list(names.values()), leftmost=True)
    # The numbers are replaced only after the era, whose own name may be one of their characters.
    numbers = kanji_numbers(99)
    plain = pl.concat_str(
        plain.str.slice(0, 1),
        pl.lit("."),
        plain.str.slice(1)
        .str.replace_many(list(numbers), list(numbers.values()), leftmost=True)
        .str.replace_many(list(_SEPARATORS), list(_SEPARATORS.values())),
    )
    parts = [plain.str.extract(_FORM, group).cast(pl.Int64, strict=False) for group in (1, 2, 3, 4)]
    era, of_era = parts[0], parts[1]
    month, day = (part.fill_null(0) for part in parts[2:])
    digits = range(1, len(ERAS) + 1)
    before = by_era(era, list(digits), "before")
    given = source.is_not_null() & (source != "")
    return judge(
        source,
        before + of_era,
        month,
        day,
        first=by_era(era, list(digits), "first"),
        last=by_era(era, list(digits), "last"),
        none=given & source.is_in(list(_NONE)),
        failed=before.is_null()
        | of_era.is_null()
        | (of_era == 0)
        | (parts[2] == 0).fill_null(value=False)
        | (parts[3] == 0).fill_null(value=False),
        given=given,
        codes=frozenset({"00"}),
    )


TRANSFORM = Transform(
    "wareki_text", __doc__ or "", WarekiTextParams, takes=frozenset({"text"}), gives="date", apply=apply
)
