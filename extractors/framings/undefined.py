"""RECFM U: each block is a record.

    00 06 00 00 C1 C2  00 07 00 00 C3 C4 C5        records of two and three bytes, each a block with its word

A dump that has lost the limits of its blocks cannot be read; an unload that writes them as descriptor words can, and so
can one of blocks of one length (`block_length`), the last of which may be short. A damaged word is a finding; see
`variable` for what follows it.
"""

from __future__ import annotations

import numpy as np

from extractors.framings._walks import WALK_OPTIONS, bounds, walker
from extractors.framings._words import options_of, read_word
from extractors.framings._writing import worded
from extractors.framings.contract import MAX_LENGTH, Framed, Framing, FramingFamily, State
from extractors.layout import Layout
from extractors.options import Options


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    if "block_length" in options:
        return _of_one_length(options.number("block_length", layout.length, 1, MAX_LENGTH))
    # A block may be longer than a record of any other format: its word can hold 31 bits.
    shortest, longest, again = bounds(options, layout, MAX_LENGTH)
    word = read_word(options, "block")
    return Framing("undefined", longest, walker(word, 0, shortest, longest, again), worded(word))


def _of_one_length(length: int) -> Framing:
    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        whole = (stop - first) // length
        rest = (stop - first) % length
        pos = np.arange(first, first + (whole + (ends and rest > 0)) * length, length, dtype=np.int64)
        limits = np.minimum(pos + length, stop)
        return Framed(pos, limits, int(limits[-1]) - first if len(pos) else 0)

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        if (sizes != length).any():
            raise ValueError(f"a record that is no block of {length:,} bytes")
        return data

    return Framing("undefined", length, index, wrap)


FRAMING = FramingFamily(
    name="undefined",
    doc=__doc__ or "",
    options={
        **options_of("block", "block descriptor word"),
        "block_length": "bytes of a block, where blocks have no words",
        **WALK_OPTIONS,
        "longest": "bytes of the longest block that is believed (16,777,216)",
    },
    make=make,
)
