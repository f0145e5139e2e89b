"""RECFM VB, and any records in blocks: each block after a descriptor word (BDW), each record in it after its own (RDW).

    00 10 00 00  00 06 00 00 C1 C2  00 06 00 00 C3 C4        a block of 16 bytes with two records

A block word with its first bit set holds a length of 31 bits. `records: fixed` is for blocks of fixed-length records
without words, whose last block may be short. A damaged word is a finding; see `variable` for what follows it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framing import MAX_LENGTH, Framed, Framing, FramingFamily, State, Trouble
from extractors.framings.variable import WALK_OPTIONS, bounds
from extractors.layout import Layout
from extractors.options import choice, number
from extractors.words import CHAIN, options_of, read_word, seek, walk_blocks


def make(options: Mapping[str, str], layout: Layout) -> Framing:
    """Make the framing.

    Raises:
        SpecError: an option's value does not fit.
    """
    block, word = read_word(options, "block"), read_word(options, "record")
    shortest, longest, again = bounds(options, layout)
    kind = choice(options, "records", "words", ("words", "fixed"))
    fixed = number(options, "length", layout.length, layout.length, MAX_LENGTH) if kind == "fixed" else 0
    largest = number(options, "largest_block", MAX_LENGTH, 1, MAX_LENGTH)
    blocks, words = block.numbers, word.numbers

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        left = state[0] if state else 0
        room = (stop - first) // max((fixed or word.size + shortest), 1) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why, left, overhead = walk_blocks(
            buffer, first, stop, left, blocks, words, shortest, max(longest, fixed), fixed, pos, limits
        )
        pos, limits = pos[:found], limits[:found]
        if not why:
            return Framed(pos, limits, at - first, overhead, (int(left),))
        detail = "a record descriptor word" if left else "a block descriptor word"
        if not again:
            trouble = Trouble("F107", at - first, 0, detail)
            return Framed(pos, limits, at - first, overhead, (0,), troubles=(trouble,), stopped=True)
        if left:
            # The block's own word was right: the next block is where it says.
            there = min(at + left, stop)
            remaining = left - (there - at)
            if remaining and not ends and there == at:
                return Framed(pos, limits, at - first, overhead, (int(left),))
            trouble = Trouble("F107", at - first, there - at, detail)
            return Framed(pos, limits, there - first, overhead, (int(remaining),), troubles=(trouble,))
        there = int(seek(buffer, at + 1, stop, blocks, block.size, largest, CHAIN))
        if there == stop and not ends:
            there = max(at + 1, stop - block.size)
        trouble = Trouble("F107", at - first, there - at, detail)
        return Framed(pos, limits, there - first, overhead, (0,), troubles=(trouble,))

    return Framing("blocked", max(longest, fixed), index)


FRAMING = FramingFamily(
    name="blocked",
    doc=__doc__ or "",
    options={
        **options_of("block", "block descriptor word"),
        **options_of("record", "record descriptor word"),
        "records": "words (each record has its own) or fixed (words)",
        "length": "bytes of a record, with `records: fixed`, where longer than the layout",
        "largest_block": "bytes of the largest block that is believed",
        **WALK_OPTIONS,
    },
    make=make,
)
