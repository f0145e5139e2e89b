"""What a run writes down of its dumps: notes on fields and characters, findings, rejects."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from dags.pipeline import cuts
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from extractors.batches import Extracted
from extractors.character_counts import FIRST_PLACES, first_places
from extractors.records import fetch
from mappings.provenance import decoded_as
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, Severity, join_findings
from migration_reports.private_files import written_whole
from migration_reports.records.run_record import (
    Issue,
    Place,
)
from validators.engine import Origin, Origins


class Notes:
    """What is noted of a dump's fields and characters while it is read."""

    def __init__(self) -> None:
        self._filled: dict[str, dict[str, int]] = {}
        self._characters: dict[tuple[str, int, str], tuple[int, int, list[list[int]]]] = {}

    def add(self, extracted: Extracted) -> None:
        """Note a batch: in how many records each field holds anything, and its characters outside the standard."""
        if extracted.kind:
            filled = self._filled.setdefault(extracted.kind, {})
            for name, count in (*extracted.filled.items(), *_filled(extracted.batch).items()):
                filled[name] = filled.get(name, 0) + count
        for field, code, area, count, records, places in extracted.characters.iter_rows():
            met = self._characters.get((field, code, area), (0, 0, []))
            self._characters[field, code, area] = (met[0] + count, met[1] + records, first_places(met[2], places))

    def summary(self) -> dict[str, Any]:
        """What was noted, as JSON takes it."""
        return {
            "filled": self._filled,
            "characters": [[*key, *value] for key, value in self._characters.items()],
        }


def _filled(batch: pa.RecordBatch) -> dict[str, int]:
    frame = pl.DataFrame(pl.from_arrow(batch)).drop("_record", "_offset", "_parent", strict=False)
    if not frame.width:
        return {}
    holds = [_holds(name, kind).fill_null(value=False).sum().alias(name) for name, kind in frame.schema.items()]
    return {name: int(count) for name, count in frame.select(holds).row(0, named=True).items()}


def origins(municipality: Municipality) -> Origins:
    """Where each target column comes from, in each part of its table."""
    result = {}
    for plan in municipality.plans.values():
        for part in plan.parts:
            for column in part.columns:
                # A constant comes from no field, but its row from a record of a kind, which an error must reject.
                offset = part.offsets.get(column.sources[0], 0) if column.sources else 0
                decoded = (field for name in column.sources for _, field in decoded_as(part, name))
                fields = tuple(dict.fromkeys((*column.sources, *decoded)))
                origin = Origin(fields, offset, part.kind, column.place)
                result[part.table, column.name, part.dump, part.number] = origin
    return result


def _holds(name: str, kind: pl.DataType) -> pl.Expr:
    """Whether a value says anything: text, bytes or a list that is not empty, a number that is not zero."""
    if kind == pl.List:
        return pl.col(name).list.len() > 0
    if kind == pl.Binary:
        return pl.col(name).bin.encode("hex").str.contains("[^0]")
    return pl.col(name) != ("" if kind == pl.String else 0)


def write_findings(path: Path, found: pa.RecordBatch) -> None:
    """Write findings as an Arrow IPC file, owner-only."""
    with written_whole(path) as raw, pa.ipc.new_file(raw, FINDINGS) as file:
        if found.num_rows:
            file.write_batch(found)


def forget_findings(run: Run, *steps: str) -> None:
    """Forget what a former try of some steps found: it would be taken for causes that were reported already."""
    for step in steps:
        (run.path / "findings" / f"{step}.arrow").unlink(missing_ok=True)


def read_findings(run: Run) -> pl.DataFrame:
    """All findings of the run so far."""
    return scan_findings(run).collect()


def scan_findings(run: Run) -> pl.LazyFrame:
    """All findings of the run so far, in the order of the steps, lazily."""
    folder = run.path / "findings"
    files = [path for step in ("receive", "dumps", "validate", "reconcile") for path in _finding_files(folder, step)]
    return _scan(files)


def _finding_files(folder: Path, step: str) -> list[Path]:
    return sorted((folder / step).glob("*/*.arrow")) if step == "dumps" else sorted(folder.glob(f"{step}.arrow"))


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.scan_ipc(list(files)) if files else pl.DataFrame(pl.from_arrow(FINDINGS.empty_table())).lazy()


def join_finding_files(run: Run, target: Path) -> None:
    """Join the steps' findings into one file; those of a dump in the order of its bytes, however it was cut."""
    folder = run.path / "findings"
    parts = []
    for step in ("receive", "dumps", "validate", "reconcile"):
        frame = _scan(_finding_files(folder, step)).collect()
        if step == "dumps":
            frame = frame.sort(*dict.fromkeys(("dump", "offset", "record", "field", *FINDINGS.names)), nulls_last=True)
        parts.extend(frame.to_arrow().cast(FINDINGS).to_batches())
    write_findings(target, join_findings(parts))


def issues(run: Run) -> tuple[Issue, ...]:
    """Group the findings by code and place: how many, and the first places."""
    key = ["code", "severity", "dump", "field", "table", "column", "mapping"]
    place = pl.struct("dump", "record", "offset")
    grouped = (
        scan_findings(run)
        .group_by(key)
        .agg(pl.len().alias("count"), place.sort_by("record", "offset").head(FIRST_PLACES).alias("first"))
        .collect()
    )
    order = {severity.value: number for number, severity in enumerate(Severity)}
    rows = grouped.to_dicts()
    rows.sort(
        key=lambda row: (
            order[row["severity"]],
            row["code"],
            row["dump"] or "",
            row["field"] or "",
            row["column"] or "",
        )
    )
    return tuple(Issue.model_validate({**row, "first": [Place(**p) for p in row["first"]]}) for row in rows)


def _rejected(run: Run) -> pl.DataFrame:
    return (
        scan_findings(run)
        .filter(
            (pl.col("severity") == Severity.ERROR.value) & pl.col("record").is_not_null() & pl.col("kind").is_not_null()
        )
        .group_by("dump", "kind", "record")
        .agg(
            pl.col("code").unique().sort().str.join(" ").alias("codes"),
            pl.col("field").unique().sort().str.join(" ").alias("fields"),
        )
        .sort("dump", "record")
        .collect()
    )


def rejected_records(run: Run) -> pa.Table:
    """The rejected records, as the loader takes them."""
    frame = _rejected(run).select(pl.col("dump").alias("source_dump"), pl.col("record").alias("source_record"))
    return frame.to_arrow().cast(pa.schema([("source_dump", pa.string()), ("source_record", pa.int64())]))


def rejected_by_kind(run: Run) -> Mapping[tuple[str, str], int]:
    """How many records were rejected, by dump and record kind."""
    counted = _rejected(run).group_by("dump", "kind").len()
    return {(dump, kind): count for dump, kind, count in counted.iter_rows()}


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
    path = run.path / "rejects.arrow"
    text = pa.string()
    schema = pa.schema(
        [
            ("dump", text),
            ("kind", text),
            ("record", pa.int64()),
            ("offset", pa.int64()),
            ("codes", text),
            ("fields", text),
            (
                "errors",
                pa.list_(
                    pa.struct(
                        [("code", text), ("field", text), ("offset", pa.int64()), ("reason", text), ("detail", text)]
                    )
                ),
            ),
            ("bytes", pa.binary()),
        ]
    )
    with written_whole(path) as raw, pa.ipc.new_file(raw, schema) as file:
        for (dump,), rows in frame.group_by("dump", maintain_order=True):
            reader = municipality.dumps[str(dump)]
            reading = reader.reading
            slices = cuts.planned(run, str(dump))
            for number, cut in enumerate(slices, 1):
                here = rows.filter(pl.col("record").is_between(cut.record, cuts.last_record(number, slices)))
                if here.is_empty():
                    continue
                known = {row["record"]: row for row in here.iter_rows(named=True)}
                with cuts.opened(run, str(dump), reading, number) as stream:
                    found = fetch(stream, reading.framing, reading.layout, known, cut)
                    while some := list(itertools.islice(found, 16_384)):
                        lines = [
                            {
                                **{k: known[record][k] for k in ("dump", "kind", "codes", "fields", "errors")},
                                "record": record,
                                "offset": offset,
                                "bytes": content,
                            }
                            for record, offset, content in some
                        ]
                        file.write_batch(pa.RecordBatch.from_pylist(lines, schema=schema))
    return frame["kind"].count()
