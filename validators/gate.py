"""The gate: Great Expectations in a process of its own, which counts in the database while this one works on.

Importing it takes seconds and 300 MB, so a gate is opened before it is needed, and its process imports at once. Where this
process has imported it already, a thread evaluates instead. What is asked and answered is plain data; the database's
address goes over the pipe, where no list of processes shows it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from migration_reports.trouble import TransientError

if TYPE_CHECKING:
    from validators.suites import Suite

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-P", "-m", "validators.gate_process")

Counts = Mapping[str, int]
"""How many rows fail, by rule name."""

Evaluate = Callable[[Sequence["Suite"], str], Counts]
"""From suites and the database's URL to the counts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """Where Great Expectations counts; see `opened`."""

    evaluate: Evaluate
    beside: ThreadPoolExecutor

    def count(self, suites: Sequence[Suite], url: str, *, first: Callable[[], None] | None = None) -> Future[Counts]:
        """Begin to evaluate suites, behind what was asked before.

        Args:
            suites: the suites.
            url: the database; a host must stand in it, as Great Expectations demands.
            first: what is done before, when their turn comes.

        Returns:
            The counts, once they are known. It raises RuntimeError for a rule that cannot be evaluated, which is a bug;
            sqlalchemy.exc.DBAPIError where the database itself failed: it has gone away, or refused a right; and
            TransientError where the gate's process was ended.
        """
        return self.beside.submit(self._counted, suites, url, first)

    def _counted(self, suites: Sequence[Suite], url: str, first: Callable[[], None] | None) -> Counts:
        if first is not None:
            first()
        return self.evaluate(suites, url)


@contextlib.contextmanager
def opened(lent: Gate | None = None) -> Iterator[Gate]:
    """Open a gate, unless one is lent; it ends with the context, and with this process, however that ends."""
    if lent is not None:
        yield lent
        return
    with (
        ThreadPoolExecutor(1, "gate") as beside,
        here() if "great_expectations" in sys.modules else apart() as evaluate,
    ):
        yield Gate(evaluate, beside)


@contextlib.contextmanager
def here() -> Iterator[Evaluate]:
    """Evaluate in this process."""
    from validators.suites import evaluate  # noqa: PLC0415  what it imports is imported already

    yield evaluate


@contextlib.contextmanager
def apart() -> Iterator[Evaluate]:
    """Evaluate in a process of its own, which begins to import now."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(  # noqa: S603  our own module
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        try:
            yield functools.partial(_evaluate_apart, process)
        finally:
            process.kill()
            # What it was not there to read any more is not told again.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _evaluate_apart(process: subprocess.Popen[str], asked: Sequence[Suite], url: str) -> Counts:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"suites": asked, "url": url}) + "\n")
        process.stdin.flush()
        said = process.stdout.readline()
    except (BrokenPipeError, ConnectionResetError):
        said = ""
    if not said:
        raise TransientError(
            f"the process in which Great Expectations counts ended before it answered ({_ending(process)}). Nothing was "
            "changed. Give this machine more memory, or end what else takes it; then run again."
        )
    answer = json.loads(said)
    if "counts" not in answer:
        raise _failure(answer)
    return {str(rule): int(count) for rule, count in answer["counts"].items()}


def _ending(process: subprocess.Popen[str]) -> str:
    code = process.wait()
    return f"exit code {code}" if code >= 0 else f"signal {-code}: where memory runs out the system ends processes so"


def _failure(answer: Mapping[str, str]) -> Exception:
    if "database" not in answer:
        return RuntimeError(answer["failed"])
    import sqlalchemy as sa  # noqa: PLC0415  a gate is opened before anything heavy is there

    kind: type[sa.exc.DBAPIError] = getattr(sa.exc, answer["database"])
    return kind(None, None, DatabaseSaidError(answer["failed"], answer["sqlstate"]))


class DatabaseSaidError(Exception):
    """What the database said in the gate's process."""

    def __init__(self, words: str, sqlstate: str | None) -> None:
        super().__init__(words)
        self.sqlstate = sqlstate
