"""Counts of constant size, however many values there are: distinct values, and the most frequent shapes."""

from __future__ import annotations

import numpy as np
import polars as pl

from dags.inspection.windows import SHOWN
from migration_reports.records.profile_record import Pattern

SAMPLE = 16_384
"""Hashes kept a field: up to as many distinct values are counted exactly, more within two per cent (twice 1/√SAMPLE)."""

SHAPES = 1_000
"""Shapes kept a field between windows; rarer ones are let go, and what they may have counted is told."""


class Distinct:
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


class Shapes:
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
            Pattern(shape=shape.translate(SHOWN)[:60], count=count, more=more)
            for shape, (count, more) in ranked[:number]
        ]
        return patterns, len(ranked) > number or self._missed > 0


def _mix(hashes: np.ndarray) -> np.ndarray:
    """Spread hashes evenly over 64 bits; different ones stay different (the finaliser of splitmix64)."""
    mixed = hashes.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
