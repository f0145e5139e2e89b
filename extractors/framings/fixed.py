"""RECFM F and FB: records of one length, one after the other, with nothing between them.

The length is the layout's, or the option `length` where records are longer than what the layout describes.
Bytes after the last whole record are left over: counted and reported, never read as a record.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.framing import Framed, Framing, FramingFamily
from migration_reports.findings import Position, Problem, SpecError

MAX_LENGTH = 16 * 1024 * 1024


def make(options: Mapping[str, str], layout_length: int) -> Framing:
    """Make the framing.

    Raises:
        SpecError: the length is no number, or shorter than the layout.
    """
    text = options.get("length", str(layout_length))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not layout_length <= int(text) <= MAX_LENGTH:
        raise SpecError(
            [
                Problem(
                    "L904",
                    Position("(options)"),
                    f"record length `{text[:20]}` cannot hold the layout",
                    (f"{layout_length} (the layout's length) to {MAX_LENGTH}",),
                )
            ]
        )
    length = int(text)

    def index(buffer: np.ndarray, first: int, stop: int, ends: bool) -> Framed:
        count = (stop - first) // length
        return Framed(np.arange(first, first + count * length, length, dtype=np.int64), count * length)

    return Framing("fixed", length, index)


FRAMING = FramingFamily(
    name="fixed",
    doc=__doc__ or "",
    options={"length": "bytes of a record, where longer than the layout"},
    make=make,
)
