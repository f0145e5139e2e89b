"""`hikkoshi roundtrip`: the proof that reading loses nothing."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from dags.commands._reading_options import (
    CharsetName,
    ContainerName,
    Copybook,
    DialectName,
    Dumps,
    Fields,
    FramingName,
    Kinds,
    Library,
    Options,
    Replaced,
    job_of,
    warn_of_layout,
)
from dags.commands._terminal import out

EXAMPLES = (
    "hikkoshi roundtrip setai_kojin.dat --layout setai_kojin.cpy --charset ibm --kind person=SK-KBN:K:SK-KOJIN",
)


def roundtrip(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],
    kind: Kinds = [],
    library: Library = [],
    replace: Replaced = [],
    field: Fields = [],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that reading loses nothing."""
    from dags.inspection import reader

    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace, field)
    warn_of_layout(job)
    proof = reader.prove(job)
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(proof), ensure_ascii=False) + "\n")
    else:
        if proof.exceptions:
            table = Table(header_style="bold", box=None, pad_edge=False)
            for name in ("kind", "field", "usage", "values", "came back", "other bytes", "first", "no value", "first "):
                table.add_column(
                    name, justify="left" if name in ("kind", "field", "usage") else "right", overflow="fold"
                )
            for f in proof.exceptions:
                numbers = (f.values, f.same, f.other, f.first_other, f.no_value, f.first_no_value)
                table.add_row(f.kind, f.field, f.usage, *(f"{n:,}" if n else "" for n in numbers))
            out.print(table, markup=False, highlight=False)
            out.print(
                "first: the record where it is first so; other bytes: the same value, written otherwise",
                highlight=False,
            )
        total = sum(f.values for f in proof.fields)
        out.print(
            f"{proof.records:,} records: {total - proof.other_values:,} of {total:,} values came back byte for byte "
            f"({proof.compared_bytes:,} bytes compared), {sum(f.no_value for f in proof.fields):,} are no value",
            highlight=False,
        )
        if proof.no_field_bytes:
            out.print(
                f"{proof.no_field_bytes:,} of {proof.record_bytes:,} bytes of the records are of no field: slack, behind "
                "the layout, or in records of no kind",
                highlight=False,
            )
    if proof.other_values:
        raise typer.Exit(1)
