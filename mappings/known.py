"""The values that have been seen, and what some steps make of each: what costs much is done once a value, not once a row.

A column's first steps look at one value and at nothing else, so a value that came before need not go through them again.
What they made of it lies in a table, a row a distinct value, and a batch's rows are gathered from there.

The table is found by hash: `_slots` holds, where a value's hash points, the row of a value, and a value whose place is taken
stands in the next free one. Row 0 is the null's, and every empty slot names it; so "not seen" needs no mark of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from mappings.values import Alone, working_levels

LIMIT = 65_536
"""Distinct values that are kept: more than there are days from 1868 to today."""

MOST_BYTES = 16_000_000
"""What they, and what was made of them, may take."""

SAMPLE = 2_048
REPEATS = SAMPLE * SAMPLE // (2 * LIMIT)
"""How many of so many rows repeat one before them where the values are no more than `LIMIT` and all as likely."""

ROWS_A_VALUE = 4
"""How many rows each value must have served when the table is full; else the column is left alone from then on."""

_BITS = LIMIT.bit_length()
_LAST_SLOT = np.uint64(2**_BITS - 1)

Hashes = npt.NDArray[np.uint64]
_Rows = npt.NDArray[np.uint32]


class Known:
    """The distinct values that have gone through some steps. What it gives is what the steps give, whatever it has seen.

    Args:
        one: the steps, of any of the columns that go through them.
    """

    def __init__(self, one: Alone) -> None:
        self._one = one
        self._levels = working_levels(one.workings)
        self._served = 0
        self._of_use = True
        self._empty = True

    def of(self, columns: Sequence[tuple[pl.Series, Hashes]]) -> list[pl.DataFrame | None]:
        """What the steps make of some columns of one type, row by row; None where a column is better mapped as it stands.

        Each comes with the hashes of its values, as Polars makes them.

        The frame's columns are the value and the masks, named 0, 1, 2 ...; a mask that hits no known value is left out.
        """
        made: list[pl.DataFrame | None] = [None] * len(columns)
        if not self._of_use or not columns:
            return made
        if self._empty:
            self._begin(columns[0][0].dtype)
        chosen = [at for at, (_, hashes) in enumerate(columns) if self._is_worth_it(hashes)]
        if not chosen:
            return made
        values = pl.concat([columns[at][0] for at in chosen])
        rows = self._rows(values, np.concatenate([columns[at][1] for at in chosen]))
        if rows is None:
            return made
        self._served += len(rows)
        gathered = self._made.select(self._heard)[rows]
        start = 0
        for at in chosen:
            made[at] = gathered.slice(start, len(columns[at][0]))
            start += len(columns[at][0])
        return made

    def _begin(self, dtype: pl.DataType) -> None:
        self._slots = np.zeros(2**_BITS, np.uint32)
        self._hashes = np.zeros(LIMIT, np.uint64)
        self._values = pl.Series("value", [], dtype)
        self._made = self._make(self._values)
        self._heard: list[str] = []
        self._empty = False
        self._add(pl.Series("value", [None], dtype))

    def _make(self, values: pl.Series) -> pl.DataFrame:
        frame = values.alias(self._one.source).to_frame()
        for level in self._levels:
            frame = frame.with_columns(level)
        return _compact(frame.select(pl.col(name).alias(str(at)) for at, name in enumerate(self._one.names)))

    def _is_worth_it(self, hashes: Hashes) -> bool:
        sample = hashes[:: len(hashes) // SAMPLE + 1]
        unseen = sample[self._hashes[self._find(sample)] != sample]
        return len(np.unique(unseen)) * SAMPLE <= len(sample) * (SAMPLE - REPEATS)

    def _rows(self, values: pl.Series, hashes: Hashes) -> pl.Series | None:
        """The row of each value, new ones added; None where there is no room."""
        rows = self._find(hashes)
        unseen = self._hashes[rows] != hashes
        if unseen.any():
            new = values.filter(pl.Series(unseen)).unique()
            size = self._values.estimated_size() + self._made.estimated_size()
            if len(self._values) + len(new) > LIMIT or size > MOST_BYTES:
                self._of_use = self._served >= ROWS_A_VALUE * len(self._values)
                self._served, self._empty = 0, True
                return None
            self._add(new)
            rows[unseen] = self._find(hashes[unseen])
        found = pl.Series(rows)
        # Two values with one hash are as good as impossible; but what is given must be right.
        self._of_use = self._values[found].equals(values)
        return found if self._of_use else None

    def _find(self, hashes: Hashes) -> _Rows:
        """The row of each hash, or where there is none, another's."""
        slots = hashes >> np.uint64(64 - _BITS)
        rows: _Rows = self._slots[slots]
        left = np.flatnonzero((self._hashes[rows] != hashes) & (rows > 0))
        while left.size:
            slots[left] = (slots[left] + np.uint64(1)) & _LAST_SLOT
            rows[left] = self._slots[slots[left]]
            left = left[(self._hashes[rows[left]] != hashes[left]) & (rows[left] > 0)]
        return rows

    def _add(self, new: pl.Series) -> None:
        hashes = new.hash().to_numpy()
        slots = hashes >> np.uint64(64 - _BITS)
        rows = np.arange(len(self._values), len(self._values) + len(new), dtype=np.uint32)
        self._hashes[rows] = hashes
        left = np.arange(len(new))
        while left.size:
            free = left[self._slots[slots[left]] == 0]
            self._slots[slots[free]] = rows[free]
            left = left[self._slots[slots[left]] != rows[left]]
            slots[left] = (slots[left] + np.uint64(1)) & _LAST_SLOT
        self._made.extend(self._make(new))
        self._values.extend(_compact(new.to_frame()).to_series())
        self._heard = [name for name in self._made.columns if name == "0" or self._made[name].any()]


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with buffers of its own: a text that is kept must not keep the texts of its whole batch."""
    return pl.DataFrame(pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.oldest())))
