"""xz: one stream or several one after another.

Follows The .xz File Format, version 1.2. A file that asks for more than `MEMORY` bytes of dictionary is refused; the
strongest preset of the usual compressor asks for 65 MiB.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._compressed import Members, exactly
from extractors.containers.contract import Container, stream

MAGIC = b"\xfd7zXZ\0"
MEMORY = 256 * 1024 * 1024


def _members(pieces: Iterator[bytes]) -> Members:
    return Members(
        pieces, "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY), (lzma.LZMAError, MemoryError), MAGIC
    )


def open_xz(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Take off the compression."""
    return stream(exactly(raw, _members))


CONTAINER = Container(
    name="xz",
    doc=__doc__ or "",
    options={},
    suffixes=(".xz",),
    recognise=lambda head: head.startswith(MAGIC),
    open=open_xz,
)
