"""RECFM F and FB: records of one length, one after the other, with nothing between them.

    80 bytes, 80 bytes, 80 bytes, ...

The length is the layout's, or the option `length` where records are longer than what the layout describes.
Bytes after the last whole record are left over: counted and reported, never read as a record.
"""

from __future__ import annotations

import numpy as np

from extractors.copybooks.layout import Layout
from extractors.framings.contract import MAX_LENGTH, Framed, Framing, FramingFamily, State
from extractors.options import Options


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing; its length may not be shorter than the layout."""
    length = options.number("length", layout.length, layout.length, MAX_LENGTH)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool, state: State) -> Framed:
        count = (stop - first) // length
        pos = np.arange(first, first + count * length, length, dtype=np.int64)
        return Framed(pos, pos + length, count * length)

    return Framing("fixed", length, index, fixed=True, exact=False)


FRAMING = FramingFamily(
    name="fixed",
    doc=__doc__ or "",
    options={"length": "bytes of a record, where longer than the layout"},
    make=make,
)
