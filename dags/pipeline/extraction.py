"""A slice of a dump through the reader and the mapping: rows and findings into a sink, and what was counted."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from dags.pipeline.controls.counting import Counting
from dags.pipeline.receiving.per_file import FileCounts
from dags.pipeline.town import Municipality
from extractors.batches import Extracted, extract
from extractors.character_counts import CodeCount, added
from extractors.context.standing import Standing, beside
from extractors.records import WHOLE, Slice
from extractors.stream import DumpStream
from mappings.engine import Mapped, Mapper, Tally
from mappings.hits import batch_of
from mappings.leaving import spared, untaken_of
from migration_reports.findings import RunError, count_errors, join_findings, no_findings
from migration_reports.records.counted import Bytes, Met, PartMade, SliceAccount, part_key
from validators.tally import Tally as DumpTally

log = logging.getLogger("hikkoshi")

PROGRESS_SECONDS = 5.0

BATCH_RECORDS = 32_768
"""Larger than the reader's own: planning a mapping query costs the same for any number of rows."""

BATCH_ROWS = 524_288
"""Rows that the occurrences of a batch's records may become: more would take memory, and gain no time."""


class Linker(Protocol):
    """What knows the files beside a dump."""

    def link(self, kind: str, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Add to records of a kind the files that they name; gives them, and what was found of the files."""


class Sink(Protocol):
    """What takes the rows and findings of a slice."""

    def write(self, mapped: Mapped) -> None:
        """Take what a batch gives."""

    def write_looked_at(self, source: str, rows: pa.RecordBatch) -> None:
        """Take records that parts look at."""

    def write_findings(self, found: pa.RecordBatch) -> None:
        """Take findings."""


class Counts:
    """What the parts made of records, added up; stops a run that goes wrong too often.

    Args:
        municipality: whose limits hold.
    """

    def __init__(self, municipality: Municipality) -> None:
        self._systems = {dump: municipality.folder.of_dump(dump) for dump in municipality.dumps}
        self._limits = {
            (part.table, part.number, column.name): column
            for plan in municipality.plans.values()
            for part in plan.parts
            for column in part.columns
            if column.stop_after is not None
        }
        self._errors: Counter[str] = Counter()
        self._made: dict[str, PartMade] = {}

    @property
    def made(self) -> Mapping[str, PartMade]:
        """What each part made so far."""
        return self._made

    def of(self, table: str, number: int) -> PartMade:
        """What a part made so far."""
        return self._made.get(part_key(table, number), PartMade())

    def add(self, table: str, number: int, tally: Tally) -> None:
        """Add what a part made of some records.

        Raises:
            RunError: a column had more wrong values than its `stop_after` allows.
        """
        some = PartMade(candidates=tally.candidates, rows=tally.rows, wrong=tally.wrong, unknown=tally.unknown)
        made = self._made[part_key(table, number)] = PartMade.total((self.of(table, number), some))
        for column, count in made.wrong.items():
            limit = self._limits.get((table, number, column))
            if limit is not None and limit.stop_after is not None and count > limit.stop_after:
                raise RunError(
                    f"{limit.place}: column {column} of {table} has {count:,} wrong values, and stop_after is "
                    f"{limit.stop_after:,}; nothing was promoted. Mend the mapping or the dump, and run again."
                )

    def add_errors(self, dump: str, found: pa.RecordBatch) -> None:
        """Add a batch's errors to those of its dump's system.

        Raises:
            RunError: there are more than the manifest's `stop_after` allows.
        """
        system = self._systems[dump]
        limit = system.manifest.limits.stop_after
        if limit is None or not found.num_rows:
            return
        self._errors[system.name] += count_errors(found)
        if self._errors[system.name] > limit:
            raise RunError(
                f"{self._errors[system.name]:,} errors, and limits: stop_after in the manifest is {limit:,}; nothing was "
                "promoted. `hikkoshi diagnose` and `hikkoshi profile` help to find out why."
            )


class Notes:
    """What is noted of a dump's fields and characters while it is read."""

    def __init__(self) -> None:
        self._filled: dict[str, dict[str, int]] = {}
        self._characters: dict[tuple[str, int, str], CodeCount] = {}

    def add(self, extracted: Extracted) -> None:
        """Note a batch: in how many records each field holds anything, and its characters outside the standard."""
        if extracted.kind:
            filled = self._filled.setdefault(extracted.kind, {})
            for name, count in extracted.filled.items():
                filled[name] = filled.get(name, 0) + count
        for met in extracted.characters:
            key = (met.field, met.code, met.area)
            self._characters[key] = added(self._characters[key], met) if key in self._characters else met

    @property
    def filled(self) -> Mapping[str, Mapping[str, int]]:
        """By kind and field, in how many records it holds anything."""
        return self._filled

    @property
    def characters(self) -> tuple[Met, ...]:
        """The codes outside the standard, by field."""
        return tuple(Met(**dataclasses.asdict(met)) for met in self._characters.values())


def extract_and_map(
    sink: Sink,
    municipality: Municipality,
    dump: str,
    stream: DumpStream,
    *,
    run_id: str,
    part: Slice = WHOLE,
    linker: Linker | None = None,
    context: Sequence[Standing] = (),
) -> SliceAccount:
    """Read and map one slice of a dump, or all of it; gives what was counted.

    Args:
        sink: takes rows and findings.
        municipality: whose dump it is.
        dump: the dump's name.
        stream: its bytes, where the slice begins.
        run_id: the run that stands in its rows.
        part: the slice.
        linker: links records with the files beside the dump that they name; where there is none, they name none.
        context: the headers and trailers of the dump that its records look at.

    Raises:
        RunError: there were more errors than a limit allows.
    """
    reader = municipality.dumps[dump]
    tally, gone, notes, counts = DumpTally(), DumpTally(), Notes(), Counts(municipality)
    counted = Counting(dump, reader.controls, sink)
    mapper = Mapper(list(municipality.plans.values()), run_id)
    looked_at = _looked_at(municipality)
    trailers: dict[str, list[Mapping[str, str | None]]] = {
        name: [] for name, kind in reader.spec.records.items() if kind.role != "data"
    }
    files = FileCounts(stream, reader.spec)
    said, begun = time.monotonic(), stream.taken
    size = part.length if part.length >= 0 else stream.size - part.offset
    extraction = extract(
        stream,
        name=dump,
        layout=reader.reading.layout,
        framing=reader.reading.framing,
        charset=reader.reading.charset,
        kinds=reader.kinds,
        batch_records=_batch_records(municipality, dump),
        blanks=reader.reading.blanks,
        fixed_places=reader.reading.fixed_places,
        part=part,
    )
    for extracted in extraction:
        kind = extracted.kind
        notes.add(extracted)
        if not kind or kind in trailers:
            sink.write_findings(extracted.findings)
            files.add_findings(extracted.findings)
            counts.add_errors(dump, extracted.findings)
            if kind:
                numbers = extracted.batch.select(list(reader.control_fields[kind])).to_pylist()
                rows = [{k: None if v is None else str(v) for k, v in row.items()} for row in numbers]
                trailers[kind].extend(rows)
                files.add_trailers(kind, extracted.batch, rows)
                tally.records[kind] = tally.records.get(kind, 0) + extracted.batch.num_rows
                counted.add(kind, extracted.batch, None)
            continue
        source, fields = f"{dump}.{kind}", reader.control_fields[kind]
        tally.add(kind, extracted.batch, fields)
        files.add(kind, extracted.batch, fields)
        batch, unlinked = linker.link(kind, extracted.batch) if linker is not None else (extracted.batch, no_findings())
        mapped = mapper.map(source, beside(context, batch, stream), extracted.findings)
        unlinked = spared(unlinked, extracted.batch, mapped.left)
        sink.write_findings(unlinked)
        counted.add(kind, extracted.batch, mapped.left)
        if mapped.left is not None:
            gone.add(kind, extracted.batch.select(list(fields)).filter(mapped.left.is_not_null().to_arrow()), fields)
        if source in looked_at:
            stays = extracted.batch.select(["_record", *looked_at[source]])
            sink.write_looked_at(
                source, stays if mapped.left is None else stays.filter(mapped.left.is_null().to_arrow())
            )
        if mapped.untaken.height:
            sink.write_looked_at(untaken_of(source), batch_of(mapped.untaken))
        sink.write(mapped)
        for (table, at), made in mapped.tallies.items():
            counts.add(table, at, made)
        counts.add_errors(dump, join_findings([mapped.findings, unlinked]))
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            share = 100 * (stream.taken - begun) // max(size, 1)
            log.info("%s: %s records, %d %%", dump, f"{extraction.account.records:,}", share)
    # What batches took is kept for the next ones; a process that goes on with other steps needs it there.
    pa.default_memory_pool().release_unused()
    return SliceAccount(
        read=Bytes(**dataclasses.asdict(extraction.account)),
        made=counts.made,
        records=tally.records,
        sums=tally.sums,
        trailers={kind: tuple(rows) for kind, rows in trailers.items()},
        files=files.counted,
        filled=notes.filled,
        characters=notes.characters,
        groups=counted.groups,
        left=counted.left,
        left_sums=gone.sums,
    )


def _batch_records(municipality: Municipality, dump: str) -> int:
    """How many records a batch holds: fewer of those that tables (OCCURS) give many rows of."""
    parts = (part for plan in municipality.plans.values() for part in plan.parts if part.dump == dump)
    most = max((part.each.fixed for part in parts if part.each is not None), default=1)
    return max(min(BATCH_RECORDS, BATCH_ROWS // most), 1)


def _looked_at(municipality: Municipality) -> dict[str, list[str]]:
    """The fields that parts of any system look at, by source."""
    needed: dict[str, dict[str, None]] = {}
    for plan in municipality.plans.values():
        for source, fields in plan.looked_at().items():
            needed.setdefault(source, {}).update(dict.fromkeys(f for f in fields if f != "_record"))
    return {source: list(fields) for source, fields in needed.items()}
