"""What is counted for controls, and of records that are left, while a dump is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import polars as pl
import pyarrow as pa

from mappings.control_plan import ControlPlan, Subject
from mappings.hits import batch_of
from mappings.leaving import meets
from migration_reports.records.groups import Group
from migration_reports.records.sums import added
from validators.tally import GroupTally, amount_of

EXACT = pl.Decimal(38, 9)
"""Totals of parents and what belongs to them, so that they can be compared."""


class Sink(Protocol):
    """What takes records that are looked at when the whole dump has been read."""

    def write_looked_at(self, source: str, rows: pa.RecordBatch) -> None:
        """Take some."""


def belonging(dump: str, control: str) -> str:
    """Under which name the sums of what belongs to each parent are kept."""
    return f"{dump}.control-{control}-found"


def stating(dump: str, control: str) -> str:
    """Under which name what each parent states is kept."""
    return f"{dump}.control-{control}-stated"


class Counting:
    """Counts for the controls of a dump, batch by batch.

    Args:
        dump: its name.
        controls: its controls that count or add up.
        sink: takes what parents state, and what belongs to them.
    """

    def __init__(self, dump: str, controls: Sequence[ControlPlan], sink: Sink) -> None:
        self._dump, self._controls, self._sink = dump, controls, sink
        self._tallies = {control.name: GroupTally() for control in controls if not control.per_parent}
        self._left: dict[str, dict[str, int]] = {}

    def add(self, kind: str, batch: pa.RecordBatch, left: pl.Series | None) -> None:
        """Count a batch of a record kind; `left` gives of each record the reason for which it is left."""
        if left is not None:
            counts = dict(left.drop_nulls().value_counts(name="count").iter_rows())
            self._left[kind] = added([self._left.get(kind, {}), counts])
        for control in self._controls:
            if control.stated[0] == kind:
                self._state(control, batch, left)
            for subject in control.subjects:
                if subject.kind == kind:
                    self._count(control, subject, batch, left)

    def _count(self, control: ControlPlan, subject: Subject, batch: pa.RecordBatch, left: pl.Series | None) -> None:
        of_parents = ("_parent",) if control.per_parent else ()
        names = dict.fromkeys(("_record", *of_parents, *subject.reads))
        frame = pl.DataFrame(pl.from_arrow(batch.select(list(names))))
        meant = meets(subject.when, frame)
        if not control.per_parent:
            gone = pl.Series([False]).new_from_index(0, frame.height) if left is None else left.is_not_null()
            self._tallies[control.name].add(frame, subject.fields, subject.by, meant=meant, left=gone)
            return
        amount = amount_of(frame, subject.fields).alias("found")
        sums = (
            frame.filter(meant)
            .select(pl.col("_parent").alias("_of"), amount)
            .drop_nulls("_of")
            .group_by("_of")
            .agg(pl.col("found").sum())
        )
        self._sink.write_looked_at(belonging(self._dump, control.name), batch_of(sums.cast({"found": EXACT})))

    def _state(self, control: ControlPlan, batch: pa.RecordBatch, left: pl.Series | None) -> None:
        """Keep what records state of their parents, or of themselves; those that are left state nothing."""
        frame = pl.DataFrame(pl.from_arrow(batch))
        frame = frame if left is None else frame.filter(left.is_null())
        parent = "_parent" if control.by_sibling else "_record"
        said = frame.select(
            pl.col(parent).alias("_of"), "_record", "_offset", pl.col(control.stated[1]).cast(EXACT).alias("stated")
        )
        self._sink.write_looked_at(stating(self._dump, control.name), batch_of(said))

    @property
    def groups(self) -> Mapping[str, tuple[Group, ...]]:
        """What was counted for each control."""
        return {name: tally.groups for name, tally in self._tallies.items()}

    @property
    def left(self) -> Mapping[str, Mapping[str, int]]:
        """By kind and reason, how many records are left."""
        return self._left
