"""References, judged over the rows that would be promoted.

Rules run over all staged rows, and a parent that is staged may be rejected. So, once the rejects are known, references
are asked again of what is left: a row whose parent fell falls too, with its whole record, or stays as an alert. What falls
may be a parent itself, so this goes on until nothing falls. Polars decides what falls; the other engine counts every round
behind it, and may take longer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from migration_reports.findings import Severity, join_findings
from validators import engine
from validators.shapes.contract import KEY, Frames, Rule

NOTHING: Frames = MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """One reference, judged.

    Attributes:
        rule: the rule that it is.
        fell: the rows that fell with a parent, of all rounds (source_dump, source_record, _offset, _part).
        rows: how many rows that would be promoted name a parent.
        dangling: those of them whose parent would not be, in the form of `fell`.
        dangling_gx: how many Great Expectations counts of these.
    """

    rule: Rule
    fell: pl.DataFrame
    rows: int
    dangling: pl.DataFrame
    dangling_gx: int


def promotable(frames: Frames, rejected: pl.DataFrame, keys: Mapping[str, Sequence[str]]) -> Frames:
    """The rows that would be promoted.

    Args:
        frames: the staged rows by table.
        rejected: the rejected records, source_dump and source_record.
        keys: the key of each table that keeps one row a key.
    """

    def chosen(name: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        accepted = rows.join(rejected.lazy(), on=KEY, how="anti")
        if name not in keys:
            return accepted
        order = (*keys[name], "_rank", *KEY, "_part")
        return accepted.sort(order, nulls_last=True).unique(keys[name], keep="first")

    return {name: chosen(name, rows) for name, rows in frames.items()}


def judge(
    rules: Sequence[Rule],
    frames: Frames,
    *,
    rejected: pl.DataFrame,
    keys: Mapping[str, Sequence[str]],
    count: Callable[[pl.DataFrame], Future[Mapping[str, int]]],
    elsewhere: Frames = NOTHING,
) -> tuple[tuple[Judged, ...], pa.RecordBatch]:
    """Judge references over the rows that would be promoted, and let fall what falls with a parent.

    Args:
        rules: the references as rules (`derived.promoted_reference`); an error lets its rows fall.
        frames: the staged rows by table.
        rejected: the records that are rejected so far, source_dump and source_record.
        keys: the key of each table that keeps one row a key.
        count: begins to count for some rejected records how many rows fail each rule in the other engine, and gives
            the counts when they are known; the rounds are counted one after another.
        elsewhere: rows of other tables that have been promoted; none of them falls.

    Returns:
        Each reference, judged; and a finding for each that the two engines ever counted differently.
    """
    fell: dict[str, list[pl.DataFrame]] = {rule.name: [] for rule in rules}
    rounds: list[tuple[Mapping[str, int], Future[Mapping[str, int]]]] = []
    while True:
        counting = count(rejected)
        left = {**promotable(frames, rejected, keys), **elsewhere}
        failing = engine.run_polars(rules, left)
        rounds.append(({name: rows.height for name, rows in failing.items()}, counting))
        falling = [rule.name for rule in rules if rule.severity is Severity.ERROR and failing[rule.name].height]
        if not falling:
            break
        for name in falling:
            fell[name].append(failing[name])
        rejected = pl.concat([rejected, *(failing[name].select(KEY) for name in falling)]).unique()
    differing = [engine.compare(rules, ours, theirs.result()) for ours, theirs in rounds]
    counted = rounds[-1][1].result()
    judged = tuple(
        Judged(
            rule=rule,
            fell=pl.concat([failing[rule.name].clear(), *fell[rule.name]]),
            rows=_naming(left[rule.table], rule.columns),
            dangling=failing[rule.name],
            dangling_gx=counted[rule.name],
        )
        for rule in rules
    )
    return judged, join_findings(differing)


def _naming(rows: pl.LazyFrame, columns: Sequence[str]) -> int:
    named = pl.all_horizontal(pl.col(columns).is_not_null()).sum()
    return int(rows.select(named).collect(engine="streaming").item())
