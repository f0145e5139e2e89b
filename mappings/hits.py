"""What is found in rows, and rows themselves, as Arrow has them: each finding with its record, byte, field, column and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from mappings.plan import PartPlan
from mappings.values import Remark
from migration_reports.findings import FINDINGS


def findings_of(
    rows: pl.DataFrame, hits: Mapping[Remark, pl.Series], part: PartPlan, places: npt.NDArray[np.int64] | None
) -> pl.DataFrame:
    """The findings of some masks: mask by mask, in each the rows that it hits."""
    said = pl.DataFrame(
        [
            (m.code, m.severity.value, part.dump, part.kind, m.field, part.table, m.column, m.place, None)
            for m in hits
        ],
        schema=dict.fromkeys(("code", "severity", "dump", "kind", "field", "table", "column", "mapping", "detail"), pl.String),
        orient="row",
    )  # fmt: skip
    each = said[np.repeat(np.arange(len(hits)), [len(at) for at in hits.values()])]
    hit = rows[["source_record", "_offset"]][pl.concat(hits.values())]
    within = np.concatenate([_within(part, m.field, at, places) for m, at in hits.items()])
    placed = [hit["source_record"].alias("record"), (hit["_offset"] + within).alias("offset")]
    return each.hstack(placed).select(FINDINGS.names)


def _within(part: PartPlan, field: str, at: pl.Series, places: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """The byte of the record at which a field stands in some rows: of an occurrence where that one does."""
    columns = part.each.fields(field) if part.each is not None and places is not None else ()
    if part.each is None or places is None or len(columns) < 2:
        return np.full(len(at), part.offsets.get(field, 0), np.int64)
    offsets: npt.NDArray[np.int64] = np.array([part.offsets.get(column, 0) for column in columns], np.int64)
    where: npt.NDArray[np.int64] = offsets[places[at.to_numpy()] // (part.each.fixed // len(columns))]
    return where


def joined(graded: Sequence[pl.DataFrame], findings: Sequence[pl.DataFrame]) -> pa.RecordBatch:
    """The decoder's findings and the mapping's, of one record, field and code the first."""
    every = list(graded)
    mapped = [some for some in findings if some.height]
    if mapped:
        every.append(pl.concat(mapped).unique(["record", "field", "code"], keep="first", maintain_order=True))
    return batch_of(pl.concat(every), FINDINGS) if every else empty(FINDINGS)


def batch_of(frame: pl.DataFrame, schema: pa.Schema | None = None) -> pa.RecordBatch:
    """A frame as one batch, of a schema or of its own."""
    # Texts leave Polars as views, so that they are copied once, into the schema's type, and not twice.
    views = pl.CompatLevel.newest()
    table = frame.to_arrow() if schema is None else frame.to_arrow(compat_level=views).cast(schema)
    parts = table.combine_chunks().to_batches()
    return parts[0] if parts else empty(table.schema)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """No rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
