"""RECFM F and FB: records of one length, one after the other, with nothing between them.

    80 bytes, 80 bytes, 80 bytes, ...

The length is the layout's, or the option `length` where records are longer than what the layout describes.
Bytes after the last whole record are left over: counted and reported, never read as a record.
A file whose first bytes are lines of one length is read as it was said, with a note: `lines` is meant, or a record that
counts its line end.
"""

from __future__ import annotations

import numpy as np

from extractors.framings.contract import BEGUN, MAX_LENGTH, Framed, Framing, FramingFamily, State, Trouble
from extractors.layout import Layout
from extractors.options import Options

LOOKED_AT = 1 << 16
"""Bytes at a file's beginning that are looked at for line ends."""

SHORTEST_LINE = 4


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing; its length may not be shorter than the layout."""
    length = options.number("length", layout.length, layout.length, MAX_LENGTH)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        count = (stop - first) // length
        pos = np.arange(first, first + count * length, length, dtype=np.int64)
        said = "" if state or not count else _line_ends(buffer[first : min(stop, first + LOOKED_AT)], length, layout)
        troubles = (Trouble("F111", 0, 0, said),) if said else ()
        return Framed(pos, pos + length, count * length, state=BEGUN, troubles=troubles)

    def wrap(data: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        if (sizes != length).any():
            raise ValueError(f"a record of other than {length:,} bytes")
        return data

    return Framing("fixed", length, index, wrap, fixed=True, exact=False)


def _line_ends(content: np.ndarray, length: int, layout: Layout) -> str:
    """What line ends at one distance, from the first byte on, say of records of this length; "" where there are none.

    Chance makes none: every LF of the bytes is the end of a line as long as the first.
    """
    at = np.flatnonzero(content == 0x0A)
    if len(at) < 2:
        return ""
    line = int(at[0]) + 1
    even = len(content) - int(at[-1]) <= line and bool((np.diff(at) == line).all())
    both = line > 1 and bool((content[at - 1] == 0x0D).all())
    if not even or line < SHORTEST_LINE or len(at) < (2 if both else 3):
        return ""
    name, ending = ("CR LF (0D 0A)", "crlf") if both else ("LF (0A)", "lf")
    if line != length:
        return f"{name} ends every {line} bytes, and a record is read as {length}: say framing lines, ending {ending}"
    if layout.length <= length - 2 or not both:
        # Nothing of the layout lies in the line end, or it may be a number.
        return ""
    return f"{name} ends every record, read as its last two bytes: framing lines, ending {ending}, leaves it out"


FRAMING = FramingFamily(
    name="fixed",
    doc=__doc__ or "",
    options={"length": "bytes of a record, where longer than the layout"},
    make=make,
)
