"""Plan and batch -> target rows and findings: one Polars query a table, nothing a row at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from mappings.compiler import ColumnPlan, Plan, TablePlan
from mappings.spec import WhenSpec
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, Severity

VALUE_LOST = ("D201", "D202", "D203", "D205", "D206")
"""Decoding findings whose field holds no value: what becomes of it is the column's policy."""

_POLICY_DECIDES = (*VALUE_LOST, "D211")


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """The rows that a batch gives each table, and the findings: the decoder's, placed and graded, and the mapping's."""

    tables: Mapping[str, pa.RecordBatch]
    findings: pa.RecordBatch


@dataclasses.dataclass(frozen=True, slots=True)
class _Mask:
    """One kind of remark on one source field of one column."""

    name: str
    code: str
    severity: Severity
    field: str
    column: ColumnPlan


def apply(plan: Plan, source: str, batch: pa.RecordBatch, *, decoded: pa.RecordBatch, dump: str, run_id: str) -> Mapped:
    """Map a batch of one record kind.

    Args:
        plan: the compiled mapping.
        source: the record kind, dump.kind.
        batch: `_record`, `_offset` and the decoded fields.
        decoded: the decoder's findings on it.
        dump: the dump's name.
        run_id: the run.

    Returns:
        The rows by table, and the findings. A record and field has a finding of one code once, however many columns
        the field feeds.
    """
    frame = pl.DataFrame(pl.from_arrow(batch))
    tables: dict[str, pa.RecordBatch] = {}
    findings: list[pl.DataFrame] = []
    for table in plan.tables_of(source):
        exprs, masks = _table_exprs(plan, table, dump, run_id)
        chosen = frame.filter(_holds(table.when)) if table.when is not None else frame
        # Not through a lazy frame: its optimiser spends seconds on these expressions, once a batch, and finds nothing.
        rows = chosen.select(*exprs)
        names = table.schema.names
        tables[table.table] = (
            rows.select(names).to_arrow().cast(table.schema).combine_chunks().to_batches() or [_empty(table.schema)]
        )[0]
        if masks:
            findings.extend(_found(rows, mask, table, dump, plan.offsets[source]) for mask in masks)
    mapped = [f for f in findings if f.height]
    every = [_graded(plan, source, decoded)] if decoded.num_rows else []
    if mapped:
        every.append(pl.concat(mapped).unique(["record", "field", "code"], keep="first", maintain_order=True))
    result = pl.concat(every).to_arrow().cast(FINDINGS).combine_chunks().to_batches() if every else []
    return Mapped(tables, result[0] if result else _empty(FINDINGS))


def _table_exprs(plan: Plan, table: TablePlan, dump: str, run_id: str) -> tuple[list[pl.Expr], list[_Mask]]:
    types = {field.name: field.type for field in table.schema}
    exprs: list[pl.Expr] = [
        pl.lit(plan.folder.manifest.municipality.code).alias("municipality_code"),
        pl.lit(dump).alias("source_dump"),
        pl.col("_record").alias("source_record"),
        pl.lit(run_id).alias("run_id"),
        pl.col("_offset"),
        (pl.when(_holds(table.prefer)).then(0).otherwise(1) if table.prefer is not None else pl.lit(0))
        .cast(pl.Int16)
        .alias("_rank"),
    ]
    masks: list[_Mask] = []
    done = {"municipality_code", "source_dump", "source_record", "run_id", "_offset", "_rank"}
    for column in table.columns:
        value, remarks = _column_expr(plan, column)
        for number, (mask, expr) in enumerate(remarks):
            name = f"{column.name}?{number}"
            exprs.append(expr.fill_null(value=False).alias(name))
            masks.append(dataclasses.replace(mask, name=name))
        if len(column.targets) > 1:
            for target in column.targets:
                part = target.removeprefix(f"{column.name}_")
                exprs.append(value.struct.field(part).alias(target))
        else:
            (target,) = column.targets
            kind = types[target]
            if kind == pa.string():
                value = value.cast(pl.String)
                value = pl.when(value != "").then(value)
            elif pa.types.is_decimal(kind):
                severity = Severity.ERROR if column.on_error == "reject" else Severity.ALERT
                too_long = (value.abs() >= 10 ** (kind.precision - kind.scale)).fill_null(value=False)
                masks.append(
                    _Mask(f"{target}?long", "M314", severity, column.sources[0] if column.sources else "", column)
                )
                exprs.append(too_long.alias(f"{target}?long"))
                value = pl.when(~too_long).then(value).cast(pl.Decimal(kind.precision, kind.scale))
            else:
                value = value.cast(pl.Int64)
            exprs.append(value.alias(target))
        done.update(column.targets)
    for name, kind in types.items():
        if name not in done:
            missing = {pa.string(): pl.String, pa.int64(): pl.Int64}.get(kind)
            exprs.append(pl.lit(None, missing or pl.Decimal(kind.precision, kind.scale)).alias(name))
    return exprs, masks


def _column_expr(plan: Plan, column: ColumnPlan) -> tuple[pl.Expr, list[tuple[_Mask, pl.Expr]]]:
    if column.constant is not None:
        return pl.lit(column.constant), []
    applies = _holds(column.when) if column.when is not None else None
    values = [pl.col(name) for name in column.sources]
    origins: list[tuple[str, ...]] = [(name,) for name in column.sources]
    remarks: list[tuple[_Mask, pl.Expr]] = []
    failures: list[pl.Expr] = []
    for step in column.steps:
        if step.transform.joins:
            outcomes = [step.transform.apply(values, step.params, plan.folder.code_tables)]
            origins = [column.sources]
        else:
            outcomes = [step.transform.apply([value], step.params, plan.folder.code_tables) for value in values]
        for outcome, origin in zip(outcomes, origins, strict=True):
            for code, mask in outcome.failed:
                severity = Severity.ERROR if column.on_error == "reject" else Severity.ALERT
                failures.append(mask)
                remarks.append((_Mask("", code, severity, origin[0], column), mask))
            for code, mask in outcome.remarks:
                remarks.append((_Mask("", code, CATALOGUE[code].severity, origin[0], column), mask))
        values = [outcome.value for outcome in outcomes]
    (value,) = values
    if column.on_error == "keep" and failures:
        kept = pl.concat_str([pl.col(name).cast(pl.String) for name in column.sources], ignore_nulls=True)
        value = pl.when(pl.any_horizontal(failures)).then(kept).otherwise(value)
    if applies is not None:
        value = pl.when(applies).then(value)
        remarks = [(mask, expr & applies) for mask, expr in remarks]
    return value, remarks


def _holds(when: WhenSpec) -> pl.Expr:
    """Whether the field holds one of the values, compared as text; without values, whether it is filled."""
    text = pl.col(when.field).cast(pl.String)
    holds = text.is_in(list(when.values)) if when.values else text != ""
    return holds.fill_null(value=False)


def _found(rows: pl.DataFrame, mask: _Mask, table: TablePlan, dump: str, offsets: Mapping[str, int]) -> pl.DataFrame:
    hit = rows.filter(pl.col(mask.name))
    return hit.select(
        pl.lit(mask.code).alias("code"),
        pl.lit(mask.severity.value).alias("severity"),
        pl.lit(dump).alias("dump"),
        pl.lit(table.source.partition(".")[2]).alias("kind"),
        pl.col("source_record").alias("record"),
        (pl.col("_offset") + offsets.get(mask.field, 0)).alias("offset"),
        pl.lit(mask.field).alias("field"),
        pl.lit(table.table).alias("table"),
        pl.lit(mask.column.name).alias("column"),
        pl.lit(mask.column.place).alias("mapping"),
        pl.lit(None, pl.String).alias("detail"),
    )


def _graded(plan: Plan, source: str, decoded: pa.RecordBatch) -> pl.DataFrame:
    """The decoder's findings with the column, the mapping line, and the severity that the column's policy gives.

    A field without a value is an error where a column that must be filled rejects it, an alert where its columns make
    it null or keep it, a note where it goes nowhere. A blank number is an error only in a mandatory column.
    """
    rows = []
    for table in plan.tables_of(source):
        for column in table.columns:
            for field in column.sources:
                rejects = column.on_error == "reject"
                rows.append((field, table.table, column.name, column.place, rejects, rejects and column.mandatory))
    schema = {
        "field": pl.String,
        "t": pl.String,
        "c": pl.String,
        "m": pl.String,
        "rejects": pl.Boolean,
        "must": pl.Boolean,
    }
    policies = (
        pl.DataFrame(rows, schema=schema, orient="row")
        .group_by("field", maintain_order=True)
        .agg(pl.col("t", "c", "m").first(), pl.col("rejects", "must").any())
    )
    frame = pl.DataFrame(pl.from_arrow(decoded)).join(policies, on="field", how="left", maintain_order="left")
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


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
