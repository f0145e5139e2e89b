"""How often each code outside the standard area stands in some records, and where it first does."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from extractors.records import Records
from extractors.structure import Odd
from extractors.usages.contract import DECIDED, EXTENDED, UNDEFINED, USER_DEFINED, VARIANT
from migration_reports.findings import FIRST_PLACES

CODED = {
    UNDEFINED: "undefined",
    USER_DEFINED: "user-defined",
    EXTENDED: "extended",
    VARIANT: "variant",
    DECIDED: "decided",
}
"""The flags whose characters are counted, and the area of the code that each means."""


@dataclasses.dataclass(frozen=True, slots=True)
class CodeCount:
    """How often a code stands in a field, in how many records, and the first places: (record, byte offset).

    A record that holds a code in several fields counts in one of them, so that the sum over fields is of distinct records.
    """

    field: str
    code: int
    area: str
    count: int
    records: int
    places: tuple[tuple[int, int], ...]


def tally(tallies: Sequence[tuple[Odd, np.ndarray, np.ndarray]], records: Records) -> tuple[CodeCount, ...]:
    """Count the codes that oddities list: (oddity, index into its records, code)."""
    if not tallies:
        return ()
    group = np.repeat(np.arange(len(tallies)), [len(codes) for _, _, codes in tallies])
    rows = np.concatenate([odd.records[at] for odd, at, _ in tallies])
    starts = np.concatenate([odd.starts[at] for odd, at, _ in tallies])
    codes = np.concatenate([codes for _, _, codes in tallies])
    keys = group << 24 | codes
    distinct, counts = np.unique(keys, return_counts=True)
    _, once = np.unique(codes << 32 | rows, return_index=True)
    in_records = np.bincount(np.searchsorted(distinct, keys[once]), minlength=len(distinct))
    within = starts - records.pos[rows] if records.flags is None else 0
    places = np.stack([records.numbers[rows], records.offsets[rows] + within], axis=1)
    firsts, ends = _firsts(keys, places)
    odd = [odd for odd, _, _ in tallies]
    return tuple(
        CodeCount(
            _name(odd[key >> 24]), key & 0xFFFFFF, CODED[odd[key >> 24].flag], count, records, tuple(firsts[start:end])
        )
        for key, count, records, (start, end) in zip(
            distinct.tolist(), counts.tolist(), in_records.tolist(), itertools.pairwise(ends), strict=True
        )
    )


def _name(odd: Odd) -> str:
    assert odd.field is not None
    return odd.field.name


def _firsts(keys: np.ndarray, places: np.ndarray) -> tuple[list[tuple[int, int]], list[int]]:
    """The first distinct places of each key, the keys in order, and where those of one end and of the next begin."""
    order = np.lexsort((places[:, 1], places[:, 0], keys))
    keys, places = keys[order], places[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (places[1:] != places[:-1]).any(axis=1)
    keys, places = keys[new], places[new]
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    sizes = np.diff(begins, append=len(keys))
    chosen = np.arange(len(keys)) - np.repeat(begins, sizes) < FIRST_PLACES
    return [*zip(*places[chosen].T.tolist(), strict=True)], [0, *np.cumsum(np.minimum(sizes, FIRST_PLACES)).tolist()]


def first_places(*places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The first of some lists of places."""
    return tuple(sorted(itertools.chain(*places))[:FIRST_PLACES])


def added(one: CodeCount, other: CodeCount) -> CodeCount:
    """What two countings of one code in one field, each of records of its own, come to."""
    return dataclasses.replace(
        one,
        count=one.count + other.count,
        records=one.records + other.records,
        places=first_places(one.places, other.places),
    )
