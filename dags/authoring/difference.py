"""What a changed mapping does to a dump: both map it, and their rows and findings are compared.

Rows are the same by dump, record, part of the table and place among the record's rows. Both sides are written to Arrow
files first and compared a stretch of records at a time, so that a dump of any size needs the memory of one stretch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dags.pipeline.extraction import extract_and_map
from dags.pipeline.receiving.expected import files_of
from dags.pipeline.run_folder import settings
from dags.pipeline.slice_files import SliceFiles, read_context, write_context
from dags.pipeline.town import Municipality, target_tables
from dags.pipeline.waiting import Give, in_memory, map_waiting, waiting
from mappings.language.deliveries import as_glob
from migration_reports.findings import FINDINGS, RunError, UsageError

STRETCH = 250_000
"""Records that are compared at a time."""

PLACES = 5
ROW = ("source_dump", "source_record", "_part", "_place")
FOUND = ("code", "severity", "dump", "record", "field", "table", "column")


@dataclasses.dataclass(slots=True)
class ColumnChange:
    """How many values of a column changed, the first records, and what they were and are."""

    name: str
    count: int = 0
    records: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    values: list[tuple[str, str]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class TableChange:
    """What became of a table.

    Attributes:
        name: the table.
        old: rows under the old mapping.
        new: rows under the new one.
        gone: rows that only the old one gives.
        added: rows that only the new one gives.
        changed: rows that both give, with another value.
        gone_records: the first records of those that are gone.
        added_records: of those that were added.
        columns: by column, what changed.
    """

    name: str
    old: int = 0
    new: int = 0
    gone: int = 0
    added: int = 0
    changed: int = 0
    gone_records: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    added_records: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    columns: dict[str, ColumnChange] = dataclasses.field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return bool(self.gone or self.added or self.changed)


@dataclasses.dataclass(slots=True)
class FindingChange:
    """Findings of one code on one column that are gone or new, and the first records."""

    code: str
    severity: str
    where: str
    gone: int = 0
    added: int = 0
    records: list[tuple[str, int]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """What a changed mapping does: the tables that either fills, and the findings that are gone or new."""

    dumps: tuple[str, ...]
    tables: tuple[TableChange, ...]
    findings: tuple[FindingChange, ...]

    @property
    def differs(self) -> bool:
        """Whether anything differs."""
        return any(table.differs for table in self.tables) or bool(self.findings)


def compare(
    old: Municipality,
    new: Municipality,
    *,
    inbox: Path,
    files: Sequence[Path] = (),
    stretch: int = STRETCH,
    progress: Callable[[str], None] = lambda _: None,
) -> Difference:
    """Map the dumps under both, and compare.

    Args:
        old: the municipality as it was.
        new: as it is.
        inbox: where its dumps lie.
        files: dump files to take in their place.
        stretch: how many records are compared at a time; the result does not depend on it.
        progress: told what is being done.

    Raises:
        RunError: no dump has been received, or a file is none that either expects.
    """
    given = {side: _files(town, inbox, files) for side, town in (("old", old), ("new", new))}
    dumps = tuple(dict.fromkeys((*given["old"], *given["new"])))
    if not dumps:
        raise RunError(f"no dump has been received: {inbox} holds none that the manifests expect")
    give = in_memory()
    with contextlib.ExitStack() as stack:
        # The old side first: a key that both know keeps its number.
        mapped = {
            side: stack.enter_context(_mapped(town, side, given[side], give, progress))
            for side, town in (("old", old), ("new", new))
        }
        names = list(dict.fromkeys(t.key for town in (old, new) for t in target_tables(town)))
        tables = []
        for name in names:
            progress(f"comparing {name}")
            tables.append(_table(mapped["old"], mapped["new"], name, stretch))
        progress("comparing findings")
        return Difference(
            dumps,
            tuple(table for table in tables if table.old or table.new),
            _findings(mapped["old"], mapped["new"], stretch),
        )


def _files(town: Municipality, inbox: Path, files: Sequence[Path]) -> Mapping[str, list[Path]]:
    """The files of each dump: those that were given, or those in the inbox."""
    found: dict[str, list[Path]] = {}
    for name, reader in town.dumps.items():
        if files:
            patterns = [as_glob(Path(file).name) for file in reader.spec.file]
            mine = [file for file in files if any(fnmatch.fnmatch(file.name, pattern) for pattern in patterns)]
            found[name] = list(files) if len(town.dumps) == 1 else mine
        else:
            expected = [file for _, file in files_of(inbox, reader.spec)]
            found[name] = [file for file in expected if file is not None] if None not in expected else []
    taken = {file for some in found.values() for file in some}
    for file in files:
        if file not in taken:
            expects = ", ".join(f for reader in town.dumps.values() for f in reader.spec.file)
            raise UsageError(f"{file.name} is none of the files that the manifest expects: {expects}")
    return {name: some for name, some in found.items() if some}


@contextlib.contextmanager
def _mapped(
    town: Municipality, side: str, files: Mapping[str, list[Path]], give: Give, progress: Callable[[str], None]
) -> Iterator[Path]:
    """Map dumps into Arrow files of a folder that nobody else sees, and that is gone afterwards."""
    settings().make_private()
    unlimited = _without_limits(town)
    with tempfile.TemporaryDirectory(prefix=f".diff-{side}-", dir=settings().home) as name:
        folder = Path(name)
        for dump, some in files.items():
            progress(f"mapping {dump} ({side})")
            with unlimited.dumps[dump].reading.open(some) as stream, SliceFiles(folder, unlimited, dump) as sink:
                write_context(folder, unlimited, dump, some)
                context = read_context(folder, unlimited, dump)
                extract_and_map(sink, unlimited, dump, stream, run_id=side, context=context)
        if waiting(unlimited):
            progress(f"mapping what waited ({side})")
            map_waiting(folder, unlimited, give, run_id=side)
        yield folder


def _without_limits(town: Municipality) -> Municipality:
    """The municipality without what would stop a run: the differences are asked for, however many there are."""
    plans = {
        name: dataclasses.replace(
            plan,
            parts=tuple(
                dataclasses.replace(p, columns=tuple(dataclasses.replace(c, stop_after=None) for c in p.columns))
                for p in plan.parts
            ),
        )
        for name, plan in town.plans.items()
    }
    systems = {
        name: dataclasses.replace(
            system,
            manifest=system.manifest.model_copy(
                update={"limits": system.manifest.limits.model_copy(update={"stop_after": None})}
            ),
        )
        for name, system in town.folder.systems.items()
    }
    return dataclasses.replace(town, plans=plans, folder=dataclasses.replace(town.folder, systems=systems))


@dataclasses.dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of a file, and the records that it reaches over."""

    file: Path
    number: int
    first: int
    last: int


def _index(files: Sequence[Path], column: str) -> list[_Batch]:
    """Which records every batch reaches over; only one column is read for it."""
    found = []
    for file in files:
        with pa.memory_map(str(file)) as source:
            field = pa.ipc.open_file(source).schema.get_field_index(column)
            source.seek(0)
            options = pa.ipc.IpcReadOptions(included_fields=[field])
            with pa.ipc.open_file(source, options=options) as rows:
                for number in range(rows.num_record_batches):
                    records = pc.min_max(pc.fill_null(rows.get_batch(number).column(0), 0))
                    if records["min"].is_valid:
                        found.append(_Batch(file, number, records["min"].as_py(), records["max"].as_py()))
    return found


def _rows(index: Sequence[_Batch], column: str, first: int, last: int) -> pl.DataFrame | None:
    """The rows of a stretch of records."""
    frames = []
    for batch in index:
        if batch.last < first or batch.first > last:
            continue
        with pa.memory_map(str(batch.file)) as source, pa.ipc.open_file(source) as rows:
            frame = pl.DataFrame(pl.from_arrow(rows.get_batch(batch.number)))
            frames.append(frame.filter(pl.col(column).fill_null(0).is_between(first, last)))
    return pl.concat(frames) if frames else None


def _stretches(*indexes: Sequence[_Batch], stretch: int) -> Iterator[tuple[int, int]]:
    most = max((batch.last for index in indexes for batch in index), default=-1)
    for first in range(0, most + 1, stretch):
        yield first, first + stretch - 1


def _table(old: Path, new: Path, name: str, stretch: int) -> TableChange:
    change = TableChange(name)
    indexes = [_index(sorted((folder / "mapped" / name).glob("*/*.arrow")), "source_record") for folder in (old, new)]
    for first, last in _stretches(*indexes, stretch=stretch):
        before, after = (_rows(index, "source_record", first, last) for index in indexes)
        schema = before.clear() if before is not None else after.clear() if after is not None else None
        if schema is None:
            continue
        _add(change, _placed(before if before is not None else schema), _placed(after if after is not None else schema))
    for found in change.columns.values():
        found.records.sort()
    return change


def _placed(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with their place among those of their record and part."""
    place = pl.int_range(pl.len()).over("source_dump", "source_record", "_part").alias("_place")
    return frame.with_columns(place).drop("run_id", "municipality_code", "_offset", strict=False)


def _add(change: TableChange, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Add what a stretch of records shows."""
    change.old += before.height
    change.new += after.height
    gone, added = before.join(after, on=ROW, how="anti"), after.join(before, on=ROW, how="anti")
    change.gone += gone.height
    change.added += added.height
    _first(change.gone_records, gone)
    _first(change.added_records, added)
    both = before.join(after, on=ROW, how="inner", suffix="$new").sort(ROW)
    names = [name for name in before.columns if name not in ROW]
    masks = both.select(pl.col(name).ne_missing(pl.col(f"{name}$new")).alias(name) for name in names)
    change.changed += int(masks.select(pl.any_horizontal(names).sum()).item()) if names else 0
    for name, count in zip(names, masks.sum().row(0), strict=True) if masks.height else ():
        if not count:
            continue
        column = change.columns.setdefault(name, ColumnChange(name))
        column.count += count
        room = PLACES - len(column.records)
        if room > 0:
            hit = both.filter(masks[name]).head(room)
            column.records.extend(hit.select("source_dump", "source_record").rows())
            column.values.extend((_text(a), _text(b)) for a, b in hit.select(name, f"{name}$new").rows())


def _first(places: list[tuple[str, int]], rows: pl.DataFrame) -> None:
    room = PLACES - len(places)
    if room > 0:
        places.extend(rows.sort(ROW).head(room).select("source_dump", "source_record").rows())


def _text(value: Any) -> str:
    return "∅" if value is None else str(value)


def _findings(old: Path, new: Path, stretch: int) -> tuple[FindingChange, ...]:
    found: dict[tuple[str, str, str], FindingChange] = {}
    indexes = [_index(sorted((folder / "findings" / "dumps").glob("*/*.arrow")), "record") for folder in (old, new)]
    empty = pl.DataFrame(pl.from_arrow(FINDINGS.empty_table()))
    for first, last in _stretches(*indexes, stretch=stretch):
        before, after = (_rows(index, "record", first, last) for index in indexes)
        before, after = (frame if frame is not None else empty for frame in (before, after))
        for which, mine, other in (("gone", before, after), ("added", after, before)):
            only = mine.join(other, on=FOUND, how="anti", nulls_equal=True)
            for (code, severity, table, column, field), rows in only.group_by(
                "code", "severity", "table", "column", "field", maintain_order=True
            ):
                where = ".".join(filter(None, (table, column))) or field or ""
                entry = found.setdefault((code, severity, where), FindingChange(code, severity, where))
                setattr(entry, which, getattr(entry, which) + rows.height)
                room = PLACES - len(entry.records)
                places = rows.filter(pl.col("record").is_not_null()).sort("dump", "record")
                entry.records.extend(places.head(max(room, 0)).select("dump", "record").rows())
    return tuple(found[key] for key in sorted(found))


def municipality_in(path: Path, name: str) -> Path:
    """The folder of a municipality in a checkout, a folder of municipalities, or by itself.

    Raises:
        UsageError: there is none.
    """
    for folder in (path, path / name, path / "mappings" / "municipalities" / name):
        if (folder / "manifest.yaml").is_file():
            return folder
    raise UsageError(f"{path}: no municipality's folder, and none called {name} in it")
