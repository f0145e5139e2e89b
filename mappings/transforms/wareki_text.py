"""A date written out in the Japanese calendar, in kanji or Latin letters, known as far as it says.

    昭和六十三年二月三日  ->  key 19880203, day        S63.2.3, 昭63年2月3日, ㍼６３年２月３日, 昭和六拾参年弐月参日  ->  the same
    平成元年五月, 令和二年三月頃, 令和二年三月日不詳, 令和二年三月上旬, R2.3.00       ->  key 20200300 and its like, month
    令和二年, 令和二年頃, 令和二年春, 令和二年月日不詳, R2.00.00                      ->  key 20200000, year
    令和二年三月四日頃, 推定令和二年三月四日, 令和二年三月四日頃から六日頃までの間    ->  key 20200300, month (no day is certain)
    昭和年月日不詳        ->  the year is not known: kept without a key
    年月日不詳, 不明      ->  no date (unknown)        12.2.3  ->  fails, or is of the era that `era` says

Separators are 年月日, period, slash and hyphen, half-width or full-width; numbers are kanji (十 or place by place, 壱弐参拾
and 廿卅 too), half-width or full-width digits, and 元 is 1. An era is never guessed: without one there is no date, unless `era` says
what the field implies. Text that is no date fails; one that no calendar has is kept.

Sources: 住民記録システム標準仕様書 1.1.8, 不詳日入力一覧 (all its fourteen forms); otherwise as in `wareki_date`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from mappings.language.folder import CodeTable
from mappings.transforms._eras import ERAS, UnknownParams, by_era, judge, kanji_numbers
from mappings.transforms.contract import Outcome, Transform, Workings

_DIGITS = range(1, len(ERAS) + 1)
_NAMES = {
    name: digit
    for digit, era, square in zip(_DIGITS, ERAS, "㍾㍽㍼㍻㋿", strict=True)
    for name in (era.kanji, era.kanji[0], era.letter, square)
}
_ERA = "^(" + "|".join(sorted(_NAMES, key=len, reverse=True)) + ")"
_PLAIN = (
    {chr(0xFF10 + n): str(n) for n in range(10)}
    | {chr(0xFF21 + n): chr(0x41 + n) for n in range(26)}
    | dict(zip("壱弐参拾", "一二三十", strict=True))
    | {"廿": "二十", "卅": "三十", "丗": "三十"}
    | {" ": "", "\u3000": ""}
)
_SEPARATORS = dict.fromkeys("年月/-．／－−・", ".") | {"日": ""}
_UNKNOWN = dict.fromkeys(("不詳", "不明", "上旬", "中旬", "下旬", *"春夏秋冬"), "?")
_DAY = "(?:推定)?[0-9]{1,2}日頃?"
_BETWEEN = (
    (f"^([0-9]{{1,2}}年[0-9]{{1,2}}月){_DAY}から{_DAY}までの間$", "${1}?"),
    (f"^([0-9]{{1,2}}年)[0-9]{{1,2}}月{_DAY}から[0-9]{{1,2}}月{_DAY}までの間$", "${1}?"),
)
"""A span of days within a month, of which the month is known; one of several months, of which the year is."""

_FORM = r"^([0-9]{1,2}|\?)?(?:\.([0-9]{1,2}|A[1-4]|\?)?(?:\.([0-9]{1,2}|A[1-3]|\?)?)?)?\.?$"
_GAP = r"^$|^\.|\.\."


class WarekiTextParams(UnknownParams):
    """era: what a date without one implies (none); unknown: how digits code what is not known, 00, 99 and A (00)."""

    era: Literal["meiji", "taisho", "showa", "heisei", "reiwa"] | None = None


def apply(values: Sequence[pl.Expr], params: WarekiTextParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where the text is none."""
    (value,) = values
    workings = Workings()
    source = workings.keep(value.str.strip_chars(" \u3000"))
    given = source.is_not_null() & (source != "")
    plain = workings.keep(source.str.to_uppercase().str.replace_many(_PLAIN))
    about = plain.str.contains("^推定|(?:頃|ごろ|ころ)$")
    plain = plain.str.replace("^推定", "").str.replace("(?:頃|ごろ|ころ)$", "")
    era = workings.keep(plain.str.extract(_ERA).replace_strict(_NAMES, default=None, return_dtype=pl.Int64))
    # The numbers are replaced only after the era, whose own name may be one of their characters.
    plain = plain.str.replace(_ERA, "").str.replace_many(kanji_numbers(99), leftmost=True)
    for pattern, known in _BETWEEN:
        plain = plain.str.replace(pattern, known)
    plain = workings.keep(plain.str.replace_many(_UNKNOWN | _SEPARATORS))
    none = era.is_null() & plain.str.contains(r"^\.*\?$")
    if params.era is not None:
        era = era.fill_null([one.name for one in ERAS].index(params.era) + 1)
    texts = [workings.keep(plain.str.extract(_FORM, group)) for group in (1, 2, 3)]
    of_era, month, day = (text.cast(pl.Int64, strict=False).fill_null(0) for text in texts)
    formed = plain.str.contains(_FORM) & (plain.str.ends_with("?") | ~plain.str.contains(_GAP))
    if "A" not in params.codes:
        formed = formed & ~plain.str.contains("A", literal=True)
    return judge(
        source,
        pl.when(of_era != 0).then(by_era(era, _DIGITS, "before") + of_era),
        month,
        pl.when(about).then(0).otherwise(day),
        first=by_era(era, _DIGITS, "first"),
        last=by_era(era, _DIGITS, "last"),
        none=given & none,
        failed=~formed | (era.is_null() & (texts[0] != "?").fill_null(value=True)),
        given=given,
        codes=params.codes,
        lunar=True,
        workings=workings,
    )


TRANSFORM = Transform(
    "wareki_text", __doc__ or "", WarekiTextParams, takes=frozenset({"text"}), gives="date", apply=apply
)
