"""A compiled mapping: everything proved, nothing left to look up while data are read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from mappings.expression import Expression
from mappings.language.folder import CodeTable, SystemFolder
from mappings.transforms.contract import Outcome, Params, Transform

LINEAGE = ("municipality_code", "source_dump", "source_record", "run_id")
ENGINE = ("_offset", "_rank", "_part")
"""What the engine adds to a table's columns: the record's byte offset, which row of a key comes first, and the part."""

RECORD, OCCURRENCE, DUMP = "$record", "$occurrence", "$dump"
"""What a column may be made of besides fields: the record's number, the occurrence's (with `each`), the dump's name."""

FROM, TO, VALUE = "$from", "$to", "$value"
"""Of a run of equal occurrences its first and last, and what they hold."""


PLACE = "$place"
"""Which of a record's cells a row is, from 0, where a table lies in columns of its own: so that a finding has its byte."""


def occurrence_of(table: str) -> str:
    """What the number of an occurrence of a table around is called in a row."""
    return f"{OCCURRENCE}({table})"


OBJECT = "$object"
PATH, BYTES, SHA256 = f"{OBJECT}.path", f"{OBJECT}.bytes", f"{OBJECT}.sha256"
OBJECT_TYPES: Mapping[str, pa.DataType] = MappingProxyType({PATH: pa.string(), BYTES: pa.int64(), SHA256: pa.string()})
"""What a column may be made of, where the record names a file beside the dump: its place in the store, bytes, and hash."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A transform with its parameters, whose `context` are columns of the frame that it needs too.

    Attributes:
        transform: the transform.
        params: its parameters.
        beside: another column of the part whose value it needs too.
        of_numbers: whether numbers flow into a transform that treats them otherwise.
    """

    transform: Transform
    params: Params
    beside: str = ""
    of_numbers: bool = False

    def apply(self, values: Sequence[pl.Expr], days: Mapping[str, pl.Expr], tables: Mapping[str, CodeTable]) -> Outcome:
        """What it makes of values; `days` are those of the part's columns."""
        more = [days.get(self.beside, pl.lit(None, pl.String))] if self.beside else []
        more += map(pl.col, self.params.context)
        function = self.transform.numeric if self.of_numbers else self.transform.apply
        assert function is not None
        return function([*values, *more], self.params, tables)

    @property
    def looks(self) -> bool:
        """Whether it looks at anything besides the value that it is applied to."""
        return bool(self.beside or self.params.context or self.transform.assigns)

    @property
    def factor(self) -> int | None:
        """What it multiplies numbers by; None where it does anything else."""
        return int(getattr(self.params, self.transform.factor)) if self.of_numbers and self.transform.factor else None


def factor_of(steps: Sequence[Step]) -> int | None:
    """What steps multiply a number by; None where one does anything else."""
    factors = [step.factor for step in steps]
    known = [factor for factor in factors if factor is not None]
    return math.prod(known) if len(known) == len(factors) else None


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """A condition on rows: a mask, the columns of the frame that it reads, and `filled`, the one that must not be zero.

    `filled` is empty where anything else is asked.
    """

    mask: pl.Expr
    reads: tuple[str, ...]
    wide: tuple[str, ...] = ()
    filled: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column (or date) is made.

    Attributes:
        name: the column, or the date's group.
        targets: the column, or the three of a date.
        sources: the columns of the frame that it is made of.
        steps: the transforms.
        constant: what stands there, where it is a constant.
        expression: the SQL expression, where there is one.
        when: where it does not hold, the column is empty.
        default: what stands where there is no value.
        on_error: reject, null, keep or default.
        at_most: how many may be wrong, as a number or a share; empty: as many as the run's limits allow.
        stop_after: how many wrong ones in a slice stop the run.
        mandatory: whether the target refuses null.
        place: the mapping line, file:line.
    """

    name: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    steps: tuple[Step, ...]
    constant: str | None
    expression: Expression | None
    when: tuple[Condition, ...]
    default: str | None
    on_error: str
    at_most: str
    stop_after: int | None
    mandatory: bool
    place: str

    @property
    def reads(self) -> tuple[str, ...]:
        """Every column of the frame that it needs."""
        of_conditions = (name for condition in self.when for name in condition.reads)
        of_expression = self.expression.reads if self.expression is not None else ()
        of_steps = (name for step in self.steps for name in step.params.context)
        return tuple(dict.fromkeys((*self.sources, *of_expression, *of_steps, *of_conditions)))

    @property
    def factor(self) -> int | None:
        """What its one source is multiplied by on its way into the column; None where more than that happens to it."""
        plain = self.expression is None and not (self.when or self.default is not None)
        return factor_of(self.steps) if len(self.sources) == 1 and plain else None


@dataclasses.dataclass(frozen=True, slots=True)
class Runs:
    """Which runs of equal occurrences give a row: those of some values (of any, where there are none), but not of others."""

    values: tuple[str, ...]
    besides: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Occurrences:
    """The occurrences of a table (OCCURS), a row each; of one inside others, each with those of the tables around it.

    A table of varying size, or around one, is a list column, whose members become columns. Of one with a fixed number
    every occurrence has columns of its own, in the record or in a list's members.

    Attributes:
        tables: the table, behind those around it, the outermost first.
        lists: those of them that are lists.
        shape: how many occurrences the others have.
        flat: name in the row -> the columns that hold it, in the order of the occurrences; of a member of a table around
            as many as that has. In lists, these are columns of the innermost list's members.
        members: the names in the row, with their types.
        runs: where runs of equal occurrences give a row each.
    """

    tables: tuple[str, ...]
    lists: tuple[str, ...]
    shape: tuple[int, ...]
    flat: Mapping[str, tuple[str, ...]]
    members: Mapping[str, pa.DataType]
    runs: Runs | None = None

    @property
    def table(self) -> str:
        """The table."""
        return self.tables[-1]

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the batch that it takes apart."""
        return self.lists[:1] or tuple(name for columns in self.flat.values() for name in columns)

    @property
    def fixed(self) -> int:
        """How many occurrences every record, or every entry of a list, has."""
        return math.prod(self.shape)

    @property
    def numbers(self) -> tuple[str, ...]:
        """What a row has that is no field: the numbers of its occurrences, and of a run its place."""
        around = self.tables[:-1] if self.runs is not None else self.tables
        own = (FROM, TO) if self.runs is not None else (OCCURRENCE,)
        return (*map(occurrence_of, around), *own)

    def fields(self, name: str) -> tuple[str, ...]:
        """The fields of the layout that a name in the row comes from; what is no member is a field itself, or none."""
        meant = self.table if self.runs is not None and name in (FROM, TO, VALUE) else name
        return () if meant.startswith("$") else self.flat.get(meant, (meant,))

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of the batch that a name in the row comes from: of what lies in a list, the list."""
        inside = name in self.members or (self.runs is not None and name in (FROM, TO))
        return self.lists[:1] if inside and self.lists else self.fields(name)


@dataclasses.dataclass(frozen=True, slots=True)
class Join:
    """Records of another kind, found by a key.

    `keys` are pairs of our column and theirs; none: theirs is the record that ours belongs to. `fields` are those of
    theirs that are used, as ALIAS.FIELD in the frame.
    """

    alias: str
    source: str
    keys: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    missing: str
    double: str
    place: str


@dataclasses.dataclass(frozen=True, slots=True)
class PartPlan:
    """How one target table is filled from one record kind.

    Attributes:
        table: the key of the target table, system.table.
        number: which part of it, from 0.
        source: the record kind, dump.kind.
        each: the occurrences that give a row each.
        joins: other records that are looked at; such a part is mapped when every dump has been read.
        when: which records (or occurrences) give a row.
        keep: which rows of a key stand: every_row, preferred, first, last, effective.
        by: the column whose date decides that.
        on: the day, for effective.
        prefer: the rows that come first, for preferred.
        columns: the columns.
        schema: what is staged.
        types: the columns of the frame, and their types.
        offsets: of each column of the frame that is a field, its byte offset in the record.
        place: the mapping line.
        dates: the dates of the table's key.
        arrival: the column by which rows of one key are told apart whose dates are not known; empty: none.
        names_object: the field that names a file beside the dump; empty where none does.
        around: the kinds of headers and trailers that it looks at; in the frame kind.FIELD, and kind?, whether there is one.
    """

    table: str
    number: int
    source: str
    each: Occurrences | None
    joins: tuple[Join, ...]
    when: tuple[Condition, ...]
    keep: str
    by: str
    on: str
    prefer: tuple[Condition, ...]
    columns: tuple[ColumnPlan, ...]
    schema: pa.Schema
    types: Mapping[str, pa.DataType]
    offsets: Mapping[str, int]
    place: str
    dates: tuple[str, ...] = ()
    arrival: str = ""
    names_object: str = ""
    around: tuple[str, ...] = ()

    @property
    def dump(self) -> str:
        """The dump that it reads."""
        return self.source.partition(".")[0]

    @property
    def kind(self) -> str:
        """The record kind that it reads."""
        return self.source.partition(".")[2]

    @property
    def reads(self) -> tuple[str, ...]:
        """Every column of the frame that it needs."""
        names = [name for condition in (*self.when, *self.prefer) for name in condition.reads]
        names += [name for column in self.columns for name in column.reads]
        names += [ours for join in self.joins for ours, _ in join.keys]
        names += [f"{kind}?" for kind in self.around]
        return tuple(dict.fromkeys(names))

    def constants(self, municipality: str, run_id: str) -> Mapping[str, str | int | None]:
        """The columns of what is staged that have one value in every row, with it; None where nothing fills them.

        Args:
            municipality: its code.
            run_id: the run.
        """
        ranked = self.keep not in ("every_row", "preferred") or self.prefer
        filled = {self.arrival, *(target for column in self.columns for target in column.targets)}
        return {
            "municipality_code": municipality,
            "source_dump": self.dump,
            "run_id": run_id,
            "_part": self.number,
            **({} if ranked else {"_rank": 0}),
            **dict.fromkeys(name for name in self.schema.names if name not in {*filled, *LINEAGE, *ENGINE}),
        }

    @property
    def series(self) -> tuple[tuple[ColumnPlan, int], ...]:
        """The columns that number keys, with the place of the step that does."""
        return tuple(
            (column, at) for column in self.columns for at, step in enumerate(column.steps) if step.transform.assigns
        )

    @property
    def waits(self) -> bool:
        """Whether it can only be mapped when every dump has been read."""
        return bool(self.joins or self.series)

    def sums(self, name: str) -> tuple[str, ...]:
        """The fields whose sum is that of a name in the rows, because each of their values stands in one row, or is zero."""
        once = self.each is None or (self.each.runs is None and len(self.each.flat.get(name, ())) == self.each.fixed)
        every = not self.joins and self.keep == "every_row" and all(condition.filled == name for condition in self.when)
        lists = self.each is not None and self.each.lists
        if not (once and every) or lists:
            return ()
        return self.each.fields(name) if self.each is not None else (name,)


@dataclasses.dataclass(frozen=True, slots=True)
class Leave:
    """Records of a kind that are left for a reason: those for which all conditions hold."""

    reason: str
    when: tuple[Condition, ...]


Fate = tuple[tuple[str, ...], str]
"""The columns that a field goes to, as system.table.column, or why it is ignored."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """A system's mapping, ready to run.

    Attributes:
        system: its name.
        parts: the parts of its tables.
        one_row_per_key: the tables that keep one row a key.
        fates: for each source, where its fields go; of a list that is read its members too, as LIST.FIELD.
        fields: for each source, the fields that the mapping reads.
        folder: what the municipality says of the system.
        leaves: for each source, which of its records are left; the first reason that fits counts.
    """

    system: str
    parts: tuple[PartPlan, ...]
    one_row_per_key: frozenset[str]
    fates: Mapping[str, Mapping[str, Fate]]
    fields: Mapping[str, frozenset[str]]
    folder: SystemFolder
    leaves: Mapping[str, tuple[Leave, ...]] = dataclasses.field(default_factory=dict)

    def parts_of(self, source: str) -> tuple[PartPlan, ...]:
        """The parts that read a source."""
        return tuple(part for part in self.parts if part.source == source)

    def fields_used(self, source: str) -> frozenset[str]:
        """The fields of a source that the mapping reads."""
        return self.fields.get(source, frozenset())

    def looked_at(self) -> Mapping[str, tuple[str, ...]]:
        """The sources that parts join, with the fields of theirs that are needed."""
        needed: dict[str, dict[str, None]] = {}
        for part in self.parts:
            for join in part.joins:
                fields = needed.setdefault(join.source, {})
                fields.update(dict.fromkeys((*(theirs for _, theirs in join.keys), *join.fields)))
        return MappingProxyType({source: tuple(fields) for source, fields in needed.items()})
