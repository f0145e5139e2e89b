"""The profile of one column: counters, shapes and a sample of hashes, of constant size however many values there are.

Values come in windows and are looked at by Polars and NumPy, a window at a time, never one by one. They are looked at and
forgotten: what is kept is counts, shapes and years, and hashes that never leave this module.
"""

# Above 400 lines: the counters of a column and what is said of them belong together.

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from dags.inspection.detectors import DIGITS, KINDS, LENGTH, NUMBER, READINGS, TESTS, Kinds, detect, fitting
from extractors.layout import Field
from extractors.usages import USAGES
from extractors.usages.contract import LOST
from extractors.usages.contract import NUMBER as A_NUMBER
from migration_reports.masking import mask
from migration_reports.records.profile_record import Dates, FieldProfile, FindingCount, GaijiCount, Pattern

WINDOW = 32_768
"""Values that are looked at together."""

SAMPLE = 16_384
"""Hashes kept a field: up to as many distinct values are counted exactly, more within two per cent (twice 1/√SAMPLE)."""

SHAPES = 1_000
"""Shapes kept a field between windows; rarer ones are let go, and what they may have counted is told."""

TOP = 8
LONG = 16
"""In a text of more bytes than this, runs of one kind of character are shown as one."""

NO_VALUE = frozenset(usage.flags[LOST] for usage in USAGES if usage.value == A_NUMBER and LOST in usage.flags)
"""The findings that say that bytes are no number."""


def profile_values(values: pa.Array, *, size: int, field: str = "values") -> FieldProfile:
    """Profile values that are at hand, as if they were a field of a dump.

    Args:
        values: text, numbers or bytes; null is no value.
        size: the PICTURE's digits or characters.
        field: the name to give it.
    """
    column = ColumnProfile(size)
    for at in range(0, len(values), WINDOW):
        column.add(values.slice(at, WINDOW))
    return column.result({"kind": "record", "field": field, "size": size}, {}, {})


class ColumnProfile:
    """What is kept of one field: counters, shapes, and a sample of hashes."""

    def __init__(self, size: int, field: Field | None = None) -> None:
        self._size = size
        self._collapse = size > LONG
        self.field = field
        self._type = "number" if field is not None and not field.is_text and field.usage != "raw" else "text"
        self._count = dict.fromkeys(
            ("values", "null", "blank", "undefined", "zero", "negative", "fractions", "no_dates"), 0
        )
        self._low: dict[str, int] = {}
        self._high: dict[str, int] = {}
        self._distinct = _Distinct()
        self._shapes = _Shapes()
        self._passed = dict.fromkeys((test.name for test in TESTS), 0)
        self._dates: dict[str, list[int]] = {}
        self._last: int | str | None = None
        self._rising = self._ascending = True

    def add(self, values: pa.Array) -> None:
        """Look at a window of values."""
        self._count["values"] += len(values)
        self._count["null"] += values.null_count
        kind = values.type
        if pa.types.is_decimal256(kind):
            # Polars has no numbers of this size; they are looked at as they are written.
            values, kind = values.cast(pa.string()), pa.string()
        filled = pl.Series("value", values.drop_null() if values.null_count else values)
        if pa.types.is_integer(kind):
            self._type = "number"
            self._numbers(filled)
        elif pa.types.is_decimal(kind) or pa.types.is_floating(kind):
            self._type = "decimal" if pa.types.is_decimal(kind) else "float"
            self._fractions(filled)
        elif pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind):
            self._type = "bytes"
            self._distinct.add(filled.hash().to_numpy())
            self._rising = self._ascending = False
        else:
            self._text(filled)

    def _text(self, raw: pl.Series) -> None:
        trimmed = raw.str.strip_chars_end(_BLANK)
        values = trimmed.filter(trimmed.str.len_bytes() > 0)
        self._count["blank"] += len(raw) - len(values)
        if not len(values):
            return
        window = _window(values, collapse=self._collapse)
        lost = window.get_column("kinds").to_numpy() & int(Kinds.UNDEFINED) != 0
        if lost.any():
            self._count["undefined"] += int(lost.sum())
            window = window.filter(pl.Series(~lost))
        if not window.height:
            return
        self._extremes("length", window.get_column("length"))
        self._shapes.add(window.get_column("shape").value_counts())
        values = window.get_column("value")
        self._order(values)
        self._distinct.add(values.hash().to_numpy())
        self._tests(window, _text_tests())
        short = window.lazy().filter(
            LENGTH.is_between(5, 20) & ((KINDS & int(Kinds.OTHER | Kinds.HALF_KANA | Kinds.KANA)) == 0)
        )
        self._as_dates(short.collect(), text=True)

    def _numbers(self, values: pl.Series) -> None:
        numbers = values.cast(pl.Int64).to_numpy()
        self._distinct.add(numbers.view(np.uint64))
        self._order(values)
        negative = numbers < 0
        self._count["negative"] += int(negative.sum())
        self._count["zero"] += int((numbers == 0).sum())
        digits = np.searchsorted(_POWERS, np.abs(numbers), side="right")
        keys, counts = np.unique(digits * 2 + negative, return_counts=True)
        shapes = [_PLACE["-"] * (key % 2) + _PLACE["9"] * max(key // 2, 1) for key in keys.tolist()]
        self._shapes.add(pl.DataFrame({"shape": shapes, "count": counts}))
        window = pl.DataFrame({"number": values, "digits": digits}).filter(NUMBER != 0)
        if not window.height:
            return
        self._extremes("digits", window.get_column("digits"))
        self._tests(window, _number_tests(self._size))
        if self._size == 6:
            # A date of six digits may begin with zeros, which a number does not show.
            window = window.with_columns(pl.lit(6, pl.Int64).alias("digits"))
        self._as_dates(window.filter(NUMBER > 0), text=False)

    def _fractions(self, values: pl.Series) -> None:
        self._rising = self._ascending = False
        zero = values == 0
        written = values.cast(pl.String)
        self._distinct.add(written.hash().to_numpy())
        whole = written.str.replace(r"\..*$", "").str.replace_all("[^0-9]", "").str.strip_chars_start("0")
        self._count["zero"] += int(zero.sum() or 0)
        self._count["negative"] += int((values < 0).sum() or 0)
        self._count["fractions"] += int(written.str.contains(r"\.0*[1-9]").sum() or 0)
        if len(values):
            self._shapes.add(_window(written, collapse=False).get_column("shape").value_counts())
        lengths = whole.filter(~zero).str.len_bytes()
        if len(lengths):
            self._extremes("digits", lengths)

    def _extremes(self, what: str, numbers: pl.Series) -> None:
        low, high = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
        self._low[what] = min(low, self._low.get(what, low))
        self._high[what] = max(high, self._high.get(what, high))

    def _order(self, values: pl.Series) -> None:
        if self._rising and len(values):
            later, earlier = values.slice(1), values.slice(0, len(values) - 1)
            self._rising = bool((later >= earlier).all()) and (self._last is None or bool(values[0] >= self._last))
            self._ascending = (
                self._rising
                and self._ascending
                and bool((later > earlier).all())
                and (self._last is None or bool(values[0] > self._last))
            )
            self._last = values[-1]

    def _tests(self, window: pl.DataFrame, tests: Sequence[pl.Expr]) -> None:
        for name, count in window.select(tests).row(0, named=True).items():
            self._passed[name] += int(count or 0)

    def _as_dates(self, window: pl.DataFrame, *, text: bool) -> None:
        if not window.height:
            return
        # All zeros, all nines and the year 9999 say that there is no date.
        zero, nines = NUMBER == 0, (10 ** DIGITS.clip(0, 18).cast(pl.Int64) == NUMBER + 1)
        nothing = ((DIGITS >= 5) & (zero | nines | ((DIGITS == 8) & (NUMBER >= 99_990_000)))).fill_null(value=False)
        window = window.with_columns(nothing.alias("nothing"))
        self._count["no_dates"] += int(window.get_column("nothing").sum())
        window = window.filter(~pl.col("nothing"))
        for year in window.select(_years(text)):
            count = len(year) - year.null_count()
            if count:
                low, high = int(year.min()), int(year.max())  # type: ignore[arg-type]
                known = self._dates.setdefault(year.name, [0, low, high])
                known[:] = [known[0] + count, min(known[1], low), max(known[2], high)]

    def result(
        self, facts: Mapping[str, object], findings: Mapping[str, int], characters: Mapping[str, Mapping[int, int]]
    ) -> FieldProfile:
        """The profile of the field.

        Args:
            facts: what the layout and the mapping say of it.
            findings: how many there are of each code.
            characters: by area, how often each code stands there.
        """
        count = self._count
        lost = sum(n for code, n in findings.items() if code in NO_VALUE)
        # What is null without such a finding is blank: by the reading's policy, or behind the record's end.
        unread = min(lost, count["null"])
        blank = count["blank"] + count["null"] - unread
        invalid = unread + count["undefined"]
        valid = count["values"] - blank - invalid
        filled = valid - count["zero"]
        dates = [
            Dates(
                reading=reading.name,
                eras=reading.eras,
                count=known[0],
                first_year=known[1] if reading.dated else None,
                last_year=known[2] if reading.dated else None,
            )
            for reading in READINGS
            if (known := self._dates.get(reading.name)) is not None
        ]
        patterns, left_out = self._shapes.top(TOP)
        found = FieldProfile.model_validate(
            {
                **facts,
                "type": self._type,
                "values": count["values"],
                "valid": valid,
                "blank": blank,
                "invalid": invalid,
                "filled": filled,
                "distinct": min(self._distinct.estimate(), valid),
                "distinct_exact": self._distinct.exact,
                "once": self._distinct.once(),
                "ascending": self._ascending and valid > 1,
                "rising": self._rising and valid > 1,
                "negative": count["negative"],
                "fractions": count["fractions"],
                "shortest": self._low.get("length"),
                "longest": self._high.get("length"),
                "fewest_digits": self._low.get("digits"),
                "most_digits": self._high.get("digits"),
                "patterns": patterns,
                "patterns_left_out": left_out,
                "no_dates": count["no_dates"],
                "dates": fitting(dates, filled - count["no_dates"]),
                "gaiji": [
                    GaijiCount(area=area, count=sum(codes.values()), codes=len(codes))
                    for area, codes in sorted(characters.items())
                ],
                "findings": [FindingCount(code=code, count=n) for code, n in sorted(findings.items())],
                "passed": {name: n for name, n in self._passed.items() if n},
            }
        )
        return found.model_copy(update={"detections": detect(found)})


@functools.cache
def _text_tests() -> tuple[pl.Expr, ...]:
    return tuple(test.text.alias(test.name) for test in TESTS)


@functools.cache
def _number_tests(size: int) -> tuple[pl.Expr, ...]:
    made = [(test.name, test.number(size)) for test in TESTS if test.number is not None]
    return tuple(expression.alias(name) for name, expression in made if expression is not None)


@functools.cache
def _years(text: bool) -> tuple[pl.Expr, ...]:
    return tuple(reading.year().alias(reading.name) for reading in READINGS if text or not reading.text_only)


class _Distinct:
    """Distinct values by their smallest hashes, each with how often it stood there.

    Up to SAMPLE of them are all that there are. Beyond, the largest kept hash tells how thick they lie, and the kept ones
    are a fair sample of the values: a hash that is kept at the end was kept from its first value on, so its count is
    complete.
    """

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.int64)
        self.exact = True

    def add(self, hashes: np.ndarray) -> None:
        """Add a window's values by their hashes."""
        mixed = _mix(hashes)
        if not self.exact:
            mixed = mixed[mixed <= self._hashes[-1]]
        found, counts = np.unique(mixed, return_counts=True)
        joined, where = np.unique(np.concatenate((self._hashes, found)), return_inverse=True)
        totals = np.zeros(len(joined), np.int64)
        np.add.at(totals, where, np.concatenate((self._counts, counts)))
        if len(joined) > SAMPLE:
            self.exact = False
        self._hashes, self._counts = joined[:SAMPLE], totals[:SAMPLE]

    def estimate(self) -> int:
        """How many distinct values there are, to three digits where that is not exact."""
        if self.exact:
            return len(self._hashes)
        estimate = int((SAMPLE - 1) * 2.0**64 / float(self._hashes[-1]))
        return int(float(f"{estimate:.2e}"))

    def once(self) -> float:
        """The share of the distinct values that stand there one time only."""
        return round(float((self._counts == 1).mean()), 4) if len(self._counts) else 0.0


class _Shapes:
    """The most frequent shapes: exact from the first window on, and for one that comes later, what may be missing."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}
        self._missed = 0

    def add(self, counts: pl.DataFrame) -> None:
        """Add a window's shapes (shape, count)."""
        ranked_here = counts.sort(["count", "shape"], descending=[True, False])
        if ranked_here.height > SHAPES:
            # What this window holds of the shapes beyond may be missing from any shape that is not among its first.
            unseen = int(ranked_here.item(SHAPES, "count"))
            ranked_here = ranked_here.head(SHAPES)
            self._counts = {shape: (known, more + unseen) for shape, (known, more) in self._counts.items()}
            for shape in set(ranked_here.get_column("shape")) & self._counts.keys():
                known, more = self._counts[shape]
                self._counts[shape] = (known, more - unseen)
            missed, self._missed = self._missed, self._missed + unseen
        else:
            missed = self._missed
        for shape, count in ranked_here.select("shape", "count").iter_rows():
            known, more = self._counts.get(shape, (0, missed))
            self._counts[shape] = (known + count, more)
        if len(self._counts) > SHAPES:
            ranked = sorted(self._counts.items(), key=lambda item: (-item[1][0], item[0]))
            self._missed = max(self._missed, *(sum(counts) for _, counts in ranked[SHAPES:]))
            self._counts = dict(ranked[:SHAPES])

    def top(self, number: int) -> tuple[list[Pattern], bool]:
        """The first few, and whether others are left out."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1][0], item[0]))
        patterns = [
            Pattern(shape=shape.translate(_SHOWN)[:60], count=count, more=more)
            for shape, (count, more) in ranked[:number]
        ]
        return patterns, len(ranked) > number or self._missed > 0


_BLANK = " \u3000\0"
_POWERS = np.array([10**n for n in range(19)], np.int64)


def _mix(hashes: np.ndarray) -> np.ndarray:
    """Spread hashes evenly over 64 bits; different ones stay different (the finaliser of splitmix64)."""
    mixed = hashes.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


_KEPT = (
    " 　!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~・，．：；？！´｀¨＾￣＿ー―‐／～〜｜（）「」、。｢｣､｡･－−＋＊＝＠￥＆％＃〒※"
)
"""Characters that a shape shows as they are: they tell the form of a value, and nothing of whose it is."""

_CLASSES: Mapping[str, Kinds] = {
    "9": Kinds.DIGIT,
    "X": Kinds.LATIN,
    "ｱ": Kinds.HALF_KANA,
    "ア": Kinds.KANA,
    "漢": Kinds.KANJI,
    "９": Kinds.WIDE_DIGIT,
    "Ｘ": Kinds.WIDE_LATIN,
    "字": Kinds.OTHER,
    "␀": Kinds.CONTROL,
    "�": Kinds.UNDEFINED,
}
_STANDS = (*_CLASSES, *(c for c in dict.fromkeys(_KEPT) if c != "ー"), "…")
"""What may stand in a shape. A shape is one byte a character while it is counted: its place here, from 1."""

_SHOWN = dict(enumerate(_STANDS, 1))
_PLACE = {stands: chr(number) for number, stands in _SHOWN.items()}
_RUN = len(_STANDS)


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """For each code point of the first plane the place of what stands for it, and for each place its kind."""
    place = {stands: number for number, stands in _SHOWN.items()}
    text = "".join(map(chr, range(0xD800))) + "字" * 0x800 + "".join(map(chr, range(0xE000, 0x10000)))
    stands = np.full(0x10000, place["字"], np.uint8)
    for point, (character, masked) in enumerate(zip(text, mask(text), strict=True)):
        if masked != character or masked in _CLASSES:
            stands[point] = place[masked]
        elif character in place:
            stands[point] = place[character]
    for first, last, name in ((0, 0x20, "␀"), (0x7F, 0xA0, "␀"), (0xFF21, 0xFF3B, "Ｘ"), (0xFF41, 0xFF5B, "Ｘ"),
                              (0xFE00, 0xFE10, "漢"), (0xFFFD, 0xFFFE, "�")):  # fmt: skip
        stands[first:last] = place[name]
    stands[ord("字")] = place["漢"]
    others = {
        " ": Kinds.SPACE,
        "　": Kinds.SPACE,
        **dict.fromkeys("-－−‐―", Kinds.HYPHEN),
        **dict.fromkeys("・･．.", Kinds.DOT),
    }
    kinds = [_CLASSES.get(s) or others.get(s, Kinds.SYMBOL) for s in _STANDS]
    return stands, np.array([0, *map(int, kinds)], np.uint32)


def _window(values: pl.Series, *, collapse: bool) -> pl.DataFrame:
    """A window of text, none of it empty, with its lengths, kinds of characters, shapes, and the numbers that it is."""
    stands, kinds_of = _tables()
    joined = values.str.join("")[0]
    points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    # Beyond the first plane lie kanji (planes 2 and 3, and the variation selectors of kanji); little else is met.
    beyond = np.where((points >= 0x20000) & (points < 0xE01F0), np.uint32(0x4E00), np.uint32(0xE0))
    places = stands[np.where(points < 0x10000, points, beyond)]
    lengths = values.str.len_chars().to_numpy().astype(np.int64)
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    kinds = np.bitwise_or.reduceat(kinds_of[places], starts[:-1])
    shapes, ends = _collapsed(places, starts) if collapse else (places, starts)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(shapes))]
    shape = pl.Series(pa.Array.from_buffers(pa.large_string(), len(lengths), buffers))
    digits = (kinds == int(Kinds.DIGIT)) & (lengths <= 18)
    number = values.set(pl.Series(~digits), None).cast(pl.Int64)
    return pl.DataFrame(
        {"value": values, "length": lengths, "kinds": kinds, "shape": shape, "number": number, "digits": lengths}
    )


def _collapsed(places: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapes with each run of one kind of character as one, marked where it is longer; and where each text ends."""
    first = np.ones(len(places), bool)
    first[1:] = places[1:] != places[:-1]
    first[starts[:-1]] = True
    runs = np.flatnonzero(first)
    long = np.diff(runs, append=len(places)) > 1
    at = np.zeros(len(runs) + 1, np.int64)
    np.cumsum(1 + long, out=at[1:])
    out = np.full(at[-1], _RUN, np.uint8)
    out[at[:-1]] = places[runs]
    return out, at[np.searchsorted(runs, starts)]
