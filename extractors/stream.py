"""The files of a dump as one stream of bytes: unwrapped, without fixed headers and trailers, every byte counted."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

Unwrap = Callable[[BinaryIO], BinaryIO]
"""Open a container: a stream of its bytes -> a stream of what it holds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Where one file begins in the stream."""

    path: Path
    offset: int


class DumpStream(io.RawIOBase):
    """Several files, one after another.

    Args:
        paths: the files, in order.
        unwrap: opens each file's container; None where there is none.
        header: bytes to leave out at the beginning of each (unwrapped) file.
        trailer: bytes to leave out at its end.

    Attributes:
        parts: where each file began, as far as it was read.
        left_out: bytes of headers and trailers so far.
    """

    def __init__(
        self, paths: Sequence[Path], *, unwrap: Unwrap | None = None, header: int = 0, trailer: int = 0
    ) -> None:
        super().__init__()
        self._paths = list(paths)
        self._unwrap = unwrap
        self._header = header
        self._trailer = trailer
        self._raw: BinaryIO | None = None
        self._file: BinaryIO | None = None
        self._held = b""
        self._given = 0
        self._finished_bytes = 0
        self.size = sum(path.stat().st_size for path in self._paths)
        self.parts: list[Part] = []
        self.left_out = 0

    @property
    def taken(self) -> int:
        """Bytes of the files that were read so far, wrapped as they are: for progress."""
        return self._finished_bytes + (self._raw.tell() if self._raw is not None and not self._raw.closed else 0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read at most as many bytes as the buffer has room for; 0 at the end of the last file."""
        view = memoryview(buffer).cast("B")
        while True:
            if self._file is None and not self._open():
                return 0
            assert self._file is not None
            got = self._read(view)
            if got:
                self._given += got
                return got
            self.left_out += len(self._held)
            self._held = b""
            self._close()

    def skip(self, count: int) -> None:
        """Go on by so many bytes; quickly where it is one plain file."""
        if count and self._unwrap is None and len(self._paths) == 1 and not self._held and (self._file or self._open()):
            assert self._file is not None
            self._file.seek(count, io.SEEK_CUR)
            self._given += count
            return
        block = memoryview(bytearray(1 << 20))
        while count:
            got = self.readinto(block[: min(count, len(block))])
            if not got:
                return
            count -= got

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
        self._raw = path.open("rb", buffering=0)
        self._file = self._raw if self._unwrap is None else self._unwrap(self._raw)
        self.parts.append(Part(path, self._given))
        left = self._header
        while left:
            block = self._file.read(left)
            if not block:
                break
            left -= len(block)
            self.left_out += len(block)
        return True

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
