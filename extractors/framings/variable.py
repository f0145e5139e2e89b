"""RECFM V: each record after a descriptor word (RDW) that holds its length.

    00 06 00 00 C1 C2        the word counts itself: two bytes, "AB"
    00 00 02 00 C1 C2        record_at 2, record_order little, record_inclusive no: the same as other systems write it

A word that cannot be right (shorter than itself, longer than `longest`) is a finding. What follows it is left over, or,
with `resynchronise: yes`, bytes are skipped and counted up to the next place from which words follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framings._words import Recovery, Seek, Word, options_of, read_word, seek, walk
from extractors.framings.contract import MAX_LENGTH, Framed, Framing, FramingFamily, Index, State
from extractors.layout import Layout
from extractors.options import Options

WALK_OPTIONS: Mapping[str, str] = {
    "longest": "bytes of the longest record that is believed (32,760, or the layout's if that is more)",
    "shortest": "bytes of the shortest (0)",
    "resynchronise": "yes or no: whether to search for the next record behind a damaged word (no)",
}


def bounds(options: Options, layout: Layout, usual: int = 32_760) -> tuple[int, int, bool]:
    """(shortest, longest, whether to resynchronise); `usual` is the longest where nothing is said of it."""
    longest = options.number("longest", max(usual, layout.length), 1, MAX_LENGTH)
    shortest = options.number("shortest", 0, 0, longest)
    return shortest, longest, options.choice("resynchronise", "no", ("yes", "no")) == "yes"


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    word = read_word(options, "record")
    trailing = options.number("trailing", 0, 0, 64)
    shortest, longest, again = bounds(options, layout)
    return Framing("variable", longest, walker(word, trailing, shortest, longest, again))


def walker(word: Word, trailing: int, shortest: int, longest: int, again: bool) -> Index:
    """The index function of records with words and nothing around them."""
    numbers = word.numbers
    recovery = Recovery(seeker(word, trailing, shortest, longest) if again else None)
    damage = f"a descriptor word of {word.size} bytes"

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, damage)
        if lost is not None:
            return lost
        room = (stop - first) // (word.size + shortest + trailing) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why = walk(buffer, first, stop, numbers, trailing, shortest, longest, pos, limits)
        framed = Framed(pos[:found], limits[:found], at - first, found * (word.size + trailing))
        return recovery.damaged(framed, buffer, at, stop, ends, 0, damage) if why else framed

    return index


def seeker(word: Word, trailing: int, shortest: int, longest: int) -> Seek:
    """The search for a place from which such words follow one another; an empty record is no evidence of one."""
    numbers = word.numbers
    return lambda buffer, first, stop, ends: seek(
        buffer, first, stop, ends, numbers, trailing, max(shortest, 1), longest
    )


FRAMING = FramingFamily(
    name="variable",
    doc=__doc__ or "",
    options={
        **options_of("record", "record descriptor word"),
        "trailing": "bytes after each record, for example a length repeated (0)",
        **WALK_OPTIONS,
    },
    make=make,
)
