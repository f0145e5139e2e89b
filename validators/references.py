"""References, judged over the rows that would be promoted.

Rules run over all staged rows, and a parent that is staged may be rejected. So, once the rejects are known, references
are asked again of what is left: a row whose parent fell falls too, with its whole record, or stays as an alert. What falls
may be a parent itself, so this goes on until nothing falls. Polars decides what falls; the other engine counts every round
behind it, and may take longer.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
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


def preferred(rows: pl.LazyFrame, key: Sequence[str]) -> pl.LazyFrame:
    """Of the rows of each key the one that is promoted."""
    return rows.sort(*key, "_rank", *KEY, "_part", nulls_last=True).unique(key, keep="first")


def judge(
    rules: Sequence[Rule],
    frames: Frames,
    *,
    rejected: pl.DataFrame,
    keys: Mapping[str, Sequence[str]],
    targets: Mapping[str, Collection[str]],
    count: Callable[[pl.DataFrame], Future[Mapping[str, int]]],
    elsewhere: Frames = NOTHING,
    heights: Mapping[str, int] = engine.UNKNOWN,
) -> tuple[tuple[Judged, ...], pa.RecordBatch]:
    """Judge references over the rows that would be promoted, and let fall what falls with a parent.

    Args:
        rules: the references as rules (`derived.promoted_reference`); an error lets its rows fall.
        frames: the staged rows by table.
        rejected: the records that are rejected so far, source_dump and source_record.
        keys: the key of each table that keeps one row a key.
        targets: the columns by which rows of a table are named.
        count: begins to count for some rejected records how many rows fail each rule in the other engine, and gives
            the counts when they are known; the rounds are counted one after another.
        elsewhere: rows of other tables that have been promoted; none of them falls.
        heights: how many rows are staged by table; see `engine.run_polars`.

    Returns:
        Each reference, judged; and a finding for each that the two engines ever counted differently.
    """
    fell: dict[str, list[pl.DataFrame]] = {rule.name: [] for rule in rules}
    every, chosen = {**frames, **elsewhere}, _chosen(keys, targets)
    divisible = [_divisible(rule, chosen) for rule in rules]
    rounds: list[tuple[Mapping[str, int], Future[Mapping[str, int]]]] = []
    while True:
        counting = count(rejected)
        left = functools.partial(_left, rejected=rejected, elsewhere=elsewhere, chosen=chosen)
        fallen = engine.run_polars(divisible, every, heights=heights, made=left, besides=keys)
        accepted = left(every)
        failing = {rule.name: _kept(fallen[rule.name], accepted[rule.table], keys.get(rule.table)) for rule in rules}
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
            rows=_naming(rule, accepted, keys, heights),
            dangling=failing[rule.name],
            dangling_gx=counted[rule.name],
        )
        for rule in rules
    )
    return judged, join_findings(differing)


def _chosen(keys: Mapping[str, Sequence[str]], targets: Mapping[str, Collection[str]]) -> Mapping[str, Sequence[str]]:
    """The parents of which it matters which row of a key is promoted: those that are named by other columns."""
    return {table: key for table, key in keys.items() if not set(targets.get(table, ())) <= set(key)}


def _left(frames: Frames, *, rejected: pl.DataFrame, elsewhere: Frames, chosen: Mapping[str, Sequence[str]]) -> Frames:
    """The rows that would be promoted; of tables with one row a key all accepted ones, but for the chosen tables."""

    def left(name: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        if name in elsewhere:
            return rows
        accepted = rows.join(rejected.lazy(), on=KEY, how="anti")
        return preferred(accepted, chosen[name]) if name in chosen else accepted

    return {name: left(name, rows) for name, rows in frames.items()}


def _kept(fallen: pl.DataFrame, accepted: pl.LazyFrame, key: Sequence[str] | None) -> pl.DataFrame:
    """Of the rows that fail, those that would be promoted; a key's rows are only put in order where one fails."""
    if key is None or fallen.is_empty():
        return fallen.select(engine.PLACE)
    rivals = accepted.join(fallen.lazy().select(key).unique(), on=key, how="semi", nulls_equal=True)
    same = tuple(dict.fromkeys((*engine.PLACE, *key)))
    promoted = preferred(rivals, key).join(fallen.lazy(), on=same, how="semi", nulls_equal=True)
    return promoted.select(engine.PLACE).sort(engine.PLACE).collect(engine="streaming")


def _divisible(rule: Rule, keys: Mapping[str, Sequence[str]]) -> Rule:
    """The rule; undivided, if that would part rows of one key from which one is chosen."""
    named = {table: {name for value in by for name in value.meta.root_names()} for table, by in rule.divided_by.items()}
    parted = any(not named[table] <= set(keys[table]) for table in named.keys() & keys.keys())
    return dataclasses.replace(rule, divided_by={}) if parted else rule


def _naming(rule: Rule, accepted: Frames, keys: Mapping[str, Sequence[str]], heights: Mapping[str, int]) -> int:
    """How many rows that would be promoted name a parent."""
    named, key = pl.all_horizontal(pl.col(rule.columns).is_not_null()).sum(), keys.get(rule.table)
    if key is None:
        return int(accepted[rule.table].select(named).collect(engine="streaming").item())
    some = engine.shares(accepted, {rule.table: tuple(map(pl.col, key))}, heights)
    return sum(preferred(rows[rule.table], key).select(named).collect(engine="streaming").item() for rows in some)
