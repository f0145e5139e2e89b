"""What a run writes down on its way: receipts, mapped rows, findings, rejects, and the record made of them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from dags import slices
from dags.municipality import Municipality
from dags.workspace import Run, private_folder
from extractors.batches import Extracted
from extractors.records import fetch
from mappings.engine import Mapped
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, Severity, finding, join_findings
from migration_reports.run_record import (
    DumpReceipt,
    Issue,
    Place,
)
from validators.engine import Origin

FIRST_PLACES = 5


def receive(municipality: Municipality, inbox: Path) -> tuple[tuple[DumpReceipt, ...], pa.RecordBatch]:
    """Compare an inbox with the manifest: every expected dump, and every file that nobody expects."""
    receipts: list[DumpReceipt] = []
    found: list[pa.RecordBatch] = []
    by_sha256: dict[str, str] = {}
    expected = {reader.spec.file for reader in municipality.dumps.values()}
    for name, reader in municipality.dumps.items():
        file = inbox / reader.spec.file
        there = file.is_file() and file.resolve().is_relative_to(inbox.resolve())
        size = file.stat().st_size if there else 0
        sha256 = file_sha256(file) if size else ""
        status, code = "received", ""
        if not there:
            status, code = "missing", "F101"
        elif size == 0:
            status, code = "empty", "F102"
        elif sha256 in by_sha256:
            status, code = "twice", "F103"
        by_sha256.setdefault(sha256, name)
        if code:
            detail = f"same as {by_sha256[sha256]}" if code == "F103" else reader.spec.file
            found.append(finding(code, CATALOGUE[code].severity, dump=name, detail=detail))
        receipts.append(
            DumpReceipt.model_validate(
                {
                    "dump": name,
                    "title": reader.spec.title,
                    "file": reader.spec.file,
                    "status": status,
                    "bytes": size,
                    "sha256": sha256,
                    "framing": reader.reading.framing.name,
                    "charset": reader.reading.charset.name,
                    "dialect": reader.layout.dialect.title,
                    "rules": {
                        **reader.layout.dialect.rules,
                        **dataclasses.asdict(reader.reading.blanks),
                        **reader.reading.charset.policies,
                    },
                    "sources": reader.layout.dialect.sources,
                    "notes": [*map(str, reader.layout.notes), *reader.reading.charset.notes],
                    "layout": reader.spec.layout,
                    "record_length": reader.reading.framing.record_length,
                }
            )
        )
    others = sorted(p for p in inbox.iterdir() if p.is_file() and p.name not in expected) if inbox.is_dir() else []
    for other in others:
        if other.name.startswith(".") or other.name.endswith((".faults.csv", ".faults.csv.part")):
            continue
        sha256 = file_sha256(other)
        code = "F103" if sha256 in by_sha256 else "F104"
        detail = f"{other.name}: same as {by_sha256[sha256]}" if code == "F103" else other.name
        found.append(finding(code, CATALOGUE[code].severity, detail=detail))
        receipts.append(
            DumpReceipt(
                dump="",
                title="",
                file=other.name,
                status="twice" if code == "F103" else "unexpected",
                bytes=other.stat().st_size,
                sha256=sha256,
            )
        )
    return tuple(receipts), join_findings(found)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read once in bounded memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Notes:
    """What is noted of a dump's fields and characters while it is read."""

    def __init__(self) -> None:
        self._filled: dict[str, dict[str, int]] = {}
        self._characters: dict[tuple[str, int, str], list[int]] = {}

    def add(self, extracted: Extracted) -> None:
        """Note a batch: in how many records each field holds anything, and its characters outside the standard."""
        if extracted.kind:
            filled = self._filled.setdefault(extracted.kind, {})
            for name, count in (*extracted.filled.items(), *_filled(extracted.batch).items()):
                filled[name] = filled.get(name, 0) + count
        for field, code, area, count, records, record, offset in extracted.characters.iter_rows():
            entry = self._characters.setdefault((field, code, area), [0, 0, record, offset])
            entry[:] = [entry[0] + count, entry[1] + records, *min((entry[2], entry[3]), (record, offset))]

    def summary(self) -> dict[str, Any]:
        """What was noted, as JSON takes it."""
        return {
            "filled": self._filled,
            "characters": [[*key, *value] for key, value in self._characters.items()],
        }


def _filled(batch: pa.RecordBatch) -> dict[str, int]:
    frame = pl.DataFrame(pl.from_arrow(batch)).drop("_record", "_offset")
    if not frame.width:
        return {}
    holds = [
        ((pl.col(name) != "") if kind == pl.String else (pl.col(name) != 0)).fill_null(value=False).sum().alias(name)
        for name, kind in frame.schema.items()
    ]
    return {name: int(count) for name, count in frame.select(holds).row(0, named=True).items()}


class MappedFiles:
    """The Arrow IPC files that the rows and findings of one slice of a dump are written to, owner-only."""

    def __init__(self, run: Run, dump: str, municipality: Municipality, number: int) -> None:
        self._stack = contextlib.ExitStack()
        self._tables: dict[str, pa.ipc.RecordBatchFileWriter] = {}
        schemas = {t.table: t.schema for plan in municipality.plans.values() for t in plan.tables}
        for table, schema in schemas.items():
            self._tables[table] = self._writer(mapped_file(run, table, dump, number), schema)
        self._findings = self._writer(run.path / "findings" / "dumps" / dump / f"{number:04}.arrow", FINDINGS)

    def __enter__(self) -> MappedFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, mapped: Mapped) -> None:
        """Write a batch's rows and findings."""
        for table, rows in mapped.tables.items():
            if rows.num_rows:
                self._tables[table].write_batch(rows)
        self.write_findings(mapped.findings)

    def write_findings(self, found: pa.RecordBatch) -> None:
        """Write findings."""
        if found.num_rows:
            self._findings.write_batch(found)

    def _writer(self, path: Path, schema: pa.Schema) -> pa.ipc.RecordBatchFileWriter:
        private_folder(path.parent)
        path.unlink(missing_ok=True)
        raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._stack.enter_context(raw)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        return self._stack.enter_context(pa.ipc.new_file(raw, schema, options=options))


def mapped_file(run: Run, table: str, dump: str, number: int) -> Path:
    """The file of the rows that a slice of a dump gives a table."""
    return run.path / "mapped" / table / dump / f"{number:04}.arrow"


def staged_frame(run: Run, municipality: Municipality, table: str) -> pl.LazyFrame:
    """Every staged row of a table, rejected ones too, from the Arrow files."""
    files = sorted((run.path / "mapped" / table).glob("*/*.arrow"))
    if files:
        return pl.scan_ipc(files)
    schemas = [t.schema for plan in municipality.plans.values() for t in plan.tables if t.table == table]
    return pl.DataFrame(pl.from_arrow(schemas[0].empty_table())).lazy() if schemas else _nothing(municipality, table)


def _nothing(municipality: Municipality, table: str) -> pl.LazyFrame:
    """The frame of a table that this municipality's mapping does not fill."""
    for system in municipality.systems:
        for target in system.tables:
            if target.name == table:
                names = {
                    c.name: pl.Int64 if str(c.type) in ("BIGINT", "INTEGER") else pl.String for c in target.columns
                }
                return pl.LazyFrame(schema={**names, "_offset": pl.Int64, "_rank": pl.Int16})
    raise KeyError(table)


def origins(municipality: Municipality) -> Mapping[tuple[str, str, str], Origin]:
    """Where each target column comes from, in each dump."""
    result = {}
    for plan in municipality.plans.values():
        for table in plan.tables:
            dump, _, kind = table.source.partition(".")
            for column in table.columns:
                if column.sources:
                    offset = plan.offsets[table.source][column.sources[0]]
                    result[table.table, column.name, dump] = Origin(column.sources, offset, kind, column.place)
    return result


def write_findings(path: Path, found: pa.RecordBatch) -> None:
    """Write findings as an Arrow IPC file, owner-only."""
    private_folder(path.parent)
    path.unlink(missing_ok=True)
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        pa.ipc.new_file(raw, FINDINGS) as file,
    ):
        if found.num_rows:
            file.write_batch(found)


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
    """Keep the rejected records: number, offset, codes, fields and the record's own bytes, owner-only."""
    frame = _rejected(run)
    path = run.path / "rejects.arrow"
    path.unlink(missing_ok=True)
    schema = pa.schema(
        [
            ("dump", pa.string()),
            ("kind", pa.string()),
            ("record", pa.int64()),
            ("offset", pa.int64()),
            ("codes", pa.string()),
            ("fields", pa.string()),
            ("bytes", pa.binary()),
        ]
    )
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        pa.ipc.new_file(raw, schema) as file,
    ):
        for (dump,), rows in frame.group_by("dump", maintain_order=True):
            reader = municipality.dumps[str(dump)]
            reading = reader.reading
            parts = slices.planned(run, str(dump))
            for place, part in enumerate(parts, 1):
                here = rows.filter(pl.col("record").is_between(part.record, slices.last_record(place, parts)))
                if here.is_empty():
                    continue
                known = {row["record"]: row for row in here.iter_rows(named=True)}
                with reading.open([Path(run.inbox) / reader.spec.file]) as stream:
                    stream.skip(part.offset)
                    found = fetch(stream, reading.framing, reading.layout, known, part)  # type: ignore[arg-type]
                    while some := list(itertools.islice(found, 16_384)):
                        lines = [
                            {
                                **{k: known[number][k] for k in ("dump", "kind", "codes", "fields")},
                                "record": number,
                                "offset": offset,
                                "bytes": content,
                            }
                            for number, offset, content in some
                        ]
                        file.write_batch(pa.RecordBatch.from_pylist(lines, schema=schema))
    return frame.height
