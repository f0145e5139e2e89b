"""Cutting a dump into slices that are read by themselves, on any worker, and give together what the whole gives.

Fixed records are cut by arithmetic, others where one pass over their descriptor words finds a beginning. Where kinds have
parents, a second pass tells kinds apart, so that each slice knows the last parents before it; nothing is decoded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from extractors.kinds import Chooser, Family, Kind
from extractors.reading import Reading
from extractors.records import WHOLE, Account, Dump, Slice, frame, slices


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """The slices of a dump, in order, and why there are not more of them: "" where there is no such reason."""

    slices: tuple[Slice, ...]
    reason: str = ""


def cut(reading: Reading, paths: Sequence[Path], kinds: Sequence[Kind], *, target: int, at_most: int) -> Cut:
    """Cut a dump into even slices, none much larger than `target` where it can be cut.

    Args:
        reading: how it is read.
        paths: its files, in order.
        kinds: its record kinds.
        target: bytes of a slice; a dump that is no larger is one.
        at_most: how many slices there may be.
    """
    sizes = [max(path.stat().st_size - reading.header - reading.trailer, 0) for path in paths]
    size = sum(sizes)
    count = min(-(-size // max(target, 1)), at_most)
    if count <= 1:
        return Cut((WHOLE,))
    if reading.unwrap is not None:
        return Cut((WHOLE,), "what is wrapped can only be read from its beginning")
    even = -(-size // count)
    with reading.open(paths) as dump:
        found = slices(dump, reading.framing, reading.layout, sizes=sizes, target=even)
    if len(found) > 1 and Family(kinds).any:
        with reading.open(paths) as dump:
            found = tuple(_with_parents(dump, reading, kinds, found))
    last = found[-1]
    rest = size - last.offset
    if rest >= 2 * even:
        return Cut(found, f"its records cannot be followed without reading the {rest:,} bytes from {last.offset:,}")
    return Cut(found)


def _with_parents(dump: Dump, reading: Reading, kinds: Sequence[Kind], parts: Sequence[Slice]) -> Iterator[Slice]:
    family = Family(kinds)
    chooser = Chooser(kinds, reading.layout, reading.charset, reading.layout.dialect)
    for part in parts:
        yield dataclasses.replace(part, family=family.last)
        if part is not parts[-1]:
            for records in frame(dump, reading.framing, reading.layout, Account(), part):
                placed = records.laid(reading.framing, reading.layout)
                chosen = chooser.choose(placed.data, placed.pos, placed.limits)
                family.parents(chosen, records.numbers)
