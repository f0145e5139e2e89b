"""The files of a dump, one after another: unwrapped, without fixed headers and trailers, every byte counted.

A record does not go on from file to file, so a reader is told where each ends: nothing more is read until it goes on.
What is read may be hashed while it is read, so that nobody has to believe that it is what was received.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from extractors.containers.contract import Damaged

Unwrap = Callable[[BinaryIO], BinaryIO]
"""Open a container: a stream of its bytes -> a stream of what it holds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Where one file begins in the stream."""

    path: Path
    offset: int


class Hashed(io.RawIOBase):
    """A file that is read from its beginning, and hashed as it is read (SHA-256)."""

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__()
        self._raw = raw
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read at most as many bytes as the buffer has room for."""
        view = memoryview(buffer).cast("B")
        got = self._raw.readinto(view) or 0
        self._hash.update(view[:got])
        return got

    def tell(self) -> int:
        """Bytes read so far."""
        return self._raw.tell() if not self._raw.closed else 0

    def finish(self) -> str:
        """Read what nobody has read, and give the hash of the whole file."""
        block = memoryview(bytearray(1 << 20))
        while self.readinto(block):
            pass
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
        super().close()


class DumpStream(io.RawIOBase):
    """Several files, each read to its end before `advance` goes on to the next.

    Args:
        paths: the files, in order.
        unwrap: opens each file's container; None where there is none.
        header: bytes to leave out at the beginning of each (unwrapped) file.
        trailer: bytes to leave out at its end.
        hashed: whether files are hashed, plain ones while they are read, and one in a container, which may be read in
            any order, once more when it has been read.

    Attributes:
        sha256: of each file that was read to its end, in order, where they are hashed.
        parts: where each file began, as far as it was read; offsets count the bytes of all of them.
        left_out: bytes of headers and trailers so far.
        several: whether there is more than one file.
        short: whether the file that was read last is shorter than its header and trailer.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        unwrap: Unwrap | None = None,
        header: int = 0,
        trailer: int = 0,
        hashed: bool = False,
    ) -> None:
        super().__init__()
        self._paths = list(paths)
        self._unwrap = unwrap
        self._header = header
        self._trailer = trailer
        self._hashed = hashed
        self._given_hash: hashlib._Hash | None = None
        self._raw: BinaryIO | None = None
        self._file: BinaryIO | None = None
        self._held = b""
        self._given = 0
        self._finished_bytes = 0
        self._at_end = False
        self.several = len(self._paths) > 1
        self.short = False
        self.size = sum(path.stat().st_size for path in self._paths)
        self.parts: list[Part] = []
        self.left_out = 0
        self.sha256: list[str] = []

    @property
    def taken(self) -> int:
        """Bytes of the files that were read so far, wrapped as they are: for progress."""
        return self._finished_bytes + (self._raw.tell() if self._raw is not None and not self._raw.closed else 0)

    @property
    def given(self) -> int:
        """Bytes that were given, or skipped, so far."""
        return self._given

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read at most as many bytes as the buffer has room for; 0 at the end of a file."""
        if self._at_end or (self._file is None and not self._open()):
            return 0
        view = memoryview(buffer).cast("B")
        got = self._read(view) if len(view) else 0
        self._given += got
        if self._given_hash is not None:
            self._given_hash.update(view[:got])
        if not got and len(view):
            self.short |= len(self._held) < self._trailer
            self._end()
        return got

    def advance(self) -> bool:
        """Go on to the next file; False where there is none."""
        self._end()
        self._at_end = not self._paths
        return not self._at_end

    def hash_from_here(self) -> None:
        """Hash (SHA-256) what is read from now on, for `hash_so_far`."""
        self._given_hash = hashlib.sha256()

    def hash_so_far(self) -> str:
        """The hash of what was read since `hash_from_here`."""
        return self._given_hash.hexdigest() if self._given_hash is not None else ""

    def read_to_end(self, count: int = -1) -> None:
        """Read so many bytes and throw them away, or all that are left, so that they are hashed."""
        block = memoryview(bytearray(1 << 20))
        while count:
            try:
                got = self.readinto(block[: min(count, len(block))] if count > 0 else block)
            except Damaged:
                # Told by who reads the records; the file itself is hashed to its end all the same.
                got = 0
            if not got and not self.advance():
                return
            count -= got if count > 0 else 0

    def skip(self, count: int) -> None:
        """Go on by so many bytes, over the ends of files; quickly where it is one plain file."""
        if count and self._unwrap is None and not self.several and not self._held and (self._file or self._open()):
            assert self._file is not None
            self._file.seek(count, io.SEEK_CUR)
            self._given += count
            return
        self.read_to_end(count)

    def _read(self, view: memoryview) -> int:
        assert self._file is not None
        if not self._trailer:
            return self._file.readinto(view) or 0  # type: ignore[attr-defined]
        # The last bytes of the file are known only at its end: as many are always held back.
        while len(self._held) <= self._trailer:
            block = self._file.read(len(view) + self._trailer)
            if not block:
                return 0
            self._held += block
        give = self._held[: min(len(self._held) - self._trailer, len(view))]
        self._held = self._held[len(give) :]
        view[: len(give)] = give
        return len(give)

    def _open(self) -> bool:
        if not self._paths:
            return False
        path = self._paths.pop(0)
        raw = path.open("rb", buffering=0)
        self._raw = cast(BinaryIO, Hashed(raw) if self._hashed and self._unwrap is None else raw)
        self._file = self._raw if self._unwrap is None else self._unwrap(self._raw)
        self.parts.append(Part(path, self._given))
        left = self._header
        while left:
            block = self._file.read(left)
            if not block:
                break
            left -= len(block)
            self.left_out += len(block)
        self.short = left > 0
        return True

    def _end(self) -> None:
        self.left_out += len(self._held)
        self._held = b""
        if self._hashed and self._raw is not None:
            self.sha256.append(self._sha256(self._raw))
        self._close()
        self._at_end = True

    @staticmethod
    def _sha256(raw: BinaryIO | Hashed) -> str:
        if isinstance(raw, Hashed):
            return raw.finish()
        raw.seek(0)
        return hashlib.file_digest(cast(io.FileIO, raw), "sha256").hexdigest()

    def _close(self) -> None:
        if self._raw is not None:
            self._finished_bytes += self._raw.tell() if not self._raw.closed else 0
        for stream in (self._file, self._raw):
            if stream is not None:
                stream.close()
        self._file = self._raw = None

    def close(self) -> None:
        """Close the file that is open."""
        self._close()
        super().close()
