"""Running a municipality's DAG from a command: in this process, or on the server where one is up.

In process, Airflow's own logs go to a file and only our progress is shown.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dags.pipeline import run_folder
from dags.server import airflow_home, airflow_server
from migration_reports.findings import RunError, TransientError
from migration_reports.private_files import private_folder

POLL_SECONDS = 1.0
START_SECONDS = 120.0
"""How long a server that is started is waited for."""

OPERATOR = "operator"
"""The user of the server that a command's runs are started as."""

_ENDED = ("success", "failed")


def run_dag(dag_id: str, conf: Mapping[str, Any], *, say: Callable[[str], None]) -> tuple[str, str]:
    """Run a DAG to its end.

    Args:
        dag_id: the DAG.
        conf: its parameters.
        say: told how things go.

    Returns:
        The DAG run's id and state.
    """
    port = _server(say)
    return _in_process(dag_id, conf, say) if port is None else _on_server(port, dag_id, conf, say)


def server_is_up() -> bool:
    """Whether this home's Airflow server works, or is about to."""
    port = airflow_server.kept_port()
    return port is not None and (airflow_server.is_ours(port) or airflow_server.is_started())


def _server(say: Callable[[str], None]) -> int | None:
    """The port of this home's server, once it works; None where none runs.

    Beside a live scheduler nothing is run in process: both would run it.

    Raises:
        TransientError: it is started and does not come to work.
    """
    until, waiting = time.monotonic() + START_SECONDS, False
    while (port := airflow_server.kept_port()) is not None:
        ours = airflow_server.is_ours(port)
        if ours and airflow_server.is_healthy(port):
            return port
        if not ours and not airflow_server.is_started():
            return None
        if not waiting:
            waiting = True
            say(f"waits for this home's Airflow, which starts on {airflow_server.address(port)}")
        if time.monotonic() > until:
            logs = airflow_home.folder()
            raise TransientError(
                f"this home's Airflow on {airflow_server.address(port)} does not work; its logs: {logs}"
            )
        time.sleep(POLL_SECONDS)
    return None


def _in_process(dag_id: str, conf: Mapping[str, Any], say: Callable[[str], None]) -> tuple[str, str]:
    airflow_home.use()
    os.environ["HIKKOSHI_OWNER"] = run_folder.this_process()
    log = airflow_home.folder() / "logs" / f"{dag_id}-{int(time.time())}.log"
    private_folder(log.parent)
    say(f"Airflow's own log: {log}")
    with _quiet(log):
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

        bag = DagBag(str(run_folder.ROOT / "dags" / "migrate.py"))
        dag = bag.dags.get(dag_id)
        if dag is None:
            problems = "; ".join(bag.import_errors.values()) or "unknown municipality"
            raise RunError(f"there is no DAG {dag_id}: {problems[:500]}")
        _show_progress(say)
        dag_run = dag.test(run_conf=dict(conf))
        return str(dag_run.run_id), str(getattr(dag_run.state, "value", dag_run.state))


def _show_progress(say: Callable[[str], None]) -> None:
    class Say(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            say(entry.getMessage())

    logger = logging.getLogger("hikkoshi")
    logger.handlers[:] = [Say()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.disabled = False


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Send everything that Airflow prints to a file; a terminal that was opened before is not touched."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])


def _on_server(port: int, dag_id: str, conf: Mapping[str, Any], say: Callable[[str], None]) -> tuple[str, str]:
    token = airflow_server.sign_in(port, OPERATOR)
    call = functools.partial(airflow_server.call, port, token=token)
    dag = f"/api/v2/dags/{quote(dag_id, safe='')}"
    call("PATCH", dag, {"is_paused": False})
    run_id = str(call("POST", f"{dag}/dagRuns", {"conf": dict(conf), "logical_date": None})["dag_run_id"])
    say(f"handed to the Airflow server: {airflow_server.address(port)}/dags/{dag_id}/runs/{run_id}")
    run = f"{dag}/dagRuns/{quote(run_id, safe='')}"
    shown: set[str] = set()
    while True:
        state = str(call("GET", run)["state"])
        for instance in call("GET", f"{run}/taskInstances")["task_instances"]:
            line = f"{instance['task_id']}: {instance['state']}"
            if instance["state"] in ("success", "failed", "awaiting_input") and line not in shown:
                shown.add(line)
                say(line)
        if state in _ENDED:
            return run_id, state
        time.sleep(POLL_SECONDS)
