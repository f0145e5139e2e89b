"""Running a municipality's DAG from a command: in this process, or on the server where one is up.

In process, Airflow's own logs go to a file and only our progress is shown.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dags import airflow_home, workspace
from migration_reports.findings import RunError, TransientError

POLL_SECONDS = 2.0
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
    if server_is_up():
        return _on_server(dag_id, conf, say)
    return _in_process(dag_id, conf, say)


def server_is_up(*, port: int = airflow_home.PORT) -> bool:
    """Whether our Airflow server answers on this machine."""
    if not (airflow_home.folder() / "passwords.json").exists():
        return False
    url = f"http://127.0.0.1:{port}/api/v2/monitor/health"
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=2) as answer:
        return bool(json.load(answer)["scheduler"]["status"] == "healthy")
    return False


def _in_process(dag_id: str, conf: Mapping[str, Any], say: Callable[[str], None]) -> tuple[str, str]:
    airflow_home.use()
    os.environ["HIKKOSHI_OWNER"] = workspace.this_process()
    log = airflow_home.folder() / "logs" / f"{dag_id}-{int(time.time())}.log"
    workspace.private_folder(log.parent)
    say(f"Airflow's own log: {log}")
    with _quiet(log):
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

        bag = DagBag(str(workspace.ROOT / "dags" / "migrate.py"))
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


def _on_server(dag_id: str, conf: Mapping[str, Any], say: Callable[[str], None]) -> tuple[str, str]:
    token = _call("POST", "/auth/token", {"username": airflow_home.USER, "password": airflow_home.password()})[
        "access_token"
    ]
    _call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False}, token)
    run = _call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"conf": dict(conf), "logical_date": None}, token)
    run_id = str(run["dag_run_id"])
    say(f"handed to the Airflow server: http://127.0.0.1:{airflow_home.PORT}/dags/{dag_id}/runs/{run_id}")
    shown: set[str] = set()
    while True:
        state = str(_call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", None, token)["state"])
        tasks = _call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", None, token)["task_instances"]
        for instance in tasks:
            line = f"{instance['task_id']}: {instance['state']}"
            if instance["state"] in ("success", "failed", "awaiting_input") and line not in shown:
                shown.add(line)
                say(line)
        if state in _ENDED:
            return run_id, state
        time.sleep(POLL_SECONDS)


def _call(method: str, path: str, body: Mapping[str, Any] | None, token: str | None = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{airflow_home.PORT}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RunError(f"Airflow refused {method} {path}: {error.code} {error.reason}") from None
    except OSError as error:
        raise TransientError(f"the Airflow server on port {airflow_home.PORT} is away: {error}") from None
