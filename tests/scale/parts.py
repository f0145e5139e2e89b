"""Airflow's parts as they stand on several machines: an API server, a scheduler, a DAG processor and Celery's workers."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from dags.server import airflow_home, airflow_server
from dags.server.airflow_server import of_sessions
from dags.server.standalone import stop
from migration_reports.findings import TransientError
from tests.scale.servers import cpu_of

START_SECONDS = 180.0
PATIENCE = 20.0
"""Seconds in which a part may end by itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class Noticing:
    """What decides how soon a dead worker is noticed, in seconds; the rest is as Airflow has it.

    Attributes:
        heartbeat_timeout: a running task that has not been heard of for so long is taken for dead ([scheduler]
            task_instance_heartbeat_timeout, 300 by default).
        queued_timeout: a task that no worker has begun for so long is handed out again ([scheduler] task_queued_timeout,
            600 by default).
    """

    heartbeat_timeout: int = 60
    queued_timeout: int = 600


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part that runs, the leader of a session of its own."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def works(self) -> bool:
        """Whether it is one of the workers."""
        return self.name.startswith("worker-")

    @property
    def processes(self) -> list[psutil.Process]:
        """It, and all that it has started."""
        return of_sessions({self.process.pid})

    def cpu_seconds(self) -> float:
        """The processor time that it and all that it has started have taken."""
        return cpu_of(self.processes)

    def kill(self) -> None:
        """End it and all that it has started at once, as a power failure would."""
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                process.kill()


def environment(
    *, port: int, metadata: str, broker: str, workers: int, concurrency: int, noticing: Noticing
) -> Mapping[str, str]:
    """The settings of every part: those of this home's Airflow, and Celery's over them.

    Args:
        port: the API server's.
        metadata: the metadata database's URL without its scheme.
        broker: Redis' URL.
        workers: how many workers there are.
        concurrency: how many tasks a worker runs at once.
        noticing: how soon a dead worker is noticed.
    """
    return {
        **airflow_home.environment(port=port),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        # No more is handed out than workers can take, for what waits in the broker counts as stuck after a while.
        "AIRFLOW__CORE__PARALLELISM": str(workers * concurrency),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg://{metadata}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{metadata}",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg://{metadata}",
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(concurrency),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(noticing.heartbeat_timeout),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(noticing.queued_timeout),
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    }


@contextlib.contextmanager
def running(logs: Path, *, port: int, workers: int) -> Iterator[list[Part]]:
    """Run all parts until the block ends, in the environment of this process; yields them.

    Args:
        logs: where each part writes its log.
        port: the API server's.
        workers: how many.
    """
    _airflow(("airflow", "db", "migrate"), logs / "migrate.log").wait()
    parts: list[Part] = []
    commands = {
        "api-server": ("airflow", "api-server"),
        "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
        "dag-processor": ("airflow", "dag-processor"),
        **{
            f"worker-{n}": (
                "dags.server.airflow_preloaded",
                "celery",
                "worker",
                "--skip-serve-logs",
                "--celery-hostname",
                f"worker-{n}@%h",
            )
            for n in range(1, workers + 1)
        },
    }
    try:
        for name, words in commands.items():
            parts.append(Part(name, _airflow(words, logs / f"{name}.log")))
        _wait(parts, logs, port)
        yield parts
    finally:
        stop([part.process for part in parts], PATIENCE)


def _airflow(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ,
        )


def _wait(parts: Sequence[Part], logs: Path, port: int) -> None:
    """Wait until all parts work.

    Raises:
        TransientError: one has ended, or they do not come to work.
    """
    until = time.monotonic() + START_SECONDS
    while not (airflow_server.is_healthy(port) and all(_is_ready(logs, part) for part in parts)):
        ended = [part.name for part in parts if part.process.poll() is not None]
        if ended or time.monotonic() > until:
            raise TransientError(f"Airflow does not start ({', '.join(ended) or 'too slow'}); its logs: {logs}")
        time.sleep(0.5)


def _is_ready(logs: Path, part: Part) -> bool:
    return not part.works or b" ready." in (logs / f"{part.name}.log").read_bytes()
