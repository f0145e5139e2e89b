"""xmi: a file as the TSO/E command TRANSMIT writes it (NETDATA), in EBCDIC.

Follows z/OS TSO/E Customization (SA32-0976), Format of transmitted data. Records are cut into segments of at most 255
bytes, each after its length and a byte of flags; control records INMR01 to INMR06 tell what the data records are.
Only sequential data sets are read. Records of fixed length are delivered one after the other; others have no limits
of their own in the transmission, so each is delivered after a record descriptor word of 4 bytes, as in a dump of
RECFM V. A library member (an unload by IEBCOPY) and an enciphered file are refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers.contract import Container, Damaged, Source, pick, pick_number, stream

FIRST, LAST, CONTROL, NUMBER, RESERVED = 0x80, 0x40, 0x20, 0x10, 0x0F
LONGEST_RECORD = 32760
MOST_FILES = 255
CODING = "cp037"
BEGINNING = "INMR01".encode(CODING)
DSNAME, MESSAGE, DSORG, LRECL, RECFM, UTILITY = 0x0002, 0x0028, 0x003C, 0x0042, 0x0049, 0x1028
PARTITIONED = 0x0200
FORMAT, FIXED = 0xC000, 0x8000


@dataclasses.dataclass(frozen=True, slots=True)
class _Record:
    control: bool
    data: bytes
    offset: int


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    """A file of the transmission, as its INMR02 records describe it."""

    dataset: str
    message: bool
    partitioned: bool
    utilities: frozenset[str]
    fixed: bool
    lrecl: int
    offset: int


def open_xmi(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Read the records of one data set.

    Raises:
        SpecError: an option has a value that cannot be used.
    """
    wanted = pick_number(options, "file", MOST_FILES)
    records = pick(options, "records", ("auto", "joined", "rdw"), "auto")
    return stream(_deliver(Source(raw), wanted, records))


def _deliver(source: Source, wanted: int | None, limits: str) -> Iterator[bytes]:
    files: dict[int, _File] = {}
    current = 0
    chosen: tuple[int, _File] | None = None
    for count, record in enumerate(_records(source)):
        name = record.data[:6].decode(CODING) if record.control else ""
        if not count and name != "INMR01":
            raise Damaged("the transmission does not begin with INMR01", record.offset)
        if name == "INMR02":
            _add(files, record)
        elif name == "INMR06":
            break
        elif name == "INMR03" or (not record.control and not current):
            if chosen is not None and current == chosen[0]:
                return
            chosen = chosen or _choose(files, wanted, record.offset)
            current += 1
        if not record.control and chosen is not None and current == chosen[0]:
            yield from _limited(record, chosen[1], limits)
    else:
        raise Damaged("the transmission ends before INMR06", source.offset)
    if chosen is None or current < chosen[0]:
        raise Damaged("the transmission holds no data of the file", source.offset)


def _limited(record: _Record, file: _File, limits: str) -> Iterator[bytes]:
    # Writers other than TRANSMIT send several records of fixed length as one.
    step = file.lrecl if file.fixed and file.lrecl else max(len(record.data), 1)
    if len(record.data) % step or (file.fixed and not record.data):
        raise Damaged(f"a record has {len(record.data)} bytes where all have {file.lrecl}", record.offset)
    for at in range(0, max(len(record.data), 1), step):
        data = record.data[at : at + step]
        if limits == "rdw" or (limits == "auto" and not file.fixed):
            yield (len(data) + 4 << 16).to_bytes(4, "big")
        yield data


def _choose(files: Mapping[int, _File], wanted: int | None, offset: int) -> tuple[int, _File]:
    data = [number for number, file in files.items() if not file.message]
    if wanted is None and len(data) != 1:
        names = ", ".join(f"{number} {files[number].dataset}" for number in data[:20])
        raise Damaged(f"the transmission has {len(data)} files: say which by the option file ({names})", offset)
    number = data[0] if wanted is None else wanted
    file = files.get(number)
    if file is None:
        raise Damaged(f"the transmission has {len(files)} files, not {number}", offset)
    if "AMSCIPHR" in file.utilities:
        raise Damaged("the file is enciphered: it has to be deciphered where it comes from", file.offset)
    if file.partitioned or file.utilities != {"INMCOPY"}:
        raise Damaged(
            "the file is an unloaded library: transmit the member itself as a sequential data set", file.offset
        )
    return number, file


def _add(files: dict[int, _File], record: _Record) -> None:
    units = _units(record.data[10:])
    number = int.from_bytes(record.data[6:10], "big")
    if units is None or not 1 <= number <= MOST_FILES:
        raise Damaged("an INMR02 record is broken", record.offset)
    utility = _text(units, UTILITY).strip().upper()
    before = files.get(number)
    recfm = _number(units, RECFM)
    files[number] = _File(
        dataset=".".join(value.decode(CODING) for value in units.get(DSNAME, ())[:22]),
        message=MESSAGE in units,
        partitioned=bool(_number(units, DSORG) & PARTITIONED),
        utilities=(before.utilities if before else frozenset()) | {utility},
        fixed=recfm & FORMAT == FIXED,
        lrecl=_number(units, LRECL),
        offset=before.offset if before else record.offset,
    )


def _units(data: bytes) -> dict[int, list[bytes]] | None:
    units: dict[int, list[bytes]] = {}
    at = 0
    while at < len(data):
        key, count = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
        values: list[bytes] = []
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            values.append(data[at + 2 : at + 2 + size])
            at += 2 + size
            if at > len(data):
                return None
        units[key] = values
    return units if at == len(data) else None


def _text(units: Mapping[int, list[bytes]], key: int) -> str:
    return b"".join(units.get(key, ())[:1]).decode(CODING)


def _number(units: Mapping[int, list[bytes]], key: int) -> int:
    return int.from_bytes(b"".join(units.get(key, ())[:1])[:8], "big")


def _records(source: Source) -> Iterator[_Record]:
    parts: list[bytes] = []
    size = kind = start = 0
    while header := source.take(2):
        at = source.offset - len(header)
        if len(header) < 2:
            raise Damaged("the transmission ends inside a segment", source.offset)
        length, flags = header[0] - 2, header[1]
        if length < 0 or flags & RESERVED or bool(flags & FIRST) == bool(parts):
            raise Damaged("no segment of a transmission stands here", at)
        if flags & FIRST:
            start, size, kind = at, 0, flags & (CONTROL | NUMBER)
        data = source.take(length) if length else b""
        if len(data) < length:
            raise Damaged("the transmission ends inside a segment", source.offset)
        size += length
        if flags & (CONTROL | NUMBER) != kind or size > LONGEST_RECORD:
            raise Damaged("a record of the transmission has no end", at)
        parts.append(data)
        if flags & LAST:
            # A record's number is not part of the data.
            if not kind & NUMBER:
                yield _Record(bool(kind & CONTROL), b"".join(parts), start)
            parts = []
        elif len(parts) > LONGEST_RECORD:
            raise Damaged("a record of the transmission has no end", at)


CONTAINER = Container(
    name="xmi",
    doc=__doc__ or "",
    options={
        "file": "which file of the transmission, counted from 1; the only one, where it is not given",
        "records": "joined, rdw: each after a record descriptor word, or auto: joined where their length is fixed",
    },
    suffixes=(".xmi", ".xmit"),
    recognise=lambda head: head[2:8] == BEGINNING and len(head) > 8 and bool(head[1] & CONTROL),
    open=open_xmi,
)
