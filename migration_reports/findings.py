"""What can be found wrong, and where: the one vocabulary that every stage shares.

Three kinds of trouble, three forms:

* a wrong spec (YAML, copybook) is a `SpecError`, raised once with every `Problem`;
* bad data are findings: rows of `FINDINGS`, one Arrow row a finding, never raised;
* a system that is away is a `TransientError`, the only one worth a retry.

A finding says record, byte offset and field, never the value: values of residents are personal data.
Its wording lives in the catalogue (`migration_reports.catalogue`), under a code that never changes its meaning.
What is raised is defined in `migration_reports.trouble`, which needs no Arrow: the command asks for it before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migration_reports.trouble import (
    FIRST_PLACES,
    MAX_SHOWN,
    Definition,
    Position,
    Problem,
    RunError,
    Severity,
    SpecError,
    TransientError,
    UsageError,
    did_you_mean,
    nearest,
)

__all__ = [
    "FINDINGS",
    "FIRST_PLACES",
    "MAX_SHOWN",
    "Definition",
    "Position",
    "Problem",
    "RunError",
    "Severity",
    "SpecError",
    "TransientError",
    "UsageError",
    "count_errors",
    "did_you_mean",
    "finding",
    "findings_at",
    "join_findings",
    "nearest",
    "no_findings",
]

FINDINGS = pa.schema(
    [
        pa.field("code", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("dump", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("record", pa.int64()),
        pa.field("offset", pa.int64()),
        pa.field("field", pa.string()),
        pa.field("table", pa.string()),
        pa.field("column", pa.string()),
        pa.field("mapping", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
"""One row a finding.

`kind` is the record kind, where the record is of one.
`record` counts from 1 within the dump; `offset` is the byte offset in the dump of the field (of the record, where no
field is meant); `mapping` is the mapping line as file:line; `detail` holds codes and counts, never a resident's value.
"""


def finding(
    code: str,
    severity: Severity | str,
    *,
    dump: str | None = None,
    kind: str | None = None,
    record: int | None = None,
    offset: int | None = None,
    field: str | None = None,
    table: str | None = None,
    column: str | None = None,
    mapping: str | None = None,
    detail: str | None = None,
) -> pa.RecordBatch:
    """Make a batch of one finding."""
    row: dict[str, Any] = {
        "code": code,
        "severity": str(severity),
        "dump": dump,
        "kind": kind,
        "record": record,
        "offset": offset,
        "field": field,
        "table": table,
        "column": column,
        "mapping": mapping,
        "detail": detail,
    }
    return pa.RecordBatch.from_pylist([row], schema=FINDINGS)


def findings_at(
    code: str,
    severity: Severity | str,
    *,
    dump: str | None,
    kind: str | None = None,
    record: np.ndarray | pa.Array,
    offset: np.ndarray | pa.Array,
    field: str | None = None,
    table: str | None = None,
    column: str | None = None,
    mapping: str | None = None,
    detail: pa.Array | str | None = None,
) -> pa.RecordBatch:
    """Make a batch of findings of one code at many records (`record` and `offset`: int64 of one length)."""
    count = len(record)

    def spread(value: str | None) -> pa.Array:
        return pa.repeat(pa.scalar(value, pa.string()), count)

    columns = [
        spread(code),
        spread(str(severity)),
        spread(dump),
        spread(kind),
        pa.array(record, pa.int64()),
        pa.array(offset, pa.int64()),
        spread(field),
        spread(table),
        spread(column),
        spread(mapping),
        spread(detail) if detail is None or isinstance(detail, str) else detail.cast(pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=FINDINGS)


def no_findings() -> pa.RecordBatch:
    """Make an empty batch."""
    return _EMPTY


def join_findings(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Concatenate batches of findings into one."""
    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return _EMPTY
    return pa.concat_batches(filled)


def count_errors(findings: pa.RecordBatch | pa.Table) -> int:
    """Count the findings of severity error."""
    return int(pc.sum(pc.equal(findings["severity"], Severity.ERROR.value)).as_py() or 0)


_EMPTY = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in FINDINGS], schema=FINDINGS)
"""Made of no Python values: of those Arrow asks pandas first, which takes as long to import as all else."""
