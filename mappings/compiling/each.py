"""The rows of a part that are no records: the occurrences of a table, or the runs of equal ones."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from mappings.compiling.complaints import Complaints
from mappings.compiling.conditions import is_number, plain
from mappings.compiling.occurrences import compile_occurrences, fields_in_rows, runs_of, tables_of
from mappings.language.each import EachSpec
from mappings.plan import VALUE, Occurrences, Runs
from migration_reports.findings import Position, nearest


def compile_each(
    spec: EachSpec, source: str, schema: pa.Schema, complain: Complaints, place: Position
) -> Occurrences | None:
    """The occurrences that a part gives rows for; of a misspelt table those of the nearest, None where there is none.

    Args:
        spec: what the part says.
        source: its record kind.
        schema: the fields of that.
        complain: where problems are collected.
        place: of the part's each.
    """
    each = compile_occurrences(spec.table, schema)
    if each is None:
        tables = tables_of(schema)
        complain.unknown("Y027", place, f"table (OCCURS) `{spec.table}` of {source}", tables)
        meant = nearest(spec.table, tables)
        each = compile_occurrences(meant, schema) if meant is not None else None
    return each if each is None or not spec.runs else _runs(spec, each, schema, complain, place)


def _runs(
    spec: EachSpec, each: Occurrences, schema: pa.Schema, complain: Complaints, place: Position
) -> Occurrences | None:
    made = runs_of(each, Runs((), ()))
    if made is None:
        hint = f"name a table whose item is elementary, or give its occurrences rows with `each: {each.table}`"
        complain.add("Y061", place, f"an occurrence of `{each.table}` is a group, and no value", hint=hint)
        return each
    number = not pa.types.is_string(made.members[VALUE])
    field = fields_in_rows(each, schema)[each.table]
    width = int((field.metadata or {}).get(b"width", b"0"))
    for value in (*spec.values, *spec.besides):
        if number and not is_number(value):
            complain.add("Y061", place, f"`{value[:40]}` is no number, and `{each.table}` holds numbers")
        elif not number and len(value) > width > 0:
            complain.add("Y061", place, f"`{value[:40]}` is longer than an occurrence of `{each.table}`: {width} bytes")
    kept, left = ([plain(v) if number else v for v in values] for values in (spec.values, spec.besides))
    return dataclasses.replace(made, runs=Runs(tuple(kept), tuple(left)))
