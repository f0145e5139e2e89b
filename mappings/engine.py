"""Plan and batch -> target rows and findings: one Polars query a part of a table, nothing a row at a time.

A part that looks at other records, or numbers keys, waits: its rows are held until every dump has been read, and are then
mapped in the same way.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from mappings.grading import NO_POLICIES, grade, policies_of, values_lost
from mappings.hits import batch_of, findings_of, joined
from mappings.keys import dated_key, rank
from mappings.known import Known, key_of
from mappings.language.folder import CodeTable, Period
from mappings.leaving import NOBODY, Takers, noted, reasons_left, without
from mappings.plan import PLACE, ColumnPlan, PartPlan, Plan, Step
from mappings.provenance import found_as
from mappings.rows import HELD, chosen_by, prepared, unfolded, wide_numbers
from mappings.transforms.contract import Workings
from mappings.values import (
    Alone,
    Remark,
    absence_remarks,
    alone,
    column_value,
    day_of,
    inflow,
    target_values,
    working_levels,
)

PartKey = tuple[str, int]
"""A table, and the number of its part."""

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
        left: of each record the reason for which it is left, and null where it is not; None where none may be.
        untaken: records, `_record` and `_offset`, of which only parts that wait can tell whether they take them.
    """

    rows: Mapping[PartKey, pa.RecordBatch]
    held: Mapping[PartKey, pa.RecordBatch]
    tallies: Mapping[PartKey, Tally]
    findings: pa.RecordBatch
    left: pl.Series | None
    untaken: pl.DataFrame


_Chain = tuple[tuple[Step, ...], tuple[pa.DataType, ...]]
"""Steps, and the types of what goes into them: of the same ones, the same values are known whatever column they stand in."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """A remark, the expression of its mask, and the columns that this reads."""

    remark: Remark
    expr: pl.Expr
    reads: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Query:
    """A part's expressions, made once.

    Attributes:
        part: the part.
        workings: the columns that the others are worked out from.
        exprs: the target's columns.
        said: the remarks.
        whole: the whole numbers that are read as 128 bits.
        alone: the first steps of columns that are the same, and what is known of them.
        fields: of each column the fields that it is made of, as the decoder's findings name them.
        levels: the workings in order, for each set of first steps whose outcome was known.
    """

    part: PartPlan
    workings: tuple[tuple[str, pl.Expr], ...]
    exprs: tuple[pl.Expr, ...]
    said: tuple[_Said, ...]
    whole: tuple[str, ...]
    alone: tuple[tuple[Known, tuple[Alone, ...]], ...]
    fields: Mapping[str, tuple[str, ...]]
    levels: dict[frozenset[str], tuple[tuple[pl.Expr, ...], ...]] = dataclasses.field(default_factory=dict)

    def levels_but(self, known: frozenset[str]) -> tuple[tuple[pl.Expr, ...], ...]:
        """The workings, in order, but those of the first steps that make columns which are known."""
        if known not in self.levels:
            made = (one for _, some in self.alone for one in some if one.names[0] in known)
            done = {name for one in made for name, _ in one.workings}
            self.levels[known] = working_levels([(name, expr) for name, expr in self.workings if name not in done])
        return self.levels[known]


class Mapper:
    """Maps batches by the plans of a municipality's systems; the queries are made once, and values that come again known.

    Args:
        plans: the compiled mappings.
        run_id: the run that the rows will say they come from.
    """

    def __init__(self, plans: Sequence[Plan], run_id: str) -> None:
        self._run_id = run_id
        self._parts = tuple(part for plan in plans for part in plan.parts)
        self._folders = {(part.table, part.number): plan.folder for plan in plans for part in plan.parts}
        self._policies = {part.source: policies_of(self._parts, part.source) for part in self._parts}
        self._leaves = {source: leaves for plan in plans for source, leaves in plan.leaves.items()}
        self._takers = {part.source: Takers(self._parts, part.source) for part in self._parts}
        self._known: dict[str, dict[_Chain, Known]] = {}
        self._queries = {
            (part.table, part.number): self._query(part, self._tables(part, {}))
            for part in self._parts
            if not part.waits
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
        whole = pl.DataFrame(pl.from_arrow(batch))
        left = reasons_left(self._leaves.get(source, ()), whole)
        frame = whole if left is None else whole.filter(left.is_null())
        rows: dict[PartKey, pa.RecordBatch] = {}
        held: dict[PartKey, pa.RecordBatch] = {}
        tallies: dict[PartKey, Tally] = {}
        findings: list[pl.DataFrame] = []
        gone = () if left is None else whole["_record"].filter(left.is_not_null())
        lost = values_lost(without(decoded, gone))
        for part in self._parts:
            if part.source != source:
                continue
            key = (part.table, part.number)
            before = unfolded(part, frame)
            if part.waits:
                needed = [name for name in (*HELD, PLACE, *part.reads) if name in before.columns]
                held[key] = batch_of(before.select(list(dict.fromkeys(needed))))
                continue
            rows[key], found, tallies[key] = _run(self._queries[key], before, lost)
            findings.extend(found)
        untaken, told = self._takers[source].untaken(frame, rows, held) if source in self._takers else NOBODY
        graded = [grade(self._policies.get(source, NO_POLICIES), decoded)] if decoded.num_rows else []
        every = joined([*(noted(one, gone) for one in graded), told], findings)
        return Mapped(rows, held, tallies, every, left, untaken)

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
        made, found, tally = _run(self._query(part, self._tables(part, numbers)), frame, {})
        return made, joined([], found), tally

    def keys_of(self, part: PartPlan, column: ColumnPlan, at: int, frame: pl.DataFrame) -> pl.Series:
        """The keys that a step of a column numbers, in some rows: texts, each once, without null."""
        value = inflow(column)[0]
        chosen = chosen_by(part, prepared(part, frame, wide_numbers(part)))
        for step in column.steps[:at]:
            outcome = step.apply([value], {}, self._tables(part, {}))
            for level in working_levels(outcome.workings):
                chosen = chosen.with_columns(level)
            value = outcome.value
        for condition in column.when:
            chosen = chosen.filter(condition.mask)
        keys = chosen.select(value.cast(pl.String).alias("key"))["key"].drop_nulls().unique()
        return keys.filter(keys != "")

    def _query(self, part: PartPlan, tables: Mapping[str, CodeTable]) -> _Query:
        folder = self._folders[part.table, part.number]
        known = self._known.setdefault(folder.name, {})
        return _query(part, folder.head.municipality.code, self._run_id, tables, known)

    def _tables(self, part: PartPlan, numbers: Mapping[str, Mapping[str, str]]) -> Mapping[str, CodeTable]:
        known = self._folders[part.table, part.number].code_tables
        return {**known, **{name: CodeTable((Period("", "", given),), name) for name, given in numbers.items()}}


def _run(
    query: _Query, frame: pl.DataFrame, lost: Mapping[str, int]
) -> tuple[pa.RecordBatch, list[pl.DataFrame], Tally]:
    part = query.part
    chosen = chosen_by(part, prepared(part, frame, query.whole))
    chosen, made, silent = _looked_up(query, chosen)
    # Not through a lazy frame: its optimiser spends seconds on these expressions, once a batch, and finds nothing.
    for level in query.levels_but(made):
        chosen = chosen.with_columns(level)
    said = [one for one in query.said if not one.reads & silent]
    rows = chosen.select(*query.exprs, *[one.expr for one in said])
    batch = batch_of(rows[part.schema.names], part.schema)
    wrong = {name: sum(lost.get(field, 0) for field in fields) for name, fields in query.fields.items()}
    hits = {one.remark: rows[one.remark.name].arg_true() for one in said if rows[one.remark.name].any()}
    unknown: dict[str, Counter[str]] = {}
    for mask, at in hits.items():
        if mask.failed and mask.column is not None:
            wrong[mask.column] += len(at)
        if mask.code == "M310" and mask.column is not None and mask.field in chosen.columns:
            unknown.setdefault(mask.column, Counter()).update(_counted(chosen[mask.field][at]))
    places = chosen[PLACE].to_numpy() if hits and PLACE in chosen.columns else None
    found = [findings_of(rows, hits, part, places)] if hits else []
    tally = Tally(frame.height, rows.height, {name: count for name, count in wrong.items() if count}, unknown)
    return batch, found, tally


def _looked_up(query: _Query, frame: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str], frozenset[str]]:
    """The rows with what is known of their values: which values were added, and which masks hit none of these rows."""
    added: list[pl.Series] = []
    made, silent = [], []
    never = pl.Series([False]).new_from_index(0, frame.height)
    every = [one for _, some in query.alone for one in some]
    values = frame.select(key_of(one).alias(one.names[0]) for one in every)
    hashes = values.select(pl.all().hash())
    for known, some in query.alone:
        columns = [(values[one.names[0]], hashes[one.names[0]].to_numpy()) for one in some]
        for one, outcome in zip(some, known.of(columns), strict=True):
            if outcome is None:
                continue
            made.append(one.names[0])
            silent += [name for name, column in zip(one.names, outcome, strict=True) if column is None]
            added += [
                (never if column is None else column).alias(name)
                for name, column in zip(one.names, outcome, strict=True)
            ]
    return frame.hstack(added), frozenset(made), frozenset(silent)


def _counted(codes: pl.Series) -> Mapping[str, int]:
    """How often each code came; what is no short code of digits and letters counts under ""."""
    text = codes.cast(pl.String).str.strip_chars().rename("code")
    shown = (
        pl.when(pl.col("code").str.contains(f"^[0-9A-Za-z]{{1,{SHOWN}}}$")).then(pl.col("code")).otherwise(pl.lit(""))
    )
    return dict(text.to_frame().select(shown).group_by("code").len().iter_rows())


def _query(
    part: PartPlan, municipality: str, run_id: str, tables: Mapping[str, CodeTable], known: dict[_Chain, Known]
) -> _Query:
    types = {field.name: field.type for field in part.schema}
    workings = Workings()
    first = {c.name: alone(c, tables) for c in part.columns}
    chains: dict[_Chain, tuple[Alone, ...]] = {}
    for one in first.values():
        if one is not None:
            chain = one.steps, tuple(part.types[name] for name in one.sources)
            chains[chain] = (*chains.get(chain, ()), one)
    known.update({chain: Known(some[0]) for chain, some in chains.items() if chain not in known})
    firsts = tuple((known[chain], some) for chain, some in chains.items())
    made = {c.name: column_value(part, c, tables, {}, workings, first[c.name]) for c in part.columns if not _asks(c)}
    days = {c.name: day_of(c, made[c.name][0]) for c in part.columns if not _asks(c)}
    made |= {c.name: column_value(part, c, tables, days, workings, first[c.name]) for c in part.columns if _asks(c)}
    days |= {c.name: day_of(c, made[c.name][0]) for c in part.columns if _asks(c)}
    constants = part.constants(municipality, run_id)
    exprs: dict[str, pl.Expr] = {name: pl.lit(value, _polars(types[name])) for name, value in constants.items()}
    exprs |= {"source_record": pl.col("_record"), "_offset": pl.col("_offset")}
    if "_rank" not in constants:
        exprs["_rank"] = rank(part, days)
    remarks = absence_remarks(part)
    for column in part.columns:
        value, said = made[column.name]
        remarks += [
            (dataclasses.replace(mask, name=f"{column.name}?{number}"), expr)
            for number, (mask, expr) in enumerate(said)
        ]
        for target, expr in target_values(column, value, types).items():
            exprs[target] = expr
    exprs |= dated_key(part, exprs)
    ordered = tuple(exprs[name].alias(name) for name in types)
    heard = tuple(
        _Said(mask, expr.fill_null(value=False).alias(mask.name), frozenset(expr.meta.root_names()))
        for mask, expr in remarks
    )
    fields = {c.name: tuple(field for name in c.sources for _, field in found_as(part, name)) for c in part.columns}
    return _Query(part, tuple(workings.made), ordered, heard, wide_numbers(part), firsts, fields)


def _asks(column: ColumnPlan) -> bool:
    """Whether a transform of the column asks for another column's day."""
    return any(step.beside for step in column.steps)


def _polars(kind: pa.DataType) -> pl.DataType:
    """The type of a staged column in a frame."""
    if pa.types.is_decimal(kind):
        return pl.Decimal(kind.precision, kind.scale)
    return {pa.string(): pl.String(), pa.int64(): pl.Int64(), pa.int16(): pl.Int16()}[kind]
