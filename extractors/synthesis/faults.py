"""Faults put into records on purpose: each changes some bytes of one field and must give exactly one finding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from extractors.charsets.contract import CharacterClass, Charset
from extractors.layout import Field
from extractors.usages import BY_NAME

SPACE = 0x40

Spoil = Callable[[np.ndarray, Field, Charset], np.ndarray]
"""Changes (faults, width) cells of a field in place; returns which could be changed."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault, and the code of the finding that it must give."""

    name: str
    code: str
    spoil: Spoil


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


def _number(value: int) -> Spoil:
    def spoil(cells: np.ndarray, field: Field, charset: Charset) -> np.ndarray:
        BY_NAME[field.usage].encode(field, np.full(len(cells), value), charset, cells)
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


_KINDS = (
    FaultKind("packed_blank", "D201", _fill(SPACE)),
    FaultKind("packed_digits", "D201", _first_byte(0xAB)),
    FaultKind("blank_number", "D203", _fill(SPACE)),
    FaultKind("low_values", "D214", _fill(0x00)),
    FaultKind("shift_not_closed", "D212", _open_shift),
    FaultKind("gaiji", "D221", _code(CharacterClass.USER_DEFINED)),
    FaultKind("undefined_code", "D211", _code(CharacterClass.UNDEFINED)),
    FaultKind("bad_era", "M301", _number(9_010_101)),
    FaultKind("impossible_date", "M302", _number(3_630_230)),
    FaultKind("unknown_day", "M303", _number(3_200_100)),
    FaultKind("outside_era", "M304", _number(4_010_107)),
    FaultKind("zero_date", "M305", _number(0)),
    FaultKind("change_in_future", "V413", _number(5_081_231)),
    FaultKind("unknown_code", "M310", _first_byte(0xF7)),
)

FAULTS: Mapping[str, FaultKind] = MappingProxyType({kind.name: kind for kind in _KINDS})

DUPLICATE_KEY = "duplicate_key"
"""The fault that needs another record: a field takes the value of an earlier record (V404)."""
