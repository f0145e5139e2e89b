"""A column's way through the mapping, value by value, for some rows: what explain shows. No run comes through here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from mappings.language.folder import CodeTable
from mappings.plan import ColumnPlan, PartPlan
from mappings.rows import chosen_by, prepared, wide_numbers
from mappings.transforms.contract import Workings
from mappings.values import column_value, day_of, inflow, target_values, working_levels


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """What stands after one step: a value a row, and the codes of what failed or was remarked on in each row."""

    what: str
    values: tuple[Any, ...]
    codes: tuple[tuple[str, ...], ...]


def trace(
    part: PartPlan, column: ColumnPlan, frame: pl.DataFrame, tables: Mapping[str, CodeTable]
) -> tuple[Stage, ...]:
    """Follow a column through its steps.

    Args:
        part: the part that fills it.
        column: the column.
        frame: the rows, unfolded and joined.
        tables: the code tables. A step that numbers keys ends the way: only a run gives numbers.

    Returns:
        What was read, what each step made of it, and what the target gets, in order.
    """
    rows = prepared(part, frame, wide_numbers(part))
    nothing: tuple[tuple[str, ...], ...] = ((),) * rows.height
    values = list(inflow(column))
    names = [column.name] if column.constant is not None or column.expression is not None else list(column.sources)
    how = "constant" if column.constant is not None else "expression" if column.expression is not None else ""
    stages = [
        Stage(how or f"read {name}", _of(rows, value), nothing) for name, value in zip(names, values, strict=True)
    ]
    workings = Workings()
    days: dict[str, pl.Expr] = {}
    for other in part.columns:
        if not any(step.beside or step.transform.assigns for step in other.steps):
            days[other.name] = day_of(other, column_value(part, other, tables, {}, workings)[0])
    rows = _worked_out(rows, workings.made)
    for step in column.steps:
        if step.transform.assigns:
            return (
                *stages,
                Stage(f"{step.transform.name}: a number that only a run gives", (None,) * rows.height, nothing),
            )
        groups = [values] if step.transform.joins else [[value] for value in values]
        outcomes = [step.apply(group, days, tables) for group in groups]
        values = [outcome.value for outcome in outcomes]
        for outcome in outcomes:
            rows = _worked_out(rows, outcome.workings)
            masks = [(code, _of(rows, mask)) for code, mask in (*outcome.failed, *outcome.remarks)]
            codes = tuple(tuple(code for code, hit in masks if hit[row]) for row in range(rows.height))
            stages.append(Stage(step.transform.name, _of(rows, outcome.value), codes))
    workings = Workings()
    value, remarks = column_value(part, column, tables, days, workings)
    rows = _worked_out(rows, workings.made)
    masks = [(mask.code, _of(rows, expr)) for mask, expr in remarks]
    codes = tuple(tuple(dict.fromkeys(code for code, hit in masks if hit[row])) for row in range(rows.height))
    types = {field.name: field.type for field in part.schema}
    for target, expr in target_values(column, value, types).items():
        stages.append(Stage(f"into {target}", _of(rows, expr), codes))
    return tuple(stages)


def gives_rows(part: PartPlan, frame: pl.DataFrame) -> pl.Series:
    """Which of some rows pass the part's conditions, by their place."""
    rows = prepared(part, frame, wide_numbers(part)).with_row_index("$row")
    return chosen_by(part, rows)["$row"]


def _worked_out(rows: pl.DataFrame, workings: Sequence[tuple[str, pl.Expr]]) -> pl.DataFrame:
    for level in working_levels(workings):
        rows = rows.with_columns(level)
    return rows


def _of(rows: pl.DataFrame, expr: pl.Expr) -> tuple[Any, ...]:
    # A constant has one value; every row has it.
    made = rows.select(pl.lit(0).alias("$0") if not rows.width else pl.first().alias("$0"), expr.alias("$value"))
    return tuple(made["$value"].to_list())
