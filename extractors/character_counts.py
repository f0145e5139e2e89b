"""How often each code outside the standard area stands in some records, and where it first does."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

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

CHARACTERS: Mapping[str, pl.DataType] = {
    "field": pl.String(),
    "code": pl.Int64(),
    "area": pl.String(),
    "count": pl.Int64(),
    "records": pl.Int64(),
    "places": pl.List(pl.List(pl.Int64())),
}
"""A row a code and field: how often it stands there, in how many records, and the first places, [record, byte offset].

A record that holds a code in several fields counts in one of them, so that the sum over fields is of distinct records."""

NO_CHARACTERS = pl.DataFrame(schema=CHARACTERS)


def tally(tallies: Sequence[tuple[Odd, np.ndarray, np.ndarray]], records: Records) -> pl.DataFrame:
    """Count the codes that oddities list: (oddity, index into its records, code)."""
    if not tallies:
        return NO_CHARACTERS
    group = np.repeat(np.arange(len(tallies)), [len(codes) for _, _, codes in tallies])
    rows = np.concatenate([odd.records[at] for odd, at, _ in tallies])
    starts = np.concatenate([odd.starts[at] for odd, at, _ in tallies])
    codes = np.concatenate([codes for _, _, codes in tallies])
    keys = group << 24 | codes
    distinct, counts = np.unique(keys, return_counts=True)
    which = distinct >> 24
    _, once = np.unique(codes << 32 | rows, return_index=True)
    alone = np.zeros(len(codes), np.int64)
    alone[once] = 1
    in_records = np.zeros(len(distinct), np.int64)
    np.add.at(in_records, np.searchsorted(distinct, keys), alone)
    places = np.stack([records.numbers[rows], records.offsets[rows] + starts - records.pos[rows]], axis=1)
    firsts, ends = _firsts(keys, places)
    return pl.DataFrame(
        {
            "field": [tallies[n][0].field.name for n in which],
            "code": distinct & 0xFFFFFF,
            "area": [CODED[tallies[n][0].flag] for n in which],
            "count": counts.astype(np.int64),
            "records": in_records,
            "places": [firsts[start:end] for start, end in itertools.pairwise(ends)],
        },
        schema=CHARACTERS,
    )


def _firsts(keys: np.ndarray, places: np.ndarray) -> tuple[list[list[int]], list[int]]:
    """The first distinct places of each key, the keys in order, and where those of one end and of the next begin."""
    order = np.lexsort((places[:, 1], places[:, 0], keys))
    keys, places = keys[order], places[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (places[1:] != places[:-1]).any(axis=1)
    keys, places = keys[new], places[new]
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    sizes = np.diff(begins, append=len(keys))
    chosen = np.arange(len(keys)) - np.repeat(begins, sizes) < FIRST_PLACES
    return places[chosen].tolist(), [0, *np.cumsum(np.minimum(sizes, FIRST_PLACES)).tolist()]


def first_places(*places: Sequence[Sequence[int]]) -> list[list[int]]:
    """The first of some lists of places."""
    return sorted([*place] for some in places for place in some)[:FIRST_PLACES]
