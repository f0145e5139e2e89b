"""What the decoder found, graded by what the mapping does with the field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from mappings.plan import PartPlan
from mappings.provenance import found_as
from migration_reports.findings import FINDINGS, Severity

VALUE_LOST = ("D201", "D202", "D203", "D205", "D206")
"""Decoding findings whose field holds no value: what becomes of it is the column's policy."""

_POLICY_DECIDES = (*VALUE_LOST, "D211")

NO_POLICIES = pl.DataFrame(
    schema={
        "field": pl.String,
        "t": pl.String,
        "c": pl.String,
        "m": pl.String,
        "rejects": pl.Boolean,
        "must": pl.Boolean,
    }
)


def policies_of(parts: Sequence[PartPlan], source: str) -> pl.DataFrame:
    """Of each field, the first column it goes to, and whether one rejects what has no value, or must have one."""
    rows = []
    for part in parts:
        if part.source != source:
            continue
        for column in part.columns:
            rejects = column.on_error == "reject"
            for field in column.reads:
                for of, name in found_as(part, field):
                    if of == source:
                        rows.append(
                            (name, part.table, column.name, column.place, rejects, rejects and column.mandatory)
                        )
    return (
        pl.DataFrame(rows, schema=NO_POLICIES.schema, orient="row")
        .group_by("field", maintain_order=True)
        .agg(pl.col("t", "c", "m").first(), pl.col("rejects", "must").any())
    )


def grade(policies: pl.DataFrame, decoded: pa.RecordBatch) -> pl.DataFrame:
    """The decoder's findings with the column, the mapping line, and the severity that the column's policy gives.

    A field without a value is an error where a column that must be filled rejects it, an alert where its columns make
    it null or keep it, a note where it goes nowhere. A blank number is an error only in a mandatory column.
    """
    found = pl.DataFrame(pl.from_arrow(decoded)).with_columns(_policy_of(policies).alias("policy"))
    frame = found.join(policies, left_on="policy", right_on="field", how="left", maintain_order="left")
    rejected = pl.when(pl.col("code") == "D203").then(pl.col("must")).otherwise(pl.col("rejects"))
    severity = (
        pl.when(~pl.col("code").is_in(_POLICY_DECIDES))
        .then(pl.col("severity"))
        .when(pl.col("rejects").is_null())
        .then(pl.lit(Severity.NOTE.value))
        .when(rejected)
        .then(pl.lit(Severity.ERROR.value))
        .otherwise(pl.lit(Severity.ALERT.value))
    )
    return frame.with_columns(
        severity.alias("severity"),
        pl.col("t").alias("table"),
        pl.col("c").alias("column"),
        pl.col("m").alias("mapping"),
    ).select(FINDINGS.names)


def _policy_of(policies: pl.DataFrame) -> pl.Expr:
    """The field whose policy holds for a finding: its own, or that of all occurrences, FIELD(*)."""
    field = pl.col("field")
    of_all = pl.concat_str(field.str.extract(r"^([^(]+)\("), pl.lit("(*)"))
    return pl.when(field.is_in(policies["field"].implode())).then(field).otherwise(of_all)


def values_lost(decoded: pa.RecordBatch) -> dict[str, int]:
    """Of each field, how many records hold no value in it; of all occurrences of one together, as FIELD(*), too."""
    if not decoded.num_rows:
        return {}
    lost = decoded.column("field").filter(pc.is_in(decoded.column("code"), pa.array(VALUE_LOST)))
    counts = Counter({counted["values"]: counted["counts"] for counted in lost.value_counts().to_pylist()})
    for field, count in list(counts.items()):
        if "(" in (field or ""):
            counts[f"{field.partition('(')[0]}(*)"] += count
    return dict(counts)
