"""Text lines: each record ends with LF, CR LF or the EBCDIC newline.

    31 32 0A 33 34 0A        records "12" and "34"

A last line without its end is a record all the same. A line that is shorter than the layout had its trailing spaces
left out, which is no finding: what is missing of a number is read as the spaces it was. Kanji or packed bytes may hold
the byte of a line's end: such a dump is not of lines. A line longer than `longest` is a finding; what follows it is left
over, or, with `resynchronise: yes`, read from the next line on.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from extractors.framings._words import Recovery
from extractors.framings._writing import between
from extractors.framings.contract import MAX_LENGTH, Framed, Framing, FramingFamily, State, Trouble
from extractors.layout import Layout
from extractors.options import Options

_ENDS = {"lf": b"\n", "crlf": b"\r\n", "nl": b"\x15", "ebcdic_lf": b"\x25"}


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    ending = _ENDS[options.choice("ending", "lf", tuple(_ENDS))]
    longest = options.number("longest", max(65_536, 4 * layout.length), 1, MAX_LENGTH)
    last, size = ending[-1], len(ending)
    again = options.choice("resynchronise", "no", ("yes", "no")) == "yes"
    damage = f"no line ends within {longest:,} bytes"

    def ends_of(buffer: np.ndarray, first: int, stop: int) -> np.ndarray:
        at = np.flatnonzero(buffer[first:stop] == last).astype(np.int64) + first
        return at[(at > first) & (buffer[at - 1] == ending[0])] if size == 2 else at

    def seek(buffer: np.ndarray, first: int, stop: int, ends: bool) -> tuple[int, bool]:
        at = ends_of(buffer, first, stop)
        if len(at):
            return int(at[0]) + 1, True
        # The first byte of an end may be the last of the buffer.
        return (stop - 1 if size == 2 and not ends and stop > first and buffer[stop - 1] == ending[0] else stop), False

    recovery = Recovery(seek if again else None)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        lost = recovery.goes_on(buffer, first, stop, ends, state, damage)
        if lost is not None:
            return lost
        at = ends_of(buffer, first, stop)
        pos = np.concatenate((np.array([first], np.int64), at + 1))
        limits = np.concatenate((at - (size - 1), np.array([stop], np.int64)))
        # Whether the last line is whole is known at the end only; whether it is too long, already behind its ending.
        known = np.full(len(pos), longest)
        known[-1] += 0 if ends else size - 1
        long = np.flatnonzero(limits - pos > known)
        count = len(pos) if ends and pos[-1] < stop else len(at)
        if not len(long):
            used = stop if count > len(at) else int(pos[-1])
            return Framed(pos[:count], limits[:count], used - first, size * len(at))
        if not again:
            count = int(long[0])
            framed = Framed(pos[:count], limits[:count], int(pos[count]) - first, size * count)
            return recovery.damaged(framed, buffer, int(pos[count]), stop, ends, 0, damage)
        whole = np.setdiff1d(np.arange(count), long)
        overhead = size * int((whole < len(at)).sum())
        troubles = tuple(
            Trouble("F107", int(pos[n]) - first, int(pos[n + 1] - pos[n]), damage) for n in long if n < len(at)
        )
        used = stop if count > len(at) else int(pos[-1])
        framed = Framed(pos[whole], limits[whole], used - first, overhead, troubles=troubles)
        if long[-1] < len(at):
            return framed
        framed = dataclasses.replace(framed, used=int(pos[-1]) - first)
        return recovery.damaged(framed, buffer, int(pos[-1]), stop, ends, 0, damage)

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        if len(ends_of(data, 0, len(data))):
            raise ValueError("a record holds the bytes of a line's end")
        none = np.zeros((len(sizes), 0), np.uint8)
        return between(data, sizes, none, np.tile(np.frombuffer(ending, np.uint8), (len(sizes), 1)))

    return Framing("lines", longest, index, wrap, padded=True)


FRAMING = FramingFamily(
    name="lines",
    doc=__doc__ or "",
    options={
        "ending": "lf, crlf, nl (EBCDIC newline, 15) or ebcdic_lf (25) (lf)",
        "longest": "bytes of the longest line that is believed (65,536, or four times the layout's if that is more)",
        "resynchronise": "yes or no: whether to go on behind a line that is too long (no)",
    },
    make=make,
)
