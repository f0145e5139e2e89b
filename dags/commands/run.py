"""`hikkoshi run`: a rehearsal, or the cut-over, through Airflow or in this process."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.commands._reading_options import Town
from dags.commands._terminal import LogFormatter, Terminal, out, visible
from migration_reports.trouble import RunError

if TYPE_CHECKING:
    from dags.runs import Answer
    from migration_reports.records.run_record import RunRecord

EXAMPLES = (
    "hikkoshi run mihon --rehearsal 2",
    "hikkoshi run mihon --system resident_records --system tax",
    "hikkoshi run mihon --cut-over --approval person",
)


def run(
    municipality: Town,
    system: Annotated[
        list[str] | None, typer.Option("--system", help="Only this system; may be given several times.")
    ] = None,
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
    from dags.pipeline.folders import municipality_folder
    from dags.server import in_airflow
    from mappings.language.reader import read_municipality
    from validators.gate import opened

    if approval not in (None, "automatic", "person"):
        raise typer.BadParameter("one of automatic, person", param_hint="--approval")
    if cut_over and approval == "automatic":
        raise typer.BadParameter("a cut-over is approved by a person", param_hint="--approval")
    by_person = cut_over or approval == "person"
    town = municipality_folder(municipality)
    folder = town.name
    if system:
        # Said at once, and not by a task of a DAG.
        read_municipality(town, only=system)
    mode = "cut-over" if cut_over else "rehearsal"
    if direct:
        _log_to_terminal()
        # The gate's process imports beside this one; while a person is asked its memory is not held.
        with contextlib.nullcontext() if by_person else opened() as gate:
            from dags import runs

            record = runs.run_all(
                folder, systems=system, mode=mode, rehearsal=rehearsal, folder_of_dumps=str(inbox) if inbox else None,
                ask_person=_ask if by_person else None, gate=gate,
            )  # fmt: skip
    else:
        from dags import runs

        if by_person and not in_airflow.server_is_up():
            raise RunError("a person approves in Airflow: start it with `make ui`, or give --direct to be asked here")
        terminal = _terminal()
        conf: dict[str, Any] = {
            "mode": mode,
            "rehearsal": rehearsal,
            "approval": "person" if by_person else "automatic",
        }
        if system:
            conf["systems"] = system
        if inbox:
            conf["inbox"] = str(inbox.resolve())
        dag_run_id, _ = in_airflow.run_dag(
            f"migrate_{folder}", conf, say=lambda line: terminal.print(f"  {line}", highlight=False, markup=False)
        )
        record = runs.record_of_dag_run(f"migrate_{folder}", dag_run_id)
    _summarise(record)
    if record.state != "promoted":
        raise typer.Exit(1)


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
    from rich.markdown import Markdown

    from dags.runs import Answer

    out.print(Markdown(visible(question)))
    approved = typer.confirm("承認しますか / Approve?", default=False)
    reason = typer.prompt("理由 / Reason", default="", show_default=False)
    return Answer(approved, getpass.getuser(), reason)


def _summarise(record: RunRecord) -> None:
    from dags.pipeline.run_folder import run_path
    from migration_reports.pages.summary import headline, summary
    from migration_reports.records.standing import standing

    colour = {"good": "green", "bad": "red"}.get(standing(record).tone, "yellow")
    out.print()
    out.print(headline(record), style=f"bold {colour}", highlight=False, markup=False, soft_wrap=True)
    for line in (*summary(record), run_path(record.run_id) / "reports"):
        out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
