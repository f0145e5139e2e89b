"""het: the image of a tape as in awstape, its blocks compressed by zlib or bzip2 where that made them shorter.

Follows what Hercules writes: the low two bits of the first byte of flags name the method, and a block is compressed
as a whole before it is cut into chunks. See `extractors.containers._tape`. Lengths are bytes of the compressed chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from extractors.containers._tape import OPTIONS, chain, open_tape
from extractors.containers.contract import Container


def open_het(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Read one file of the tape.

    Raises:
        SpecError: an option has a value that cannot be used.
    """
    return open_tape(raw, options, compressed=True)


CONTAINER = Container(
    name="het",
    doc=__doc__ or "",
    options=OPTIONS,
    suffixes=(".het",),
    recognise=lambda head: chain(head) == (True, True),
    open=open_het,
)
