"""RECFM VS and VBS: records that may go on in the next segment or block (z/OS DFSMS Using Data Sets, spanned records).

    00 06 01 00 C1 C2   00 06 03 00 C3 C4   00 05 02 00 C5        one record, ABCDE, in three segments

The third byte of a segment's word says whether it is the whole record (0), its first (1), last (2) or a middle part (3).
Parts are put together; a part without its beginning or its end is a finding and is skipped, with its bytes counted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framing import Framed, Framing, FramingFamily, State, Trouble
from extractors.framings.variable import WALK_OPTIONS, bounds
from extractors.layout import Layout
from extractors.memory import SLACK, jit
from extractors.options import choice
from extractors.words import Word, options_of, read_word, walk_blocks


@jit
def _join(buffer, pos, limits, codes, tail, data, starts, ends, places, orphans):
    """Put segments together. Returns (records, parts without a beginning or end, segments used).

    The parts of a record that is not complete at the end are not used.
    """
    records = lost = 0
    at = np.int64(tail)
    begin = np.int64(-1)
    used = 0
    for s in range(len(pos)):
        code = codes[s] & 3
        if code == 0 or code == 1:
            if begin >= 0:
                # The record before it never ended: what came of it is lost.
                for o in range(begin, s):
                    orphans[lost] = o
                    lost += 1
                at = starts[records]
            begin = s
            starts[records] = at
            places[records] = pos[s]
        elif begin < 0:
            orphans[lost] = s
            lost += 1
            used = s + 1
            continue
        for i in range(pos[s], limits[s]):
            data[at] = buffer[i]
            at += 1
        if code == 0 or code == 2:
            ends[records] = at
            records += 1
            begin = np.int64(-1)
            used = s + 1
    return records, lost, used


def make(options: Mapping[str, str], layout: Layout) -> Framing:
    """Make the framing.

    Raises:
        SpecError: an option's value does not fit.
    """
    has_blocks = choice(options, "blocks", "yes", ("yes", "no")) == "yes"
    block = read_word(options, "block") if has_blocks else Word(size=0)
    word = read_word(options, "record")
    _, longest, _ = bounds(options, layout)
    blocks, words = block.numbers, word.numbers
    everything = np.iinfo(np.int64).max // 4

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        left = state[0] if state else 0
        room = (stop - first) // max(word.size, 1) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        found, at, why, after, overhead = walk_blocks(
            buffer, first, stop, left if has_blocks else everything, blocks, words, 0, longest, 0, pos, limits
        )
        pos, limits = pos[:found], limits[:found]
        codes = buffer[pos - word.size + 2] if found else np.zeros(0, np.uint8)
        data = np.zeros(int((limits - pos).sum()) + 2 * SLACK + layout.length, np.uint8)
        starts, stops, places = (np.zeros(found + 1, np.int64) for _ in range(3))
        orphans = np.zeros(found + 1, np.int64)
        records, lost, used = _join(buffer, pos, limits, codes, SLACK, data, starts, stops, places, orphans)
        troubles = [
            Trouble("F108", int(pos[o]) - word.size - first, int(limits[o] - pos[o]), f"segment code {codes[o] & 3}")
            for o in orphans[:lost]
        ]
        if why:
            troubles.append(Trouble("F107", at - first, 0, "a descriptor word"))
        done = at
        if used < found and not why:
            if ends:
                for o in range(used, found):
                    part = int(limits[o] - pos[o])
                    troubles.append(Trouble("F108", int(pos[o]) - word.size - first, part, "the record never ends"))
            else:
                done, after, overhead = _rewind(
                    buffer, first, stop, left, blocks, words, longest, has_blocks, int(pos[used]) - word.size
                )
        return Framed(
            starts[:records],
            stops[:records],
            done - first,
            overhead,
            (int(after),),
            data,
            places[:records],
            tuple(troubles),
            bool(why),
        )

    def _rewind(
        buffer: np.ndarray,
        first: int,
        stop: int,
        left: int,
        blocks: np.ndarray,
        words: np.ndarray,
        longest: int,
        has_blocks: bool,
        to: int,
    ) -> tuple[int, int, int]:
        """Where the first segment of the unfinished record begins, and what is left of its block there."""
        room = (to - first) // max(word.size, 1) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)
        start = left if has_blocks else everything
        _, at, _, after, overhead = walk_blocks(buffer, first, to, start, blocks, words, 0, longest, 0, pos, limits)
        return int(at), int(after), int(overhead)

    return Framing("spanned", longest, index)


FRAMING = FramingFamily(
    name="spanned",
    doc=__doc__ or "",
    options={
        "blocks": "yes (VBS) or no (VS): whether blocks have words of their own (yes)",
        **options_of("block", "block descriptor word"),
        **options_of("record", "record descriptor word"),
        **{name: text for name, text in WALK_OPTIONS.items() if name != "resynchronise"},
    },
    make=make,
)
