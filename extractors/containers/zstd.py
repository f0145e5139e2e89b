"""zstd: frames one after another; skippable frames are skipped.

Follows RFC 8878. Arrow's decompressor does the work. Frames are cut into their blocks (of at most 128 KiB) here and
handed to it one at a time, so that it meets damage only after it has given out everything before, and so that the
place of a cut is known to the byte. The decompressor itself refuses windows above 128 MiB.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa

from extractors.containers._compressed import CHUNK, Pull, exactly
from extractors.containers.contract import Container, Damaged, Source, stream

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x2a\x4d\x18"
LARGEST_BLOCK = 128 * 1024


class _Pieces(io.RawIOBase):
    """Pieces of input as a file object whose every read gives one of them or a part of it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = b""
        self.failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        # Arrow would rephrase what is raised through it; it is kept here and raised by the one who called Arrow.
        try:
            piece = self._left or next(self._pieces, b"")
        except Exception as failure:
            self.failure = failure
            return b""
        size = len(piece) if size < 0 else size
        self._left = piece[size:]
        return piece[:size]


class _Frames:
    """The blocks of the frames, as the decompressor shall get them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.source = Source(stream(pieces))
        self.block = 0

    def __iter__(self) -> Iterator[bytes]:
        """Give a frame's header, its blocks and its checksum, each whole.

        Raises:
            Damaged: no frame stands here, or the file ends inside one.
        """
        source = self.source
        while magic := source.take(4):
            self.block = source.offset - len(magic)
            if len(magic) == 4 and magic[1:] == SKIPPABLE and magic[0] & 0xF0 == 0x50:
                left = int.from_bytes(self._whole(4), "little")
                while left:
                    left -= len(self._whole(min(left, CHUNK)))
                continue
            if not MAGIC.startswith(magic):
                raise Damaged("no zstd frame stands here", self.block)
            if magic != MAGIC:
                raise Damaged("the zstd data ends inside a frame", source.offset)
            yield from self._frame()
        if not source.offset:
            raise Damaged("no zstd frame stands here", 0)

    def _frame(self) -> Iterator[bytes]:
        descriptor = self._whole(1)
        single = descriptor[0] >> 5 & 1
        size = (1 - single) + (0, 1, 2, 4)[descriptor[0] & 3] + (single, 2, 4, 8)[descriptor[0] >> 6]
        yield MAGIC + descriptor + self._whole(size)
        last = False
        while not last:
            self.block = self.source.offset
            header = self._whole(3)
            number = int.from_bytes(header, "little")
            last, kind, size = bool(number & 1), number >> 1 & 3, number >> 3
            if kind == 3 or (kind != 1 and size > LARGEST_BLOCK):
                raise Damaged("a zstd block has no valid header", self.block)
            yield header + self._whole(1 if kind == 1 else size)
        if descriptor[0] & 4:
            self.block = self.source.offset
            yield self._whole(4)

    def _whole(self, size: int) -> bytes:
        data = self.source.take(size)
        if len(data) < size:
            raise Damaged("the zstd data ends inside a frame", self.source.offset)
        return data


def _frames(pieces: Iterator[bytes]) -> Pull:
    frames = _Frames(pieces)
    feed = _Pieces(iter(frames))
    inside = pa.CompressedInputStream(pa.PythonFile(feed, mode="r"), "zstd")

    def pull(wanted: int) -> bytes:
        try:
            out: bytes = inside.read(wanted)
        except (OSError, pa.ArrowException) as error:
            if feed.failure is not None:
                raise feed.failure from None
            raise Damaged(f"the zstd data is broken: {error}", frames.block) from error
        if not out and feed.failure is not None:
            raise feed.failure
        return out

    return pull


def open_zstd(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Take off the compression."""
    return stream(exactly(raw, _frames))


CONTAINER = Container(
    name="zstd",
    doc=__doc__ or "",
    options={},
    suffixes=(".zst", ".zstd"),
    recognise=lambda head: head.startswith(MAGIC),
    open=open_zstd,
)
