"""labelled: the bytes of a standard-labelled tape one after another, without tape marks, labels among the data.

That is what copying a tape block by block into one file leaves. Follows z/OS DFSMS Using Magnetic Tapes (SC23-6858)
for the labels, which are records of 80 bytes in EBCDIC or ASCII and are removed. Where the data ends nothing says but
the trailer label itself: it repeats bytes 5 to 54 of HDR1 (name, volume, numbers, dates) behind `EOF1` or `EOV1`.
The block count can be checked only for records of fixed length, in blocks that are full but for the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._labels import LABEL, coding_of, describe_labels, read_label, same_count
from extractors.containers.contract import Container, Damaged, Source, pick_number, stream

PIECE = 64 * 1024
REPEATED = slice(4, 54)
MOST_LABELS = 64
HEADERS = ("VOL", "UVL", "HDR", "UHL")
TRAILERS = ("EOF", "EOV", "UTL")
MOST_FILES = 9999


def open_labelled(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Take the labels out and read one data set.

    Raises:
        SpecError: the option has a value that cannot be used.
    """
    return stream(_deliver(Source(raw), pick_number(options, "file", MOST_FILES) or 1))


def _deliver(source: Source, wanted: int) -> Iterator[bytes]:
    first = source.take(LABEL)
    source.give_back(first)
    coding = coding_of(first)
    if coding is None:
        raise Damaged("the file does not begin with a volume label", 0)
    for number in range(1, wanted + 1):
        headers = _labels(source, coding, HEADERS)
        head = next((raw for raw, text in headers if text.startswith("HDR1")), None)
        if head is None:
            raise Damaged(f"the tape has {number - 1} data sets, not {wanted}", source.offset)
        size = 0
        for piece in _data(source, tuple(name.encode(coding) + head[REPEATED] for name in ("EOF1", "EOV1"))):
            size += len(piece)
            if number == wanted:
                yield piece
        at = source.offset
        trailers = [text for _, text in _labels(source, coding, TRAILERS)]
        if number < wanted:
            continue
        said = describe_labels([text for _, text in headers])
        blocks = -(-size // said.blksize) if said.recfm.startswith("F") and said.blksize else None
        if blocks is not None and not same_count(trailers[0], blocks):
            raise Damaged(f"{trailers[0][:4]} counts other blocks than the {blocks} that were read", at)
        if trailers[0].startswith("EOV1"):
            raise Damaged("the data set goes on on another volume", at)
        if said.recfm and not any(text.startswith("EOF2") for text in trailers):
            raise Damaged("EOF2 is missing after EOF1", source.offset)
        _ending(source, coding)


def _data(source: Source, ends: tuple[bytes, ...]) -> Iterator[bytes]:
    held = b""
    keep = len(ends[0]) - 1
    while piece := source.some(PIECE):
        held += piece
        found = [at for at in map(held.find, ends) if at >= 0]
        if found:
            source.give_back(held[min(found) :])
            yield held[: min(found)]
            return
        yield held[:-keep]
        held = held[-keep:]
    # What may be the beginning of a label that was cut off is not handed on as data.
    part = next((n for n in range(len(held), 0, -1) if any(end.startswith(held[-n:]) for end in ends)), 0)
    yield held[: len(held) - part]
    raise Damaged("the file ends before an EOF1 label that belongs to HDR1", source.offset)


def _labels(source: Source, coding: str, kinds: tuple[str, ...]) -> list[tuple[bytes, str]]:
    labels: list[tuple[bytes, str]] = []
    while len(labels) < MOST_LABELS:
        raw = source.take(LABEL)
        text = read_label(raw, coding)
        if text is None or text[:3] not in kinds:
            start = raw[:3].decode(coding, "replace")
            if 0 < len(raw) < LABEL and any(kind.startswith(start) for kind in kinds):
                raise Damaged("the file ends inside a label", source.offset)
            source.give_back(raw)
            break
        labels.append((raw, text))
    return labels


def _ending(source: Source, coding: str) -> None:
    after = source.take(LABEL)
    at = source.offset - len(after)
    # An image may be filled up with zeros, and a further data set may follow.
    if after.strip(b"\0") and read_label(after, coding) is None:
        raise Damaged("what follows the trailer labels is no label", at)


def _recognise(head: bytes) -> bool:
    coding = coding_of(head)
    return coding is not None and read_label(head[LABEL : 2 * LABEL], coding) is not None


CONTAINER = Container(
    name="labelled",
    doc=__doc__ or "",
    options={"file": "which data set of the tape, counted from 1; the first, where it is not given"},
    suffixes=(),
    recognise=_recognise,
    open=open_labelled,
)
