"""awstape: the image of a tape, each block after a header of 6 bytes, files ended by tape marks.

Follows what P/390 and Hercules write; see `extractors.containers._tape` for the format and for labels. Lengths are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from extractors.containers._tape import OPTIONS, chain, open_tape
from extractors.containers.contract import Container


def open_awstape(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Read one file of the tape.

    Raises:
        SpecError: an option has a value that cannot be used.
    """
    return open_tape(raw, options, compressed=False)


CONTAINER = Container(
    name="awstape",
    doc=__doc__ or "",
    options=OPTIONS,
    suffixes=(".aws",),
    recognise=lambda head: chain(head) == (True, False),
    open=open_awstape,
)
