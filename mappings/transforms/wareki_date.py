"""A date of the Japanese calendar as source text, sort key and precision: era, year of it, month and day as digits.

    3630209  ->  source 3630209, key 19880209, day                      S630209 (form letter)  ->  the same key
    3200100  ->  key 19450100, month (the day is not known)             630209 (form yymmdd, era showa)  ->  the same key
    3630230, 3631301  ->  impossible, kept                              03630209 (two digits for the era)  ->  the same key
    3000209  ->  the year is not known: kept without a key              3630015  ->  key 19880015, year (no month)
    0        ->  no date (unknown)                                      6010101 (no such era)  ->  fails
    071227 (form yymmdd, near 5080110)  ->  20251227                    070401 (form yymmdd, era 5010510)  ->  20250401
    H000108 (form letter, first_year 00)  ->  19890108

The digit of the era is one of two families, and the field says which: "1-5" (1 明治 2 大正 3 昭和 4 平成 5 令和) or "1-9"
(1 3 5 7 9, as in pensions and social insurance). It is never guessed: 3 is Showa in one and Taisho in the other.
`unknown` names the codings of 不詳日 that the field uses: 00, which always counts, 99 (9999999 is no date then), A (A1 to A4
as month or day, a season or a third of a month: source text keeps it, the key has 00).

Where the era does not stand beside the date, `era` names it, or the field that tells it (a digit, letter or name, a date of
it, or a Gregorian day on which it was in force), or else `near` a day: the era is then that in which the date lies nearest to
that day. `first_year` 00 says that 元年 is coded 00.

Dates that no calendar has stay as they stand, because the resident-record standard requires it. A date outside its
era is kept too: documents of 平成31年5月 and later are valid. 30 July 1912 and 25 December 1926 belong to both eras.

Sources: 元号を改める政令 and 改暦ノ布告 (the eras' days); 住民記録システム標準仕様書 1.1.8 (what is kept, 不詳日); 中間標準レイアウト仕様
and 既存住基システム改造仕様書 (年号コード of two digits and of one); 日本年金機構 (the family 1-9). The codings 00, 99 and A1 to A4
are those of municipal systems, A1 to A4 of health records (健康管理); no standard that is public has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import polars as pl
import pydantic

from mappings.language.folder import CodeTable
from mappings.transforms._around import EraParams, without
from mappings.transforms._eras import ERAS, FAMILIES, UnknownParams, judge_of_era, seasonless
from mappings.transforms.contract import Outcome, Transform, Workings


class WarekiDateParams(EraParams, UnknownParams):
    """eras: "1-5" or "1-9"; form: digits, letter or yymmdd; era, near: what tells yymmdd's; unknown, first_year: codings."""

    form: Literal["digits", "letter", "yymmdd"] = "digits"

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if self.form == "digits" and self.eras is None:
            raise ValueError('eras is missing: the family of the era\'s digit, "1-5" or "1-9"')
        self.check_told("yymmdd", needed=self.form == "yymmdd")
        return self


def apply(values: Sequence[pl.Expr], params: WarekiDateParams, tables: Mapping[str, CodeTable]) -> Outcome:
    """Read the date; it fails where there is no such era, or no number."""
    value, *around = values
    family = FAMILIES[params.eras or "1-5"] if params.form == "digits" else FAMILIES["1-5"]
    workings = Workings()
    text = workings.keep(value.cast(pl.String).str.strip_chars())
    given = value.is_not_null() & (text != "")
    plain = text
    if params.form == "letter":
        letters = [era.letter for era in ERAS]
        upper = text.str.to_uppercase()
        plain = pl.concat_str(
            upper.str.slice(0, 1).replace_strict(letters, [str(n) for n in family], default="x"), upper.str.slice(1)
        )
    if "A" in params.codes:
        plain = seasonless(plain)
    digits = (value if params.form == "digits" and "A" not in params.codes else plain).cast(pl.Int64, strict=False)
    told, tie = pl.lit(value=True), pl.lit(value=False)
    if params.form == "yymmdd":
        # Seven digits would change the era that is told.
        digits = workings.keep(pl.when(digits.is_between(0, 999_999)).then(digits))
        year = params.numbered(digits // 10_000)
        number, tie = params.told(around, year, digits // 100 % 100, digits % 100, workings)
        told = number.is_not_null()
        digits = digits + number.fill_null(0) * 1_000_000
    digits = workings.keep(digits)
    era = workings.keep(digits // 1_000_000)
    none = (digits % 1_000_000 == 0) & era.is_in([0, *family])
    if params.form == "letter":
        none = text.str.contains("^(.?0{6}|0+)$")
    if "99" in params.codes:
        none = none | (digits % 1_000_000 == 999_999)
    lost = workings.keep(given & digits.is_not_null() & ~none & ~told)
    source = text if params.form == "letter" else text.str.zfill(7 if params.form == "digits" else 6)
    made = judge_of_era(
        source, era, digits, family,
        none=none, failed=pl.lit(value=False), given=given & ~lost.fill_null(value=False), codes=params.codes,
        workings=workings, numbered=params.numbered,
    )  # fmt: skip
    return made if params.form != "yymmdd" else without(made, lost, tie & given & ~none)


TRANSFORM = Transform(
    "wareki_date",
    __doc__ or "",
    WarekiDateParams,
    takes=frozenset({"integer", "text"}),
    gives="date",
    apply=apply,
)
