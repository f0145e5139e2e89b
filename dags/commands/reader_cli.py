"""`hikkoshi decode`, `peek`, `diagnose` and `roundtrip`: the reader without a municipality."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from dags.commands.reading_options import (
    CharsetName,
    ContainerName,
    Copybook,
    DialectName,
    Dumps,
    FramingName,
    Kinds,
    Library,
    Options,
    Replaced,
    job_of,
    pairs_of,
    warn_of_layout,
)
from dags.commands.terminal import err, help_with, out, progress, visible

app = typer.Typer()


@app.command(
    help=help_with(
        "Write what the bytes of a dump say, one row a record, and the findings beside it.",
        "hikkoshi decode juki_master.dat --layout juki_master.cpy --charset fujitsu --kind resident=JM-KUBUN:D:JM-JUMIN "
        "--kind trailer=JM-KUBUN:T:JM-TRAILER --findings findings.jsonl > records.jsonl",
    )
)
def decode(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],  # noqa: B006  typer reads the default, nobody changes it
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    replace: Replaced = [],  # noqa: B006
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
    from dags.inspection import reader  # noqa: PLC0415

    if form not in ("jsonl", "parquet", "arrow"):
        raise typer.BadParameter("one of jsonl, parquet, arrow", param_hint="--format")
    if rejects is not None and any(rejects.resolve() == path.resolve() for path in dump):
        raise typer.BadParameter("it is the dump itself; give another file", param_hint="--rejects")
    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace)
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


@app.command(
    help=help_with(
        "Show some records field by field; values are masked unless --reveal.",
        "hikkoshi peek setai_kojin.dat --layout setai_kojin.cpy --charset ibm --records 2",
    )
)
def peek(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    replace: Replaced = [],  # noqa: B006
    records: Annotated[int, typer.Option("--records", min=1, max=1000, help="How many records.")] = 1,
    first: Annotated[int, typer.Option("--first", min=1, help="The first record, from 1.")] = 1,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Peek into a dump."""
    from dags.inspection import peek as work  # noqa: PLC0415

    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace)
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


@app.command(
    help=help_with(
        "Find out how a dump may be read: framing, record length, charset, dialect, with the evidence.",
        "hikkoshi diagnose unknown.dat",
        "hikkoshi diagnose unknown.dat --layout juki.cpy",
    )
)
def diagnose(
    dump: Annotated[Path, typer.Argument(help="The dump file.", exists=True, dir_okay=False)],
    layout: Annotated[
        Path | None,
        typer.Option("--layout", help="The copybook of its records, if there is one.", exists=True, dir_okay=False),
    ] = None,
    library: Library = [],  # noqa: B006
    replace: Replaced = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Diagnose a dump."""
    from dags.inspection import reader  # noqa: PLC0415

    replacing = pairs_of(replace, "--replace")
    found = reader.diagnose_file(dump, layout=layout, library=library, replacing=replacing)
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(found), ensure_ascii=False) + "\n")
        return
    out.print(f"{dump.name}: {found.size:,} bytes, {found.sampled:,} looked at", highlight=False, markup=False)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("manifest line", "strength", "evidence"):
        table.add_column(name, overflow="fold", justify="right" if name == "strength" else "left")
    family = ""
    for proposal in found.proposals:
        if proposal.family != family and family:
            table.add_row("", "", "")
        family = proposal.family
        table.add_row(
            "\n".join((proposal.yaml, *proposal.lines[1:])), f"{proposal.strength:.0%}", "; ".join(proposal.evidence)
        )
    out.print(table, markup=False, highlight=False)
    for remark in found.remarks:
        out.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)
    out.print("\nto paste into the manifest, under `dumps:`", highlight=False)
    out.print(f"  {dump.stem}:\n    file: {dump.name}", highlight=False, markup=False)
    if layout is not None:
        out.print(f"    layout: layouts/{layout.name}", highlight=False, markup=False)
    if replacing:
        said = json.dumps(replacing, ensure_ascii=False)
        out.print(f"    replacing: {said}", highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in found.lines:
        out.print(f"    {line}", highlight=False, markup=False, soft_wrap=True)
    if not found.best("framing"):
        err.print(
            "no framing fits: are the bytes compressed or encrypted, or is this not the whole file?", highlight=False
        )
        raise typer.Exit(1)


@app.command(
    help=help_with(
        "Decode a dump, encode it again and compare the bytes; list every field that differs.",
        "hikkoshi roundtrip setai_kojin.dat --layout setai_kojin.cpy --charset ibm --kind person=SK-KBN:K:SK-KOJIN",
    )
)
def roundtrip(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = None,
    container: ContainerName = None,
    option: Options = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    replace: Replaced = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that reading loses nothing."""
    from dags.inspection import reader  # noqa: PLC0415

    job = job_of(dump, layout, charset, framing, dialect, container, option, kind, library, replace)
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
