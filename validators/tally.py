"""What is counted of a dump while it is read: records by kind, exact sums, and the groups of controls."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from migration_reports.records.groups import MOST_GROUPS, Group
from migration_reports.records.sums import EXACT


@dataclasses.dataclass(slots=True)
class Tally:
    """What was counted of a dump while it was read: records by kind, and exact sums by kind.field."""

    records: dict[str, int] = dataclasses.field(default_factory=dict)
    sums: dict[str, Decimal] = dataclasses.field(default_factory=dict)

    def add(self, kind: str, batch: pa.RecordBatch, fields: Sequence[str]) -> None:
        """Count a batch; `fields` are those to sum, over the records whose value is valid."""
        self.records[kind] = self.records.get(kind, 0) + batch.num_rows
        for field in fields:
            column = batch.column(field)
            scale = column.type.scale if pa.types.is_decimal(column.type) else 0
            total = pc.sum(column.cast(pa.decimal128(38, scale))).as_py()
            name = f"{kind}.{field}"
            self.sums[name] = EXACT.add(self.sums.get(name, Decimal(0)), Decimal(0) if total is None else total)


class GroupTally:
    """What was counted for one control, group by group; so many at a time that few are in memory."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(
        self, frame: pl.DataFrame, fields: Sequence[str], by: Sequence[str], *, meant: pl.Series, left: pl.Series
    ) -> None:
        """Count some records.

        Args:
            frame: the records, with `_record`.
            fields: what is added up; a text that is no whole number adds nothing. None: records are counted.
            by: the fields that make the groups.
            meant: of each record whether the control means it.
            left: of each record whether it is left.
        """
        keys = [pl.col(name).cast(pl.String).alias(f"by{at}") for at, name in enumerate(by)]
        amount = amount_of(frame, fields).alias("read")
        some = frame.select(*keys, pl.col("_record").alias("first"), amount).with_columns(
            meant.cast(pl.Int64).alias("records"),
            pl.when(meant).then("read").otherwise(0).alias("total"),
            pl.when(left).then("read").otherwise(0).alias("left"),
        )
        self._parts.append(_added(some))
        if sum(part.height for part in self._parts) > 2 * MOST_GROUPS:
            self._parts = [self._merged()]

    def _merged(self) -> pl.DataFrame:
        return _added(pl.concat(self._parts, how="vertical_relaxed")).head(MOST_GROUPS + 1)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups so far; one more than may be where there are too many."""
        if not self._parts:
            return ()
        merged = self._merged()
        values = merged.select(pl.selectors.starts_with("by")).rows() or [()] * merged.height
        counts = merged.select("records", "first", "total", "read", "left").iter_rows()
        return tuple(Group(of, *numbers) for of, numbers in zip(values, counts, strict=True))


def _added(some: pl.DataFrame) -> pl.DataFrame:
    """Groups that were counted apart, added, in the order of their values."""
    keys = [name for name in some.columns if name.startswith("by")]
    sums = (pl.col("records", "total", "read", "left").sum(), pl.col("first").min())
    return some.group_by(keys).agg(sums).sort(keys) if keys else some.select(sums)


def amount_of(frame: pl.DataFrame, fields: Sequence[str]) -> pl.Expr:
    """What a record adds: the sum of its fields, or one, where records are counted."""
    amounts = [_amount(frame, field) for field in fields]
    return functools.reduce(operator.add, amounts) if amounts else pl.lit(1, pl.Decimal(38, 0))


def _amount(frame: pl.DataFrame, field: str) -> pl.Expr:
    kind = frame.schema[field]
    scale = kind.scale if isinstance(kind, pl.Decimal) else 0
    text = pl.col(field).str.strip_chars() if kind == pl.String else pl.col(field)
    return text.cast(pl.Decimal(38, scale), strict=kind != pl.String).fill_null(Decimal(0))
