"""Examples beside a mapping, run: each record through the compiled mapping, and what came against what was expected.

Nothing is read or written besides: joined records are those of the example, and numbers are counted up in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
import pyarrow as pa

from dags.authoring.written_examples import read
from dags.pipeline.town import Municipality
from dags.pipeline.waiting import in_memory, in_order, joined, numbers_of
from mappings.engine import Mapper
from mappings.language.examples import Example
from mappings.plan import Join, PartPlan
from migration_reports.findings import Position, no_findings


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """An example that was run: what differs, line by line; nothing where all is as expected.

    `left_out` are tables of a package's example that this municipality does not fill.
    """

    name: str
    place: Position
    differences: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def run_examples(municipality: Municipality) -> tuple[Tried, ...]:
    """Run the examples of a municipality's folder and of its package's.

    Raises:
        SpecError: an example cannot be used.
    """
    examples = read(municipality)
    parts = [part for plan in municipality.plans.values() for part in plan.parts]
    mapper = Mapper(list(municipality.plans.values()), "test")
    return tuple(_try(municipality, parts, mapper, example) for example in examples)


def _try(municipality: Municipality, parts: list[PartPlan], mapper: Mapper, example: Example) -> Tried:
    records = [*example.others, (example.source, example.values)]
    batches = {
        source: _batch(municipality, source, records) for source in dict.fromkeys(source for source, _ in records)
    }
    rows: dict[str, list[dict[str, Any]]] = {}
    found: list[dict[str, Any]] = []
    # The others are only looked at: what they give themselves is another example's business.
    mine = batches[example.source].slice(batches[example.source].num_rows - 1)
    mapped = mapper.map(example.source, _beside(municipality, example, mine), no_findings())
    found.extend(mapped.findings.to_pylist())
    give = in_memory()
    fed = [part for part in parts if part.source == example.source]
    for part in fed:
        made = mapped.rows.get((part.table, part.number))
        rows.setdefault(part.table, []).extend(made.to_pylist() if made is not None else [])
    for part in in_order(part for part in fed if part.waits):
        held = pl.DataFrame(pl.from_arrow(mapped.held[part.table, part.number]))
        held = joined(part, held, lambda join, _: _others(municipality, batches, join))
        made, findings, _ = mapper.map_held(part, held, numbers=numbers_of(part, mapper, [held], give))
        found.extend(findings.to_pylist())
        rows[part.table].extend(made.to_pylist())
    differences = (*_rows_differ(example, rows), *_findings_differ(example, found))
    return Tried(example.name, example.place, differences, example.left_out)


def _batch(municipality: Municipality, source: str, records: list[tuple[str, Mapping[str, Any]]]) -> pa.RecordBatch:
    """The records of one kind, numbered as they stand in the example, the one that is tried at the end."""
    schema = municipality.schemas[source]
    dump, _, kind = source.partition(".")
    parent = municipality.folder.dumps[dump].records[kind].parent
    filled, last = [], None
    for number, (other, values) in enumerate(records, 1):
        if other == f"{dump}.{parent}":
            last = number
        if other == source:
            filled.append({"_record": number, "_offset": 0, "_parent": last, **values})
    head = [("_record", pa.int64()), ("_offset", pa.int64()), ("_parent", pa.int64())]
    return pa.RecordBatch.from_pylist(filled, schema=pa.schema([*head, *[(f.name, f.type) for f in schema]]))


def _beside(municipality: Municipality, example: Example, record: pa.RecordBatch) -> pa.RecordBatch:
    """The record with what the example says of its headers and trailers."""
    dump = example.source.partition(".")[0]
    for kind, fields in municipality.dumps[dump].context.items():
        said = example.context.get(kind)
        record = record.append_column(f"{kind}?", pa.array([said is not None]))
        for name, type_ in fields.items():
            record = record.append_column(f"{kind}.{name}", pa.array([(said or {}).get(name)], type_))
    return record


def _others(municipality: Municipality, batches: Mapping[str, pa.RecordBatch], join: Join) -> pl.DataFrame:
    names = list(dict.fromkeys(("_record", *(theirs for _, theirs in join.keys), *join.fields)))
    batch = batches.get(join.source)
    if batch is None:
        batch = _batch(municipality, join.source, [])
    return pl.DataFrame(pl.from_arrow(batch.select(names)))


def _rows_differ(example: Example, rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    for table, expected in example.rows.items():
        came = rows.get(table, [])
        if len(came) != len(expected):
            yield f"{table}: {len(expected)} rows were expected, and {len(came)} came"
        for number, (wanted, row) in enumerate(zip(expected, came, strict=False), 1):
            for column, value in wanted.items():
                if not _same(value, row[column]):
                    yield f"{table} row {number}, {column}: {_said(value)} was expected, and {_said(row[column])} came"


def _same(expected: str | None, came: Any) -> bool:
    if expected is None or came is None:
        return expected is None and came is None
    if isinstance(came, str):
        return came == expected
    try:
        return bool(Decimal(expected) == came)
    except InvalidOperation:
        return False


def _said(value: Any) -> str:
    return "null" if value is None else f"`{value}`"


def _findings_differ(example: Example, found: list[dict[str, Any]]) -> Iterator[str]:
    listed = {code for code, _ in example.findings}
    came = [(f["code"], f["column"]) for f in found if f["severity"] != "note" or f["code"] in listed]
    for code, column in example.findings:
        hit = next((pair for pair in came if pair[0] == code and column in (None, pair[1])), None)
        if hit is None:
            yield f"finding {code}{f' on {column}' if column else ''} was expected, and did not come"
        else:
            came.remove(hit)
    for code, column in came:
        yield f"finding {code}{f' on {column}' if column else ''} came, and was not expected"
