"""RECFM VS and VBS: records that may go on in the next segment or block (z/OS DFSMS Using Data Sets, spanned records).

    00 06 01 00 C1 C2   00 06 03 00 C3 C4   00 05 02 00 C5        one record, ABCDE, in three segments

The third byte of a segment's word says whether it is the whole record (0), its first (1), last (2) or a middle part (3).
Parts are put together; those without the beginning or the end of their record are a finding and are skipped, with their
bytes counted. So is a record that is longer than `longest` or has more than 65,536 segments, so that damage cannot fill
the memory. A damaged word is a finding; see `variable` for what follows it.
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
    seeker,
    word_in,
)
from extractors.framings._words import Recovery, Word, options_of, read_word, walk_blocks
from extractors.framings._writing import spanned
from extractors.framings.contract import MAX_LENGTH, MOST_RECORDS, Framed, Framing, FramingFamily, State, Trouble
from extractors.kernels.memory import SLACK, copy, jit
from extractors.layout import Layout
from extractors.options import Options

SEGMENTS = MOST_RECORDS
"""Of one record, at most, and looked at in one go."""

EVERYTHING = 1 << 61
"""What is left of the only block where there are none: more than any dump has."""


@jit
def _join(buffer, pos, limits, codes, most, parts, data, starts, ends, places, alone):
    """Put segments together. Returns (records, segments that belong to none, segments used).

    A record has at most `most` bytes and `parts` segments. One that is not complete at the end is not used.
    """
    records = lost = used = 0
    at = np.int64(SLACK)
    begin = np.int64(-1)
    for s in range(len(pos)):
        if codes[s] < 2:
            if begin >= 0:
                # The record before it never ended: what came of it is lost.
                for o in range(begin, s):
                    alone[lost] = o
                    lost += 1
                at = starts[records]
            begin = np.int64(s)
            used = s
            starts[records] = at
            places[records] = pos[s]
        elif begin >= 0 and (at - starts[records] + limits[s] - pos[s] > most or s - begin >= parts):
            for o in range(begin, s):
                alone[lost] = o
                lost += 1
            at = starts[records]
            begin = np.int64(-1)
        if begin < 0:
            alone[lost] = s
            lost += 1
            used = s + 1
            continue
        size = limits[s] - pos[s]
        copy(np.int64(data.ctypes.data) + at, np.int64(buffer.ctypes.data) + pos[s], size)
        at += size
        if codes[s] == 0 or codes[s] == 2:
            ends[records] = at
            records += 1
            begin = np.int64(-1)
            used = s + 1
    return records, lost, used


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    has_blocks = options.choice("blocks", "yes", ("yes", "no")) == "yes"
    block, largest = read_blocks(options) if has_blocks else (Word(size=0), 0)
    # The third byte of a segment's word is its code.
    word = read_word(options, "record", 3)
    _, segment, again = bounds(options, layout)
    longest = options.number("longest", MAX_LENGTH, 1, MAX_LENGTH)
    blocks, words = block.numbers, word.numbers
    seek = block_seeker(block, largest, word, 0, segment, 0) if has_blocks else seeker(word, 0, 0, segment)
    recovery = Recovery(seek if again else None)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, damage(state))
        if lost is not None:
            return lost
        left, _, goes_on = (*state, 0, 0, 0)[:3]
        room = min((stop - first) // word.size, SEGMENTS) + 1
        pos, limits = np.empty(room, np.int64), np.empty(room, np.int64)

        def walk(to: int) -> tuple[int, int, int, int, int]:
            start = left if has_blocks else EVERYTHING
            found, at, why, after, overhead = walk_blocks(
                buffer, first, to, start, blocks, largest, words, 0, segment, 0, pos, limits
            )
            return int(found), int(at), int(why), int(after) if has_blocks else 0, int(overhead)

        found, at, why, after, overhead = walk(stop)
        full = found == room
        sizes = limits[:found] - pos[:found]
        codes = buffer[pos[:found] - word.size + 2] & 3
        data = np.empty(int(sizes.sum()) + 2 * SLACK + layout.length, np.uint8)
        starts, stops, places, alone = (np.zeros(found + 1, np.int64) for _ in range(4))
        records, lost_parts, used = _join(
            buffer, pos[:found], limits[:found], codes, longest, SEGMENTS, data, starts, stops, places, alone
        )
        data[:SLACK] = 0
        data[stops[records - 1] if records else SLACK :] = 0
        parts = alone[:lost_parts]
        if used < found and (why or (ends and not full)):
            # The record that was begun is never completed.
            parts, used = np.concatenate((parts, np.arange(used, found))), found
        troubles = _troubles(
            parts, pos[parts] - word.size - first, sizes[parts], codes[parts], longest, goes_on=goes_on
        )
        if len(parts) and found:
            goes_on = int(parts[-1] == found - 1 and codes[-1] != 2)
        elif found:
            goes_on = 0
        if used < found:
            # It is framed again from its first segment on, with what follows.
            _, at, _, after, overhead = walk(int(pos[used]) - word.size)
        framed = Framed(
            starts[:records],
            stops[:records],
            at - first,
            overhead,
            (after, 0, goes_on),
            data,
            places[:records],
            troubles,
            again=full,
        )
        return recovery.damaged(framed, buffer, at, stop, ends, after, damage((after,))) if why else framed

    def damage(state: State) -> str:
        return word_in(state) if has_blocks else "a descriptor word"

    return Framing("spanned", longest, index, spanned(block if has_blocks else None, word), promised=left_of_block)


def _troubles(
    parts: np.ndarray, places: np.ndarray, sizes: np.ndarray, codes: np.ndarray, longest: int, *, goes_on: int
) -> tuple[Trouble, ...]:
    """What is said of segments that belong to no record: one trouble for those that were one record, as far as is known."""
    if not len(parts):
        return ()
    new = np.ones(len(parts), bool)
    new[1:] = (np.diff(parts) != 1) | (codes[1:] < 2) | (codes[:-1] == 2)
    at = np.flatnonzero(new)
    without = (f"no last segment within {longest:,} bytes", "no first segment")
    return tuple(
        Trouble("F108", place, size, without[code > 1], more=bool(goes_on and number == 0 and part == 0 and code > 1))
        for number, (part, place, size, code) in enumerate(
            zip(
                parts[at].tolist(),
                places[at].tolist(),
                np.add.reduceat(sizes, at).tolist(),
                codes[at].tolist(),
                strict=True,
            )
        )
    )


FRAMING = FramingFamily(
    name="spanned",
    doc=__doc__ or "",
    options={
        "blocks": "yes (VBS) or no (VS): whether blocks have words of their own (yes)",
        **BLOCK_OPTIONS,
        **options_of("record", "record descriptor word"),
        **{name: text for name, text in WALK_OPTIONS.items() if name != "shortest"},
        "longest": "bytes of the longest record that is believed (16,777,216; of its segments as in `variable`)",
    },
    make=make,
)
