"""A dump -> batches: frame and decode, a buffer of bounded size at a time, every byte accounted for.

A record keeps its number (`_record`, from 1) and its byte offset in the dump (`_offset`) to the end of the pipeline, and
where kinds have parents, the number of the record it belongs to (`_parent`). Records of a known kind come as one batch a
kind and buffer; a record of no known kind is a finding and is counted.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from extractors.batch_findings import BatchFindings
from extractors.character_counts import CODED, CodeCount, tally
from extractors.charsets.contract import Charset
from extractors.decoder import AS_FINDINGS, Blanks
from extractors.framings import odd_cells
from extractors.framings.contract import Framing, Trouble
from extractors.kinds import Chooser, Family, Kind, check_cut, check_families, parted
from extractors.layout import Field, Layout, every_item
from extractors.records import BUFFER, WHOLE, Account, Dump, Records, Slice, frame
from extractors.structure import Observer, Odd, Structure
from extractors.unknown_kinds import UnknownKinds
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, Position, Problem, SpecError, did_you_mean, findings_at

__all__ = ["Account", "Blanks", "Extracted", "Extraction", "Kind", "arrow_schema", "extract"]

BATCH_RECORDS = 16_384
LAID = 16 * 1024 * 1024
"""Bytes that the rows of a batch are laid into."""

RECORD_COLUMNS = ("_record", "_offset", "_parent")
"""The columns of a batch that are no fields of the record, but say which record it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Extracted:
    """Some records of one kind.

    Attributes:
        kind: the kind's name; "" for findings between the records.
        batch: `_record`, `_offset`, `_parent` where the kind has one, then a column a decoded field or list.
        findings: what was odd in them.
        filled: in how many of these records each field, decoded or not, and each list holds anything: a text, list or
            bytes that are not empty, a number that is not zero.
        characters: the characters outside the standard area, by field and code.
    """

    kind: str
    batch: pa.RecordBatch
    findings: pa.RecordBatch
    filled: Mapping[str, int]
    characters: tuple[CodeCount, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    kind: Kind
    structure: Structure
    schema: pa.Schema


class Extraction:
    """The records of a dump, read once, in order. Iterate it, or its slices, once; then `account` is complete."""

    def __init__(
        self,
        dump: Dump,
        readers: Sequence[_Reader],
        chooser: Chooser,
        unknown: UnknownKinds,
        family: Family,
        layout: Layout,
        framing: Framing,
        name: str,
        records: int,
        part: Slice,
        observer: Observer | None,
        only: frozenset[str] | None,
    ) -> None:
        self._observer = observer
        self._only = only
        self._dump = dump
        self._readers = readers
        self._chooser = chooser
        self._unknown = unknown
        self._family = family
        self._layout = layout
        self._framing = framing
        self._name = name
        self._batch_records = records
        self._part = part
        self.account = Account(kinds={reader.kind.name: 0 for reader in readers})

    @property
    def schemas(self) -> Mapping[str, pa.Schema]:
        """The schema of each record kind's batches."""
        return {reader.kind.name: reader.schema for reader in self._readers}

    def __iter__(self) -> Iterator[Extracted]:
        for part in self.slices():
            yield from part

    def slices(self) -> Iterator[tuple[Extracted, ...]]:
        """Give the dump in slices of consecutive records: what was extracted of each kind among them."""
        room = min(max(self._layout.length, 1) * self._batch_records, BUFFER)
        held: Trouble | None = None
        for records in frame(self._dump, self._framing, self._layout, self.account, self._part, buffer_bytes=room):
            troubles = list(records.troubles)
            if not troubles and not len(records.pos):
                continue
            if held is not None and troubles and troubles[0].more:
                troubles[0] = dataclasses.replace(held, skipped=held.skipped + troubles[0].skipped)
            elif held is not None:
                yield (self._troubled([held]),)
            for some in self._even(len(records.pos)):
                yield tuple(self._decode(records.some(some).laid(self._framing, self._layout)))
            # What is wrong at the end of a buffer may go on in the next.
            held = troubles.pop() if troubles else None
            if troubles:
                yield (self._troubled(troubles),)
        if held is not None:
            yield (self._troubled([held]),)

    def _even(self, count: int) -> Iterator[slice]:
        """Cut so many records into batches of about one size: a small last one would cost as much as a whole one."""
        most = self._batch_records
        if self._framing.lay is not None:
            # Rows take more room where they are laid than where they stand.
            most = min(most, max(LAID // max(self._layout.length, 1), 1))
        batches = max((count + most // 2) // most, 1)
        size = max(-(-count // batches), 1)
        return (slice(at, at + size) for at in range(0, count, size))

    def _troubled(self, troubles: Sequence[Trouble]) -> Extracted:
        nothing = pa.nulls(len(troubles), pa.string())
        details = [t.detail + (f"; {t.skipped} bytes skipped" if t.skipped else "") for t in troubles]
        columns = {
            **dict.fromkeys(FINDINGS.names, nothing),
            "code": [t.code for t in troubles],
            "severity": [str(CATALOGUE[t.code].severity) for t in troubles],
            "dump": [self._name] * len(troubles),
            "record": pa.nulls(len(troubles), pa.int64()),
            "offset": [t.at for t in troubles],
            "detail": details,
        }
        return Extracted("", _NO_RECORDS, pa.RecordBatch.from_pydict(columns, schema=FINDINGS), {})

    def _decode(self, records: Records) -> Iterator[Extracted]:
        if self._chooser.always:
            self.account.kinds[self._readers[0].kind.name] += len(records.pos)
            yield self._extract(self._readers[0], records, None)
            return
        kinds = self._chooser.choose(records.data, records.pos, records.limits)
        parents = self._family.parents(kinds, records.numbers) if self._family.any else None
        *parts, lost = parted(kinds, len(self._readers))
        for reader, chosen in zip(self._readers, parts, strict=True):
            if len(chosen) and (self._only is None or reader.kind.name in self._only):
                self.account.kinds[reader.kind.name] += len(chosen)
                some = records if len(chosen) == len(kinds) else records.some(chosen)
                yield self._extract(reader, some, None if parents is None else parents[chosen])
        if len(lost) and self._only is None:
            self.account.of_no_kind += len(lost)
            found = findings_at(
                "F106",
                CATALOGUE["F106"].severity,
                dump=self._name,
                record=records.numbers[lost],
                offset=records.offsets[lost],
                detail=self._unknown.describe(records.data, records.pos[lost], records.limits[lost]),
            )
            yield Extracted("", _NO_RECORDS, found, {})

    def _extract(self, reader: _Reader, records: Records, parents: np.ndarray | None) -> Extracted:
        if self._observer is not None:
            self._observer.begin(reader.kind.name, records.numbers)
        read = reader.structure.read(records.data, records.pos, records.limits)
        first = [pa.array(records.numbers), pa.array(records.offsets)]
        found = BatchFindings(self._name, reader.kind.name, records)
        tallies: list[tuple[Odd, np.ndarray, np.ndarray]] = []
        if reader.kind.parent is not None:
            above = parents if parents is not None else np.zeros(len(records.pos), np.int64)
            first.append(pa.array(above, mask=above == 0))
            found.add("F110", np.flatnonzero(above == 0), detail=f"no {reader.kind.parent} before it")
        batch = pa.RecordBatch.from_arrays([*first, *read.columns], schema=reader.schema)
        for odd in read.odd:
            codes = None
            if odd.flag in CODED and odd.field is not None and odd.decoder is not None and odd.field.is_text:
                codes = odd.decoder.codes(records.data, odd.starts, odd.limits, odd.field, odd.flag)
                tallies.append((odd, *codes))
            if odd.code is not None:
                found.add(odd.code, odd.records, starts=odd.starts, field=odd.name, detail=odd.detail, codes=codes)
        if records.flags is not None:
            for code, rows, name in odd_cells(records.flags, self._layout):
                found.add(code, rows, field=name)
        if not self._framing.padded:
            found.add("D231", read.short)
        if self._framing.exact:
            found.add("D232", self._goes_on(records, read.ends))
        return Extracted(reader.kind.name, batch, found.batch(), read.filled, tally(tallies, records))

    def _goes_on(self, records: Records, ends: np.ndarray) -> np.ndarray:
        """The records that go on after their layout ends, but for a shorter view whose record is filled up for the longest."""
        long = np.flatnonzero(records.limits > ends)
        if not len(long) or not (records.limits - records.pos <= self._layout.length)[long].any():
            return long
        said = np.concatenate((np.zeros(1, np.int64), np.cumsum(_SAYS[records.data])))
        room = records.pos[long] + self._layout.length
        return np.asarray(long[(records.limits[long] > room) | (said[records.limits[long]] > said[ends[long]])])


_SAYS = np.ones(256, np.int64)
_SAYS[[0x00, 0x20, 0x40]] = 0
"""Whether a byte says anything: LOW-VALUES and spaces do not."""

_NO_RECORDS = pa.RecordBatch.from_pydict({name: pa.nulls(0, pa.int64()) for name in ("_record", "_offset")})


def extract(
    dump: Dump,
    *,
    name: str,
    layout: Layout,
    framing: Framing,
    charset: Charset,
    kinds: Sequence[Kind] = (Kind("record"),),
    batch_records: int = BATCH_RECORDS,
    blanks: Blanks = AS_FINDINGS,
    fixed_places: bool = False,
    part: Slice = WHOLE,
    observer: Observer | None = None,
    only: frozenset[str] | None = None,
) -> Extraction:
    """Read a dump.

    Args:
        dump: the bytes, read once from where it stands.
        name: how findings call the dump.
        layout: what a record looks like.
        framing: how records lie in the dump.
        charset: how its text is coded.
        kinds: the record kinds; the first that fits takes a record.
        batch_records: about how many records a batch holds.
        blanks: what a number is whose bytes are all spaces, LOW-VALUES or HIGH-VALUES.
        fixed_places: whether a varying table takes the room of its most occurrences in every record.
        part: the slice to read, at whose first byte the dump stands.
        observer: is shown every value with the bytes it was decoded from, FILLERs too.
        only: the kinds that are decoded, if not all; the account is of these alone then.

    Returns:
        An extraction to iterate.

    Raises:
        SpecError: a kind names a field or group that the layout does not have, or kinds do not fit together.
    """
    check_families(kinds, layout.file)
    readers = [
        _make_reader(kind, layout, charset, blanks, fixed_places=fixed_places, padded=framing.padded, observer=observer)
        for kind in kinds
    ]
    chooser = Chooser(kinds, layout, charset, layout.dialect)
    family = Family(kinds, part.family)
    unknown = UnknownKinds(kinds, layout, charset)
    return Extraction(
        dump, readers, chooser, unknown, family, layout, framing, name, batch_records, part, observer, only
    )


def arrow_schema(layout: Layout, group: str | None = None) -> pa.Schema:
    """The schema of a record kind: every field of the view that is no FILLER, FILLERs too, marked, and its lists.

    Field metadata: `offset` and `width` in bytes, `picture`, `usage`, `line` of the copybook and the whole `place` (file:line:column), `filler` for a FILLER, and
    `occurs` for a field of one occurrence: the tables (OCCURS) that it stands in, the outermost first.
    """
    tables = frozenset(item.name for item in every_item(layout.record) if item.occurs_clause)
    described = functools.partial(_arrow_field, tables=tables)
    everything = Structure(layout.segment(group), lambda _: True, _no_charset(), layout.dialect, AS_FINDINGS, described)
    return pa.schema(everything.schema, metadata={"layout": layout.file})


@functools.cache
def _no_charset() -> Charset:
    return Charset("none", np.zeros(256, np.uint32), np.zeros(65536, np.uint32))


def _arrow_field(field: Field, tables: frozenset[str] = frozenset()) -> pa.Field:
    metadata = {
        "offset": str(field.offset),
        "width": str(field.width),
        "picture": field.picture.text,
        "usage": field.usage,
        "line": str(field.position.line),
        "place": str(field.position),
    }
    if field.asked_only:
        metadata["filler"] = "1"
    if field.subscripts and tables:
        metadata["occurs"] = ",".join(name for name in (*field.within, field.data_name) if name in tables)
    return pa.field(field.name, field.arrow_type, metadata=metadata)


def _make_reader(
    kind: Kind,
    layout: Layout,
    charset: Charset,
    blanks: Blanks,
    *,
    fixed_places: bool,
    padded: bool,
    observer: Observer | None,
) -> _Reader:
    groups = layout.groups()
    if kind.group is not None and kind.group not in groups:
        raise SpecError([_unknown(layout, f"group `{kind.group}` of record kind `{kind.name}`", tuple(groups))])
    segment = layout.segment(kind.group, lists=kind.lists, fixed_places=fixed_places)
    by_name = {field.name: field for field in segment.fields}
    lists = {table.column for table in segment.tables}
    wanted = kind.wanted
    if observer is not None:
        wanted = frozenset((*by_name, *lists))
    elif wanted is None:
        wanted = frozenset(n for n, f in by_name.items() if not f.asked_only) | {n for n in lists if "FILLER@" not in n}
    unknown = sorted(wanted - set(by_name) - lists)
    if unknown:
        allowed = (*by_name, *lists)
        raise SpecError(_unknown(layout, f"field `{name}`", allowed) for name in unknown)
    check_cut(kind, layout)
    wanted |= {name for name, field in by_name.items() if kind.cut & {name, field.data_name}}
    others = tuple(f for f in segment.sections[0].fields if f.name not in wanted and not (f.renames or f.beside))
    structure = Structure(
        segment,
        wanted.__contains__,
        charset,
        layout.dialect,
        blanks,
        _arrow_field,
        fixed_places=fixed_places,
        padded=padded,
        others=others,
        cut=kind.cut,
        observer=observer,
    )
    columns = [pa.field("_record", pa.int64(), nullable=False), pa.field("_offset", pa.int64(), nullable=False)]
    if kind.parent is not None:
        columns.append(pa.field("_parent", pa.int64()))
    return _Reader(kind, structure, pa.schema([*columns, *structure.schema]))


def _unknown(layout: Layout, what: str, allowed: tuple[str, ...]) -> Problem:
    hint = did_you_mean(what.split("`")[1], allowed) if "`" in what else ""
    return Problem("L905", Position(layout.file), f"the layout has no {what}", allowed[:40], hint)
