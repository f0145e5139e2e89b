"""How a column's value is made: its expression, the targets it fills, and what is to be said of each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from mappings.language.folder import CodeTable
from mappings.plan import ColumnPlan, PartPlan, Step
from mappings.transforms.contract import Workings
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
class Mask:
    """The rows of which something is to be said: the code, the field it is said of, and whether these have no value."""

    code: str
    field: str
    failed: bool
    expr: pl.Expr


@dataclasses.dataclass(frozen=True, slots=True)
class Alone:
    """The first steps of a column, which look at its sources and at nothing else.

    Attributes:
        sources: the columns of the frame.
        steps: the steps.
        values: the columns that they make.
        masks: what is said of them, in columns too.
        workings: how all of these are worked out.
    """

    sources: tuple[str, ...]
    steps: tuple[Step, ...]
    values: tuple[pl.Expr, ...]
    masks: tuple[Mask, ...]
    workings: Sequence[tuple[str, pl.Expr]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are used of it: values, and then masks."""
        return tuple(expr.meta.output_name() for expr in (*self.values, *(mask.expr for mask in self.masks)))


def alone(column: ColumnPlan, tables: Mapping[str, CodeTable]) -> Alone | None:
    """A column's first steps, as far as they look at its sources alone; None where there are none, or all are cheap."""
    looking = (step.looks for step in column.steps)
    steps = column.steps[: next((at for at, looks in enumerate(looking) if looks), None)]
    if column.constant is not None or column.expression is not None or all(step.transform.cheap for step in steps):
        return None
    workings = Workings()
    values, masks = _taken(column, steps, inflow(column), column.sources, {}, tables, workings)
    return Alone(
        column.sources,
        steps,
        tuple(workings.keep(value) for value in values),
        tuple(dataclasses.replace(mask, expr=workings.keep(mask.expr.fill_null(value=False))) for mask in masks),
        workings.made,
    )


def _taken(
    column: ColumnPlan,
    steps: Sequence[Step],
    values: Sequence[pl.Expr],
    fields: Sequence[str],
    days: Mapping[str, pl.Expr],
    tables: Mapping[str, CodeTable],
    workings: Workings,
) -> tuple[Sequence[pl.Expr], list[Mask]]:
    """What steps of a column make of values, and what is to be said of them."""
    masks = []
    for step in steps:
        groups = [values] if step.transform.joins else [[value] for value in values]
        outcomes = [step.apply(group, days, tables) for group in groups]
        for outcome, field in zip(outcomes, fields, strict=False):
            workings.made.extend(outcome.workings)
            masks += [Mask(code, field, True, expr) for code, expr in outcome.failed]
            masks += [Mask(code, field, False, expr) for code, expr in outcome.remarks]
        again = bool(outcomes[0].failed) or len(column.targets) > 1
        values = [workings.keep(outcome.value) if again else outcome.value for outcome in outcomes]
    return values, masks


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
    first: Alone | None = None,
) -> tuple[pl.Expr, list[tuple[Remark, pl.Expr]]]:
    """A column's value, and what is to be said of it; `first` is what `alone` has made of it."""
    severity = Severity.ERROR if column.on_error == "reject" else Severity.ALERT
    remarks: list[tuple[Remark, pl.Expr]] = []
    failures: list[pl.Expr] = []

    def fails(code: str, field: str, mask: pl.Expr) -> None:
        failures.append(mask)
        remarks.append((Remark("", code, severity, field, column.name, column.place, failed=True), mask))

    values: Sequence[pl.Expr] = inflow(column)
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
    masks: list[Mask] = []
    if first is not None:
        workings.made.extend(first.workings)
        values, masks = list(first.values), list(first.masks)
    rest = column.steps[len(first.steps) if first is not None else 0 :]
    values, more = _taken(column, rest, values, origins, days, tables, workings)
    for mask in (*masks, *more):
        if mask.failed:
            fails(mask.code, mask.field, mask.expr)
        else:
            said = Remark("", mask.code, CATALOGUE[mask.code].severity, mask.field, column.name, column.place)
            remarks.append((said, mask.expr))
    (value,) = values
    if pa.types.is_decimal(wanted) and column.constant is None:
        long = (value.abs() >= 10 ** (wanted.precision - wanted.scale)).fill_null(value=False)
        fails("M314", origins[0], long)
        value = pl.when(~long).then(value)
    if column.on_error == "keep" and failures:
        kept = pl.concat_str([pl.col(name).cast(pl.String) for name in column.sources], ignore_nulls=True)
        value = pl.when(pl.any_horizontal(failures)).then(kept).otherwise(value)
    for condition in column.when:
        value = pl.when(condition.mask).then(value)
        remarks = [(said, expr & condition.mask) for said, expr in remarks]
    return value, remarks


def absence_remarks(part: PartPlan) -> list[tuple[Remark, pl.Expr]]:
    """What is said of records without the header, trailer or joined record that the part looks at."""
    remarks = []
    for kind in part.around:
        field = next(name for name in part.reads if name.startswith(f"{kind}."))
        mask = Remark(f"{kind}?missing", "M340", Severity.ERROR, field, None, part.place)
        remarks.append((mask, ~pl.col(f"{kind}?")))
    severities = {"reject": Severity.ERROR, "null": Severity.ALERT, "first": Severity.NOTE, "last": Severity.NOTE}
    for join in part.joins:
        field = join.keys[0][0] if join.keys else ""
        count = pl.col(f"{join.alias}?")
        if join.missing != "drop":
            mask = Remark(f"{join.alias}?missing", "M315", severities[join.missing], field, None, join.place)
            remarks.append((mask, count.is_null()))
        mask = Remark(f"{join.alias}?double", "M316", severities[join.double], field, None, join.place)
        remarks.append((mask, count > 1))
    return remarks


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
