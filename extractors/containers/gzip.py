"""gzip: one deflate stream or several one after another, each with its checksum and length.

Follows RFC 1952 (and RFC 1951 for what is inside). Zeros after the last member, as tapes and disks leave them, are
padding. The member's length field is modulo 2^32 and is no reason to hold anything in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._compressed import Inflater, Members, exactly
from extractors.containers.contract import Container, stream

MAGIC = b"\x1f\x8b"
WRAPPED = 16 + zlib.MAX_WBITS
"""zlib's way to say that a gzip header and trailer stand around the data."""


def _members(pieces: Iterator[bytes]) -> Members:
    return Members(pieces, "gzip", lambda: Inflater(WRAPPED), (zlib.error,), MAGIC)


def open_gzip(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Take off the compression."""
    return stream(exactly(raw, _members))


CONTAINER = Container(
    name="gzip",
    doc=__doc__ or "",
    options={},
    suffixes=(".gz",),
    recognise=lambda head: head.startswith(MAGIC + b"\x08"),
    open=open_gzip,
)
