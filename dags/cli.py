"""The `hikkoshi` command: a thin door onto the steps and the reader.

Exit codes: 0 done; 1 data need attention (findings, a run that was not promoted); 2 a wrong spec or call; 3 a system is
away, try again later.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from dags import charset_cli, gaiji_cli, lineage_cli, profile_cli, vendor_cli
from migration_reports.findings import RunError, SpecError, TransientError

app = typer.Typer(
    name="hikkoshi",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Move municipal data off mainframes: check specs, read dumps, run migrations, roll them back.",
)
app.add_typer(charset_cli.app, name="charset")
app.add_typer(gaiji_cli.app, name="gaiji")
app.command(name="lineage", help=lineage_cli.HELP)(lineage_cli.lineage)
app.command(name="profile", help=profile_cli.HELP)(profile_cli.profile)
app.command(name="draft", help=vendor_cli.DRAFT_HELP)(vendor_cli.draft)
app.command(name="test", help=vendor_cli.TEST_HELP)(vendor_cli.run_tests)
app.command(name="explain", help=vendor_cli.EXPLAIN_HELP)(vendor_cli.explain)
app.command(name="diff", help=vendor_cli.DIFF_HELP)(vendor_cli.diff)
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Dumps = Annotated[
    list[Path], typer.Argument(help="The dump: one file, or several in order.", exists=True, dir_okay=False)
]
Copybook = Annotated[
    Path, typer.Option("--layout", help="The COBOL copybook of the records.", exists=True, dir_okay=False)
]
CharsetName = Annotated[str, typer.Option("--charset", help="The charset; see docs/reference/charsets.md.")]
FramingName = Annotated[
    str, typer.Option("--framing", help="How records lie in the dump; see docs/reference/reader.md.")
]
DialectName = Annotated[str, typer.Option("--dialect", help="The compiler whose rules the copybook follows.")]
ContainerName = Annotated[
    str | None, typer.Option("--container", help="What the file is wrapped in, such as gzip or awstape.")
]
Options = Annotated[
    list[str],
    typer.Option("--option", help="KEY=VALUE for framing, charset, dialect, container or dump, such as table=FILE."),
]
Kinds = Annotated[
    list[str],
    typer.Option("--kind", help="NAME=FIELD:VALUES:GROUP, a record kind, or NAME<PARENT=...; may be repeated."),
]
Library = Annotated[
    list[Path], typer.Option("--library", help="A folder of COPY texts; may be repeated.", exists=True, file_okay=False)
]
Town = Annotated[str, typer.Argument(help="A municipality: its folder, code or romaji.")]

EXAMPLES: dict[str, str] = {
    "check": "hikkoshi check\n  hikkoshi check mihon\n  hikkoshi check ../towns/990027_mihon --format github",
    "decode": (
        "hikkoshi decode juki_master.dat --layout juki_master.cpy --charset fujitsu --kind resident=JM-KUBUN:D:JM-JUMIN "
        "--kind trailer=JM-KUBUN:T:JM-TRAILER --findings findings.jsonl > records.jsonl"
    ),
    "diagnose": "hikkoshi diagnose unknown.dat\n  hikkoshi diagnose unknown.dat --layout juki.cpy",
    "roundtrip": "hikkoshi roundtrip setai_kojin.dat --layout setai_kojin.cpy --charset ibm --kind person=SK-KBN:K:SK-KOJIN",
    "peek": "hikkoshi peek setai_kojin.dat --layout setai_kojin.cpy --charset ibm --records 2",
    "synthesize": "hikkoshi synthesize mihon --residents 20000 --faults 0.005",
    "run": "hikkoshi run mihon --rehearsal 2\n  hikkoshi run mihon --cut-over --approval person",
    "report": "hikkoshi report 990027-r01-20261123T094523-967f",
    "rollback": "hikkoshi rollback mihon",
    "runs": "hikkoshi runs\n  hikkoshi runs mihon --json",
    "stop": "hikkoshi stop\n  hikkoshi stop --delete",
}


def _help(name: str, text: str) -> str:
    return f"{text}\n\n\b\nExample:\n  {EXAMPLES[name]}"


@app.command(
    help=_help("check", "Check manifests, layouts, mappings and code tables; print every problem as file:line:column.")
)
def check(
    municipality: Annotated[
        str | None, typer.Argument(help="One municipality, or the path of its folder; all, where not given.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, json, github or sarif.")] = "text",
) -> None:
    """Check specs; no data are touched."""
    from dags import check as checking  # noqa: PLC0415
    from dags import problem_formats  # noqa: PLC0415

    names = [known.name for known in problem_formats.FORMATS]
    if form not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--format")
    checked = [checking.check(folder) for folder in checking.folders(municipality)]
    if text := problem_formats.render(checked, form):
        sys.stdout.write(f"{text}\n")
    problems = sum(len(one.problems) for one in checked)
    if problems:
        err.print(f"{problems} problem(s)", highlight=False)
        raise typer.Exit(2)


@app.command(help=_help("decode", "Write what the bytes of a dump say, one row a record, and the findings beside it."))
def decode(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = "ibm",
    container: ContainerName = None,
    option: Options = [],  # noqa: B006  typer reads the default, nobody changes it
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    form: Annotated[str, typer.Option("--format", help="jsonl, parquet or arrow.")] = "jsonl",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="The file to write; standard output, where not given.")
    ] = None,
    findings: Annotated[Path | None, typer.Option("--findings", help="Write the findings as JSON lines.")] = None,
) -> None:
    """Decode a dump."""
    from dags import reader  # noqa: PLC0415

    if form not in ("jsonl", "parquet", "arrow"):
        raise typer.BadParameter("one of jsonl, parquet, arrow", param_hint="--format")
    job = _job(dump, layout, charset, framing, dialect, container, option, kind, library)
    _warn_of_views(job)
    chosen: Literal["jsonl", "parquet", "arrow"] = form  # type: ignore[assignment]
    with _progress(job.name, enabled=out_file is not None) as tell:
        account, found = reader.decode(
            job, out=out_file or sys.stdout.buffer, form=chosen, findings=findings, progress=tell
        )
    summary = f"{account.records:,} records, {found:,} findings"
    if account.of_no_kind:
        summary += f", {account.of_no_kind:,} of no known kind"
    if account.left_over:
        summary += f"; {account.left_over:,} bytes are left over after the last whole record"
    err.print(summary, highlight=False)
    if account.left_over:
        for line in reader.explain_left_over(job, layout=layout, library=library):
            err.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command(help=_help("peek", "Show some records field by field; values are masked unless --reveal."))
def peek(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = "ibm",
    container: ContainerName = None,
    option: Options = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    records: Annotated[int, typer.Option("--records", min=1, max=1000, help="How many records.")] = 1,
    first: Annotated[int, typer.Option("--first", min=1, help="The first record, from 1.")] = 1,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the values: personal data will be on your screen.")
    ] = False,
) -> None:
    """Peek into a dump."""
    from dags import reader  # noqa: PLC0415

    job = _job(dump, layout, charset, framing, dialect, container, option, kind, library)
    _warn_of_views(job)
    shown, count = reader.peek(job, records=records, first=first, reveal=reveal)
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
            str(p.position), str(p.width), "∅" if p.value is None else p.value, p.finding,
        )  # fmt: skip
        last = p.record
    out.print(table, markup=False)
    if not reveal:
        err.print("values are masked; --reveal shows them", highlight=False)


@app.command(
    help=_help(
        "diagnose", "Find out how a dump may be read: framing, record length, charset, dialect, with the evidence."
    )
)
def diagnose(
    dump: Annotated[Path, typer.Argument(help="The dump file.", exists=True, dir_okay=False)],
    layout: Annotated[
        Path | None,
        typer.Option("--layout", help="The copybook of its records, if there is one.", exists=True, dir_okay=False),
    ] = None,
    library: Library = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Diagnose a dump."""
    from dags import reader  # noqa: PLC0415

    found = reader.diagnose_file(dump, layout=layout, library=library)
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
    for line in found.lines:
        out.print(f"    {line}", highlight=False, markup=False, soft_wrap=True)
    if not found.best("framing"):
        err.print(
            "no framing fits: are the bytes compressed or encrypted, or is this not the whole file?", highlight=False
        )
        raise typer.Exit(1)


@app.command(
    help=_help("roundtrip", "Decode a dump, encode it again and compare the bytes; list every field that differs.")
)
def roundtrip(
    dump: Dumps,
    layout: Copybook,
    charset: CharsetName,
    framing: FramingName = "fixed",
    dialect: DialectName = "ibm",
    container: ContainerName = None,
    option: Options = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    library: Library = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that reading loses nothing."""
    from dags import reader  # noqa: PLC0415

    job = _job(dump, layout, charset, framing, dialect, container, option, kind, library)
    _warn_of_views(job)
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


@app.command(help=_help("synthesize", "Write a dump of an invented municipality, with faults listed beside it."))
def synthesize(
    municipality: Town,
    residents: Annotated[int, typer.Option("--residents", min=1, help="How many people.")] = 20_000,
    faults: Annotated[
        float, typer.Option("--faults", min=0, max=1, help="The share of records that get a fault.")
    ] = 0.005,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where to write; the municipality's inbox, where not given.")
    ] = None,
) -> None:
    """Synthesize a dump."""
    from dags import steps, synthesis  # noqa: PLC0415
    from dags.workspace import settings  # noqa: PLC0415

    town = steps.municipality_folder(municipality)
    with _progress(town.name) as tell:
        made = synthesis.synthesize(
            town,
            residents=residents,
            seed=seed,
            faults=faults,
            out=folder or settings().inbox(town.name),
            progress=tell,
        )
    out.print(f"{made.dump}: {made.records:,} records, {made.faulty:,} with a fault", highlight=False, soft_wrap=True)
    out.print(f"{made.faults}", highlight=False, soft_wrap=True)


@app.command(help=_help("run", "Run a migration: a rehearsal, or the cut-over."))
def run(
    municipality: Town,
    cut_over: Annotated[bool, typer.Option("--cut-over", help="This is the cut-over, not a rehearsal.")] = False,
    rehearsal: Annotated[int, typer.Option("--rehearsal", min=1, max=99, help="Which rehearsal this is.")] = 1,
    inbox: Annotated[
        Path | None, typer.Option("--inbox", help="Where the dumps lie, where not in the usual inbox.")
    ] = None,
    approval: Annotated[
        str, typer.Option("--approval", help="automatic, or person (asks here, or in Airflow).")
    ] = "automatic",
    direct: Annotated[bool, typer.Option("--direct", help="Run the steps in this process, without Airflow.")] = False,
) -> None:
    """Run a migration."""
    from dags import in_airflow, steps  # noqa: PLC0415

    if approval not in ("automatic", "person"):
        raise typer.BadParameter("one of automatic, person", param_hint="--approval")
    folder = steps.municipality_folder(municipality).name
    mode = "cut-over" if cut_over else "rehearsal"
    if direct:
        _log_to_terminal()
        record = steps.run_all(
            folder, mode=mode, rehearsal=rehearsal, folder_of_dumps=str(inbox) if inbox else None,
            ask=_ask if approval == "person" else None,
        )  # fmt: skip
    else:
        if approval == "person" and not in_airflow.server_is_up():
            raise RunError("a person approves in Airflow: start it with `make ui`, or give --direct to be asked here")
        terminal = _terminal()
        conf: dict[str, Any] = {"mode": mode, "rehearsal": rehearsal, "approval": approval}
        if inbox:
            conf["inbox"] = str(inbox.resolve())
        dag_run_id, _ = in_airflow.run_dag(
            f"migrate_{folder}", conf, say=lambda line: terminal.print(f"  {line}", highlight=False, markup=False)
        )
        record = steps.record_of_dag_run(folder, dag_run_id)
    _summarise(record)
    if record.state != "promoted":
        raise typer.Exit(1)


@app.command(help=_help("report", "Write the reports of a run again, and print where they are."))
def report(run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")]) -> None:
    """Write reports again."""
    from dags import steps  # noqa: PLC0415

    for path in steps.render_again(run_id):
        out.print(path, highlight=False, soft_wrap=True)


@app.command(help=_help("rollback", "Put a municipality's former state back in the data centre, in one transaction."))
def rollback(municipality: Town) -> None:
    """Roll back."""
    from dags import steps  # noqa: PLC0415

    undone, rows = steps.rollback(steps.municipality_folder(municipality).name)
    out.print(f"run {undone} was rolled back; now promoted:", highlight=False)
    for table, count in rows.items():
        out.print(f"  {table}: {count:,} rows", highlight=False)


@app.command(help=_help("runs", "List the runs that the ledger knows, the latest first."))
def runs(
    municipality: Annotated[str | None, typer.Argument(help="Only this municipality's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List runs."""
    from dags import steps  # noqa: PLC0415

    entries = steps.list_runs(municipality)
    if as_json:
        for entry in entries:
            sys.stdout.write(json.dumps(dataclasses.asdict(entry), default=str, ensure_ascii=False) + "\n")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("run", "kind", "state", "started", "finished"):
        table.add_column(name, no_wrap=name != "run", overflow="fold")
    for e in entries:
        kind = e.mode if e.mode == "cut-over" else f"rehearsal {e.rehearsal}"
        finished = f"{e.finished:%Y-%m-%d %H:%M:%S}" if e.finished else ""
        table.add_row(e.run_id, kind, e.state, f"{e.started:%Y-%m-%d %H:%M:%S}", finished)
    out.print(table)


@app.command(help=_help("stop", "Stop the embedded PostgreSQL of this checkout; its data stay, unless --delete."))
def stop(
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove its data too: everything that was promoted.")
    ] = False,
) -> None:
    """Stop the embedded server."""
    from dags.workspace import settings  # noqa: PLC0415
    from target_schemas import server  # noqa: PLC0415

    server.stop(settings().home, delete=delete)


def main() -> None:
    """Run the command; turn the three kinds of trouble into messages and exit codes."""
    try:
        app()
    except SpecError as error:
        err.print(str(error), highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except RunError as error:
        err.print(str(error), highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
    except TransientError as error:
        err.print(str(error), highlight=False, markup=False, soft_wrap=True)
        sys.exit(3)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def pairs_of(options: list[str]) -> dict[str, str]:
    """KEY=VALUE words as a mapping."""
    pairs: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"`{option[:60]}` is not KEY=VALUE", param_hint="--option")
        pairs[key] = value
    return pairs


def _job(
    dumps: list[Path],
    layout: Path,
    charset: str,
    framing: str,
    dialect: str,
    container: str | None,
    options: list[str],
    kinds: list[str],
    library: list[Path],
) -> Any:
    from dags import reader  # noqa: PLC0415
    from extractors.reading import Choice, Spoken  # noqa: PLC0415

    wrapped = Choice(container) if container else None
    spoken = Spoken(Choice(framing), Choice(charset), Choice(dialect), wrapped)
    return reader.make_job(dumps, layout=layout, spoken=spoken, options=pairs_of(options), kinds=kinds, library=library)


def _warn_of_views(job: Any) -> None:
    views = [name for name, item in job.reading.layout.groups().items() if item.redefines and name != "FILLER"]
    if views and not any(kind.group for kind in job.kinds):
        err.print(
            f"the layout describes the same bytes several times ({', '.join(views)} REDEFINES); every view is decoded. "
            "Say which records are which with --kind NAME=FIELD:VALUES:GROUP.",
            highlight=False,
            soft_wrap=True,
        )


@contextlib.contextmanager
def _progress(title: str, *, enabled: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    if not (enabled and err.is_terminal):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _terminal() -> Console:
    """The terminal as it is now: a later redirection of standard output does not reach it."""
    return Console(file=os.fdopen(os.dup(1), "w"), soft_wrap=True)


def _log_to_terminal() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    logger = logging.getLogger("hikkoshi")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _ask(question: str) -> str | None:
    from rich.markdown import Markdown  # noqa: PLC0415

    out.print(Markdown(question))
    return os.environ.get("USER", "a person") if typer.confirm("承認しますか / Approve?", default=False) else None


def _summarise(record: Any) -> None:
    from dags.workspace import run_path  # noqa: PLC0415

    style = "green" if record.state == "promoted" else "red"
    received = sum(fate.records for fate in record.fates if fate.role in ("data", "unknown"))
    out.print()
    out.print(
        f"{record.municipality.name} ({record.municipality.code})  {record.state}",
        style=f"bold {style}",
        highlight=False,
    )
    if record.state_reason_en:
        out.print(f"  {record.state_reason_en}", highlight=False, markup=False, soft_wrap=True)
    out.print(
        f"  {received:,} records received, {record.rejects:,} rejected (limit {record.rejects_allowed:,}); "
        f"{record.count('error'):,} errors, {record.count('alert'):,} alerts, {record.count('note'):,} notes",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    for line in record.reconciliations:
        out.print(
            f"  {line.table}: {line.rows_promoted:,} rows" + ("" if line.closes else "  DOES NOT CLOSE"),
            highlight=False,
        )
    agree = sum(rule.agrees for rule in record.rules)
    proved = sum(control.agrees for control in record.controls)
    out.print(
        f"  controls proved {proved}/{len(record.controls)}; rules with both engines agreeing {agree}/{len(record.rules)}",
        highlight=False,
    )
    out.print(f"  {run_path(record.run_id) / 'reports'}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
