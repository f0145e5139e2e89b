"""The findings of a run: written a step at a time, read together, grouped into issues; and whom they reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality
from mappings.provenance import decoded_as
from migration_reports.findings import FINDINGS, FIRST_PLACES, Severity, join_findings
from migration_reports.private_files import written_whole
from migration_reports.records.run_record import (
    Issue,
    Place,
)
from validators.engine import CAUSE, Origin, Origins

STEPS = ("receive", "dumps", "validate", "candidates", "reconcile")
"""The steps that find something, in their order."""


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


def write_findings(run: Run, step: str, found: pa.RecordBatch) -> None:
    """Write what a step found, in the place of what a former try did."""
    _write(run.path / "findings" / f"{step}.arrow", found)


def _write(path: Path, found: pa.RecordBatch) -> None:
    """Write findings as an Arrow IPC file, owner-only."""
    with written_whole(path) as raw, pa.ipc.new_file(raw, FINDINGS) as file:
        if found.num_rows:
            file.write_batch(found)


def forget_findings(run: Run, *steps: str) -> None:
    """Forget what a former try of some steps found: it would be taken for causes that were reported already."""
    for step in steps:
        (run.path / "findings" / f"{step}.arrow").unlink(missing_ok=True)


def read_causes(run: Run) -> pl.DataFrame:
    """Of all findings so far what `validators.engine.findings` looks at: who was told of a cause already."""
    return scan_findings(run).select(CAUSE).collect()


def scan_findings(run: Run) -> pl.LazyFrame:
    """All findings of the run so far, in the order of the steps, lazily."""
    folder = run.path / "findings"
    files = [path for step in STEPS for path in _finding_files(folder, step)]
    return _scan(files)


def _finding_files(folder: Path, step: str) -> list[Path]:
    return sorted((folder / step).glob("*/*.arrow")) if step == "dumps" else sorted(folder.glob(f"{step}.arrow"))


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.scan_ipc(list(files)) if files else pl.DataFrame(pl.from_arrow(FINDINGS.empty_table())).lazy()


def join_finding_files(run: Run, target: Path) -> None:
    """Join the steps' findings into one file; those of a dump in the order of its bytes, however it was cut."""
    folder = run.path / "findings"
    parts = []
    for step in STEPS:
        frame = _scan(_finding_files(folder, step)).collect()
        if step == "dumps":
            frame = frame.sort(*dict.fromkeys(("dump", "offset", "record", "field", *FINDINGS.names)), nulls_last=True)
        parts.extend(frame.to_arrow().cast(FINDINGS).to_batches())
    _write(target, join_findings(parts))


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


def untaken_by_kind(run: Run) -> Mapping[tuple[str, str], int]:
    """How many records no part of the mapping takes, by dump and record kind; rejected ones are none of them."""
    untaken = scan_findings(run).filter(pl.col("code") == "C566").select("dump", "kind", "record").collect()
    rest = untaken.join(_rejected(run), on=["dump", "record"], how="anti")
    return {(dump, kind): count for dump, kind, count in rest.group_by("dump", "kind").len().iter_rows()}
