"""Compressed streams: driving a decompressor so that not one good byte before the damage is lost.

Decompressors throw away what they made in the call in which they meet an error. So a second decompressor goes over
the same input and is asked for one byte at a time near that place. Where the file can be sought, it starts only when
there is damage, and gets its input bytewise there, which also tells the offset exactly. Where it cannot, the second
walks behind the first, which costs the time of decompressing twice; the offset is then that of a chunk's beginning,
and of a bzip2 or xz stream that fails its checksum the very last byte may be lost.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from extractors.containers.contract import Damaged

CHUNK = 16 * 1024
"""Bytes of input at a time."""
WINDOW = 64 * 1024
"""Bytes of output at a time, whatever the input would expand to."""

Pull = Callable[[int], bytes]
"""(most bytes wanted) -> bytes, none at the end. Raises `Damaged`, and may then lose what this call was to give."""


class Decompressor(Protocol):
    """What bz2 and lzma give, and `Inflater`."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was met."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the compressed stream."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Give up to `max_length` bytes."""
        ...


class Inflater:
    """A zlib decompressor with the interface of those of bz2 and lzma.

    zlib checks on for as long as that takes no room for output, and so meets a wrong checksum in the call that gives
    the last byte. Asked for one byte, it therefore gets its input bytewise too.
    """

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
        self._left = memoryview(b"")
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was met."""
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the compressed stream."""
        return self._zlib.unused_data + bytes(self._left)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Give up to `max_length` bytes."""
        if data:
            self._left = memoryview(bytes(self._left) + data)
        if max_length == 1:
            out = self._zlib.decompress(b"", 1)
            while not out and len(self._left) and not self._zlib.eof:
                out = self._zlib.decompress(self._left[:1], 1)
                self._left = self._left[1 - len(self._zlib.unconsumed_tail) :] if not self._zlib.eof else self._left[1:]
        else:
            out = self._zlib.decompress(self._left, max_length)
            # At the end of its stream zlib may leave in the tail what it also gives as unused.
            self._left = memoryview(b"" if self._zlib.eof else self._zlib.unconsumed_tail)
        self.needs_input = len(out) < max_length
        return out


class Members:
    """Compressed streams one after another, as one `Pull`; zeros after a stream are padding.

    Args:
        pieces: the input.
        what: the format's name, for messages.
        new: makes a decompressor for one stream.
        errors: what the decompressor raises.
        magic: how a further stream begins; None where there is but one and what follows it is not looked at.
        at: offset of the input in the file.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        what: str,
        new: Callable[[], Decompressor],
        errors: tuple[type[Exception], ...],
        magic: bytes | None,
        at: int = 0,
    ) -> None:
        self._pieces = pieces
        self._what = what
        self._new = new
        self._errors = errors
        self._magic = magic
        self._at = self._fed = at
        self._left = b""
        self._inside: Decompressor | None = None
        self._ended = 0

    def __call__(self, wanted: int) -> bytes:
        """Give up to so many bytes, none at the end.

        Raises:
            Damaged: the input is broken, or ends inside a stream.
        """
        while True:
            if self._inside is None:
                if not self._begin():
                    return b""
                self._inside = self._new()
            piece = b""
            if self._inside.needs_input:
                piece = self._next()
                if not piece:
                    raise Damaged(f"the {self._what} data ends inside a stream", self._at)
                self._fed = self._at - len(piece)
            try:
                out = self._inside.decompress(piece, wanted)
            except self._errors as error:
                raise Damaged(f"the {self._what} data is broken: {error}", self._fed) from error
            if self._inside.eof:
                self._put_back(self._inside.unused_data)
                self._inside = None
                self._ended += 1
            if out:
                return out

    def _begin(self) -> bool:
        if not self._ended:
            return True
        if self._magic is None:
            return False
        piece = self._next()
        while piece and not (piece := piece.lstrip(b"\0")):
            piece = self._next()
        if not piece:
            return False
        # A magic may lie across two pieces of input.
        while len(piece) < len(self._magic) and (more := self._next()):
            piece += more
        if not piece.startswith(self._magic[: len(piece)]):
            raise Damaged(f"what follows the {self._what} data is no {self._what} stream", self._at - len(piece))
        self._put_back(piece)
        return True

    def _next(self) -> bytes:
        piece, self._left = self._left or next(self._pieces, b""), b""
        self._at += len(piece)
        return piece

    def _put_back(self, piece: bytes) -> None:
        self._left = piece + self._left
        self._at -= len(piece)


def exactly(raw: BinaryIO, make: Callable[[Iterator[bytes]], Pull], at: int = 0) -> Iterator[bytes]:
    """Give what a decompressor gives, to the last good byte.

    Args:
        raw: the compressed file, placed where the compressed data begins.
        make: makes the same decompressor on any copy of the input.
        at: the offset that the decompressor gives to the first byte of its input.

    Yields:
        Pieces of at most `WINDOW` bytes.

    Raises:
        Damaged: the input is broken or cut.
    """
    start = raw.tell() if raw.seekable() else None
    behind: Pull | None = None
    if start is None:
        first, second = itertools.tee(_chunks(raw))
        ahead, behind = make(first), make(second)
    else:
        ahead = make(_chunks(raw))
    given = 0
    while True:
        try:
            piece = ahead(WINDOW)
        except Damaged as damage:
            broken = damage
            break
        if not piece:
            return
        yield piece
        given += len(piece)
        if behind is not None:
            _skip(behind, len(piece))
    try:
        if start is not None:
            raw.seek(start)
            behind = make(_finer(_chunks(raw), broken.offset - at))
            _skip(behind, given)
        while behind is not None and (piece := behind(1)):
            yield piece
    except Damaged as damage:
        broken = damage
    raise broken


def _chunks(raw: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: raw.read(CHUNK), b"")


def _finer(pieces: Iterator[bytes], at: int) -> Iterator[bytes]:
    """Give the pieces up to the one in which that offset lies, and from there single bytes."""
    for piece in pieces:
        whole = piece[: max(at, 0)]
        at -= len(piece)
        if whole:
            yield whole
        for place in range(len(whole), len(piece)):
            yield piece[place : place + 1]


def _skip(pull: Pull, count: int) -> None:
    while count and (piece := pull(min(count, WINDOW))):
        count -= len(piece)
