"""A slice of a dump through the reader and the mapping: rows and findings as Arrow files, and what was counted."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import Counter
from typing import Any

import pyarrow as pa

from dags.pipeline import findings_store
from dags.pipeline.run_folder import Run
from dags.pipeline.slice_files import SliceFiles
from dags.pipeline.town import DumpReader, Municipality
from extractors.batches import extract
from extractors.records import WHOLE, Slice
from extractors.stream import DumpStream
from mappings.engine import Mapper, Tally
from migration_reports.findings import RunError, count_errors
from validators import controls

log = logging.getLogger("hikkoshi")

PROGRESS_SECONDS = 5.0

BATCH_RECORDS = 32_768
"""Larger than the reader's own: planning a mapping query costs the same for any number of rows."""


def nothing_made() -> dict[str, Any]:
    """What a part made of no records."""
    return {"candidates": 0, "rows": 0, "wrong": {}, "unknown": {}}


class Counts:
    """What the parts made of records, added up, as JSON takes it; stops a run that goes wrong too often.

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
        self.made: dict[str, dict[str, Any]] = {}

    def add(self, table: str, number: int, tally: Tally) -> None:
        """Add what a part made of some records.

        Raises:
            RunError: a column had more wrong values than its `stop_after` allows.
        """
        entry = self.made.setdefault(f"{table}.{number}", nothing_made())
        entry["candidates"] += tally.candidates
        entry["rows"] += tally.rows
        entry["wrong"] = dict(Counter(entry["wrong"]) + Counter(tally.wrong))
        for column, codes in tally.unknown.items():
            entry["unknown"][column] = dict(Counter(entry["unknown"].get(column, {})) + Counter(codes))
        for column, count in entry["wrong"].items():
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


def extract_and_map(
    run: Run,
    municipality: Municipality,
    dump: str,
    reader: DumpReader,
    stream: DumpStream,
    *,
    number: int = 1,
    part: Slice = WHOLE,
) -> dict[str, Any]:
    """Read and map one slice of a dump, or all of it; gives what was counted, as JSON takes it.

    Args:
        run: the run, in whose folder rows and findings are kept.
        municipality: whose dump it is.
        dump: the dump's name.
        reader: how it is read.
        stream: its bytes, where the slice begins.
        number: the number of the slice, from 1.
        part: the slice.

    Raises:
        RunError: there were more errors than a limit allows.
    """
    tally = controls.Tally()
    notes = findings_store.Notes()
    counts = Counts(municipality)
    mapper = Mapper(list(municipality.plans.values()), run.run_id)
    looked_at = _looked_at(municipality)
    trailers: dict[str, list[dict[str, str | None]]] = {
        name: [] for name, kind in reader.spec.records.items() if kind.role != "data"
    }
    said = time.monotonic()
    with SliceFiles(run, dump, municipality, number) as out:
        begun = stream.taken
        size = part.length if part.length >= 0 else stream.size - part.offset
        extraction = extract(
            stream,
            name=dump,
            layout=reader.reading.layout,
            framing=reader.reading.framing,
            charset=reader.reading.charset,
            kinds=reader.kinds,
            batch_records=BATCH_RECORDS,
            blanks=reader.reading.blanks,
            fixed_places=reader.reading.fixed_places,
            part=part,
        )
        for extracted in extraction:
            kind = extracted.kind
            notes.add(extracted)
            if not kind or kind in trailers:
                out.write_findings(extracted.findings)
                counts.add_errors(dump, extracted.findings)
                if kind:
                    rows = extracted.batch.select(list(reader.control_fields[kind])).to_pylist()
                    trailers[kind].extend({k: None if v is None else str(v) for k, v in row.items()} for row in rows)
                    tally.records[kind] = tally.records.get(kind, 0) + extracted.batch.num_rows
                continue
            tally.add(kind, extracted.batch, reader.control_fields[kind])
            source = f"{dump}.{kind}"
            if source in looked_at:
                out.write_looked_at(source, extracted.batch.select(["_record", *looked_at[source]]))
            mapped = mapper.map(source, extracted.batch, extracted.findings)
            out.write(mapped)
            for (table, at), made in mapped.tallies.items():
                counts.add(table, at, made)
            counts.add_errors(dump, mapped.findings)
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                share = 100 * (stream.taken - begun) // max(size, 1)
                log.info("%s: %s records, %d %%", dump, f"{extraction.account.records:,}", share)
    return {
        "account": dataclasses.asdict(extraction.account),
        "records": tally.records,
        "sums": {name: str(total) for name, total in tally.sums.items()},
        "trailers": trailers,
        "made": counts.made,
        **notes.summary(),
    }


def _looked_at(municipality: Municipality) -> dict[str, list[str]]:
    """The fields that parts of any system look at, by source."""
    needed: dict[str, dict[str, None]] = {}
    for plan in municipality.plans.values():
        for source, fields in plan.looked_at().items():
            needed.setdefault(source, {}).update(dict.fromkeys(f for f in fields if f != "_record"))
    return {source: list(fields) for source, fields in needed.items()}
