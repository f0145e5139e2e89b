"""Faults put into records on purpose: each changes one field of one record and must give exactly one finding.

Some spoil the bytes that a field was written as. Others write another value: a day that is none, a key that stands twice,
a count that is one too many. The latter are made by the shape of the rule that finds them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import polars as pl

from extractors.charsets.contract import CharacterClass, Charset
from extractors.layout import Field
from extractors.synthesis.formats import FORMATS, Format

SPACE = 0x40

Spoil = Callable[[np.ndarray, Field, Charset], np.ndarray]
"""Changes (faults, width) cells of a field in place; returns which could be changed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """What a fault that writes another value may look at.

    Attributes:
        values: the field's values as they are written, of every record of the kind.
        at: the records that are to be spoilt.
        format: how the field writes days.
        other: the day that each of them is compared with.
        value: what the recipe wants to be written.
        rng: where chance comes from.
    """

    values: pl.Series
    at: np.ndarray
    format: Format | None
    other: np.ndarray | None
    value: str | None
    rng: np.random.Generator


Alter = Callable[[Written], pl.Series]
"""Gives the values that are written instead."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: what recipes call it.
        doc: what is done.
        code: the finding that it must give; None where the recipe says it.
        spoil: changes bytes.
        alter: writes another value.
        needs: the keys of a recipe's fault that it needs.
        before: whether it needs a record before, which it leaves as it is.
        numbers: whether it is for numbers only.
    """

    name: str
    doc: str
    code: str | None
    spoil: Spoil | None = None
    alter: Alter | None = None
    needs: tuple[str, ...] = ()
    before: bool = False
    numbers: bool = False


def _every(cells: np.ndarray) -> np.ndarray:
    return np.ones(len(cells), np.bool_)


def _fill(byte: int) -> Spoil:
    def spoil(cells: np.ndarray, field: Field, charset: Charset) -> np.ndarray:
        cells[:] = byte
        return _every(cells)

    return spoil


def _first_byte(byte: int) -> Spoil:
    def spoil(cells: np.ndarray, field: Field, charset: Charset) -> np.ndarray:
        cells[:, 0] = byte
        return _every(cells)

    return spoil


def _open_shift(cells: np.ndarray, field: Field, charset: Charset) -> np.ndarray:
    code = charset.closing
    ends = np.logical_and.reduce(
        [cells[:, n : cells.shape[1] - len(code) + 1 + n] == byte for n, byte in enumerate(code)]
    )
    rows, places = np.nonzero(ends)
    for n in range(len(code)):
        cells[rows, places + n] = SPACE
    return np.asarray(ends.any(axis=1))


def _code(kind: CharacterClass) -> Spoil:
    def spoil(cells: np.ndarray, field: Field, charset: Charset) -> np.ndarray:
        codes = np.nonzero(charset.double >> 24 == kind)[0]
        usable = codes[(codes >> 8 > SPACE) & (codes & 0xFF > SPACE)]
        first = len(charset.opening)
        shifted = (cells[:, :first] == list(charset.opening)).all(axis=1)
        at = np.nonzero(shifted)[0]
        chosen = usable[(at * 7) % min(len(usable), 12)]
        cells[at, first] = chosen >> 8
        cells[at, first + 1] = chosen & 0xFF
        return np.asarray(shifted)

    return spoil


def _no_day(name: str) -> Alter:
    def alter(written: Written) -> pl.Series:
        assert written.format is not None
        return pl.Series([written.format.wrong[name]] * len(written.at), dtype=pl.Int64)

    return alter


def _of_the_record_before(written: Written) -> pl.Series:
    return written.values.gather(written.at - 1)


def _one_more(written: Written) -> pl.Series:
    return written.values.gather(written.at) + 1


def _wrong_digit(written: Written) -> pl.Series:
    # One more, but one less for 8 and 9: modulus 9 does not tell 0 from 9.
    number = written.values.gather(written.at)
    return number + 1 - 2 * (number % 10 >= 8).cast(pl.Int64)


def _other_value(written: Written) -> pl.Series:
    return pl.Series([written.value] * len(written.at)).cast(written.values.dtype)


def _days_off(sign: int) -> Alter:
    def alter(written: Written) -> pl.Series:
        assert written.format is not None
        assert written.other is not None
        span = (sign * written.rng.integers(1, 29, len(written.at))).astype("timedelta64[D]")
        return pl.Series(written.format.write(written.other + span))

    return alter


_KINDS = (
    FaultKind("packed_blank", "spaces in a packed number", "D201", _fill(SPACE), numbers=True),
    FaultKind("packed_digits", "a packed number whose first digits are none", "D201", _first_byte(0xAB), numbers=True),
    FaultKind("blank_number", "spaces in a number of characters", "D203", _fill(SPACE), numbers=True),
    FaultKind("low_values", "X'00' in a text", "D214", _fill(0x00)),
    FaultKind("shift_not_closed", "the shift code at the end of double-byte text is a space", "D212", _open_shift),
    FaultKind(
        "gaiji", "the first character is one of the user-defined area", "D221", _code(CharacterClass.USER_DEFINED)
    ),
    FaultKind("undefined_code", "the first character is a code of nothing", "D211", _code(CharacterClass.UNDEFINED)),
    FaultKind("unknown_code", "the first byte makes a code that no table has", "M310", _first_byte(0xF7)),
    FaultKind("bad_era", "an era that there is not", "M301", alter=_no_day("bad_era")),
    FaultKind("impossible_date", "30 February", "M302", alter=_no_day("impossible_date")),
    FaultKind("unknown_day", "day 0", "M303", alter=_no_day("unknown_day")),
    FaultKind("outside_era", "a day before its era began", "M304", alter=_no_day("outside_era")),
    FaultKind("zero_date", "no date", "M305", alter=_no_day("zero_date")),
    FaultKind("later", "a day within four weeks after another", None, alter=_days_off(1), needs=("than", "code")),
    FaultKind("earlier", "a day within four weeks before another", None, alter=_days_off(-1), needs=("than", "code")),
    FaultKind("duplicate_key", "the value of the record before", "V404", alter=_of_the_record_before, before=True),
    FaultKind("one_more", "one more than it is", None, alter=_one_more, needs=("code",), numbers=True),
    FaultKind("wrong_digit", "another last digit", "V420", alter=_wrong_digit, numbers=True),
    FaultKind("other_value", "what the recipe says", None, alter=_other_value, needs=("value", "code")),
)

FAULTS: Mapping[str, FaultKind] = MappingProxyType({kind.name: kind for kind in _KINDS})

OF_DATES = frozenset(name for form in FORMATS.values() for name in form.wrong) | {"later", "earlier"}
"""The faults of fields that hold days."""
