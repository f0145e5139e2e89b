"""`hikkoshi decode`: what the bytes of a dump say, one row a record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

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
    pairs_of,
    warn_of_layout,
)
from dags.commands._terminal import err, progress

EXAMPLES = (
    "hikkoshi decode juki_master.dat --layout juki_master.cpy --charset fujitsu --kind resident=JM-KUBUN:D:JM-JUMIN --kind trailer=JM-KUBUN:T:JM-TRAILER --findings findings.jsonl > records.jsonl",
)


def decode(
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
    form: Annotated[str, typer.Option("--format", help="jsonl, parquet or arrow.")] = "jsonl",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="The file to write; standard output, where not given.")
    ] = None,
    findings: Annotated[Path | None, typer.Option("--findings", help="Write the findings as JSON lines.")] = None,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", help="Write the records with errors, for `--container rejects --framing variable`."),
    ] = None,
) -> None:
    """Decode a dump."""
    from dags.inspection import reader

    if form not in ("jsonl", "parquet", "arrow"):
        raise typer.BadParameter("one of jsonl, parquet, arrow", param_hint="--format")
    if rejects is not None and any(rejects.resolve() == path.resolve() for path in dump):
        raise typer.BadParameter("it is the dump itself; give another file", param_hint="--rejects")
    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace, field)
    warn_of_layout(job)
    chosen: Literal["jsonl", "parquet", "arrow"] = form  # type: ignore[assignment]
    with progress(job.name, enabled=out_file is not None) as tell:
        account, found, errors = reader.decode(
            job, out=out_file or sys.stdout.buffer, form=chosen, findings=findings, rejects=rejects, progress=tell
        )
    summary = f"{account.records:,} records, {found:,} findings" + (f" ({errors:,} errors)" if errors else "")
    if account.of_no_kind:
        summary += f", {account.of_no_kind:,} of no known kind"
    if account.left_over:
        summary += f"; {account.left_over:,} bytes are left over after the last whole record"
    err.print(summary, highlight=False, soft_wrap=True)
    if account.left_over:
        for line in reader.explain_left_over(
            job, layout=layout, library=library, replacing=pairs_of(replace, "--replace")
        ):
            err.print(line, highlight=False, markup=False, soft_wrap=True)
    if errors:
        raise typer.Exit(1)
