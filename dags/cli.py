"""The `hikkoshi` command: the door onto the steps, and where the other commands are hung.

Exit codes: 0 done; 1 data need attention (findings, a run that was not promoted); 2 a wrong spec or call; 3 a system is
away, try again later.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dags import charset_cli, gaiji_cli, lineage_cli, profile_cli, reader_cli, vendor_cli
from dags.terminal import LogFormatter, Terminal, err, help_with, out, progress, visible
from migration_reports.findings import RunError, SpecError, TransientError

app = typer.Typer(
    name="hikkoshi",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Move municipal data off mainframes: check specs, read dumps, run migrations, roll them back.",
)
app.add_typer(reader_cli.app)
app.add_typer(profile_cli.app)
app.add_typer(vendor_cli.app)
app.add_typer(lineage_cli.app)
app.add_typer(charset_cli.app, name="charset")
app.add_typer(gaiji_cli.app, name="gaiji")

Town = Annotated[str, typer.Argument(help="A municipality: its folder, code or romaji.")]


@app.command(
    help=help_with(
        "Check manifests, layouts, mappings and code tables; print every problem as file:line:column.",
        "hikkoshi check",
        "hikkoshi check mihon",
        "hikkoshi check ../towns/990027_mihon --format github",
    )
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
    from dags.folders import municipality_folders  # noqa: PLC0415

    names = [known.name for known in problem_formats.FORMATS]
    if form not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--format")
    checked = [checking.check(folder) for folder in municipality_folders(municipality)]
    if text := problem_formats.render(checked, form):
        # JSON escapes by itself, and may not be spelled otherwise.
        sys.stdout.write(f"{text if form in ('json', 'sarif') else visible(text)}\n")
    problems = sum(len(one.problems) for one in checked)
    if problems:
        err.print(f"{problems} problem(s)", highlight=False)
        raise typer.Exit(2)


@app.command(
    help=help_with(
        "Write a dump of an invented municipality, with faults listed beside it.",
        "hikkoshi synthesize mihon --residents 20000 --faults 0.005",
    )
)
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
    from dags import synthesis  # noqa: PLC0415
    from dags.folders import municipality_folder  # noqa: PLC0415
    from dags.workspace import settings  # noqa: PLC0415

    town = municipality_folder(municipality)
    with progress(town.name) as tell:
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


@app.command(
    help=help_with(
        "Run a migration: a rehearsal, or the cut-over.",
        "hikkoshi run mihon --rehearsal 2",
        "hikkoshi run mihon --cut-over --approval person",
    )
)
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
    from dags.folders import municipality_folder  # noqa: PLC0415

    if approval not in ("automatic", "person"):
        raise typer.BadParameter("one of automatic, person", param_hint="--approval")
    folder = municipality_folder(municipality).name
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
        record = steps.record_of_dag_run(f"migrate_{folder}", dag_run_id)
    _summarise(record)
    if record.state != "promoted":
        raise typer.Exit(1)


@app.command(
    help=help_with(
        "Write the reports of a run again, and print where they are.", "hikkoshi report 990027-r01-20261123T094523-967f"
    )
)
def report(run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")]) -> None:
    """Write reports again."""
    from dags import steps  # noqa: PLC0415

    for path in steps.render_again(run_id):
        out.print(str(path), highlight=False, soft_wrap=True)


@app.command(
    help=help_with(
        "Put a municipality's former state back in the data centre, in one transaction.", "hikkoshi rollback mihon"
    )
)
def rollback(municipality: Town) -> None:
    """Roll back."""
    from dags import steps  # noqa: PLC0415
    from dags.folders import municipality_folder  # noqa: PLC0415

    undone, rows = steps.rollback(municipality_folder(municipality).name)
    out.print(f"run {undone} was rolled back; now promoted:", highlight=False)
    for table, count in rows.items():
        out.print(f"  {table}: {count:,} rows", highlight=False)


@app.command(
    help=help_with(
        "List the runs that the ledger knows, the latest first.", "hikkoshi runs", "hikkoshi runs mihon --json"
    )
)
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


@app.command(
    help=help_with(
        "Stop the embedded PostgreSQL of this checkout; its data stay, unless --delete.",
        "hikkoshi stop",
        "hikkoshi stop --delete",
    )
)
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


def _terminal() -> Terminal:
    """The terminal as it is now: a later redirection of standard output does not reach it."""
    return Terminal(file=os.fdopen(os.dup(1), "w"), soft_wrap=True)


def _log_to_terminal() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter("  %(message)s"))
    logger = logging.getLogger("hikkoshi")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _ask(question: str) -> str | None:
    from rich.markdown import Markdown  # noqa: PLC0415

    out.print(Markdown(visible(question)))
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
