"""Where runs keep what they know between steps: one folder a run, a typed result a step, owner-only.

Steps run in processes of their own, so they hand over paths and run ids, never tables. This module alone writes and
reads what a run knows of itself; every file is there whole or not at all, and outlasts a power failure.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import importlib.metadata
import logging
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil

from migration_reports.private_files import PART, private_folder, write_whole
from migration_reports.records.counted import DumpAccount, Made
from migration_reports.records.formats import FORMER_NAMES, from_json, name_of, to_json
from migration_reports.records.run_record import RunRecord, Timing
from migration_reports.records.step_result import StepResult
from migration_reports.records.steps import (
    Approval,
    Attachments,
    Begun,
    Failure,
    Finished,
    Held,
    Promotion,
    Receipts,
    Results,
    Searched,
    Timed,
    Validation,
    Verdict,
)
from migration_reports.trouble import RunError, UsageError

R = TypeVar("R", bound=StepResult)

log = logging.getLogger("hikkoshi")

ROOT = Path(__file__).resolve().parents[2]
SLICE_BYTES = 256 * 1024 * 1024
"""A slice keeps a worker busy for some seconds, and so is worth a task of its own."""

RECORD = "reports/run.json"
"""The record of a run in its folder, as its report left it."""

NEEDED = ("mapped", "held", "looked_at", "attachments", "linked", "context")
"""Folders of a run that hold residents' rows while it runs."""

_RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,120}$")


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Where things are; from the environment, so that every process of a run agrees."""

    home: Path
    municipalities: Path
    database_url: str | None
    databases: Path | None
    slice_bytes: int

    def inbox(self, folder: str) -> Path:
        """Where a municipality's dumps are received."""
        return self.home / "inbox" / folder

    def make_private(self) -> None:
        """Make the home, and let only its owner in: inboxes and runs hold residents' data, whatever their files permit."""
        private_folder(self.home)
        if self.home.stat().st_mode & 0o077:
            self.home.chmod(0o700)

    def inside_inboxes(self, path: str) -> Path:
        """A folder that somebody named on a form: relative to the folder of the inboxes, and never outside it.

        Raises:
            RunError: it lies outside.
        """
        root = (self.home / "inbox").resolve()
        folder = (root / path).resolve()
        if not folder.is_relative_to(root) or folder == root:
            raise RunError(
                f"the inbox `{path[:200]}` does not lie in {root}. Put the dumps into a folder there and name that one, "
                "or run `hikkoshi run` on the machine itself, which may read any folder of yours."
            )
        return folder


def settings() -> Settings:
    """Read the settings: HIKKOSHI_HOME, _MUNICIPALITIES, _DATABASE_URL, _DATABASES, _SLICE_BYTES.

    Raises:
        UsageError: the last is no number of bytes.
    """
    slice_bytes = os.environ.get("HIKKOSHI_SLICE_BYTES") or str(SLICE_BYTES)
    if not (slice_bytes.isascii() and slice_bytes.isdigit() and int(slice_bytes)):
        raise UsageError(
            f"HIKKOSHI_SLICE_BYTES is `{slice_bytes[:40]}`; it must be a number of bytes, such as {SLICE_BYTES}"
        )
    databases = os.environ.get("HIKKOSHI_DATABASES")
    return Settings(
        home=Path(os.environ.get("HIKKOSHI_HOME", ROOT / ".hikkoshi")).resolve(),
        municipalities=Path(os.environ.get("HIKKOSHI_MUNICIPALITIES", ROOT / "mappings" / "municipalities")).resolve(),
        database_url=os.environ.get("HIKKOSHI_DATABASE_URL") or None,
        databases=Path(databases).resolve() if databases else None,
        slice_bytes=int(slice_bytes),
    )


class Run(Begun):
    """One run: what was asked for, and what its steps have left in its folder."""

    @property
    def path(self) -> Path:
        """The run's folder."""
        return run_path(self.run_id)

    def write(self, result: StepResult, of: str = "") -> None:
        """Write what a step leaves, in the place of what a former try left.

        Args:
            result: what it leaves.
            of: what of, where there are several: a dump, a slice of it, a step.
        """
        write_result(self.path, result, of)

    def read(self, kind: type[R], of: str = "") -> R | None:
        """What a step has left; None where it has not been. See `write`.

        Raises:
            RunError: a newer program wrote it.
        """
        return read_result(self.path, kind, of)

    def read_all(self, kind: type[R]) -> dict[str, R]:
        """What a step has left of each of several things, in the order of their names."""
        names = {
            file.relative_to(self.path / folder).with_suffix("").as_posix()
            for folder in _names(kind)
            for file in (self.path / folder).rglob("*.json")
        }
        return {of: result for of in sorted(names) if (result := self.read(kind, of)) is not None}

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Say what is done, and note how long it took once it is."""
        started, clock = now(), time.monotonic()
        log.info("%s", step)
        yield
        seconds = round(time.monotonic() - clock, 3)
        self.write(Timed(timing=Timing(step=step, started=started, seconds=seconds)), step.replace(" ", "-"))

    def forget(self, kind: type[StepResult]) -> None:
        """Delete what a step has left, because it holds no more."""
        for name in _names(kind):
            for file in (self.path / f"{name}.json", *(self.path / name).rglob("*.json")):
                file.unlink(missing_ok=True)

    def results(self, dumps: Iterable[str]) -> Results:
        """What the steps have left so far.

        Args:
            dumps: the dumps, in the order of the manifest.
        """
        accounts = {dump: self.read(DumpAccount, dump) for dump in dumps}
        return Results(
            receipts=self.read(Receipts),
            held=self.read(Held),
            accounts={dump: account for dump, account in accounts.items() if account is not None},
            made=self.read(Made),
            validation=self.read(Validation),
            searched=self.read(Searched),
            verdict=self.read(Verdict),
            approval=self.read(Approval),
            promotion=self.read(Promotion),
            failure=self.read(Failure),
            finished=self.read(Finished),
            attachments=self.read(Attachments),
            timings=tuple(timed.timing for timed in self.read_all(Timed).values()),
        )


def write_result(folder: Path, result: StepResult, of: str = "") -> None:
    """Write a result into a run's folder; see `Run.write`."""
    write_whole(folder / _file(name_of(type(result)), of), to_json(result))


def read_result(folder: Path, kind: type[R], of: str = "") -> R | None:
    """Read a result from a run's folder; see `Run.read`."""
    for name in _names(kind):
        file = folder / _file(name, of)
        if file.is_file():
            return from_json(kind, file.read_bytes(), where=str(file))
    return None


def _names(kind: type[StepResult]) -> tuple[str, ...]:
    """The names under which a result is written, and was by a former program."""
    return tuple(dict.fromkeys((name_of(kind), FORMER_NAMES.get(kind, name_of(kind)))))


def _file(name: str, of: str) -> str:
    return f"{name}/{of}.json" if of else f"{name}.json"


def now() -> str:
    """This moment, in ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def run_path(run_id: str) -> Path:
    """The folder of a run.

    Raises:
        UsageError: the id could leave the folder of runs.
    """
    if not _RUN_ID.match(run_id) or ".." in run_id:
        raise UsageError("that is no run id; `hikkoshi runs` lists them")
    return settings().home / "runs" / run_id


def new_run_id(code: str, mode: str, rehearsal: int) -> str:
    """An id for a run, of one form for whoever starts it: code, kind, moment, and chance, so that none meets another."""
    kind = "c" if mode == "cut-over" else f"r{rehearsal:02}"
    moment = datetime.datetime.now(datetime.UTC)
    return f"{code}-{kind}-{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def note_dag_run(run: Run) -> None:
    """Note which run a DAG run is, where one runs it; what it was before, when it is begun anew, keeps its folder."""
    if run.dag_run_id:
        write_whole(_dag_run_file(run.dag_id, run.dag_run_id), run.run_id.encode())


def run_of_dag_run(dag_id: str, dag_run_id: str) -> Run | None:
    """The run that a DAG run is; None where it has not begun one."""
    file = _dag_run_file(dag_id, dag_run_id)
    if not file.is_file():
        return None
    run = open_run(file.read_text("ascii"))
    return run if (run.dag_id, run.dag_run_id) == (dag_id, dag_run_id) else None


def _dag_run_file(dag_id: str, dag_run_id: str) -> Path:
    """Named by a hash: ids of DAG runs hold what file names may not, and differ where a spelling for files would not."""
    name = hashlib.sha256(f"{dag_id}\0{dag_run_id}".encode()).hexdigest()
    return settings().home / "runs" / ".dag_runs" / name


def new_folder() -> Path:
    """Make the folder that a run will have, under a name that is no run's."""
    folder = settings().home / "runs" / f".new-{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    private_folder(folder)
    return folder


def _host() -> str:
    """This machine, in a few letters that any file name may have."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def make_run(run: Run, folder: Path) -> None:
    """Write down what was asked for, and give the folder of a new run its name: it is there whole or not at all."""
    write_result(folder, run)
    folder.rename(run.path)


def clear(folder: Path) -> bool:
    """Delete what only a run needs that has not ended: residents' rows, and files that were never finished.

    Returns:
        Whether there was any of it.
    """
    left = [folder / name for name in NEEDED if (folder / name).exists()]
    left += [path for path in folder.rglob(".*") if path.name.startswith((".new-", ".old-", PART))]
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return bool(left)


def clear_left_behind(ended: Collection[str]) -> list[str]:
    """Clear the folders of runs that have ended; gives those that had left anything."""
    runs = settings().home / "runs"
    for folder in runs.glob(f".new-{_host()}-*"):
        # Another process may be copying specs into it at this moment; of those of other machines nobody here knows.
        process = folder.name.split("-")[2]
        if not (process.isdigit() and psutil.pid_exists(int(process))):
            shutil.rmtree(folder, ignore_errors=True)
    return [name for name in sorted(ended) if (runs / name).is_dir() and clear(runs / name)]


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of one when it is whole, and leaves it as it was where something fails."""
    new, old = folder.with_name(f".new-{folder.name}"), folder.with_name(f".old-{folder.name}")
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    private_folder(new)
    try:
        yield new
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def open_run(run_id: str) -> Run:
    """Open a run that was begun.

    Raises:
        UsageError: there is no such run.
    """
    run = read_result(run_path(run_id), Run)
    if run is None:
        raise UsageError(f"there is no run {run_id} in {settings().home}; `hikkoshi runs` lists them")
    return run


def reported_before(run: Run) -> RunRecord | None:
    """The record of the municipality's latest reported run before a run; None where there is none that can be read."""
    found: list[tuple[str, Path]] = []
    for folder in (settings().home / "runs").glob(f"{run.code}-*"):
        if folder.name != run.run_id and (folder / RECORD).is_file():
            with contextlib.suppress(RunError):
                other = read_result(folder, Run)
                if other is not None and other.started < run.started:
                    found.append((other.started, folder / RECORD))
    if not found:
        return None
    try:
        return read_record(max(found)[1])
    except RunError as error:
        log.warning("nothing is compared with the run before: %s", error)
        return None


def read_record(file: Path) -> RunRecord:
    """Read the record that a run's report left.

    Raises:
        RunError: a newer program wrote it.
    """
    return from_json(RunRecord, file.read_bytes(), where=str(file))


def program_version() -> str:
    """The program's version, and where it runs from a checkout, its git revision; `dirty`, where files differ from it."""
    version = importlib.metadata.version("hikkoshi")
    git = shutil.which("git") if (ROOT / ".git").exists() else None
    if git is None:
        return version
    asked = [git, "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  git of the PATH, fixed words
    return f"{version} ({told.stdout.strip()})" if told.returncode == 0 else version


def this_process() -> str:
    """How the ledger names this process: host, process id, and when it began."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{int(process.create_time())}"


def is_alive(owner: str, *, asking: str) -> bool:
    """Whether the process that owns a run still lives; another host's is taken to.

    Airflow lets one run of a municipality's DAG be active, so for a run that Airflow owns another such run is over.
    """
    if owner.startswith("airflow:"):
        return not asking.startswith("airflow:")
    host, _, rest = owner.partition(":")
    pid, _, begun = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(begun or 0)
    except psutil.Error:
        return False
