"""Whether a peer read the same values: every cell of every record, compared in one type a column."""

from __future__ import annotations

import dataclasses

import polars as pl

from tests.benchmarks.peers.workload import ITEMS, Item


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A column in which a peer's values are others.

    Attributes:
        name: the column.
        count: in how many records.
        record: the first of them, from 1.
        ours: our value there.
        theirs: the peer's.
    """

    name: str
    count: int
    record: int
    ours: str
    theirs: str

    def __str__(self) -> str:
        """A line for the report."""
        return f"{self.name}: {self.count:,} records, first {self.record}: ours {self.ours}, theirs {self.theirs}"


def compare(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[Difference]:
    """Compare all columns.

    Trailing spaces of a text and the number of zeros that a number is written with are no difference.

    Args:
        ours: our values.
        theirs: a peer's, as text; a column that is missing differs in every record.
    """
    found = []
    for item in ITEMS:
        mine = _comparable(item, ours[item.name].cast(pl.String))
        if item.name not in theirs.columns or theirs.height != ours.height:
            found.append(Difference(item.name, ours.height, 1, f"{ours.height} records", f"{theirs.height} records"))
            continue
        other = _comparable(item, theirs[item.name])
        differs = mine.ne_missing(other)
        if differs.any():
            at = differs.arg_max() or 0
            first = repr(theirs[item.name][at])
            found.append(Difference(item.name, int(differs.sum()), at + 1, repr(ours[item.name][at]), first))
    return found


def _comparable(item: Item, values: pl.Series) -> pl.Series:
    if item.text:
        return values.cast(pl.String).fill_null("").str.strip_chars_end(" ")
    # A number in another notation than digits and a point becomes null, and so differs.
    return (
        values.cast(pl.String).str.strip_chars(" ").str.strip_prefix("+").cast(pl.Decimal(38, item.scale), strict=False)
    )
