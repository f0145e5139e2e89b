"""Tape images: the blocks and tape marks of a virtual tape, the files between them, and what their labels say.

An image is a row of chunks, each after a header of 6 bytes: its length and that of the chunk before (both
little-endian, in bytes) and two bytes of flags. A block is one chunk or several; a tape mark is a header without data.
Follows what P/390 and Hercules write (AWSTAPE, and HET where blocks are compressed), and for labels
z/OS DFSMS Using Magnetic Tapes (SC23-6858). The length of the chunk before is not checked: writers differ in it.
"""

from __future__ import annotations

import bz2
import dataclasses
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from extractors.containers._labels import (
    LABEL,
    Described,
    coding_of,
    describe_labels,
    may_be_label,
    read_label,
    same_count,
)
from extractors.containers.contract import Damaged, Source, pick, pick_number, stream

HEADER = 6
FIRST, MARK, LAST = 0x80, 0x40, 0x20
COMPRESSED, ZLIB, BZIP2 = 0x03, 0x01, 0x02
FOREIGN = 0x80
"""In the second byte of flags: compressed by a product whose format is not published."""
LARGEST_BLOCK = 2 * 1024 * 1024
"""Bytes of a block, above all that tape drives write."""
MOST_LABELS = 64
MOST_FILES = 9999
"""The file sequence number of a label has four digits."""
SHORT_WORD = 32760
"""The longest block that a block descriptor word of the short form may describe."""
OPTIONS = {
    "file": "which file of the tape, counted from 1 without the labels",
    "labels": "standard, none, or auto: standard where the tape begins with VOL1",
    "blocks": "joined, or bdw: each block after a block descriptor word of 4 bytes",
}


@dataclasses.dataclass(frozen=True, slots=True)
class TapeFile:
    """A file of a tape.

    Attributes:
        number: counted from 1; label groups are not counted.
        dataset: its name, empty where there is no label (as in all that labels say).
        recfm: the record format as JCL spells it.
        blksize: bytes of the longest block, 0 where it is not said.
        lrecl: bytes of a record, 0 where it is not said.
        blocks: how many were read.
        bytes: how many were read.
        damage: what is wrong with it; empty where nothing is.
    """

    number: int
    dataset: str
    recfm: str
    blksize: int
    lrecl: int
    blocks: int
    bytes: int
    damage: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Block:
    """A block, or a tape mark (`data` is None); `damage` where it was cut and this is its beginning."""

    data: bytes | None
    offset: int
    damage: Damaged | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Begin:
    labels: Described


@dataclasses.dataclass(frozen=True, slots=True)
class _End:
    damage: Damaged | None


_Event = _Begin | _End | bytes


def open_tape(raw: BinaryIO, options: Mapping[str, str], compressed: bool) -> BinaryIO:
    """Read one file of a tape image.

    Args:
        raw: the image.
        options: those of `OPTIONS`.
        compressed: whether its blocks may be compressed.

    Raises:
        SpecError: an option has a value that cannot be used.
    """
    wanted = pick_number(options, "file", MOST_FILES)
    labels = pick(options, "labels", ("auto", "none", "standard"), "auto")
    words = pick(options, "blocks", ("joined", "bdw"), "joined") == "bdw"
    return stream(_deliver(_Walk(raw, labels, compressed), wanted, words))


def describe(raw: BinaryIO) -> tuple[TapeFile, ...]:
    """List the files of a tape image of either format, up to where it is damaged."""
    files: list[TapeFile] = []
    labels: Described | None = None
    blocks = size = 0
    trouble = ""
    try:
        for event in _Walk(raw, "auto", compressed=True):
            if isinstance(event, _Begin):
                labels, blocks, size = event.labels, 0, 0
            elif isinstance(event, _End):
                damage = "" if event.damage is None else str(event.damage)
                files.append(_file(len(files) + 1, labels, blocks, size, damage))
                labels = None
            else:
                blocks += 1
                size += len(event)
    except Damaged as damage:
        trouble = f"{damage} (at byte {damage.offset})"
    if trouble:
        files.append(_file(len(files) + 1, labels, blocks if labels else 0, size if labels else 0, trouble))
    return tuple(files)


def chain(head: bytes) -> tuple[bool, bool]:
    """Look at the chunk headers within a file's beginning.

    Returns:
        Whether they are those of a tape image, and whether one of its blocks is compressed.
    """
    at = before = 0
    packed = False
    while at + HEADER <= len(head):
        header = head[at : at + HEADER]
        if at and not header.strip(b"\0"):
            break
        length, previous, flags, foreign = _header(header)
        if previous != before or foreign or not _valid(length, flags) or (not at and (not length or not flags & FIRST)):
            return False, False
        packed = packed or bool(flags & COMPRESSED)
        before = length
        at += HEADER + length
    return at > 0, packed


def _file(number: int, labels: Described | None, blocks: int, size: int, damage: str) -> TapeFile:
    said = labels or Described()
    return TapeFile(number, said.dataset, said.recfm, said.blksize, said.lrecl, blocks, size, damage)


def _header(header: bytes) -> tuple[int, int, int, int]:
    return int.from_bytes(header[:2], "little"), int.from_bytes(header[2:4], "little"), header[4], header[5]


def _valid(length: int, flags: int) -> bool:
    known = not flags & ~(FIRST | MARK | LAST | COMPRESSED) and flags & COMPRESSED != COMPRESSED
    return known and (flags == MARK and not length if flags & MARK else bool(length))


def _deliver(tape: _Walk, wanted: int | None, words: bool) -> Iterator[bytes]:
    number = 0
    for event in tape:
        if isinstance(event, _Begin):
            number += 1
            if number > (wanted or 1):
                raise Damaged("the tape has more than one file: say which by the option file", tape.source.offset)
        elif number != (wanted or 1):
            continue
        elif isinstance(event, _End):
            if event.damage is not None:
                raise event.damage
            # Without labels nothing says which file is meant, so a further one must be looked for.
            if wanted is not None or tape.labelled:
                return
        else:
            if words:
                yield _word(len(event))
            yield event
    if number < (wanted or 1):
        raise Damaged(f"the tape has {number} files, not {wanted or 1}", tape.source.offset)


def _word(length: int) -> bytes:
    length += 4
    # The long form has its first bit set, and all others for the length; the short form has 15 bits and 2 zero bytes.
    return (length | 1 << 31 if length > SHORT_WORD else length << 16).to_bytes(4, "big")


class _Walk:
    """The files of a tape, as events: a file begins, its blocks, it ends."""

    def __init__(self, raw: BinaryIO, labels: str, compressed: bool) -> None:
        self.source = Source(raw)
        self.labelled = labels == "standard"
        self._auto = labels == "auto"
        self._compressed = compressed
        self._count_read = 0
        self._blocks = self._read()

    def __iter__(self) -> Iterator[_Event]:
        first = next(self._blocks, None)
        if first is None:
            raise Damaged("the tape image is empty", 0)
        coding = coding_of(first.data) if first.data is not None and len(first.data) == LABEL else None
        if self._auto:
            self.labelled = coding is not None
            if first.damage is not None and first.data is not None and may_be_label(first.data):
                raise first.damage
        if not self.labelled:
            return self._plain(first)
        if coding is None:
            raise Damaged("the tape does not begin with a volume label", first.offset)
        return self._standard(first, coding)

    def _plain(self, block: _Block | None) -> Iterator[_Event]:
        # Some unlabelled tapes have a tape mark before their first file.
        if block is not None and block.data is None:
            block = next(self._blocks, None)
        number = 0
        while block is not None and block.data is not None:
            number += 1
            self._count(number)
            yield _Begin(Described())
            yield from self._data(block)
            yield _End(None)
            block = next(self._blocks, None)

    def _standard(self, block: _Block | None, coding: str) -> Iterator[_Event]:
        number = 0
        while block is not None and block.data is not None:
            number += 1
            self._count(number)
            headers = self._labels(block, coding)
            yield _Begin(describe_labels([text for text, _ in headers]))
            yield from self._data(self._next())
            trailers = self._labels(self._next(), coding)
            yield _End(_trailing(trailers, self._count_read, self.source.offset))
            block = next(self._blocks, None)

    def _count(self, number: int) -> None:
        if number > MOST_FILES:
            raise Damaged(f"the tape has more than {MOST_FILES} files", self.source.offset)

    def _next(self) -> _Block:
        block = next(self._blocks, None)
        if block is None:
            raise Damaged("the tape image ends before the tape mark that ends a file", self.source.offset)
        return block

    def _data(self, block: _Block) -> Iterator[bytes]:
        self._count_read = 0
        while block.data is not None:
            if block.data:
                yield block.data
            if block.damage is not None:
                raise block.damage
            self._count_read += 1
            block = self._next()

    def _labels(self, block: _Block, coding: str) -> list[tuple[str, int]]:
        labels: list[tuple[str, int]] = []
        while block.data is not None:
            text = None if block.damage else read_label(block.data, coding)
            if text is None:
                raise block.damage or Damaged("a block among the labels is no label", block.offset)
            if len(labels) == MOST_LABELS:
                raise Damaged(f"more than {MOST_LABELS} labels stand in a row", block.offset)
            labels.append((text, block.offset))
            block = self._next()
        return labels

    def _read(self) -> Iterator[_Block]:
        source = self.source
        while header := source.take(HEADER):
            at = source.offset - len(header)
            # What was allocated for an image and never written is zeros.
            if not header.strip(b"\0"):
                return
            if len(header) < HEADER:
                raise Damaged("the tape image ends inside a block's header", source.offset)
            length, _, flags, foreign = _header(header)
            self._judge(at, length, flags, foreign)
            if flags & MARK:
                yield _Block(None, at)
                continue
            if not flags & FIRST:
                raise Damaged("a block of the tape image has no beginning", at)
            yield self._block(at, length, flags)

    def _judge(self, at: int, length: int, flags: int, foreign: int) -> None:
        if foreign & FOREIGN:
            raise Damaged("a block of the tape image is compressed in a way that is not published", at)
        if foreign or not _valid(length, flags):
            raise Damaged("no block of a tape image begins here", at)
        if flags & COMPRESSED and not self._compressed:
            raise Damaged("a block of the tape image is compressed: the container is het, not awstape", at)

    def _block(self, at: int, length: int, flags: int) -> _Block:
        source = self.source
        method = flags & COMPRESSED
        parts: list[bytes] = []
        size = 0
        while True:
            part = source.take(length)
            parts.append(part)
            size += len(part)
            if len(part) < length:
                cut = Damaged("the tape image ends inside a block", source.offset)
                return _Block(b"" if method else b"".join(parts), at, cut)
            if flags & LAST:
                break
            header = source.take(HEADER)
            here = source.offset - len(header)
            damage = None
            if len(header) < HEADER:
                damage = Damaged("the tape image ends inside a block", source.offset)
            else:
                length, _, flags, foreign = _header(header)
                try:
                    self._judge(here, length, flags, foreign)
                except Damaged as wrong:
                    damage = wrong
                if damage is None and (flags & (FIRST | MARK) or flags & COMPRESSED != method):
                    damage = Damaged("a block of the tape image has no end", here)
                if damage is None and size + length > LARGEST_BLOCK:
                    damage = Damaged(f"a block of the tape image is longer than {LARGEST_BLOCK:,} bytes", here)
            if damage is not None:
                return _Block(b"" if method else b"".join(parts), at, damage)
        data = b"".join(parts)
        return _Block(data, at) if not method else _unpacked(data, method, at)


def _unpacked(data: bytes, method: int, at: int) -> _Block:
    inside = zlib.decompressobj() if method == ZLIB else bz2.BZ2Decompressor()
    try:
        out = inside.decompress(data, LARGEST_BLOCK + 1)
    except (zlib.error, OSError, ValueError) as error:
        return _Block(b"", at, Damaged(f"a block of the tape image cannot be decompressed: {error}", at))
    if len(out) > LARGEST_BLOCK:
        return _Block(b"", at, Damaged(f"a block of the tape image is longer than {LARGEST_BLOCK:,} bytes", at))
    if not inside.eof:
        return _Block(out, at, Damaged("a compressed block of the tape image is not whole", at))
    return _Block(out, at)


def _trailing(labels: Sequence[tuple[str, int]], blocks: int, offset: int) -> Damaged | None:
    for text, at in labels:
        if text[:4] not in ("EOF1", "EOV1"):
            continue
        if not same_count(text, blocks):
            return Damaged(f"{text[:4]} counts other blocks than the {blocks} that were read", at)
        if text[:4] == "EOV1":
            return Damaged("the data set goes on on another volume", at)
        return None
    return Damaged("no EOF1 label follows the data", offset)
