"""The profile of one column: counters, shapes and a sample of hashes, of constant size however many values there are.

Values come in windows and are looked at by Polars and NumPy, a window at a time, never one by one. They are looked at and
forgotten: what is kept is counts, shapes and years, and hashes that never leave this module.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from dags.guarded.secrets import secret_in
from dags.inspection.detectors import detect, fitting
from dags.inspection.sketches import Distinct, Shapes
from dags.inspection.value_tests import DIGITS, KINDS, LENGTH, NUMBER, READINGS, TESTS, Kinds
from dags.inspection.windows import PLACE, window_of
from extractors.layout import Field
from extractors.usages import USAGES
from extractors.usages.contract import LOST
from extractors.usages.contract import NUMBER as A_NUMBER
from migration_reports.records.profile_record import Dates, FieldProfile, FindingCount, GaijiCount

WINDOW = 32_768
"""Values that are looked at together."""

_BLANK = " \u3000\0"
_POWERS = np.array([10**n for n in range(19)], np.int64)

UNSEEN: Mapping[str, object] = {"patterns": (), "patterns_left_out": True}
"""What stands in the profile of a field whose values have no form to be shown."""

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
        self._distinct = Distinct()
        self._shapes = Shapes()
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
        window = window_of(values, collapse=self._collapse)
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
        shapes = [PLACE["-"] * (key % 2) + PLACE["9"] * max(key // 2, 1) for key in keys.tolist()]
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
            self._shapes.add(window_of(written, collapse=False).get_column("shape").value_counts())
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
        detections = detect(found)
        secret = secret_in(found.field) or any(d.detector == "secret" for d in detections)
        # Of a secret not even the form is shown.
        hidden = UNSEEN if secret else {}
        return found.model_copy(update={"detections": detections, **hidden})


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
