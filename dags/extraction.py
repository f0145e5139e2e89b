"""A slice of a dump through the reader and the mapping: rows and findings as Arrow files, and what was counted."""

from __future__ import annotations

import dataclasses
import logging
import time
from pathlib import Path
from typing import Any

from dags import evidence
from dags.municipality import DumpReader, Municipality
from dags.workspace import Run
from extractors.batches import extract
from extractors.records import WHOLE, Slice
from mappings.engine import apply
from migration_reports.findings import no_findings
from validators import controls

log = logging.getLogger("hikkoshi")

PROGRESS_SECONDS = 5.0

BATCH_RECORDS = 32_768
"""Larger than the reader's own: planning a mapping query costs the same for any number of rows."""


def extract_and_map(
    run: Run,
    municipality: Municipality,
    dump: str,
    reader: DumpReader,
    file: Path,
    *,
    number: int = 1,
    part: Slice = WHOLE,
) -> dict[str, Any]:
    """Read and map one slice of a dump, or all of it; gives what was counted, as JSON takes it."""
    tally = controls.Tally()
    notes = evidence.Notes()
    trailers: dict[str, list[dict[str, str | None]]] = {
        name: [] for name, kind in reader.spec.records.items() if kind.role != "data"
    }
    said = time.monotonic()
    with evidence.MappedFiles(run, dump, municipality, number) as files, reader.reading.open([file]) as stream:
        stream.skip(part.offset)
        begun = stream.taken
        size = part.length if part.length >= 0 else stream.size
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
                files.write_findings(extracted.findings)
                if kind:
                    rows = extracted.batch.select(list(reader.control_fields[kind])).to_pylist()
                    trailers[kind].extend({k: None if v is None else str(v) for k, v in row.items()} for row in rows)
                    tally.records[kind] = tally.records.get(kind, 0) + extracted.batch.num_rows
                continue
            tally.add(kind, extracted.batch, reader.control_fields[kind])
            decoded = extracted.findings
            for plan in municipality.plans.values():
                mapped = apply(plan, f"{dump}.{kind}", extracted.batch, decoded=decoded, dump=dump, run_id=run.run_id)
                files.write(mapped)
                decoded = no_findings()
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                share = 100 * (stream.taken - begun) // max(size, 1)
                log.info("%s: %s records, %d %%", dump, f"{extraction.account.records:,}", share)
    account = extraction.account
    return {
        "account": dataclasses.asdict(account),
        "records": tally.records,
        "sums": {name: str(total) for name, total in tally.sums.items()},
        "trailers": trailers,
        **notes.summary(),
    }
