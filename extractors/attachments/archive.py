"""A ZIP archive of attachments: read in place, never unpacked, so that no name in it leads anywhere.

Follows APPNOTE.TXT 6.3, as far as the standard library reads it. Names that are not marked as Unicode are read as CP932,
as the archivers of Japanese desktops write them. Bounded: an archive whose directory is larger than it may be, whose
files overlap (as in a bomb), or that would give far more bytes than it has, is refused before any of it is read.
"""

from __future__ import annotations

import dataclasses
import functools
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extractors.attachments.source import BLOCK, Listing, UnreadableError, add, normal

MOST_FILES = 1_000_000
MOST_TIMES, ALWAYS_ALLOWED = 100, 1 << 30
"""How many times its own bytes an archive may give, and what any may; scanned pages give two, text ten."""

ENCRYPTED = 0x2041
ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
    ValueError,
    OverflowError,
    IndexError,
    EOFError,
    OSError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Archive:
    """The files of an archive, or of a folder in it."""

    path: Path
    folder: str = ""

    def listing(self) -> Listing:
        """The names of its files, in the order of its directory, without the folder's own."""
        names: dict[str, str] = {}
        refused: Counter[str] = Counter()
        inside = normal(self.folder).rstrip("/")
        for number, file in enumerate(self._files):
            shown = normal(file.filename)
            if file.is_dir() or not shown.startswith(f"{inside}/" if inside else ""):
                continue
            if stat.S_ISLNK(file.external_attr >> 16):
                refused["a link, or no file"] += 1
            elif file.flag_bits & ENCRYPTED:
                refused["it is encrypted"] += 1
            elif file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refused["it is compressed by another method than 0 or 8"] += 1
            else:
                add(names, refused, str(number), shown[len(inside) + 1 :] if inside else shown)
        return Listing(names, refused)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, by its number in the directory; its length and checksum are proved."""
        try:
            archive = _opened(self.path)
            with archive.open(archive.infolist()[int(name)]) as file:
                size = 0
                while piece := file.read(BLOCK):
                    size += len(piece)
                    yield piece
            if size != archive.infolist()[int(name)].file_size:
                raise UnreadableError("it has not the bytes that the archive says")
        except ERRORS as error:
            raise UnreadableError(f"the archive is damaged there ({type(error).__name__})") from None

    @property
    def _files(self) -> list[zipfile.ZipInfo]:
        try:
            size, files = self.path.stat().st_size, _opened(self.path).infolist()
        except ERRORS as error:
            raise UnreadableError(f"the archive has no directory that can be read ({type(error).__name__})") from None
        given = sum(file.file_size for file in files)
        if len(files) > MOST_FILES:
            raise UnreadableError(
                f"the archive says that it holds {len(files):,} files; {MOST_FILES:,} at most are read"
            )
        if sum(file.compress_size for file in files) > size:
            raise UnreadableError("the files of the archive overlap")
        if given > max(size * MOST_TIMES, ALWAYS_ALLOWED):
            raise UnreadableError(f"the archive of {size:,} bytes says that it gives {given:,}")
        return files


@functools.lru_cache(maxsize=2)
def _directory(path: Path, size: int, changed: int) -> zipfile.ZipFile:  # noqa: ARG001  another file has another key
    for encoding in ("cp932", None):
        try:
            return zipfile.ZipFile(path, metadata_encoding=encoding)
        except UnicodeDecodeError:
            continue
    raise zipfile.BadZipFile


def _opened(path: Path) -> zipfile.ZipFile:
    """An archive whose directory is read once, however many of its files are."""
    known = path.stat()
    return _directory(path, known.st_size, known.st_mtime_ns)
