"""Whether a dump is rows of cells, and how they are written, judged by its sheet of columns."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

import numpy as np

from extractors import containers, framings
from extractors.diagnosis.proposal import Proposal
from extractors.kernels.rows import FEWER, MORE, STRAY
from extractors.layout import Layout
from extractors.reading import Choice
from extractors.records import Account, frames

SEPARATORS = ("comma", "tab", "semicolon")
HEADS = ("1", "2", "3", "4", "5", "none")
"""Where a head is looked for."""


def of_container(name: str | None) -> tuple[Proposal, ...]:
    """What need not be found out of a container that gives rows; nothing of another."""
    if not any(box.name == name and box.rows for box in containers.CONTAINERS):
        return ()
    said = (f"{name} gives rows of cells",)
    charset = "shift_jis" if name == "shapefile" else "utf_8"
    return Proposal("framing", Choice("cells"), 0.99, said), Proposal("charset", Choice(charset), 0.9, said)


def of_rows(data: bytes, layout: Layout) -> tuple[Proposal, ...]:
    """The ways of writing rows that the columns of a sheet speak for, the likeliest first."""
    found = sorted(_tried(data, layout), key=lambda one: -one.strength)
    return tuple(one for one in found if one.strength > 0.3)[:3]


def _tried(data: bytes, layout: Layout) -> Iterator[Proposal]:
    for separator in SEPARATORS:
        for head in HEADS:
            options = {"separator": separator, "head": head}
            usual = {"separator": "comma", "head": "1"}
            one = _proposal(data, layout, {key: value for key, value in options.items() if value != usual[key]})
            if one is not None:
                yield one


def _proposal(data: bytes, layout: Layout, options: Mapping[str, str]) -> Proposal | None:
    """How well rows so written suit the sheet; None where there is no such head, or no row."""
    framing = framings.load("delimited", options, layout)
    assert framing.lay is not None
    account = Account()
    odd, columns = 0, 0
    for records in frames(io.BytesIO(data), framing, layout, account):
        if any(trouble.code == "F147" for trouble in records.troubles):
            return None
        if len(records.pos):
            columns = sum(column >= 0 for column in records.state[1:])
            flags = framing.lay(records.data, records.pos[:1_000], records.limits[:1_000], records.state).flags
            odd += int(np.count_nonzero(flags[:, -1] & (FEWER | MORE)) + (flags[:, :-1] & STRAY).any(axis=1).sum())
    if not account.records:
        return None
    named = columns / len(layout.headings)
    good = 1 - odd / account.records
    evidence = (
        f"the head names {columns} of {len(layout.headings)} columns"
        if options.get("head") != "none"
        else "no head, and the columns as in the sheet",
        f"{account.records:,} rows, {good:.0%} of them with as many cells",
    )
    strength = 0.99 * good * (named if options.get("head") != "none" else 0.7)
    return Proposal("framing", Choice("delimited", dict(options)), max(strength, 0.0), evidence)
