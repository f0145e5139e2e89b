"""The Arrow IPC files of a run's folder: a dump's headers and trailers, and what its slices leave.

That is rows, held rows, records that others look at, and findings.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from dags.pipeline.town import Municipality
from extractors.context.standing import Standing, passed, schema_of
from mappings.engine import Mapped, PartKey
from mappings.plan import ENGINE, PartPlan
from migration_reports.findings import FINDINGS
from migration_reports.private_files import written_whole

JOINED = 0
"""The number under which what waited stands beside the slices of a dump, which count from 1."""


class SliceFiles:
    """The files of one slice of a dump in a run's folder, owner-only; what a former try left is replaced."""

    def __init__(self, folder: Path, municipality: Municipality, dump: str, number: int = 1) -> None:
        self._folder = folder
        self._number = number
        self._stack = contextlib.ExitStack()
        self._writers: dict[Path, pa.ipc.RecordBatchFileWriter] = {}
        self._parts: dict[PartKey, PartPlan] = {(p.table, p.number): p for p in parts_of(municipality, dump)}
        for part in self._parts.values():
            if not part.waits:
                self._writer(mapped_file(folder, part, number), part.schema)
            else:
                held_file(folder, part, number).unlink(missing_ok=True)
        self._findings = findings_file(folder, dump, f"{number:04}")
        self._writer(self._findings, FINDINGS)

    def __enter__(self) -> SliceFiles:
        return self

    def __exit__(self, *failure: Any) -> None:
        # What failed leaves no file behind: the files of a former try stay whole.
        self._stack.__exit__(*failure)

    def write(self, mapped: Mapped) -> None:
        """Write what a batch gives."""
        for key, rows in mapped.rows.items():
            self._write(mapped_file(self._folder, self._parts[key], self._number), rows)
        for key, rows in mapped.held.items():
            self._write(held_file(self._folder, self._parts[key], self._number), rows)
        self.write_findings(mapped.findings)

    def write_looked_at(self, source: str, rows: pa.RecordBatch) -> None:
        """Write records that parts look at."""
        self._write(looked_at_folder(self._folder, source) / f"{self._number:04}.arrow", rows)

    def write_findings(self, found: pa.RecordBatch) -> None:
        """Write findings."""
        self._write(self._findings, found)

    def _write(self, path: Path, rows: pa.RecordBatch) -> None:
        if rows.num_rows:
            self._writer(path, rows.schema).write_batch(rows)

    def _writer(self, path: Path, schema: pa.Schema) -> pa.ipc.RecordBatchFileWriter:
        if path not in self._writers:
            self._writers[path] = self._stack.enter_context(open_writer(path, schema))
        return self._writers[path]


def write_context(folder: Path, municipality: Municipality, dump: str, files: Sequence[Path]) -> None:
    """Write the headers and trailers of a dump that its records look at."""
    reader = municipality.dumps[dump]
    if not reader.context:
        return
    with contextlib.ExitStack() as stack:
        # Not compressed: a slice maps them into memory, and looks at few of them.
        writers = {
            kind: stack.enter_context(
                open_writer(context_file(folder, dump, kind), schema_of(fields), compression=None)
            )
            for kind, fields in reader.context.items()
        }
        for kind, batch in passed(reader.reading, files, reader.kinds, reader.context, name=dump):
            writers[kind].write_batch(batch)


def read_context(folder: Path, municipality: Municipality, dump: str) -> tuple[Standing, ...]:
    """The headers and trailers that `write_context` wrote."""
    reader = municipality.dumps[dump]
    found = []
    for kind in reader.context:
        with pa.memory_map(str(context_file(folder, dump, kind))) as source:
            records = pa.ipc.open_file(source).read_all()
        found.append(Standing.of(kind, records, follows=reader.spec.records[kind].role == "trailer"))
    return tuple(found)


@contextlib.contextmanager
def open_writer(path: Path, schema: pa.Schema, *, compression: str | None = "lz4"):  # type: ignore[no-untyped-def]
    """Open an Arrow IPC file for writing, owner-only."""
    options = pa.ipc.IpcWriteOptions(compression=compression)
    # A run that loses them in a power failure is begun anew.
    with written_whole(path, durable=False) as raw, pa.ipc.new_file(raw, schema, options=options) as writer:
        yield writer


def parts_of(municipality: Municipality, dump: str) -> tuple[PartPlan, ...]:
    """The parts of all systems that read a dump."""
    return tuple(part for plan in municipality.plans.values() for part in plan.parts if part.dump == dump)


def mapped_file(folder: Path, part: PartPlan, number: int) -> Path:
    """The file of the rows that a slice of its dump gives a part."""
    return folder / "mapped" / part.table / part.dump / f"{part.number:02}-{number:04}.arrow"


def held_file(folder: Path, part: PartPlan, number: int) -> Path:
    """The file of the rows of a part that wait."""
    return folder / "held" / f"{part.table}-{part.number:02}" / f"{number:04}.arrow"


def looked_at_folder(folder: Path, source: str) -> Path:
    """The folder of the records of a kind that parts look at."""
    return folder / "looked_at" / source


def context_file(folder: Path, dump: str, kind: str) -> Path:
    """The file of the headers or trailers of one kind."""
    return folder / "context" / f"{dump}.{kind}.arrow"


def findings_file(folder: Path, dump: str, name: str) -> Path:
    """A file of findings on a dump."""
    return folder / "findings" / "dumps" / dump / f"{name}.arrow"


def staged_frame(folder: Path, municipality: Municipality, table: str) -> pl.LazyFrame:
    """Every staged row of a table, rejected ones too, from the Arrow files."""
    files = sorted((folder / "mapped" / table).glob("*/*.arrow"))
    if files:
        return pl.scan_ipc(files)
    schemas = [part.schema for plan in municipality.plans.values() for part in plan.parts if part.table == table]
    return pl.DataFrame(pl.from_arrow(schemas[0].empty_table())).lazy() if schemas else _nothing(municipality, table)


def _nothing(municipality: Municipality, table: str) -> pl.LazyFrame:
    """The frame of a table that this municipality's mapping does not fill."""
    for system in municipality.systems:
        for target in system.tables:
            if target.qualified == table:
                names: dict[str, type[pl.DataType]] = {
                    c.name: pl.Int64 if str(c.type) in ("BIGINT", "INTEGER") else pl.String
                    for c in target.physical.columns
                }
                return pl.LazyFrame(schema={**names, **dict.fromkeys(ENGINE, pl.Int64)})
    raise KeyError(table)
