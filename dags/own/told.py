"""What a report says of a municipality's own lists: each cell in which a line differs, each code, and the codes that nothing holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.own.lists import OwnLine, OwnLists, own_codes
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.items import Item, table_of
from migration_reports.records.run_record import OwnValue


def told(own: OwnLists, tables: Mapping[str, sa.Table], frames: Mapping[str, pl.LazyFrame]) -> pa.RecordBatch:
    """Notes of what is the municipality's own.

    Args:
        own: its lists.
        tables: the run's tables.
        frames: their staged rows.
    """
    return join_findings([*_lines(own), *_codes(own), *_unused(own, tables, frames)])


def own_values(own: OwnLists) -> tuple[OwnValue, ...]:
    """The same for a report's table: cells first, then codes."""
    cells = (
        OwnValue(
            of=line.table.table.qualified,
            key=_when(line),
            item=name,
            shared=shared,
            own=here,
            source=line.line.source,
            place=f"{line.line.place.file}:{line.line.place.line}",
        )
        for line in own.lines
        for name, shared, here in line.cells
    )
    codes = (OwnValue(of=name, own=f"{code.code} {code.ja}", source=code.source) for name, code in own_codes(own))
    return (*cells, *codes)


def _when(line: OwnLine) -> str:
    """What a line is looked up by, and when it holds."""
    key = " ".join(line.line.cells[name] for name in line.table.by)
    return f"{key} {line.line.valid_from}–{line.line.valid_to}"


def _note(code: str, *, table: str, column: str, detail: str, mapping: str | None = None) -> pa.RecordBatch:
    return finding(code, CATALOGUE[code].severity, table=table, column=column, detail=detail, mapping=mapping)


def _lines(own: OwnLists) -> Iterator[pa.RecordBatch]:
    for line in own.lines:
        for name, shared, here in line.cells:
            detail = f"{_when(line)}: {shared or '—'} → {here or '—'} ({line.line.source})"
            place = f"{line.line.place.file}:{line.line.place.line}"
            yield _note("V440", table=line.table.table.qualified, column=name, mapping=place, detail=detail)


def _codes(own: OwnLists) -> Iterator[pa.RecordBatch]:
    for name, code in own_codes(own):
        yield _note("V441", table="joint.codes", column=name, detail=f"{code.code} {code.ja}")


def _unused(
    own: OwnLists, tables: Mapping[str, sa.Table], frames: Mapping[str, pl.LazyFrame]
) -> Iterator[pa.RecordBatch]:
    """The own codes that no staged row holds, of the sets that the run's tables hold codes of."""
    for name, codes in own.codes.items():
        holding = [(key, item) for key, t in tables.items() for item in table_of(t).items if item.code_set == name]
        held: set[str] = set().union(*(_held(frames[key], item) for key, item in holding))
        for code in sorted(codes.ever - held) if holding else ():
            yield _note("V442", table="joint.codes", column=name, detail=code)


def _held(rows: pl.LazyFrame, item: Item) -> set[str]:
    """The codes that stand in a column, joined ones apart."""
    column = pl.col(item.name).drop_nulls()
    apart = column.str.extract_all(f".{{{item.width}}}").explode() if item.width else column
    return set(rows.select(apart.unique()).collect(engine="streaming").to_series())
