"""RECFM VB, and any records in blocks: each block after a descriptor word (BDW), each record in it after its own (RDW).

    00 10 00 00  00 06 00 00 C1 C2  00 06 00 00 C3 C4        a block of 16 bytes with two records

A block word with its first bit set holds a length of 31 bits. `records: fixed` is for blocks of fixed-length records
without words, whose last block may be short. A damaged word is a finding; see `variable` for what follows it.
"""

from __future__ import annotations

import numpy as np

from extractors.framings._walks import (
    BLOCK_OPTIONS,
    WALK_OPTIONS,
    block_seeker,
    bounds,
    left_of_block,
    read_blocks,
    word_in,
)
from extractors.framings._words import Recovery, options_of, read_word, walk_blocks
from extractors.framings._writing import blocked
from extractors.framings.contract import MAX_LENGTH, MOST_RECORDS, Framed, Framing, FramingFamily, State
from extractors.layout import Layout
from extractors.options import Options


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    (block, largest), word = read_blocks(options), read_word(options, "record")
    shortest, longest, again = bounds(options, layout)
    kind = options.choice("records", "words", ("words", "fixed"))
    fixed = options.number("length", layout.length, layout.length, MAX_LENGTH) if kind == "fixed" else 0
    longest = max(longest, fixed)
    blocks, words = block.numbers, word.numbers
    recovery = Recovery(block_seeker(block, largest, word, shortest, longest, fixed) if again else None)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, word_in(state))
        if lost is not None:
            return lost
        room = min((stop - first) // (fixed or word.size + shortest) + 1, MOST_RECORDS)
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why, left, overhead = walk_blocks(
            buffer, first, stop, state[0] if state else 0, blocks, largest, words, shortest, longest, fixed, pos, limits
        )
        framed = Framed(pos[:found], limits[:found], at - first, overhead, (int(left), 0), again=found == room)
        return recovery.damaged(framed, buffer, at, stop, ends, int(left), word_in((left,))) if why else framed

    wrap = blocked(block, None if fixed else word)
    return Framing("blocked", longest, index, wrap, promised=left_of_block)


FRAMING = FramingFamily(
    name="blocked",
    doc=__doc__ or "",
    options={
        **BLOCK_OPTIONS,
        **options_of("record", "record descriptor word"),
        "records": "words (each record has its own) or fixed (words)",
        "length": "bytes of a record, with `records: fixed`, where longer than the layout",
        **WALK_OPTIONS,
    },
    make=make,
)
