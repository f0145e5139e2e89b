"""The `hikkoshi` command: the door onto the steps, and where the other commands are hung.

Exit codes: 0 done; 1 data need attention (findings, a run that was not promoted); 2 a wrong spec or call; 3 a system is
away, try again later.
"""

from __future__ import annotations

import dataclasses
import errno
import getpass
import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table
from typer.core import TyperGroup

from dags.commands import accept_cli, charset_cli, gaiji_cli, lineage_cli, profile_cli, reader_cli, vendor_cli
from dags.commands.terminal import LogFormatter, Terminal, err, help_with, out, progress, visible
from migration_reports.findings import RunError, SpecError, TransientError, UsageError

if TYPE_CHECKING:
    from dags.steps import Answer
    from migration_reports.records.run_record import RunRecord

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Read a dump": ("diagnose", "decode", "peek", "roundtrip", "profile", "charset"),
    "Write a mapping": ("draft", "accept", "check", "test", "explain", "diff", "lineage", "schema", "synthesize"),
    "Run a migration": ("run", "runs", "report", "rollback", "withdraw", "stop"),
    "Decide about gaiji": ("gaiji",),
}
"""The commands by what somebody is about, in the order in which they are used."""


class Commands(TyperGroup):
    """The commands, listed by what somebody is about."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands of the help; one that no group names stands last. Typer keeps its own click."""
        known = {name: command for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))}
        grouped = {name for names in GROUPS.values() for name in names}
        room = formatter.width - 6 - max(map(len, known))
        for title, names in {**GROUPS, "More": tuple(name for name in known if name not in grouped)}.items():
            lines = [(name, known[name].get_short_help_str(room)) for name in names if name in known]
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)


app = typer.Typer(
    name="hikkoshi",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Move municipal data off mainframes: check specs, read dumps, run migrations, roll them back.",
)
app.add_typer(reader_cli.app)
app.add_typer(profile_cli.app)
app.add_typer(vendor_cli.app)
app.add_typer(accept_cli.app)
app.add_typer(lineage_cli.app)
app.add_typer(charset_cli.app, name="charset")
app.add_typer(gaiji_cli.app, name="gaiji")

Reason = Annotated[str | None, typer.Option("--reason", help="Why; it is kept in the ledger. Asked for, if not given.")]
By = Annotated[str | None, typer.Option("--by", help="Who decided it; the user of this machine, where not given.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]
ADVICE: Mapping[int, str] = {
    errno.ENOSPC: "Free some space, or let HIKKOSHI_HOME name a folder on another disk.",
    errno.EROFS: "Name a place that can be written.",
    errno.EACCES: "Name a place that you may use, or have its owner let you in.",
    errno.EPERM: "Name a place that you may use, or have its owner let you in.",
    errno.ENOENT: "Look whether the path is right; what is above it must be there.",
    errno.EEXIST: "Name another place; a file stands where a folder should.",
    errno.ENOTDIR: "Name another place; a file stands where a folder should.",
    errno.EISDIR: "Name a file; this is a folder.",
}
"""What to do about what the operating system refuses."""

Town = Annotated[str, typer.Argument(metavar="MUNICIPALITY", help="A municipality: its folder, code, romaji, or path.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from dags.pipeline.workspace import program_version  # noqa: PLC0415

        sys.stdout.write(f"hikkoshi {program_version()}\n")
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and the revision, and end."
        ),
    ] = False,
) -> None:
    pass


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
    from dags.authoring import check as checking  # noqa: PLC0415
    from dags.authoring import problem_formats  # noqa: PLC0415
    from dags.pipeline.folders import municipality_folders  # noqa: PLC0415

    names = [known.name for known in problem_formats.FORMATS]
    if form not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--format")
    checked = [checking.check(folder) for folder in municipality_folders(municipality)]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else problem_formats.WIDTH
    if text := problem_formats.render(checked, form, width=width):
        # JSON escapes by itself, and may not be spelled otherwise.
        sys.stdout.write(f"{text if form in ('json', 'sarif') else visible(text)}\n")
    codes = [problem.code for one in checked for problem in one.problems]
    if codes:
        guesses = codes.count(problem_formats.GUESS)
        rest = "; `hikkoshi explain CODE` says more of each" if len(codes) > guesses else ""
        err.print(f"{len(codes) - guesses} problem(s), {guesses} guess(es) open{rest}", highlight=False)
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
    from dags.inspection import synthesis  # noqa: PLC0415
    from dags.pipeline.folders import municipality_folder  # noqa: PLC0415
    from dags.pipeline.workspace import settings  # noqa: PLC0415

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
        str | None,
        typer.Option(
            "--approval",
            help="automatic, or person (asks here with --direct, else in Airflow); a cut-over is always approved by a person.",
        ),
    ] = None,
    direct: Annotated[bool, typer.Option("--direct", help="Run the steps in this process, without Airflow.")] = False,
) -> None:
    """Run a migration."""
    from dags import steps  # noqa: PLC0415
    from dags.pipeline.folders import municipality_folder  # noqa: PLC0415
    from dags.server import in_airflow  # noqa: PLC0415

    if approval not in (None, "automatic", "person"):
        raise typer.BadParameter("one of automatic, person", param_hint="--approval")
    if cut_over and approval == "automatic":
        raise typer.BadParameter("a cut-over is approved by a person", param_hint="--approval")
    by_person = cut_over or approval == "person"
    folder = municipality_folder(municipality).name
    mode = "cut-over" if cut_over else "rehearsal"
    if direct:
        _log_to_terminal()
        record = steps.run_all(
            folder, mode=mode, rehearsal=rehearsal, folder_of_dumps=str(inbox) if inbox else None,
            ask_person=_ask if by_person else None,
        )  # fmt: skip
    else:
        if by_person and not in_airflow.server_is_up():
            raise RunError("a person approves in Airflow: start it with `make ui`, or give --direct to be asked here")
        terminal = _terminal()
        conf: dict[str, Any] = {
            "mode": mode,
            "rehearsal": rehearsal,
            "approval": "person" if by_person else "automatic",
        }
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
        "Put back what a municipality had in force before, in production or of its rehearsals, in one transaction.",
        "hikkoshi rollback mihon",
        'hikkoshi rollback mihon --rehearsals --yes --reason "wrong inbox"',
    )
)
def rollback(
    municipality: Town,
    rehearsals: Annotated[
        bool, typer.Option("--rehearsals", help="In the rehearsals' area, and not in production.")
    ] = False,
    reason: Reason = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Roll back."""
    from dags import steps  # noqa: PLC0415
    from dags.pipeline.folders import municipality_folder  # noqa: PLC0415

    town, area = municipality_folder(municipality).name, "the rehearsals' area" if rehearsals else "PRODUCTION"
    why = _decided(f"Put back what {town} had in force before, in {area}?", reason, yes=yes)
    _say_undone(
        steps.rollback(town, mode="rehearsal" if rehearsals else "cut-over", by=by or _person(), reason=why),
        "rolled back; its rows are kept",
    )


@app.command(
    help=help_with(
        "Take a promotion out for good and drop its rows; what was in force before it comes back, if anything was.",
        "hikkoshi withdraw 990027-c-20261123T094523-967f0a1b",
    )
)
def withdraw(
    run_id: Annotated[str, typer.Argument(help="The run; `hikkoshi runs` lists them.")],
    reason: Reason = None,
    by: By = None,
    yes: Yes = False,
) -> None:
    """Withdraw."""
    from dags import steps  # noqa: PLC0415

    why = _decided(f"Withdraw the promotion of run {run_id} and drop its rows for good?", reason, yes=yes)
    _say_undone(steps.withdraw(run_id, by=by or _person(), reason=why), "withdrawn; its rows were dropped")


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
    from dags.pipeline.folders import municipality_folders  # noqa: PLC0415

    entries = steps.list_runs(municipality)
    towns = {folder.name[:6]: folder.name for folder in municipality_folders(None)}
    if as_json:
        for entry in entries:
            line = {**dataclasses.asdict(entry), "town": towns.get(entry.municipality_code, "")}
            sys.stdout.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("run", "town", "kind", "state", "in force in", "started", "finished"):
        table.add_column(name, no_wrap=name != "run", overflow="fold")
    for e in entries:
        kind = e.mode if e.mode == "cut-over" else f"rehearsal {e.rehearsal}"
        finished = f"{e.finished:%Y-%m-%d %H:%M:%S}" if e.finished else ""
        town, where = towns.get(e.municipality_code, e.municipality_code), e.area if e.in_force else ""
        table.add_row(e.run_id, town, kind, e.state, where, f"{e.started:%Y-%m-%d %H:%M:%S}", finished)
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
    from dags.pipeline.workspace import settings  # noqa: PLC0415
    from target_schemas.postgres import server  # noqa: PLC0415

    server.stop(settings().home, delete=delete)


def main() -> None:
    """Run the command; turn every kind of trouble into a message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, and the command goes on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (SpecError, UsageError) as error:
        _end(str(error), 2)
    except RunError as error:
        _end(str(error), 1)
    except TransientError as error:
        _end(str(error), 3)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (ConnectionError, TimeoutError) as error:
        _end(f"{error}. Try again later.", 3)
    except OSError as error:
        _end(_in_words(error), 2)


def _end(message: str, code: int) -> NoReturn:
    err.print(message, highlight=False, markup=False, soft_wrap=True)
    sys.exit(code)


def _in_words(error: OSError) -> str:
    """What a file, a folder or the network refused, and what to do."""
    place = f"{error.filename}: " if error.filename is not None else ""
    why = (error.strerror or str(error)).lower()
    do = ADVICE.get(error.errno or 0, "Look whether the path is right and whether you may use it.")
    return f"{place}{why}. {do}"


def _terminal() -> Terminal:
    """The terminal as it is now: a later redirection of standard output does not reach it."""
    return Terminal(file=os.fdopen(os.dup(1), "w", errors="backslashreplace"), soft_wrap=True)


def _log_to_terminal() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter("  %(message)s"))
    logger = logging.getLogger("hikkoshi")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _ask(question: str) -> Answer:
    from rich.markdown import Markdown  # noqa: PLC0415

    from dags.steps import Answer  # noqa: PLC0415

    out.print(Markdown(visible(question)))
    approved = typer.confirm("承認しますか / Approve?", default=False)
    reason = typer.prompt("理由 / Reason", default="", show_default=False)
    return Answer(approved, getpass.getuser(), reason)


def _decided(question: str, reason: str | None, *, yes: bool) -> str:
    """The reason of a decision, once the person at the terminal has confirmed it, or --yes stands for that."""
    person = sys.stdin.isatty()
    if not yes and not person:
        raise typer.BadParameter("nobody is at a terminal to confirm this: give --yes and --reason", param_hint="--yes")
    if not yes:
        typer.confirm(question, default=False, abort=True)
    if reason is None and not person:
        raise typer.BadParameter("say why; it is kept in the ledger", param_hint="--reason")
    return reason if reason is not None else str(typer.prompt("理由 / Reason"))


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a person"


def _say_undone(done: Any, what: str) -> None:
    out.print(f"run {done.run_id} was {what}", highlight=False, soft_wrap=True)
    now = f"run {done.in_force}" if done.in_force else "nothing"
    out.print(f"in force in {done.area} of {done.municipality}: {now}", highlight=False, soft_wrap=True)
    for table, count in done.rows.items():
        out.print(f"  {table}: {count:,} rows", highlight=False)


def _summarise(record: RunRecord) -> None:
    from dags.pipeline.workspace import run_path  # noqa: PLC0415
    from migration_reports.pages.summary import headline, summary  # noqa: PLC0415
    from migration_reports.records.standing import standing  # noqa: PLC0415

    colour = {"good": "green", "bad": "red"}.get(standing(record).tone, "yellow")
    out.print()
    out.print(headline(record), style=f"bold {colour}", highlight=False, markup=False, soft_wrap=True)
    for line in (*summary(record), run_path(record.run_id) / "reports"):
        out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
