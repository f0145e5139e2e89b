"""`hikkoshi peek`: some records, field by field, masked."""

from __future__ import annotations

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
from dags.commands._terminal import err, out, visible

EXAMPLES = ("hikkoshi peek setai_kojin.dat --layout setai_kojin.cpy --charset ibm --records 2",)


def peek(
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
    records: Annotated[int, typer.Option("--records", min=1, max=1000, help="How many records.")] = 1,
    first: Annotated[int, typer.Option("--first", min=1, help="The first record, from 1.")] = 1,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Peek into a dump."""
    from dags.inspection import peek as work

    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace, field)
    warn_of_layout(job)
    shown, count = work.peek(job, records=records, first=first, reveal=reveal)
    if not count:
        err.print(f"the dump has no record {first}", highlight=False)
        raise typer.Exit(1)
    table = Table(show_lines=False, header_style="bold")
    for name, justify in (("record", "right"), ("kind", "left"), ("field", "left"), ("PICTURE", "left"), ("offset", "right"),
                          ("width", "right"), ("value", "left"), ("finding", "left")):  # fmt: skip
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    last = 0
    for p in shown:
        table.add_row(
            str(p.record) if p.record != last else "", p.kind if p.record != last else "", p.field, p.picture,
            str(p.position), str(p.width), "∅" if p.value is None else visible(p.value, lines=False), p.finding,
        )  # fmt: skip
        last = p.record
    out.print(table, markup=False)
    if not reveal:
        err.print("values are masked; --reveal shows them", highlight=False)
