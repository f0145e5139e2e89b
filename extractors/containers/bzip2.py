"""bzip2: one stream or several one after another, as parallel compressors write them.

Follows the bzip2 1.0 file format: `BZh`, the block size in units of 100,000 bytes, blocks with a checksum each.
A block counts as read only as far as the decompressor gave it out before it saw a wrong checksum.
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._compressed import Members, exactly
from extractors.containers.contract import Container, stream

MAGIC = b"BZh"
BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
"""What stands after the block size: a block, or the end of a stream without one."""


def _members(pieces: Iterator[bytes]) -> Members:
    return Members(pieces, "bzip2", bz2.BZ2Decompressor, (OSError, ValueError), MAGIC)


def open_bzip2(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Take off the compression."""
    return stream(exactly(raw, _members))


CONTAINER = Container(
    name="bzip2",
    doc=__doc__ or "",
    options={},
    suffixes=(".bz2",),
    recognise=lambda head: head.startswith(MAGIC) and head[4:10] in BLOCKS,
    open=open_bzip2,
)
