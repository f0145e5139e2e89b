"""The values that have been seen, and what some steps make of each: what costs much is done once a value, not once a row.

A column's first steps look at one value and at nothing else, so a value that came before need not go through them again.
What they made of it lies in a table, a row a distinct value, and a batch's rows are gathered from there.

A value's row is found by its hash: `_slots` holds, where a hash points, a row, and a row whose slot is taken stands in the
next free one. Row 0 is the null's, and every empty slot names it; so a slot that is empty needs no mark of its own.
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

_VALUE = "value"

_BITS = LIMIT.bit_length() + 1
_LAST_SLOT = np.uint64(2**_BITS - 1)

Hashes = npt.NDArray[np.uint64]
Made = list[pl.Series | None]
"""The columns that some steps make: values, and then masks. A mask that hits nothing is None."""

_Rows = npt.NDArray[np.uint32]


def key_of(one: Alone) -> pl.Expr:
    """What steps look at, as one value: of several columns a struct."""
    return pl.col(one.sources[0]) if len(one.sources) == 1 else pl.struct(one.sources)


class Known:
    """The distinct values that have gone through some steps. What it gives is what the steps give, whatever it has seen.

    Args:
        one: the steps, of any of the columns that go through them.
    """

    def __init__(self, one: Alone) -> None:
        self._sources = one.sources
        self._levels = working_levels(one.workings)
        self._names = list(one.names)
        self._masks = frozenset(one.names[len(one.values) :])
        self._of_use = True
        self._forget()

    def _forget(self) -> None:
        self._served = 0
        self._table = pl.DataFrame()
        self._heard: list[str] = []
        self._hashes = np.zeros(LIMIT, np.uint64)
        self._slots = np.zeros(2**_BITS, np.uint32)

    def of(self, columns: Sequence[tuple[pl.Series, Hashes]]) -> list[Made | None]:
        """What the steps make of some columns, row by row; None where a column is better mapped as it stands.

        Args:
            columns: the values (see `key_of`), and their hashes, as Polars makes them.
        """
        made: list[Made | None] = [None] * len(columns)
        chosen = [at for at, (_, hashes) in enumerate(columns) if self._of_use and self._is_worth_it(hashes)]
        if not chosen:
            return made
        values = pl.concat([columns[at][0] for at in chosen])
        rows = self._rows(values, np.concatenate([columns[at][1] for at in chosen]))
        if rows is None:
            return made
        self._served += len(rows)
        gathered = {name: self._table[name][rows] for name in self._heard}
        start = 0
        for at in chosen:
            size = len(columns[at][0])
            made[at] = [gathered[name].slice(start, size) if name in gathered else None for name in self._names]
            start += size
        return made

    def _is_worth_it(self, hashes: Hashes) -> bool:
        sample = hashes[:: len(hashes) // SAMPLE + 1]
        unseen = sample[self._hashes[self._find(sample)] != sample]
        return len(np.unique(unseen)) * SAMPLE < len(sample) * (SAMPLE - REPEATS)

    def _rows(self, values: pl.Series, hashes: Hashes) -> pl.Series | None:
        """The row of each value, new ones added; None where there is no room."""
        rows = self._find(hashes)
        unseen = self._hashes.take(rows) != hashes
        if unseen.any():
            new = values.filter(pl.Series(unseen)).unique()
            if self._table.height + len(new) >= LIMIT or self._table.estimated_size() > MOST_BYTES:
                self._of_use = self._served >= ROWS_A_VALUE * (self._table.height + len(new))
                self._forget()
                return None
            self._add(new)
            rows[unseen] = self._find(hashes[unseen])
        found = pl.Series(rows)
        # Two values with one hash are as good as impossible; but what is given must be right.
        self._of_use = self._table[_VALUE][found].equals(values)
        return found if self._of_use else None

    def _find(self, hashes: Hashes) -> _Rows:
        """The row of each hash, or where there is none, another's."""
        slots = hashes >> np.uint64(64 - _BITS)
        rows: _Rows = self._slots.take(slots.view(np.int64))
        left = np.flatnonzero((self._hashes.take(rows) != hashes) & (rows > 0))
        while left.size:
            slots[left] = (slots[left] + np.uint64(1)) & _LAST_SLOT
            rows[left] = self._slots[slots[left]]
            left = left[(self._hashes[rows[left]] != hashes[left]) & (rows[left] > 0)]
        return rows

    def _add(self, new: pl.Series) -> None:
        if not self._table.height:
            new = pl.concat([new.clear(1), new])
        hashes = new.hash().to_numpy()
        slots = hashes >> np.uint64(64 - _BITS)
        rows = np.arange(self._table.height, self._table.height + len(new), dtype=np.uint32)
        self._hashes[rows] = hashes
        left = np.flatnonzero(rows)
        while left.size:
            free = left[self._slots[slots[left]] == 0]
            self._slots[slots[free]] = rows[free]
            left = left[self._slots[slots[left]] != rows[left]]
            slots[left] = (slots[left] + np.uint64(1)) & _LAST_SLOT
        made = self._make(new)
        self._table = (self._table.extend(made) if self._table.height else made).rechunk()
        self._heard = [name for name in self._names if name not in self._masks or self._table[name].any()]

    def _make(self, new: pl.Series) -> pl.DataFrame:
        frame = new.struct.unnest() if len(self._sources) > 1 else new.to_frame()
        frame.columns = list(self._sources)
        for level in self._levels:
            frame = frame.with_columns(level)
        made = frame[self._names].hstack([new.alias(_VALUE)])
        # With buffers of its own: a text that is kept must not keep the texts of its whole batch.
        return pl.DataFrame(pl.from_arrow(made.to_arrow(compat_level=pl.CompatLevel.oldest())))
