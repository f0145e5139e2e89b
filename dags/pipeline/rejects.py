"""The records that a run rejects, kept with their own bytes, to be mended or read again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from dags.pipeline.findings_store import scan_findings
from dags.pipeline.receiving import cuts
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from extractors.records import fetch
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Severity
from migration_reports.private_files import written_whole

BATCH_RECORDS = 16_384

_TEXT = pa.string()

REJECTS = pa.schema(
    [
        ("dump", _TEXT),
        ("kind", _TEXT),
        ("record", pa.int64()),
        ("offset", pa.int64()),
        ("codes", _TEXT),
        ("fields", _TEXT),
        (
            "errors",
            pa.list_(
                pa.struct(
                    [("code", _TEXT), ("field", _TEXT), ("offset", pa.int64()), ("reason", _TEXT), ("detail", _TEXT)]
                )
            ),
        ),
        ("bytes", pa.binary()),
    ]
)


def write_rejects(run: Run, municipality: Municipality) -> int:
    """Keep the rejected records, owner-only: number, offset, the record's own bytes, and every error in it with its reason.

    A record of no kind is kept too, to be read again under mended kinds; it counts as one of no kind, not as a reject.
    """
    wording = {code: f"{entry.ja} / {entry.en}" for code, entry in CATALOGUE.items()}
    error = pl.struct(
        "code", "field", "offset", pl.col("code").replace_strict(wording, default=None).alias("reason"), "detail"
    )
    frame = (
        scan_findings(run)
        .filter(
            (pl.col("severity") == Severity.ERROR.value)
            & pl.col("record").is_not_null()
            & (pl.col("kind").is_not_null() | (pl.col("code") == "F106"))
        )
        .sort("dump", "record", "offset", "code", "field", "detail")
        .group_by("dump", "record", maintain_order=True)
        .agg(
            pl.col("kind").drop_nulls().first(),
            pl.col("code").unique().sort().str.join(" ").alias("codes"),
            pl.col("field").unique().sort().str.join(" ").alias("fields"),
            error.alias("errors"),
        )
        .collect()
    )
    with written_whole(run.path / "rejects.arrow") as raw, pa.ipc.new_file(raw, REJECTS) as file:
        for (dump,), rows in frame.group_by("dump", maintain_order=True):
            for batch in _kept(run, municipality, str(dump), rows):
                file.write_batch(batch)
    return frame["kind"].count()


def _kept(run: Run, municipality: Municipality, dump: str, rows: pl.DataFrame) -> Iterator[pa.RecordBatch]:
    """Some records of a dump with their bytes, read again from where their slices begin."""
    reading = municipality.dumps[dump].reading
    slices = cuts.planned(run, dump)
    for number, part in enumerate(slices, 1):
        here = rows.filter(pl.col("record").is_between(part.record, cuts.last_record(number, slices)))
        if here.is_empty():
            continue
        known = {row["record"]: row for row in here.iter_rows(named=True)}
        with cuts.opened(run, dump, reading, number) as stream:
            found = fetch(stream, reading.framing, reading.layout, known, part)
            while some := list(itertools.islice(found, BATCH_RECORDS)):
                lines = [
                    {**known[record], "record": record, "offset": offset, "bytes": content}
                    for record, offset, content in some
                ]
                yield pa.RecordBatch.from_pylist(lines, schema=REJECTS)
