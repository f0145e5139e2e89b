"""What could only be mapped when every dump had been read: parts that look at other records, or number keys.

Bounded in memory: held rows come a batch at a time, and of the records that are looked at only as many are in memory as
`IN_MEMORY` says; where there are more, keys are divided by their hash and the held rows are read once for each share.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline.extraction import Counts
from dags.pipeline.run_folder import Run
from dags.pipeline.slice_files import JOINED, findings_file, held_file, looked_at_folder, mapped_file, open_writer
from dags.pipeline.town import Municipality
from mappings.engine import Mapper
from mappings.hits import batch_of
from mappings.leaving import untaken_findings, untaken_of
from mappings.plan import ColumnPlan, Join, PartPlan
from mappings.rows import look_up
from migration_reports.findings import FINDINGS
from migration_reports.records.counted import PartMade
from target_schemas.postgres.numbering import assign

log = logging.getLogger("hikkoshi")

IN_MEMORY = 2_000_000
"""Records that are looked at, at a time."""


Give = Callable[[str, Sequence[str], bool], Mapping[str, str]]
"""Gives the numbers of a series to keys: the series, the keys in order, and whether unknown ones get a number."""


def from_ledger(run: Run, database: sa.Engine) -> Give:
    """Numbers that are given once and for all, and kept in the ledger."""

    def give(series: str, keys: Sequence[str], new: bool) -> Mapping[str, str]:
        return assign(database, run.code, series, keys, run_id=run.run_id, new=new)

    return give


def in_memory() -> Give:
    """Numbers that are counted up and forgotten, for who tries a mapping out."""
    known: dict[str, dict[str, str]] = {}

    def give(series: str, keys: Sequence[str], new: bool) -> Mapping[str, str]:
        numbers = known.setdefault(series, {})
        for key in keys if new else ():
            numbers.setdefault(key, str(len(numbers) + 1))
        return {key: numbers[key] for key in keys if key in numbers}

    return give


def map_waiting(folder: Path, municipality: Municipality, give: Give, *, run_id: str) -> Mapping[str, PartMade]:
    """Map every part that waited; gives what was counted, by part.

    Args:
        folder: where the slices left their files.
        municipality: whose.
        give: gives numbers to keys.
        run_id: the run that stands in its rows.

    Raises:
        RunError: a column had more wrong values than it allows.
    """
    counts = Counts(municipality)
    mapper = Mapper(list(municipality.plans.values()), run_id)
    for part in in_order(waiting(municipality)):
        files = sorted(held_file(folder, part, 0).parent.glob("*.arrow"))
        for number, join in enumerate(part.joins):
            files = [_joined(folder, part, join, files, number)]
        numbers = numbers_of(part, mapper, _frames(files), give)
        with (
            open_writer(mapped_file(folder, part, JOINED), part.schema) as out,
            open_writer(findings_file(folder, part.dump, f"{part.table}-{part.number:02}"), FINDINGS) as found,
        ):
            for frame in _frames(files):
                rows, findings, tally = mapper.map_held(part, frame, numbers=numbers)
                counts.add(part.table, part.number, tally)
                counts.add_errors(part.dump, findings)
                if rows.num_rows:
                    out.write_batch(rows)
                if findings.num_rows:
                    found.write_batch(findings)
        made = counts.of(part.table, part.number)
        log.info("%s: %s rows, of %s looked at", part.table, f"{made.rows:,}", f"{made.candidates:,}")
    for source in dict.fromkeys(part.source for part in waiting(municipality)):
        _tell_untaken(folder, municipality, source)
    return counts.made


def _tell_untaken(folder: Path, municipality: Municipality, source: str) -> None:
    """Say which records of a kind no part takes, now that those which waited have taken theirs."""
    undecided = sorted(looked_at_folder(folder, untaken_of(source)).glob("*.arrow"))
    mine = [part for part in waiting(municipality) if part.source == source]
    taken = [file for part in mine if (file := mapped_file(folder, part, JOINED)).exists()]
    dump, _, kind = source.partition(".")
    with open_writer(findings_file(folder, dump, f"{kind}-untaken"), FINDINGS) as found:
        if undecided:
            rest = pl.scan_ipc(undecided)
            if taken:
                some = pl.concat(pl.scan_ipc(file).select(pl.col("source_record").alias("_record")) for file in taken)
                rest = rest.join(some, on="_record", how="anti")
            found.write_batch(batch_of(untaken_findings(source, rest.collect(engine="streaming")), FINDINGS))


def waiting(municipality: Municipality) -> tuple[PartPlan, ...]:
    """The parts that wait."""
    return tuple(part for plan in municipality.plans.values() for part in plan.parts if part.waits)


def in_order(parts: Iterable[PartPlan]) -> list[PartPlan]:
    """Parts that wait in the order in which they are mapped: who gives numbers comes before who only refers to them."""
    return sorted(parts, key=lambda part: any(_param(column, at, "new") == "no" for column, at in part.series))


def numbers_of(
    part: PartPlan, mapper: Mapper, frames: Iterable[pl.DataFrame], give: Give
) -> Mapping[str, Mapping[str, str]]:
    """The numbers of the keys of a part, given out where it says so.

    Args:
        part: the part.
        mapper: maps it.
        frames: its held rows with what its joins found.
        give: gives numbers to keys.
    """
    if not part.series:
        return {}
    keys = [pl.Series("key", [], pl.String)] * len(part.series)
    for frame in frames:
        keys = [
            pl.concat([known, mapper.keys_of(part, column, at, frame)]).unique()
            for known, (column, at) in zip(keys, part.series, strict=True)
        ]
    numbers: dict[str, Mapping[str, str]] = {}
    for known, (column, at) in zip(keys, part.series, strict=True):
        series = _param(column, at, "series")
        given = give(series, known.sort().to_list(), _param(column, at, "new") == "yes")
        numbers[series] = {**numbers.get(series, {}), **given}
    return numbers


def joined(part: PartPlan, held: pl.DataFrame, others: Callable[[Join, pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """The held rows of a part with what its joins find.

    Args:
        part: the part.
        held: its rows.
        others: gives of a join the records that some rows may find.
    """
    for join in part.joins:
        held = look_up(held, join, others(join, held))
    return held


def _param(column: ColumnPlan, at: int, name: str) -> str:
    return str(getattr(column.steps[at].params, name))


def _joined(folder: Path, part: PartPlan, join: Join, files: list[Path], number: int) -> Path:
    """The held rows with what one join finds, as a file of their own."""
    others = sorted(looked_at_folder(folder, join.source).glob("*.arrow"))
    total = sum(_rows(file) for file in others)
    shares = max(math.ceil(total / IN_MEMORY), 1)
    mine = [ours for ours, _ in join.keys] or ["_parent"]
    theirs = [name for _, name in join.keys] or ["_record"]
    target = held_file(folder, part, 0).parent / "joined" / f"{number:02}.arrow"
    scanned = pl.scan_ipc(others) if others else _no_records(part, join, theirs)
    wanted = list(dict.fromkeys(("_record", *theirs, *join.fields)))
    writer = None
    with contextlib.ExitStack() as stack:
        for share in range(shares):
            other = scanned.select(wanted)
            if shares > 1:
                other = other.filter(_share(theirs, shares) == share)
            found = other.collect(engine="streaming")
            for frame in _frames(files):
                some = frame.filter(_share(mine, shares) == share) if shares > 1 else frame
                rows = look_up(some, join, found).to_arrow().combine_chunks()
                if writer is None:
                    writer = stack.enter_context(open_writer(target, rows.schema))
                for batch in rows.to_batches():
                    writer.write_batch(batch)
    return target


def _share(names: list[str], shares: int) -> pl.Expr:
    """Which share of the keys a row belongs to; a key that is null anywhere belongs to the first."""
    text = pl.concat_str([pl.col(name).cast(pl.String) for name in names], separator="\x1f")
    return (text.hash(seed=0) % shares).fill_null(0)


def _no_records(part: PartPlan, join: Join, theirs: list[str]) -> pl.LazyFrame:
    """No record of the other kind was there at all."""
    types = {name: part.types[f"{join.alias}.{name}"] for name in (*theirs, *join.fields) if name != "_record"}
    schema = pa.schema([("_record", pa.int64()), *types.items()])
    return pl.DataFrame(pl.from_arrow(schema.empty_table())).lazy()


def _frames(files: list[Path]) -> Iterator[pl.DataFrame]:
    for file in files:
        if not file.exists():
            continue
        with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
            for number in range(rows.num_record_batches):
                yield pl.DataFrame(pl.from_arrow(rows.get_batch(number)))


def _rows(file: Path) -> int:
    with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as rows:
        return sum(rows.get_batch(n).num_rows for n in range(rows.num_record_batches))
