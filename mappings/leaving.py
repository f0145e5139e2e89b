"""Which records of a batch are left, for which reason, and which no part of any table takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from mappings.expression import wide
from mappings.hits import batch_of
from mappings.plan import Condition, Leave, PartPlan
from mappings.rows import chosen_by, prepared, wide_numbers
from migration_reports.findings import FINDINGS, Severity

PLACED = {"_record": pl.Int64, "_offset": pl.Int64}

NO_FINDINGS = pl.DataFrame(pl.from_arrow(FINDINGS.empty_table()))

NOBODY = (pl.DataFrame(schema=PLACED), NO_FINDINGS)
"""No record, and nothing said of any."""


def meets(conditions: Sequence[Condition], frame: pl.DataFrame) -> pl.Series:
    """Of each record whether all conditions hold."""
    names = dict.fromkeys(name for condition in conditions for name in condition.wide)
    whole = [pl.col(name).cast(pl.Int128).alias(wide(name)) for name in names if frame.schema[name].is_integer()]
    mask = pl.all_horizontal(pl.lit(value=True), *(condition.mask for condition in conditions))
    holds = frame.with_columns(whole).select(mask.alias("holds"))["holds"]
    return holds if len(holds) == frame.height else holds.new_from_index(0, frame.height)


def reasons_left(leaves: Sequence[Leave], frame: pl.DataFrame) -> pl.Series | None:
    """Of each record the first reason for which it is left, and null where it is not; None where none may be left."""
    if not leaves:
        return None
    holds = pl.DataFrame([meets(leave.when, frame).alias(str(at)) for at, leave in enumerate(leaves)])
    reasons = [pl.when(pl.col(str(at))).then(pl.lit(leave.reason)) for at, leave in enumerate(leaves)]
    return holds.select(pl.coalesce(*reasons).alias("reason"))["reason"]


def without(decoded: pa.RecordBatch, left: pl.Series | Sequence[int]) -> pa.RecordBatch:
    """The decoder's findings on the records that are not left."""
    if not decoded.num_rows or not len(left):
        return decoded
    return decoded.filter(pc.invert(pc.is_in(decoded.column("record"), pa.array(left, pa.int64()))))


def noted(found: pl.DataFrame, left: pl.Series | Sequence[int]) -> pl.DataFrame:
    """Findings of which those on records that are left are notes: nothing of these is moved, so that nothing is rejected."""
    if not len(left):
        return found
    gone = pl.col("record").is_in(pl.Series(left, dtype=pl.Int64).implode())
    return found.with_columns(
        pl.when(gone).then(pl.lit(Severity.NOTE.value)).otherwise(pl.col("severity")).alias("severity")
    )


def spared(found: pa.RecordBatch, batch: pa.RecordBatch, left: pl.Series | None) -> pa.RecordBatch:
    """Findings on the records of a batch, of which those on records that are left are notes; see `noted`."""
    if left is None or not found.num_rows:
        return found
    gone = pl.Series(pl.from_arrow(batch.column("_record"))).filter(left.is_not_null())
    return batch_of(noted(pl.DataFrame(pl.from_arrow(found)), gone), FINDINGS)


def is_sure(part: PartPlan) -> bool:
    """Whether a record itself tells whether a part takes it, and not what a join finds."""
    asked = {name for condition in part.when for name in condition.reads}
    joined = any(name.startswith(f"{join.alias}.") for join in part.joins for name in asked)
    return not joined and all(join.missing != "drop" for join in part.joins)


class Takers:
    """The parts of all tables that read a record kind: which of its records does none of them take?

    Args:
        parts: the parts of all kinds.
        source: the kind, dump.kind.
    """

    def __init__(self, parts: Sequence[PartPlan], source: str) -> None:
        own = [part for part in parts if part.source == source]
        self._source = source
        self._sure = tuple(part for part in own if is_sure(part))
        self._some_wait = len(self._sure) < len(own)
        self._all = any(not part.when and part.each is None for part in self._sure)

    def untaken(
        self,
        frame: pl.DataFrame,
        rows: Mapping[tuple[str, int], pa.RecordBatch],
        held: Mapping[tuple[str, int], pa.RecordBatch],
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Which records of a batch no part takes, as far as these tell.

        Args:
            frame: the records.
            rows: what parts have made of them.
            held: what parts that wait will be made of.

        Returns:
            The records of which only joins can tell, `_record` and `_offset`; and the findings on those that none takes.
        """
        if self._all:
            return NOBODY
        taken = [_taken(part, rows, held) for part in self._sure]
        some = pl.concat(taken).unique() if taken else pl.DataFrame(schema={"_record": pl.Int64})
        rest = frame.select(*PLACED).join(some, on="_record", how="anti", maintain_order="left")
        return (rest, NO_FINDINGS) if self._some_wait else (NOBODY[0], untaken_findings(self._source, rest))


def _taken(
    part: PartPlan, rows: Mapping[tuple[str, int], pa.RecordBatch], held: Mapping[tuple[str, int], pa.RecordBatch]
) -> pl.DataFrame:
    key = (part.table, part.number)
    if not part.waits:
        return pl.DataFrame({"_record": pl.Series(rows[key].column("source_record"), dtype=pl.Int64)})
    frame = pl.DataFrame(pl.from_arrow(held[key]))
    return chosen_by(part, prepared(part, frame, wide_numbers(part))).select("_record")


def untaken_of(source: str) -> str:
    """Under which name records of a kind are kept of which only joins tell whether any part takes them."""
    return f"{source}.untaken"


def untaken_findings(source: str, records: pl.DataFrame) -> pl.DataFrame:
    """What is said of records that no part takes.

    Args:
        source: their kind, dump.kind.
        records: `_record` and `_offset`.
    """
    dump, _, kind = source.partition(".")
    said = {"code": "C566", "severity": Severity.ALERT.value, "dump": dump, "kind": kind}
    placed = records.select(
        *(pl.lit(value).alias(name) for name, value in said.items()),
        pl.col("_record").alias("record"),
        pl.col("_offset").alias("offset"),
    )
    return pl.concat([NO_FINDINGS, placed], how="diagonal")
