"""Plan and batch -> target rows and findings: one Polars query a part of a table, nothing a row at a time.

A part that looks at other records, or numbers keys, waits: its rows are held until every dump has been read, and are then
mapped in the same way.
"""

# Above 400 lines: a column's expression and what is found of it are made together.

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from mappings.expression import wide
from mappings.language.spec import CodeTable, Period
from mappings.plan import DUMP, OCCURRENCE, RECORD, ColumnPlan, Join, Occurrences, PartPlan, Plan
from mappings.transforms.contract import Workings
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, Severity

VALUE_LOST = ("D201", "D202", "D203", "D205", "D206")
"""Decoding findings whose field holds no value: what becomes of it is the column's policy."""

_POLICY_DECIDES = (*VALUE_LOST, "D211")

PartKey = tuple[str, int]
"""A table, and the number of its part."""

HELD = ("_record", "_offset", "_parent")

LATEST = 99_999_999

SHOWN = 4
"""How long a code may be to stand in a report: a code of a code table, and no number of a person."""

_NO_NUMBERS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """What a part made of some records.

    Attributes:
        candidates: records, or occurrences where each gives a row.
        rows: the rows that they gave.
        wrong: of each column, how many values were wrong.
        unknown: of each column that looks codes up, the codes that no table holds, and how often each came; a value that
            is no short code of digits and letters counts under "".
    """

    candidates: int
    rows: int
    wrong: Mapping[str, int]
    unknown: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped:
    """What a batch gives.

    Attributes:
        rows: of each part, the target rows.
        held: of each part that waits, its rows as they are.
        tallies: of each part that does not wait.
        findings: the decoder's, placed and graded, and the mapping's.
    """

    rows: Mapping[PartKey, pa.RecordBatch]
    held: Mapping[PartKey, pa.RecordBatch]
    tallies: Mapping[PartKey, Tally]
    findings: pa.RecordBatch


@dataclasses.dataclass(frozen=True, slots=True)
class _Mask:
    """One kind of remark on one source field: of a column, or of a join."""

    name: str
    code: str
    severity: Severity
    field: str
    column: str | None
    place: str
    failed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Query:
    """A part's expressions, made once."""

    part: PartPlan
    workings: tuple[tuple[pl.Expr, ...], ...]
    exprs: tuple[pl.Expr, ...]
    masks: tuple[_Mask, ...]
    whole: tuple[str, ...]


class Mapper:
    """Maps batches by the plans of a municipality's systems; the queries are made once.

    Args:
        plans: the compiled mappings.
        run_id: the run that the rows will say they come from.
    """

    def __init__(self, plans: Sequence[Plan], run_id: str) -> None:
        self._run_id = run_id
        self._parts = tuple(part for plan in plans for part in plan.parts)
        self._folder = plans[0].folder if plans else None
        self._policies = {part.source: _policies(self._parts, part.source) for part in self._parts}
        self._queries = {
            (part.table, part.number): self._query(part, self._tables({})) for part in self._parts if not part.waits
        }

    def map(self, source: str, batch: pa.RecordBatch, decoded: pa.RecordBatch) -> Mapped:
        """Map a batch of one record kind.

        Args:
            source: the record kind, dump.kind.
            batch: `_record`, `_offset` and the decoded fields.
            decoded: the decoder's findings on it.

        Returns:
            The rows by part, and the findings. A record and field has a finding of one code once, however many columns
            the field feeds.
        """
        frame = pl.DataFrame(pl.from_arrow(batch))
        rows: dict[PartKey, pa.RecordBatch] = {}
        held: dict[PartKey, pa.RecordBatch] = {}
        tallies: dict[PartKey, Tally] = {}
        findings: list[pl.DataFrame] = []
        lost = _lost(decoded)
        for part in self._parts:
            if part.source != source:
                continue
            key = (part.table, part.number)
            before = unfolded(part, frame)
            if part.waits:
                kept = [name for name in (*HELD, OCCURRENCE, *part.reads) if name in before.columns]
                held[key] = _batch(before.select(list(dict.fromkeys(kept))))
                continue
            rows[key], found, tallies[key] = _run(self._queries[key], before, lost)
            findings.extend(found)
        graded = [_graded(self._policies.get(source, _NO_POLICIES), decoded)] if decoded.num_rows else []
        return Mapped(rows, held, tallies, _joined(graded, findings))

    def map_held(
        self, part: PartPlan, frame: pl.DataFrame, *, numbers: Mapping[str, Mapping[str, str]] = _NO_NUMBERS
    ) -> tuple[pa.RecordBatch, pa.RecordBatch, Tally]:
        """Map held rows of a part, to which `look_up` has added what it joins.

        Args:
            part: the part.
            frame: the rows.
            numbers: of each series, the number of every key.

        Returns:
            The target rows, the findings, and the tally.
        """
        made, found, tally = _run(self._query(part, self._tables(numbers)), frame, {})
        return made, _joined([], found), tally

    def keys_of(self, part: PartPlan, column: ColumnPlan, at: int, frame: pl.DataFrame) -> pl.Series:
        """The keys that a step of a column numbers, in some rows: texts, each once, without null."""
        value = _origin(column)[0]
        chosen = _chosen(part, _prepared(part, frame, _whole(part)))
        for step in column.steps[:at]:
            outcome = step.transform.apply([value], step.params, self._tables({}))
            for level in _levels(outcome.workings):
                chosen = chosen.with_columns(level)
            value = outcome.value
        for condition in column.when:
            chosen = chosen.filter(condition.mask)
        keys = chosen.select(value.cast(pl.String).alias("key"))["key"].drop_nulls().unique()
        return keys.filter(keys != "")

    def _query(self, part: PartPlan, tables: Mapping[str, CodeTable]) -> _Query:
        assert self._folder is not None
        return _query(part, self._folder.manifest.municipality.code, self._run_id, tables)

    def _tables(self, numbers: Mapping[str, Mapping[str, str]]) -> Mapping[str, CodeTable]:
        known = self._folder.code_tables if self._folder is not None else {}
        return {**known, **{name: CodeTable((Period("", "", given),), name) for name, given in numbers.items()}}


def unfolded(part: PartPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that a part looks at: records, or the occurrences of a table in them."""
    return frame if part.each is None else _occurrences(part.each, frame)


def look_up(frame: pl.DataFrame, join: Join, other: pl.DataFrame) -> pl.DataFrame:
    """Add the fields of the records that a join finds, as ALIAS.FIELD, and how many there were, as ALIAS?.

    Args:
        frame: held rows.
        join: what is looked at.
        other: the other records: `_record`, their keys and fields; of one key all of them.
    """
    mine = [ours for ours, _ in join.keys] or ["_parent"]
    theirs = [name for _, name in join.keys] or ["_record"]
    order = other.sort("_dump", "_record") if "_dump" in other.columns else other.sort("_record")
    pick = pl.all().last() if join.double == "last" else pl.all().first()
    named = {name: f"{join.alias}.{name}" for name in join.fields}
    found = (
        order.drop_nulls(theirs)
        .select(*[pl.col(name).alias(f"{join.alias}?{n}") for n, name in enumerate(theirs)],
                *[pl.col(name).alias(new) for name, new in named.items()])
        .group_by([f"{join.alias}?{n}" for n in range(len(theirs))], maintain_order=True)
        .agg(pick, pl.len().cast(pl.Int64).alias(f"{join.alias}?"))
    )  # fmt: skip
    return frame.join(
        found,
        left_on=mine,
        right_on=[f"{join.alias}?{n}" for n in range(len(theirs))],
        how="left",
        maintain_order="left",
    )


def _occurrences(each: Occurrences, frame: pl.DataFrame) -> pl.DataFrame:
    """A row for each occurrence, in the order of records and occurrences."""
    if each.column:
        numbered = frame.with_columns(
            pl.int_ranges(1, pl.col(each.column).list.len().cast(pl.Int64) + 1).alias(OCCURRENCE)
        )
        rows = numbered.explode(each.column, OCCURRENCE).filter(pl.col(OCCURRENCE).is_not_null())
        return rows.unnest(each.column) if rows.schema[each.column] == pl.Struct else rows
    apart = set(each.reads)
    rest = [name for name in frame.columns if name not in apart]
    parts = [
        frame.select(
            *rest,
            *[pl.col(name).alias(visible) for name, visible in columns.items() if name in frame.columns],
            pl.lit(number, pl.Int64).alias(OCCURRENCE),
            pl.lit(place).alias("$place"),
        )
        for place, (number, columns) in enumerate(each.flat)
    ]
    return pl.concat(parts).sort("_record", "$place").drop("$place")


def _prepared(part: PartPlan, frame: pl.DataFrame, whole: Sequence[str]) -> pl.DataFrame:
    """The columns that are no fields, and whole numbers that expressions read as 128 bits."""
    added = []
    if RECORD in part.reads:
        added.append(pl.col("_record").alias(RECORD))
    if DUMP in part.reads:
        added.append(pl.lit(part.dump).alias(DUMP))
    return frame.with_columns(*added, *[pl.col(n).cast(pl.Int128).alias(wide(n)) for n in whole])


def _chosen(part: PartPlan, frame: pl.DataFrame) -> pl.DataFrame:
    for condition in part.when:
        frame = frame.filter(condition.mask)
    for join in part.joins:
        if join.missing == "drop":
            frame = frame.filter(pl.col(f"{join.alias}?").is_not_null())
    return frame


def _run(
    query: _Query, frame: pl.DataFrame, lost: Mapping[str, int]
) -> tuple[pa.RecordBatch, list[pl.DataFrame], Tally]:
    part = query.part
    chosen = _chosen(part, _prepared(part, frame, query.whole))
    # Not through a lazy frame: its optimiser spends seconds on these expressions, once a batch, and finds nothing.
    for level in query.workings:
        chosen = chosen.with_columns(level)
    rows = chosen.select(*query.exprs)
    names = part.schema.names
    batch = _batch(rows.select(names), part.schema)
    wrong = {c.name: sum(lost.get(name, 0) for name in c.sources) for c in part.columns}
    found = []
    unknown: dict[str, Counter[str]] = {}
    if query.masks and rows.height:
        counts = rows.select(pl.col(mask.name).sum() for mask in query.masks).row(0)
        for mask, count in zip(query.masks, counts, strict=True):
            if not count:
                continue
            found.append(_found(rows, mask, part))
            if mask.failed and mask.column is not None:
                wrong[mask.column] += count
            if mask.code == "M310" and mask.column is not None and mask.field in chosen.columns:
                codes = chosen.select(mask.field).filter(rows[mask.name])[mask.field]
                unknown.setdefault(mask.column, Counter()).update(_counted(codes))
    tally = Tally(frame.height, rows.height, {name: count for name, count in wrong.items() if count}, unknown)
    return batch, found, tally


def _counted(codes: pl.Series) -> Mapping[str, int]:
    """How often each code came; what is no short code of digits and letters counts under ""."""
    text = codes.cast(pl.String).str.strip_chars().rename("code")
    shown = (
        pl.when(pl.col("code").str.contains(f"^[0-9A-Za-z]{{1,{SHOWN}}}$")).then(pl.col("code")).otherwise(pl.lit(""))
    )
    return dict(text.to_frame().select(shown).group_by("code").len().iter_rows())


def _query(part: PartPlan, municipality: str, run_id: str, tables: Mapping[str, CodeTable]) -> _Query:
    types = {field.name: field.type for field in part.schema}
    workings = Workings()
    made = {c.name: _column_expr(part, c, tables, {}, workings) for c in part.columns if not _asks(c)}
    days = {c.name: _day(c, made[c.name][0]) for c in part.columns if not _asks(c)}
    made |= {c.name: _column_expr(part, c, tables, days, workings) for c in part.columns if _asks(c)}
    days |= {c.name: _day(c, made[c.name][0]) for c in part.columns if _asks(c)}
    exprs: dict[str, pl.Expr] = {
        "municipality_code": pl.lit(municipality),
        "source_dump": pl.lit(part.dump),
        "source_record": pl.col("_record"),
        "run_id": pl.lit(run_id),
        "_offset": pl.col("_offset"),
        "_rank": _rank(part, days),
        "_part": pl.lit(part.number, pl.Int16),
    }
    masks: list[_Mask] = []
    remarks: list[pl.Expr] = []
    for mask, expr in _join_remarks(part):
        masks.append(mask)
        remarks.append(expr.fill_null(value=False).alias(mask.name))
    for column in part.columns:
        value, said = made[column.name]
        for number, (mask, expr) in enumerate(said):
            name = f"{column.name}?{number}"
            remarks.append(expr.fill_null(value=False).alias(name))
            masks.append(dataclasses.replace(mask, name=name))
        for target, expr in _targets(column, value, types).items():
            exprs[target] = expr
    for name, kind in types.items():
        if name not in exprs:
            missing = {pa.string(): pl.String, pa.int64(): pl.Int64}.get(kind)
            exprs[name] = pl.lit(None, missing or pl.Decimal(kind.precision, kind.scale))
    ordered = [exprs[name].alias(name) for name in types]
    return _Query(part, _levels(workings.made), (*ordered, *remarks), tuple(masks), _whole(part))


def _levels(workings: Sequence[tuple[str, pl.Expr]]) -> tuple[tuple[pl.Expr, ...], ...]:
    """Workings in the order in which they can be made: those of a level at once."""
    depth: dict[str, int] = {}
    levels: list[list[pl.Expr]] = []
    for name, expr in workings:
        depth[name] = 1 + max((depth[root] for root in expr.meta.root_names() if root in depth), default=-1)
        if depth[name] == len(levels):
            levels.append([])
        levels[depth[name]].append(expr.alias(name))
    return tuple(map(tuple, levels))


def _asks(column: ColumnPlan) -> bool:
    """Whether a transform of the column asks for another column's day."""
    return any(step.beside for step in column.steps)


def _targets(column: ColumnPlan, value: pl.Expr, types: Mapping[str, pa.DataType]) -> dict[str, pl.Expr]:
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


def _origin(column: ColumnPlan) -> tuple[pl.Expr, ...]:
    """What flows into the transforms."""
    if column.constant is not None:
        return (pl.lit(column.constant),)
    if column.expression is not None:
        return (column.expression.expr,)
    return tuple(pl.col(name) for name in column.sources)


def _column_expr(
    part: PartPlan,
    column: ColumnPlan,
    tables: Mapping[str, CodeTable],
    days: Mapping[str, pl.Expr],
    workings: Workings,
) -> tuple[pl.Expr, list[tuple[_Mask, pl.Expr]]]:
    """A column's value, and what is to be said of it."""
    severity = Severity.ERROR if column.on_error == "reject" else Severity.ALERT
    remarks: list[tuple[_Mask, pl.Expr]] = []
    failures: list[pl.Expr] = []

    def fails(code: str, field: str, mask: pl.Expr) -> None:
        failures.append(mask)
        remarks.append((_Mask("", code, severity, field, column.name, column.place, failed=True), mask))

    values = list(_origin(column))
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
    for step in column.steps:
        beside = [days[step.beside]] if step.beside else []
        if step.transform.joins:
            outcomes = [step.transform.apply([*values, *beside], step.params, tables)]
            origins = origins[:1]
        else:
            outcomes = [step.transform.apply([value, *beside], step.params, tables) for value in values]
        for outcome, origin in zip(outcomes, origins, strict=True):
            workings.made.extend(outcome.workings)
            for code, mask in outcome.failed:
                fails(code, origin, mask)
            for code, mask in outcome.remarks:
                said = _Mask("", code, CATALOGUE[code].severity, origin, column.name, column.place)
                remarks.append((said, mask))
        again = bool(outcomes[0].failed) or len(column.targets) > 1
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


def _join_remarks(part: PartPlan) -> list[tuple[_Mask, pl.Expr]]:
    remarks = []
    severities = {"reject": Severity.ERROR, "null": Severity.ALERT, "first": Severity.NOTE, "last": Severity.NOTE}
    for join in part.joins:
        field = join.keys[0][0] if join.keys else ""
        count = pl.col(f"{join.alias}?")
        if join.missing != "drop":
            mask = _Mask(f"{join.alias}?missing", "M315", severities[join.missing], field, None, join.place)
            remarks.append((mask, count.is_null()))
        mask = _Mask(f"{join.alias}?double", "M316", severities[join.double], field, None, join.place)
        remarks.append((mask, count > 1))
    return remarks


def _rank(part: PartPlan, days: Mapping[str, pl.Expr]) -> pl.Expr:
    """Which row of a key comes first: the lowest."""
    if part.keep == "preferred" and part.prefer:
        mask = pl.all_horizontal(condition.mask for condition in part.prefer)
        return pl.when(mask).then(0).otherwise(1).cast(pl.Int64)
    if part.keep in ("every_row", "preferred"):
        return pl.lit(0, pl.Int64)
    day = days[part.by].cast(pl.Int64, strict=False)
    if part.keep == "first":
        return day.fill_null(LATEST)
    latest = LATEST - day.fill_null(0)
    if part.keep == "last":
        return latest
    # A row that has not begun on that day comes after all that have, the one that begins soonest first.
    return pl.when(day.fill_null(0) <= int(part.on)).then(latest).otherwise(day + 2 * LATEST)


def _day(column: ColumnPlan, value: pl.Expr) -> pl.Expr:
    return value.struct.field("key") if len(column.targets) > 1 else value.cast(pl.String)


def _whole(part: PartPlan) -> tuple[str, ...]:
    """The whole numbers that expressions and conditions read."""
    names = [name for c in part.columns if c.expression is not None for name in c.expression.reads]
    conditions = (*part.when, *part.prefer, *(condition for c in part.columns for condition in c.when))
    names += [name for condition in conditions for name in condition.wide]
    return tuple(dict.fromkeys(name for name in names if pa.types.is_integer(part.types[name])))


_NO_POLICIES = pl.DataFrame(
    schema={
        "field": pl.String,
        "t": pl.String,
        "c": pl.String,
        "m": pl.String,
        "rejects": pl.Boolean,
        "must": pl.Boolean,
    }
)


def _policies(parts: Sequence[PartPlan], source: str) -> pl.DataFrame:
    """Of each field, the first column it goes to, and whether one rejects what has no value, or must have one."""
    rows = []
    for part in parts:
        if part.source != source:
            continue
        names: dict[str, list[str]] = {}
        for _, columns in part.each.flat if part.each is not None else ():
            for name, visible in columns.items():
                names.setdefault(visible, []).append(name)
        for column in part.columns:
            rejects = column.on_error == "reject"
            for field in column.reads:
                for name in names.get(field, [field]):
                    rows.append((name, part.table, column.name, column.place, rejects, rejects and column.mandatory))
    return (
        pl.DataFrame(rows, schema=_NO_POLICIES.schema, orient="row")
        .group_by("field", maintain_order=True)
        .agg(pl.col("t", "c", "m").first(), pl.col("rejects", "must").any())
    )


def _graded(policies: pl.DataFrame, decoded: pa.RecordBatch) -> pl.DataFrame:
    """The decoder's findings with the column, the mapping line, and the severity that the column's policy gives.

    A field without a value is an error where a column that must be filled rejects it, an alert where its columns make
    it null or keep it, a note where it goes nowhere. A blank number is an error only in a mandatory column.
    """
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


def _lost(decoded: pa.RecordBatch) -> dict[str, int]:
    """Of each field, how many records hold no value in it."""
    if not decoded.num_rows:
        return {}
    said = pl.DataFrame(pl.from_arrow(decoded)).filter(pl.col("code").is_in(VALUE_LOST))
    return dict(said.group_by("field").len().iter_rows())


def _found(rows: pl.DataFrame, mask: _Mask, part: PartPlan) -> pl.DataFrame:
    hit = rows.filter(pl.col(mask.name))
    return hit.select(
        pl.lit(mask.code).alias("code"),
        pl.lit(mask.severity.value).alias("severity"),
        pl.lit(part.dump).alias("dump"),
        pl.lit(part.kind).alias("kind"),
        pl.col("source_record").alias("record"),
        (pl.col("_offset") + part.offsets.get(mask.field, 0)).alias("offset"),
        pl.lit(mask.field).alias("field"),
        pl.lit(part.table).alias("table"),
        pl.lit(mask.column, pl.String).alias("column"),
        pl.lit(mask.place).alias("mapping"),
        pl.lit(None, pl.String).alias("detail"),
    )


def _joined(graded: Sequence[pl.DataFrame], findings: Sequence[pl.DataFrame]) -> pa.RecordBatch:
    every = list(graded)
    mapped = [found for found in findings if found.height]
    if mapped:
        every.append(pl.concat(mapped).unique(["record", "field", "code"], keep="first", maintain_order=True))
    return _batch(pl.concat(every), FINDINGS) if every else _empty(FINDINGS)


def _batch(frame: pl.DataFrame, schema: pa.Schema | None = None) -> pa.RecordBatch:
    table = frame.to_arrow() if schema is None else frame.to_arrow().cast(schema)
    parts = table.combine_chunks().to_batches()
    return parts[0] if parts else _empty(table.schema)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
