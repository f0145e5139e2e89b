"""zip: one file of an archive, stored or deflated, with its checksum and length.

Follows APPNOTE.TXT 6.3, as far as the standard library reads an archive's directory. Nothing is written to disk. The
directory stands at the archive's end: an archive that was cut has none, and nothing of it can be delivered; and one
that lies in another container cannot be sought, and is refused. Names that are not marked as Unicode are read as
Shift_JIS (CP932) where that is possible, as the archivers of Japanese desktops write them.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast

from extractors.containers._compressed import Inflater, Members, Pull, exactly
from extractors.containers.contract import Container, Damaged, refuse, stream
from migration_reports.findings import did_you_mean

LARGEST_DIRECTORY = 16 * 1024 * 1024
LOCAL_HEADER = 30
ENCRYPTED = 0x2041
"""Bits of the general purpose flags: encrypted, strongly, with a masked directory."""
SHOWN = 20
DIRECTORY_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    struct.error,
    ValueError,
    OverflowError,
    IndexError,
    EOFError,
    OSError,
)


class _Bounded(io.RawIOBase):
    """The archive as the standard library may see it: it reads a directory of whatever size the archive claims."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def read(self, size: int = -1, /) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise zipfile.BadZipFile(f"its directory is larger than {LARGEST_DIRECTORY:,} bytes")
        return self._raw.read(LARGEST_DIRECTORY if size < 0 else size)


def open_zip(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Find the file in the archive and read it.

    Raises:
        SpecError: no file of that name, or several and none chosen, or an archive that cannot be sought.
    """
    if not raw.seekable():
        raise refuse("container", "zip", (), "a zip archive inside another container has to be taken out of it first")
    try:
        files = _files(raw)
        if not files:
            raise Damaged("the zip archive holds no file", 0)
    except Damaged as damage:
        return stream(_raising(damage))
    names = tuple(file.filename for file in files)
    wanted = options.get("member", names[0] if len(names) == 1 else None)
    if wanted is None:
        raise refuse("member", "", names[:SHOWN], f"the archive holds {len(names)} files: say which")
    if wanted not in names:
        raise refuse("member", wanted, names[:SHOWN], did_you_mean(wanted, names[:1000]))
    # Of files of one name the last stands, as archivers that append do it.
    return stream(_contents(raw, next(file for file in reversed(files) if file.filename == wanted)))


def _files(raw: BinaryIO) -> list[zipfile.ZipInfo]:
    problem = ""
    for encoding in ("cp932", None):
        raw.seek(0)
        try:
            with zipfile.ZipFile(cast(BinaryIO, _Bounded(raw)), metadata_encoding=encoding) as archive:
                return [file for file in archive.infolist() if not file.is_dir()]
        except UnicodeDecodeError:
            continue
        except DIRECTORY_ERRORS as error:
            problem = str(error)
            break
    raise Damaged(f"the zip archive has no directory at its end that can be read: {problem}", raw.seek(0, 2))


def _raising(damage: Damaged) -> Iterator[bytes]:
    raise damage
    yield b""


def _contents(raw: BinaryIO, file: zipfile.ZipInfo) -> Iterator[bytes]:
    at = file.header_offset
    if file.flag_bits & ENCRYPTED:
        raise Damaged("the file in the zip archive is encrypted: it has to be decrypted first", at)
    if file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Damaged(f"the file in the zip archive is compressed by method {file.compress_type}, not 0 or 8", at)
    size = raw.seek(0, 2)
    if not 0 <= at <= size - LOCAL_HEADER:
        raise Damaged("the zip archive's directory points outside of it", size)
    raw.seek(at)
    header = raw.read(LOCAL_HEADER)
    if not header.startswith(b"PK\3\4"):
        raise Damaged("the file's header in the zip archive is broken", at)
    start = at + LOCAL_HEADER + sum(struct.unpack("<HH", header[26:30]))
    raw.seek(start)
    yield from exactly(raw, lambda pieces: _checked(_limited(pieces, file.compress_size), file, start), start)


def _limited(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    while size and (piece := next(pieces, b"")):
        yield piece[:size]
        size -= min(size, len(piece))


def _checked(pieces: Iterator[bytes], file: zipfile.ZipInfo, start: int) -> Pull:
    inside = (
        Members(pieces, "deflate", lambda: Inflater(-zlib.MAX_WBITS), (zlib.error,), None, start)
        if file.compress_type == zipfile.ZIP_DEFLATED
        else _stored(pieces)
    )
    end = start + file.compress_size
    length = checksum = 0

    def pull(wanted: int) -> bytes:
        nonlocal length, checksum
        piece = inside(wanted)
        length += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if length > file.file_size or (not piece and length < file.file_size):
            raise Damaged(f"the file in the zip archive has not the {file.file_size} bytes of its directory", end)
        if not piece and checksum != file.CRC:
            raise Damaged("the file in the zip archive has another checksum than its directory says", end)
        return piece

    return pull


def _stored(pieces: Iterator[bytes]) -> Pull:
    left = b""

    def pull(wanted: int) -> bytes:
        nonlocal left
        left = left or next(pieces, b"")
        piece, left = left[:wanted], left[wanted:]
        return piece

    return pull


CONTAINER = Container(
    name="zip",
    doc=__doc__ or "",
    options={"member": "name of the file in the archive; the only one, where it is not given"},
    suffixes=(".zip",),
    recognise=lambda head: head.startswith(b"PK\3\4"),
    open=open_zip,
)
