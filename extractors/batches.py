"""A dump -> batches: frame and decode, a buffer of bounded size at a time, every byte accounted for.

A record keeps its number (`_record`, from 1) and its byte offset in the dump (`_offset`) to the end of the pipeline.
Records of a known kind come as one batch a kind and buffer; a record of no known kind is a finding and is counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from extractors.characters import Charset
from extractors.decoder import Decoder, Oddity, count_filled, make_decoder
from extractors.encode import encode
from extractors.framing import Framing
from extractors.layout import Field, Layout
from extractors.memory import SLACK
from extractors.usage import EXTENDED, UNDEFINED, USER_DEFINED, VARIANT
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Position, Problem, SpecError, finding, findings_at, join_findings

BATCH_RECORDS = 16_384
MAX_BUFFER = 64 * 1024 * 1024
CODED = {UNDEFINED: "undefined", USER_DEFINED: "user-defined", EXTENDED: "extended", VARIANT: "variant"}
"""The flags whose characters are counted, and the area of the code that each means."""

CHARACTERS = {
    "field": pl.String,
    "code": pl.Int64,
    "area": pl.String,
    "count": pl.Int64,
    "record": pl.Int64,
    "offset": pl.Int64,
}
"""A row a code and field: how often it stands there, and the first record and byte offset of such a field."""

NO_CHARACTERS = pl.DataFrame(schema=CHARACTERS)


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A record kind: the records whose `field` holds one of `values`, read as the REDEFINES view `group`.

    A kind without a field takes every record. `wanted` are the fields to decode (None: all but FILLER); the others are
    only looked at for whether they are filled.
    """

    name: str
    field: str | None = None
    values: tuple[str, ...] = ()
    group: str | None = None
    wanted: frozenset[str] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Extracted:
    """Some records of one kind.

    Attributes:
        kind: the kind's name.
        batch: `_record`, `_offset`, then a column a decoded field.
        findings: what was odd in them.
        filled: for each field that was not decoded, in how many of these records it holds anything.
        characters: the characters outside the standard area (schema `CHARACTERS`).
    """

    kind: str
    batch: pa.RecordBatch
    findings: pa.RecordBatch
    filled: Mapping[str, int]
    characters: pl.DataFrame = dataclasses.field(default_factory=lambda: NO_CHARACTERS)


@dataclasses.dataclass(slots=True)
class Account:
    """Where the bytes of a dump went; complete when the extraction has come to its end."""

    bytes: int = 0
    records: int = 0
    of_no_kind: int = 0
    left_over: int = 0
    kinds: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether every record is of a kind, or counted as of none."""
        return self.records == sum(self.kinds.values()) + self.of_no_kind


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    kind: Kind
    decoder: Decoder
    others: tuple[Field, ...]
    schema: pa.Schema
    where: tuple[int, int, np.ndarray] | None


class Extraction:
    """The records of a dump, read once, in order. Iterate it, or its slices, once; then `account` is complete."""

    def __init__(self, dump: BinaryIO, readers: Sequence[_Reader], framing: Framing, name: str, records: int) -> None:
        self._dump = dump
        self._readers = readers
        self._framing = framing
        self._name = name
        self._batch_records = records
        self.account = Account(kinds={reader.kind.name: 0 for reader in readers})

    def __iter__(self) -> Iterator[Extracted]:
        for part in self.slices():
            yield from part

    def slices(self) -> Iterator[tuple[Extracted, ...]]:
        """Give the dump in slices of consecutive records: what was extracted of each kind among them."""
        room = min(max(self._batch_records * self._framing.record_length, 1 << 16), MAX_BUFFER)
        room = max(room, self._framing.record_length)
        carried = b""
        base = 0
        ends = False
        while not ends:
            # A fresh buffer each time: batches may outlive the next read.
            buffer = np.empty(room + len(carried) + 2 * SLACK, np.uint8)
            view = memoryview(buffer)  # type: ignore[arg-type]
            view[SLACK : SLACK + len(carried)] = carried
            got = _read_full(self._dump, view[SLACK + len(carried) : SLACK + len(carried) + room])
            ends = got < room
            stop = SLACK + len(carried) + got
            buffer[:SLACK] = 0
            buffer[stop : stop + SLACK] = 0
            self.account.bytes += got
            framed = self._framing.index(buffer, SLACK, stop, ends)
            first_record = self.account.records + 1
            for at in range(0, len(framed.pos), self._batch_records):
                pos = framed.pos[at : at + self._batch_records]
                numbers = np.arange(first_record + at, first_record + at + len(pos), dtype=np.int64)
                yield tuple(self._decode(buffer, pos, numbers, pos - SLACK + base))
            self.account.records += len(framed.pos)
            carried = bytes(view[SLACK + framed.used : stop])
            base += framed.used
        if carried:
            self.account.left_over = len(carried)
            detail = f"{len(carried)} bytes after {self.account.records} records of {self._framing.record_length}"
            left = finding("F105", CATALOGUE["F105"].severity, dump=self._name, offset=base, detail=detail)
            yield (Extracted("", _NO_RECORDS, left, {}),)

    def _decode(
        self, buffer: np.ndarray, pos: np.ndarray, numbers: np.ndarray, offsets: np.ndarray
    ) -> Iterator[Extracted]:
        free = np.ones(len(pos), np.bool_)
        for reader in self._readers:
            if reader.where is None:
                chosen = free.copy()
            else:
                offset, width, values = reader.where
                cells = buffer[pos[:, None] + np.arange(offset, offset + width)]
                chosen = free & (cells[:, None, :] == values[None, :, :]).all(axis=2).any(axis=1)
            free &= ~chosen
            count = int(chosen.sum())
            if count:
                self.account.kinds[reader.kind.name] += count
                everything = count == len(pos)
                yield _extract(
                    reader,
                    buffer,
                    pos if everything else pos[chosen],
                    numbers if everything else numbers[chosen],
                    offsets if everything else offsets[chosen],
                    self._name,
                )
        if free.any():
            self.account.of_no_kind += int(free.sum())
            severity = CATALOGUE["F106"].severity
            lost = findings_at("F106", severity, dump=self._name, record=numbers[free], offset=offsets[free])
            yield Extracted("", _NO_RECORDS, lost, {})


_NO_RECORDS = pa.RecordBatch.from_pydict({"_record": pa.array([], pa.int64()), "_offset": pa.array([], pa.int64())})


def extract(
    dump: BinaryIO,
    *,
    name: str,
    layout: Layout,
    framing: Framing,
    charset: Charset,
    kinds: Sequence[Kind] = (Kind("record"),),
    batch_records: int = BATCH_RECORDS,
) -> Extraction:
    """Read a dump.

    Args:
        dump: the bytes, read once from where it stands.
        name: how findings call the dump.
        layout: what a record looks like.
        framing: how records lie in the dump.
        charset: how its text is coded.
        kinds: the record kinds; the first that fits takes a record.
        batch_records: how many records a batch holds at most.

    Returns:
        An extraction to iterate.

    Raises:
        SpecError: a kind names a field or group that the layout does not have.
    """
    readers = [_make_reader(kind, layout, charset) for kind in kinds]
    return Extraction(dump, readers, framing, name, batch_records)


def arrow_schema(layout: Layout, group: str | None = None) -> pa.Schema:
    """The schema of a record kind: every field of the view that is no FILLER, and FILLERs too, marked.

    Field metadata: `offset` and `width` in bytes, `picture`, `usage`, `line` of the copybook, `filler` for a FILLER.
    """
    return pa.schema([_arrow_field(field) for field in layout.fields(group)], metadata={"layout": layout.file})


def _arrow_field(field: Field) -> pa.Field:
    metadata = {
        "offset": str(field.offset),
        "width": str(field.width),
        "picture": field.picture.text,
        "usage": field.usage,
        "line": str(field.position.line),
    }
    if field.filler:
        metadata["filler"] = "1"
    return pa.field(field.name, field.arrow_type, metadata=metadata)


def _make_reader(kind: Kind, layout: Layout, charset: Charset) -> _Reader:
    groups = layout.groups()
    if kind.group is not None and kind.group not in groups:
        raise SpecError([_unknown(layout, f"group `{kind.group}` of record kind `{kind.name}`", tuple(groups))])
    fields = layout.fields(kind.group)
    by_name = {field.name: field for field in fields}
    where = None
    if kind.field is not None:
        if kind.field not in by_name:
            raise SpecError([_unknown(layout, f"field `{kind.field}` of record kind `{kind.name}`", tuple(by_name))])
        field = by_name[kind.field]
        column = kind.values if field.arrow_type == pa.string() else tuple(int(value) for value in kind.values)
        placed = dataclasses.replace(field, offset=0)
        values = encode(
            [placed],
            {field.name: pa.array(column)},
            charset=charset,
            length=field.width,
            count=len(column),
        )
        where = (field.offset, field.width, values)
    if kind.wanted is None:
        wanted = [f for f in fields if not f.filler]
    else:
        unknown = sorted(kind.wanted - set(by_name))
        if unknown:
            raise SpecError(_unknown(layout, f"field `{name}`", tuple(by_name)) for name in unknown)
        wanted = [f for f in fields if f.name in kind.wanted]
    schema = pa.schema(
        [pa.field("_record", pa.int64(), nullable=False), pa.field("_offset", pa.int64(), nullable=False)]
        + [_arrow_field(field) for field in wanted]
    )
    names = {f.name for f in wanted}
    others = tuple(f for f in fields if f.name not in names)
    return _Reader(kind, make_decoder(wanted, charset), others, schema, where)


def _unknown(layout: Layout, what: str, allowed: tuple[str, ...]) -> Problem:
    return Problem("L905", Position(layout.file), f"the layout has no {what}", allowed[:40])


def _extract(
    reader: _Reader, buffer: np.ndarray, pos: np.ndarray, numbers: np.ndarray, offsets: np.ndarray, name: str
) -> Extracted:
    decoded = reader.decoder.decode(buffer, pos)
    batch = pa.RecordBatch.from_arrays([pa.array(numbers), pa.array(offsets), *decoded.columns], schema=reader.schema)
    findings: list[pa.RecordBatch] = []
    characters: list[pl.DataFrame] = []
    for oddity in decoded.oddities:
        detail = None
        if oddity.flag in CODED and oddity.field.arrow_type == pa.string():
            starts = pos[oddity.rows] + oddity.field.offset
            at, codes = reader.decoder.codes(buffer, starts, oddity.field, oddity.flag)
            detail = _join_codes(at, codes, len(oddity.rows)) if oddity.code is not None else None
            characters.append(_tally(oddity, codes, numbers[oddity.rows][at], offsets[oddity.rows][at]))
        if oddity.code is not None:
            findings.append(
                findings_at(
                    oddity.code,
                    CATALOGUE[oddity.code].severity,
                    dump=name,
                    kind=reader.kind.name,
                    record=numbers[oddity.rows],
                    offset=offsets[oddity.rows] + oddity.field.offset,
                    field=oddity.field.name,
                    detail=detail,
                )
            )
    filled = {field.name: count_filled(buffer, pos, field) for field in reader.others}
    return Extracted(
        reader.kind.name,
        batch,
        join_findings(findings),
        filled,
        pl.concat(characters) if characters else NO_CHARACTERS,
    )


def _tally(oddity: Oddity, codes: np.ndarray, numbers: np.ndarray, offsets: np.ndarray) -> pl.DataFrame:
    distinct, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return pl.DataFrame(
        {
            "field": [oddity.field.name] * len(distinct),
            "code": distinct,
            "area": [CODED[oddity.flag]] * len(distinct),
            "count": counts.astype(np.int64),
            "record": numbers[first],
            "offset": offsets[first] + oddity.field.offset,
        },
        schema=CHARACTERS,
    )


_HEX = pl.Series(
    [f"{code:02X}" for code in range(256)] + [f"{code:04X}" for code in range(256, 65536)], dtype=pl.String
)


def _join_codes(at: np.ndarray, codes: np.ndarray, count: int) -> pa.Array:
    """The codes of each row as hexadecimal words, in the order of the text."""
    joined = (
        pl.DataFrame({"at": at, "code": _HEX.gather(codes)})
        .group_by("at", maintain_order=True)
        .agg(pl.col("code").str.join(" "))
    )
    every = pl.DataFrame({"at": np.arange(count, dtype=np.int64)}).join(
        joined, on="at", how="left", maintain_order="left"
    )
    return every["code"].to_arrow().cast(pa.string())


def _read_full(dump: BinaryIO, view: memoryview) -> int:
    """Fill the view; fewer bytes mean that the dump has ended."""
    got = 0
    while got < len(view):
        count = dump.readinto(view[got:])  # type: ignore[attr-defined]
        if not count:
            break
        got += count
    return got
