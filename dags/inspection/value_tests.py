"""What is counted of a field's values while a dump is profiled: tests that they pass, and the dates that they may be.

A test is an expression over a window of filled values; its count is kept, the values are not. A reading tells the year of
a value that is a date by it.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable

import polars as pl

from dags.guarded.contents import is_digest
from mappings.transforms._eras import ERAS, FAMILIES, by_era, kanji_numbers
from validators.derived import REFUSED_FORM
from validators.shapes import MUNICIPALITY as CHECK


class Kinds(enum.IntFlag):
    """The kinds of characters that stand in a value."""

    DIGIT = 1
    LATIN = 2
    HALF_KANA = 4
    KANA = 8
    KANJI = 16
    WIDE_DIGIT = 32
    WIDE_LATIN = 64
    SPACE = 128
    HYPHEN = 256
    DOT = 512
    SYMBOL = 1024
    OTHER = 2048
    CONTROL = 4096
    UNDEFINED = 8192


VALUE, LENGTH, KINDS, NUMBER, DIGITS = (pl.col(name) for name in ("value", "length", "kinds", "number", "digits"))
"""A window's columns: the text, its characters and their kinds; the number that it is, and how many digits it has."""

LAST_YEAR = 2100
FIRST_YEAR = 1850
LATEST_ERA_YEARS = 30
"""How far the era that has no end is believed to reach."""


@dataclasses.dataclass(frozen=True, slots=True)
class Test:
    """How many values of a window pass: an aggregate over a window of text, and over one of numbers of `size` digits."""

    name: str
    text: pl.Expr
    number: Callable[[int], pl.Expr | None] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """A way to read values as dates.

    Attributes:
        name: as people write the form.
        eras: the family of era digits, where digits name eras.
        year: the Gregorian year of each value that is a date by this reading, otherwise null.
        text_only: whether only text can be of this form.
        dated: whether the year is one of the calendar; False where the era or century stands elsewhere.
    """

    name: str
    eras: str
    year: Callable[[], pl.Expr]
    text_only: bool = False
    dated: bool = True


def _only(kinds: Kinds) -> pl.Expr:
    return (KINDS & ~int(kinds) & 0x3FFF) == 0


def _any(kinds: Kinds) -> pl.Expr:
    return (KINDS & int(kinds)) != 0


_KANA = Kinds.HALF_KANA | Kinds.KANA
_NAME = _KANA | Kinds.KANJI | Kinds.SPACE | Kinds.DOT | Kinds.HYPHEN | Kinds.LATIN | Kinds.WIDE_LATIN | Kinds.OTHER
_PLACES = ("丁目", "番地", "番", "号", "県", "市", "区", "町", "村", "郡", "字", "地割")
_KANJI_DIGITS = tuple("一二三四五六七八九十")


def _address() -> pl.Expr:
    long = VALUE.filter(_any(Kinds.KANJI) & (LENGTH >= 4))
    numbered = long.str.contains_any([*_KANJI_DIGITS, *map(str, range(10)), *"０１２３４５６７８９"])
    return (long.str.contains_any(list(_PLACES)) & numbered).sum()


def _postal_text() -> pl.Expr:
    plain = (NUMBER.is_not_null() & (LENGTH == 7)).sum()
    marked = VALUE.filter((LENGTH == 8) & _only(Kinds.DIGIT | Kinds.HYPHEN))
    return plain + marked.str.contains(r"^[0-9]{3}[-－−‐][0-9]{4}$").sum()


def _phone() -> pl.Expr:
    some = VALUE.filter(LENGTH.is_between(10, 16) & _only(Kinds.DIGIT | Kinds.HYPHEN | Kinds.SPACE | Kinds.SYMBOL))
    formed = some.str.contains(r"^\(?0[0-9]{1,4}[-) (]*[0-9]{1,4}[-) ]*[0-9]{3,4}$")
    return (formed & some.str.replace_all("[^0-9]", "").str.len_bytes().is_between(10, 11)).sum()


def _municipality(number: pl.Expr) -> pl.Expr:
    """How many numbers are codes of municipalities: a prefecture (or 99, invented), and the check digit follows."""
    prefecture = number // 10_000
    total = pl.sum_horizontal((number // 10 ** (5 - n)) % 10 * w for n, w in enumerate(CHECK.weights) if w)
    digit = (total % CHECK.modulus).replace_strict(
        list(range(CHECK.modulus)), list(CHECK.digits), return_dtype=pl.Int64
    )
    known = prefecture.is_between(1, 47) | (prefecture == 99)
    return (known & (digit == number % 10)).sum()


TESTS: tuple[Test, ...] = (
    Test("plain", _only(Kinds.DIGIT | Kinds.LATIN | Kinds.HYPHEN).sum(), lambda _: pl.len()),
    Test("kana", (_only(_KANA | Kinds.SPACE | Kinds.DOT | Kinds.HYPHEN) & _any(_KANA)).sum()),
    Test("kanji", (_only(_NAME) & _any(Kinds.KANJI)).sum()),
    Test("spaced", (_only(_NAME) & _any(Kinds.SPACE)).sum()),
    Test("address", _address()),
    Test("postal", _postal_text(), lambda size: NUMBER.is_between(10_000, 9_999_999).sum() if size == 7 else None),
    Test("phone", _phone()),
    Test("secret", VALUE.str.contains(REFUSED_FORM).sum()),
    Test("digest", is_digest(VALUE, LENGTH).sum()),
    Test(
        "municipality",
        _municipality(NUMBER.filter(LENGTH == 6)),
        lambda size: _municipality(NUMBER.filter(NUMBER < 1_000_000)) if size == 6 else None,
    ),
)


def _is_day(month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """A month and day, or the codings of what is not known of them; impossible days are kept by the standards."""
    months = month.is_between(0, 12) | (month == 99)
    return months & (day.is_between(0, 31) | (day == 99)) & ((month != 0) | (day == 0))


def _era_year(family: str, era: pl.Expr, year: pl.Expr) -> pl.Expr:
    digits = FAMILIES[family]
    longest = [min(one.last // 10_000 - one.before, LATEST_ERA_YEARS if one is ERAS[-1] else 99) for one in ERAS]
    most = era.replace_strict(list(digits), longest, default=None, return_dtype=pl.Int64)
    return pl.when(year.is_between(1, most)).then(by_era(era, digits, "before") + year)


def _era_day(family: str) -> pl.Expr:
    year = _era_year(family, NUMBER // 1_000_000, NUMBER // 10_000 % 100)
    return pl.when((DIGITS == 7) & _is_day(NUMBER // 100 % 100, NUMBER % 100)).then(year)


def _era_month(family: str) -> pl.Expr:
    year = _era_year(family, NUMBER // 10_000, NUMBER // 100 % 100)
    return pl.when((DIGITS == 5) & (NUMBER % 100).is_between(0, 12)).then(year)


def _full_year(year: pl.Expr, fits: pl.Expr) -> pl.Expr:
    return pl.when(fits & year.is_between(FIRST_YEAR, LAST_YEAR)).then(year)


def _marked() -> pl.Expr:
    parts = VALUE.str.extract_groups(r"^([0-9]{4})([-/.])([0-9]{1,2})([-/.])([0-9]{1,2})$").struct
    year, month, day = (parts.field(name).cast(pl.Int64, strict=False) for name in ("1", "3", "5"))
    return _full_year(year, _is_day(month, day) & (parts.field("2") == parts.field("4")))


def _letter() -> pl.Expr:
    parts = VALUE.str.extract_groups(
        r"^([MTSHRmtshr])\.?([0-9]{1,2})[-/.]?([0-9]{2}|[0-9])[-/.]?([0-9]{2}|[0-9])$"
    ).struct
    letter = parts.field("1").str.to_uppercase()
    before = letter.replace_strict(
        [e.letter for e in ERAS], [e.before for e in ERAS], default=None, return_dtype=pl.Int64
    )
    year, month, day = (parts.field(name).cast(pl.Int64, strict=False) for name in ("2", "3", "4"))
    return pl.when(_is_day(month, day) & (year > 0)).then(before + year)


def _words() -> pl.Expr:
    parts = VALUE.str.extract_groups(
        "^(明治|大正|昭和|平成|令和)[ 　]*([0-9０-９元〇一二三四五六七八九十]+)年[ 　]*[0-9０-９〇一二三四五六七八九十]+月[ 　]*"
        "[0-9０-９〇一二三四五六七八九十]+日$"
    ).struct
    names, starts = [e.kanji for e in ERAS], [e.before for e in ERAS]
    before = parts.field("1").replace_strict(names, starts, default=None, return_dtype=pl.Int64)
    plain = parts.field("2").str.replace_many(list("０１２３４５６７８９"), list("0123456789"))
    numbers = {
        **kanji_numbers(99),
        **{f"{n}": f"{n}" for n in range(1, 100)},
        **{f"0{n}": f"{n}" for n in range(1, 10)},
    }
    year = plain.replace_strict(list(numbers), [int(n) for n in numbers.values()], default=None, return_dtype=pl.Int64)
    return before + year


READINGS: tuple[Reading, ...] = (
    Reading("wareki 1-5 GYYMMDD", "1-5", lambda: _era_day("1-5")),
    Reading("wareki 1/3/5/7/9 GYYMMDD", "1-9", lambda: _era_day("1-9")),
    Reading(
        "YYYYMMDD",
        "",
        lambda: _full_year(NUMBER // 10_000, (DIGITS == 8) & _is_day(NUMBER // 100 % 100, NUMBER % 100)),
    ),
    Reading("wareki letter GYYMMDD", "", _letter, text_only=True),
    Reading("wareki in words", "", _words, text_only=True),
    Reading("YYYY-MM-DD", "", _marked, text_only=True),
    Reading("YYYYMM", "", lambda: _full_year(NUMBER // 100, (DIGITS == 6) & (NUMBER % 100).is_between(0, 12))),
    Reading("wareki 1-5 GYYMM", "1-5", lambda: _era_month("1-5")),
    Reading("wareki 1/3/5/7/9 GYYMM", "1-9", lambda: _era_month("1-9")),
    Reading(
        "YYMMDD",
        "",
        lambda: pl.when((DIGITS == 6) & _is_day(NUMBER // 100 % 100, NUMBER % 100)).then(NUMBER // 10_000),
        dated=False,
    ),
)
BY_READING = {reading.name: reading for reading in READINGS}
