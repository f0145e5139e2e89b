"""Text lines: each record ends with LF, CR LF or the EBCDIC newline.

    31 32 0A 33 34 0A        records "12" and "34"

A last line without its end is a record all the same. A line that is shorter than the layout had its trailing spaces
left out, which is no finding. Kanji or packed bytes may hold the byte of a line's end: such a dump is not of lines.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framing import MAX_LENGTH, Framed, Framing, FramingFamily, State, Trouble
from extractors.layout import Layout
from extractors.options import choice, number

_ENDS = {"lf": b"\n", "crlf": b"\r\n", "nl": b"\x15", "ebcdic_lf": b"\x25"}


def make(options: Mapping[str, str], layout: Layout) -> Framing:
    """Make the framing.

    Raises:
        SpecError: an option's value does not fit.
    """
    ending = _ENDS[choice(options, "ending", "lf", tuple(_ENDS))]
    longest = number(options, "longest", max(65_536, 4 * layout.length), 1, MAX_LENGTH)
    last = ending[-1]

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        at = np.flatnonzero(buffer[first:stop] == last).astype(np.int64) + first
        if len(ending) == 2:
            at = at[(at > first) & (buffer[at - 1] == ending[0])]
        pos = np.concatenate((np.array([first], np.int64), at + 1))
        limits = np.concatenate((at - (len(ending) - 1), np.array([stop], np.int64)))
        overhead = len(ending) * len(at)
        open_line = stop - int(pos[-1])
        if not ends or open_line == 0:
            if open_line > longest:
                trouble = Trouble("F107", int(pos[-1]) - first, 0, f"no line ends within {longest} bytes")
                return Framed(pos[:-1], limits[:-1], int(pos[-1]) - first, overhead, troubles=(trouble,), stopped=True)
            return Framed(pos[:-1], limits[:-1], int(pos[-1]) - first, overhead)
        return Framed(pos, limits, stop - first, overhead)

    return Framing("lines", longest, index, padded=True)


FRAMING = FramingFamily(
    name="lines",
    doc=__doc__ or "",
    options={
        "ending": "lf, crlf, nl (EBCDIC newline, 15) or ebcdic_lf (25) (lf)",
        "longest": "bytes of the longest line that is believed",
    },
    make=make,
)
