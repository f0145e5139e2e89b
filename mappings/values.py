"""How a column's value is made: its expression, the targets it fills, and what is to be said of each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from mappings.language.spec import CodeTable
from mappings.plan import ColumnPlan, PartPlan, Step
from mappings.transforms.contract import Outcome, Workings
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Severity


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """One kind of remark on one source field: of a column, or of a join."""

    name: str
    code: str
    severity: Severity
    field: str
    column: str | None
    place: str
    failed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Alone:
    """Steps that look at one column of the frame and at nothing else.

    Attributes:
        source: the column.
        steps: the steps.
        outcomes: of each, over columns that are named.
        workings: how those columns are worked out.
    """

    source: str
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    workings: Sequence[tuple[str, pl.Expr]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are used of it: the last value, and every mask."""
        masks = [mask for outcome in self.outcomes for _, mask in (*outcome.failed, *outcome.remarks)]
        return tuple(expr.meta.output_name() for expr in (self.outcomes[-1].value, *masks))


def alone(column: ColumnPlan, tables: Mapping[str, CodeTable]) -> tuple[Alone, ...]:
    """The first steps of each of a column's sources, as far as they look at one value alone; none where all are cheap."""
    steps: list[Step] = []
    for step in column.steps:
        if step.beside or step.transform.joins or step.transform.assigns:
            break
        steps.append(step)
    made = column.constant is not None or column.expression is not None
    if made or all(step.transform.cheap for step in steps):
        return ()
    return tuple(_alone(source, tuple(steps), tables) for source in column.sources)


def _alone(source: str, steps: tuple[Step, ...], tables: Mapping[str, CodeTable]) -> Alone:
    workings = Workings()
    value = pl.col(source)
    outcomes = []
    for step in steps:
        outcome = step.transform.apply([value], step.params, tables)
        workings.made.extend(outcome.workings)
        value = workings.keep(outcome.value)
        failed, remarks = (
            tuple((code, workings.keep(mask.fill_null(value=False))) for code, mask in masks)
            for masks in (outcome.failed, outcome.remarks)
        )
        outcomes.append(Outcome(value, failed, remarks))
    return Alone(source, steps, tuple(outcomes), workings.made)


def inflow(column: ColumnPlan) -> tuple[pl.Expr, ...]:
    """What flows into the transforms."""
    if column.constant is not None:
        return (pl.lit(column.constant),)
    if column.expression is not None:
        return (column.expression.expr,)
    return tuple(pl.col(name) for name in column.sources)


def column_value(
    part: PartPlan,
    column: ColumnPlan,
    tables: Mapping[str, CodeTable],
    days: Mapping[str, pl.Expr],
    workings: Workings,
    first: Sequence[Alone] = (),
) -> tuple[pl.Expr, list[tuple[Remark, pl.Expr]]]:
    """A column's value, and what is to be said of it; `first` are the steps that `alone` has made of its sources."""
    severity = Severity.ERROR if column.on_error == "reject" else Severity.ALERT
    remarks: list[tuple[Remark, pl.Expr]] = []
    failures: list[pl.Expr] = []

    def fails(code: str, field: str, mask: pl.Expr) -> None:
        failures.append(mask)
        remarks.append((Remark("", code, severity, field, column.name, column.place, failed=True), mask))

    values = list(inflow(column))
    origins: list[str] = list(column.sources[:1] if column.expression is not None else column.sources) or [""]
    types = {field.name: field.type for field in part.schema}
    wanted = types[column.targets[0]]
    if column.expression is not None:
        (value,) = values
        value = workings.keep(value)
        if not column.expression.may_be_null:
            given = pl.all_horizontal(pl.col(name).is_not_null() for name in column.expression.reads or ["_record"])
            fails("M319", origins[0], value.is_null() & given)
        if column.expression.gives.is_integer():
            values = [value.cast(pl.Int64, strict=False)]
            fails("M314", origins[0], value.is_not_null() & values[0].is_null())
    for one in first:
        workings.made.extend(one.workings)
    done = len(first[0].steps) if first else 0
    for at, step in enumerate(column.steps):
        beside = [days[step.beside]] if step.beside else []
        if at < done:
            outcomes = [one.outcomes[at] for one in first]
        elif step.transform.joins:
            outcomes = [step.transform.apply([*values, *beside], step.params, tables)]
            origins = origins[:1]
        else:
            outcomes = [step.transform.apply([value, *beside], step.params, tables) for value in values]
        for outcome, origin in zip(outcomes, origins, strict=True):
            workings.made.extend(outcome.workings)
            for code, mask in outcome.failed:
                fails(code, origin, mask)
            for code, mask in outcome.remarks:
                said = Remark("", code, CATALOGUE[code].severity, origin, column.name, column.place)
                remarks.append((said, mask))
        again = at >= done and (bool(outcomes[0].failed) or len(column.targets) > 1)
        values = [workings.keep(outcome.value) if again else outcome.value for outcome in outcomes]
    (value,) = values
    if pa.types.is_decimal(wanted) and column.constant is None:
        long = (value.abs() >= 10 ** (wanted.precision - wanted.scale)).fill_null(value=False)
        fails("M314", origins[0], long)
        value = pl.when(~long).then(value)
    if column.on_error == "keep" and failures:
        kept = pl.concat_str([pl.col(name).cast(pl.String) for name in column.sources], ignore_nulls=True)
        value = pl.when(pl.any_horizontal(failures)).then(kept).otherwise(value)
    for condition in column.when:
        mask = condition.mask
        value = pl.when(mask).then(value)
        remarks = [(said, expr & mask) for said, expr in remarks]
    return value, remarks


def target_values(column: ColumnPlan, value: pl.Expr, types: Mapping[str, pa.DataType]) -> dict[str, pl.Expr]:
    """The expressions of a column's targets: of a date its three."""
    if len(column.targets) > 1:
        return {t: value.struct.field(t.removeprefix(f"{column.name}_")) for t in column.targets}
    (target,) = column.targets
    kind = types[target]
    if kind == pa.string():
        text = value.cast(pl.String)
        made: pl.Expr = pl.when(text != "").then(text)
        default: pl.Expr = pl.lit(column.default)
    elif pa.types.is_decimal(kind):
        made = value.cast(pl.Decimal(kind.precision, kind.scale))
        default = pl.lit(column.default).cast(pl.Decimal(kind.precision, kind.scale))
    else:
        made = value.cast(pl.Int64)
        default = pl.lit(column.default).cast(pl.Int64)
    if column.default is not None:
        made = pl.coalesce(made, default)
    return {target: made}


def day_of(column: ColumnPlan, value: pl.Expr) -> pl.Expr:
    """The day that a column holds, as text that sorts: of a date its key."""
    return value.struct.field("key") if len(column.targets) > 1 else value.cast(pl.String)


def working_levels(workings: Sequence[tuple[str, pl.Expr]]) -> tuple[tuple[pl.Expr, ...], ...]:
    """Workings in the order in which they can be made: those of a level at once."""
    depth: dict[str, int] = {}
    levels: list[list[pl.Expr]] = []
    for name, expr in workings:
        depth[name] = 1 + max((depth[root] for root in expr.meta.root_names() if root in depth), default=-1)
        if depth[name] == len(levels):
            levels.append([])
        levels[depth[name]].append(expr.alias(name))
    return tuple(map(tuple, levels))
