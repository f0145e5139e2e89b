"""Running rules in Polars over every staged row; what they find; and their counts compared with the gate's."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Severity, finding, findings_at, join_findings
from validators.derived import DANGLING, REFUSED
from validators.elsewhere import Elsewhere
from validators.shapes.contract import DIFFERENCE, Failing, Frames, Query, Rule, Where
from validators.suites import CONDITION, QUERY, Asked, Suite

NOTHING: Mapping[str, Elsewhere] = MappingProxyType({})

UNKNOWN: Mapping[str, int] = MappingProxyType({})
NOTHING_BESIDES: Mapping[str, Sequence[str]] = MappingProxyType({})

PLACE = ("source_dump", "source_record", "_offset", "_part")
NO_ROWS = pl.DataFrame(
    schema={"source_dump": pl.String, "source_record": pl.Int64, "_offset": pl.Int64, "_part": pl.Int16}
)

CAUSE = ("severity", "dump", "record", "field")
"""The columns of findings that tell whether a row's cause has been reported."""

SHARE = 1_000_000
"""So many rows of a table are grouped or joined at a time; they take 100 to 250 MB."""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where a column comes from: source fields, the first one's byte offset in the record, kind, mapping line."""

    fields: tuple[str, ...]
    offset: int
    kind: str
    mapping: str


Origins = Mapping[tuple[str, str, str, int], Origin]
"""By (table, column or date, dump, part of the table)."""


def run_polars(
    rules: Sequence[Rule],
    frames: Frames,
    *,
    heights: Mapping[str, int] = UNKNOWN,
    made: Callable[[Frames], Frames] = dict,
    besides: Mapping[str, Sequence[str]] = NOTHING_BESIDES,
) -> Mapping[str, pl.DataFrame]:
    """Evaluate rules over every staged row.

    Args:
        rules: the rules.
        frames: the staged rows by table.
        heights: how many they are, where known; a rule that groups or joins more than `SHARE` rows of a table is evaluated
            in shares of its groups, so that memory does not grow with the table.
        made: makes of the rows, or of a share of them, those that are judged.
        besides: for tables the columns that are told of rows, beside their place, which fail a rule that groups or joins.

    Returns:
        For each rule's name the failing rows: source_dump, source_record, _offset, _part, and what the rule tells.
    """
    failing: dict[str, pl.DataFrame] = {}
    by_table: dict[str, dict[str, pl.Expr]] = {}
    for rule in rules:
        if isinstance(rule.failing, pl.Expr):
            by_table.setdefault(rule.table, {})[rule.name] = rule.failing.fill_null(value=False)
        else:
            told = tuple(dict.fromkeys((*PLACE, *rule.tells, *besides.get(rule.table, ()))))
            parts = [_failing(rule.failing, made(some), told) for some in shares(frames, rule.divided_by, heights)]
            failing[rule.name] = pl.concat(parts).sort(PLACE)
    whole = made(frames)
    for table, masks in by_table.items():
        failing.update(_failing_masks(masks, whole[table]))
    return failing


def _failing(failing: Failing, frames: Frames, told: Sequence[str]) -> pl.DataFrame:
    return failing(frames).select(told).collect(engine="streaming")


def shares(frames: Frames, by: Mapping[str, tuple[pl.Expr, ...]], heights: Mapping[str, int]) -> Iterator[Frames]:
    """The frames, as often as memory takes, each time with the rows of some groups of the tables that are divided.

    Args:
        frames: the rows by table.
        by: for tables that are divided, the values that rows of one group have in common.
        heights: how many rows they have, where known.
    """
    number = max([1, *(-(-heights.get(table, 0) // SHARE) for table in by)])
    if number == 1:
        yield frames
        return
    for one in range(number):
        some = {table: frames[table].filter(_hash(values) % number == one) for table, values in by.items()}
        yield {**frames, **some}


def _hash(values: Sequence[pl.Expr]) -> pl.Expr:
    return functools.reduce(operator.xor, (value.hash(seed) for seed, value in enumerate(values)))


def _failing_masks(masks: Mapping[str, pl.Expr], rows: pl.LazyFrame) -> Mapping[str, pl.DataFrame]:
    """One pass counts every rule; where some row fails one, a second takes the places of the rows that fail any."""
    counts = rows.select(mask.sum().alias(name) for name, mask in masks.items()).collect(engine="streaming")
    failed = {name: mask.alias(name) for name, mask in masks.items() if counts[name][0]}
    if not failed:
        return dict.fromkeys(masks, NO_ROWS)
    wrong = rows.filter(pl.any_horizontal(failed.values())).select(*PLACE, *failed.values()).sort(PLACE)
    placed = wrong.collect(engine="streaming")
    return {name: placed.filter(name).select(PLACE) if name in failed else NO_ROWS for name in masks}


def suites_of(
    rules: Sequence[Rule], *, schema: str, named: Callable[[str], str], elsewhere: Mapping[str, Elsewhere] = NOTHING
) -> list[Suite]:
    """Rules as suites of Great Expectations, one of each table, in plain data.

    Args:
        rules: the rules.
        schema: where the tables lie.
        named: gives for a table's key what it is called there.
        elsewhere: the tables that are read and do not lie there.
    """

    def place(table: str) -> str:
        return elsewhere[table].place if table in elsewhere else f'"{schema}"."{named(table)}"'

    return [
        Suite(
            schema=schema,
            table=named(table),
            expectations=[_asked(rule, place) for rule in rules if rule.table == table],
        )
        for table in sorted({rule.table for rule in rules})
    ]


def _asked(rule: Rule, place: Callable[[str], str]) -> Asked:
    match rule.expectation:
        case Query():
            return Asked(rule=rule.name, kind=QUERY, arguments={"sql": rule.expectation.placed(place)})
        case Where():
            return Asked(rule=rule.name, kind=CONDITION, arguments={"sql": rule.expectation.plain})
        case own:
            return Asked(rule=rule.name, kind=own.kind, arguments=dict(own.arguments))


def findings(rule: Rule, failing: pl.DataFrame, *, earlier: pl.DataFrame, origins: Origins) -> pa.RecordBatch:
    """Make one finding for each failing row, unless its cause has been reported already.

    A row's cause has been reported where `earlier` has an error or an alert on one of the fields that the rule's
    columns come from, of the same dump and record. A note names no cause; an alert does not stand for what the
    database itself would refuse, nor for a parent that is missing, for it lets the row be promoted.

    Args:
        rule: the rule.
        failing: its failing rows.
        earlier: all findings so far, or their `CAUSE` alone.
        origins: where each column comes from.
    """
    if failing.is_empty():
        return join_findings([])
    severities = [Severity.ERROR.value, *([] if rule.code in REFUSED | DANGLING else [Severity.ALERT.value])]
    causes = earlier.filter(pl.col("severity").is_in(severities))
    batches = []
    for (dump, part), rows in failing.group_by("source_dump", "_part", maintain_order=True):
        places = [(rule.table, column, str(dump), int(str(part))) for column in rule.columns]
        known = [origins[place] for place in places if place in origins]
        fields = sorted({field for origin in known for field in origin.fields})
        said = causes.filter((pl.col("dump") == dump) & pl.col("field").is_in(fields)).select("record").unique()
        new = rows.unique(["source_record"], keep="first", maintain_order=True).join(
            said, left_on="source_record", right_on="record", how="anti", maintain_order="left"
        )
        if new.is_empty():
            continue
        first = known[0] if known else Origin((), 0, "", "")
        batches.append(
            findings_at(
                rule.code,
                rule.severity,
                dump=str(dump),
                kind=first.kind or None,
                record=new["source_record"].to_numpy(),
                offset=(new["_offset"] + first.offset).to_numpy(),
                field=first.fields[0] if first.fields else None,
                table=rule.table,
                column=rule.columns[0],
                mapping=first.mapping or None,
                detail=_detail(new),
            )
        )
    return join_findings(batches)


def _detail(rows: pl.DataFrame) -> pa.Array | None:
    """By how much each row differs, where its rule tells it."""
    if DIFFERENCE not in rows.columns:
        return None
    said = rows[DIFFERENCE].cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return (("difference " + said).fill_null("nothing to compare with")).to_arrow()


def compare(rules: Sequence[Rule], polars_counts: Mapping[str, int], gx_counts: Mapping[str, int]) -> pa.RecordBatch:
    """Give a finding for each rule that the two engines count differently."""
    return join_findings(
        [
            finding(
                "C510",
                CATALOGUE["C510"].severity,
                table=rule.table,
                column=rule.columns[0],
                detail=f"{rule.name}: {polars_counts[rule.name]} and {gx_counts.get(rule.name)}",
            )
            for rule in rules
            if polars_counts[rule.name] != gx_counts.get(rule.name)
        ]
    )
