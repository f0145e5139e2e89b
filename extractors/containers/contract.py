"""What a container is: what a dump file is wrapped in, taken off as a stream of bytes on a stream of bytes.

A container hands on every good byte before it reports damage, and holds no more in memory than its format needs,
whatever lengths the file claims. Offsets are in bytes of the file that was opened, counted from 0.
"""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, cast

from migration_reports.findings import Position, Problem, SpecError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD = 4096
"""Bytes of a file's beginning by which its container is recognised."""


class Damaged(Exception):  # noqa: N818 - it is a state of the file; what is read before it stands
    """The container is broken at `offset` (bytes of the file): what was read before it stands."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


Open = Callable[[BinaryIO, Mapping[str, str]], BinaryIO]
"""(the file, its options) -> what is inside. Raises SpecError at once; its readinto() raises `Damaged`, and no other."""


@dataclasses.dataclass(frozen=True, slots=True)
class Container:
    """One container as the registry knows it.

    Attributes:
        name: file stem, registry name and YAML spelling.
        doc: the module's description.
        options: its options, each with a line of explanation.
        suffixes: how names of such files end.
        recognise: whether a file beginning with these bytes (up to `HEAD`) is one.
        open: takes it off.
        rows: whether what is inside are rows of cells (framing `cells`) rather than a dump's own bytes.
    """

    name: str
    doc: str
    options: Mapping[str, str]
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    open: Open
    rows: bool = False


class Stream(io.RawIOBase):
    """Pieces of bytes as a readable stream; damage met once is met at every later read.

    It is raw on purpose: a `BufferedReader` drops what it has gathered when a later piece is damaged.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = memoryview(b"")
        self._damage: Damaged | None = None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer as far as one piece goes.

        Returns:
            Bytes written; 0 where the contents end.

        Raises:
            Damaged: the container is broken here.
        """
        target = memoryview(buffer).cast("B")
        if not len(target):
            return 0
        while not len(self._left):
            if self._damage is not None:
                raise self._damage
            try:
                self._left = memoryview(next(self._pieces))
            except StopIteration:
                return 0
            except Damaged as damage:
                self._damage = damage
                raise
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def stream(pieces: Iterator[bytes]) -> BinaryIO:
    """Make a stream of pieces."""
    return cast(BinaryIO, Stream(pieces))


class Source:
    """A file read from its beginning to its end, in amounts that the reader bounds.

    Attributes:
        offset: of the next byte.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._ahead = b""
        self.offset = 0

    def some(self, most: int) -> bytes:
        """Read what is at hand, one byte at least; nothing where the file ends."""
        if self._ahead:
            data, self._ahead = self._ahead[:most], self._ahead[most:]
        else:
            data = self._raw.read(most)
        self.offset += len(data)
        return data

    def take(self, count: int) -> bytes:
        """Read so many bytes; fewer where the file ends."""
        data = self.some(count)
        if not data or len(data) == count:
            return data
        parts = [data]
        missing = count - len(data)
        while missing and (data := self.some(missing)):
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def give_back(self, data: bytes) -> None:
        """Put back what was read last."""
        self._ahead = data + self._ahead
        self.offset -= len(data)


def sought(raw: BinaryIO) -> BinaryIO:
    """The file where it can be read in any order; a pipe is put into a temporary file first."""
    if raw.seekable():
        return raw
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  it is gone when nobody reads it any more
    while block := raw.read(1 << 20):
        copy.write(block)
    copy.seek(0)
    return copy


def refuse(option: str, value: str, allowed: tuple[str, ...], hint: str = "") -> SpecError:
    """Make the error of an option that has a value which cannot be used."""
    return SpecError([Problem("L907", Position("(options)"), f"{option} `{value[:60]}` cannot be used", allowed, hint)])


def pick(options: Mapping[str, str], option: str, allowed: tuple[str, ...], default: str) -> str:
    """Find an option's value among those allowed.

    Raises:
        SpecError: it is none of them.
    """
    value = options.get(option, default)
    if value not in allowed:
        raise refuse(option, value, allowed)
    return value


def pick_number(options: Mapping[str, str], option: str, most: int) -> int | None:
    """Find an option's value, counted from 1; None where it is not given.

    Raises:
        SpecError: it is no such number.
    """
    value = options.get(option)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 9 or not 1 <= int(value) <= most:
        raise refuse(option, value, (f"1 to {most}",))
    return int(value)
