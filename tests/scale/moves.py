"""Runs of towns' DAGs by Airflow's API: started at once, watched, and a worker killed while it works."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from dags.server import airflow_server
from dags.server.in_airflow import OPERATOR
from migration_reports.findings import TransientError
from tests.scale.parts import START_SECONDS, Part
from tests.scale.towns import Town

POLL_SECONDS = 1.0

READING = "extract_map_stage"

ANY = "~"
"""How the API calls every DAG, or every run."""

PAGE = 100
"""What the API gives at once at most ([api] maximum_page_limit)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """A task that was running on the worker that was killed.

    Attributes:
        dag: whose.
        task: which one, with the number of its slice.
        ran: seconds that it had run.
        noticed: seconds from the kill until Airflow took it for dead.
        again: seconds from the kill until it ran again.
    """

    dag: str
    task: str
    ran: float
    noticed: float
    again: float


@dataclasses.dataclass(frozen=True, slots=True)
class Killed:
    """A worker that was killed.

    Attributes:
        worker: the worker.
        at: when.
        tasks: the task instances that ran on it, as the API gives them.
        cpu_seconds: the processor time that it had taken.
    """

    worker: Part
    at: datetime.datetime
    tasks: Sequence[Mapping[str, Any]]
    cpu_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """A DAG run that has ended.

    Attributes:
        dag: the DAG.
        run: the DAG run's id.
        state: how it ended.
        seconds: from when it was asked for.
        tries: how often tasks ran.
        tasks: how many ran.
    """

    dag: str
    run: str
    state: str
    seconds: float
    tries: int
    tasks: int


class Airflow:
    """Airflow's API, signed in to as who starts runs."""

    def __init__(self, port: int) -> None:
        self._call = functools.partial(airflow_server.call, port, token=airflow_server.sign_in(port, OPERATOR))

    def start(self, towns: Sequence[Town]) -> Mapping[str, str]:
        """Start a rehearsal of each town; gives the runs by DAG.

        Raises:
            TransientError: the DAG processor does not come to a DAG.
        """
        for town in towns:
            self._until_known(town.dag)
        return {town.dag: self._started(town.dag) for town in towns}

    def _until_known(self, dag: str) -> None:
        until, query = time.monotonic() + START_SECONDS, f"/api/v2/dags?dag_id_pattern={quote(dag)}&limit=1"
        while not self._call("GET", query)["dags"]:
            if time.monotonic() > until:
                raise TransientError(
                    f"the DAG processor has not come to {dag} in {START_SECONDS:.0f} seconds; see its log"
                )
            time.sleep(POLL_SECONDS)

    def _started(self, dag: str) -> str:
        path = f"/api/v2/dags/{quote(dag)}"
        self._call("PATCH", path, {"is_paused": False})
        asked = {"conf": {"mode": "rehearsal", "rehearsal": 1}, "logical_date": None}
        return str(self._call("POST", f"{path}/dagRuns", asked)["dag_run_id"])

    def run(self, dag: str, run: str) -> Mapping[str, Any]:
        """A DAG run, as the API gives it."""
        return dict(self._call("GET", _path(dag, run)))

    def tasks(self, dag: str, run: str) -> Sequence[Mapping[str, Any]]:
        """The task instances of a DAG run, as the API gives them, page by page."""
        found: list[Mapping[str, Any]] = []
        while True:
            page = self._call("GET", f"{_path(dag, run)}/taskInstances?limit={PAGE}&offset={len(found)}")
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def tries(self, task: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """All tries of a task instance, the first one first."""
        path = f"{_path(task['dag_id'], task['dag_run_id'])}/taskInstances/{quote(task['task_id'])}/{task['map_index']}/tries"
        return sorted(self._call("GET", path)["task_instances"], key=lambda one: int(one["try_number"]))

    def wait(self, runs: Mapping[str, str], *, each: Callable[[], bool], seconds: float) -> Mapping[str, str]:
        """Wait until runs have ended; gives their states.

        Args:
            runs: the runs by DAG.
            each: called every second; waiting ends early once it says so.
            seconds: the longest wait.

        Raises:
            TransientError: they have not ended by then.
        """
        until, states = time.monotonic() + seconds, dict.fromkeys(runs, "running")
        while not each():
            states.update(
                {dag: str(self.run(dag, run)["state"]) for dag, run in runs.items() if states[dag] not in _ENDED}
            )
            if all(state in _ENDED for state in states.values()):
                break
            if time.monotonic() > until:
                late = ", ".join(dag for dag, state in states.items() if state not in _ENDED)
                raise TransientError(f"after {seconds:.0f} seconds these run still: {late}")
            time.sleep(POLL_SECONDS)
        return states


_ENDED = ("success", "failed")


def _path(dag: str, run: str) -> str:
    return f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(run, safe='')}"


def kill_in_the_middle(airflow: Airflow, runs: Mapping[str, str], step: str, worker: Part) -> Killed:
    """Kill a worker while it runs a step of a town, once the step is done elsewhere: of another slice, or another town.

    Args:
        airflow: the API.
        runs: the runs by DAG.
        step: the task that is waited for.
        worker: who is killed.

    Raises:
        TransientError: the runs have ended before.
    """

    def it_is_at_it() -> bool:
        at_it = [task for task in airflow.tasks(ANY, ANY) if task["task_id"].endswith(step)]
        return any(task["state"] == "success" for task in at_it) and bool(_on(worker, at_it))

    if set(airflow.wait(runs, each=it_is_at_it, seconds=900).values()) <= set(_ENDED):
        raise TransientError(f"all runs have ended, and {worker.name} was never seen at {step}")
    on_it, spent = _on(worker, airflow.tasks(ANY, ANY)), worker.cpu_seconds()
    worker.kill()
    at = datetime.datetime.now(datetime.UTC)
    states = {task["id"]: task["state"] for task in airflow.tasks(ANY, ANY)}
    return Killed(worker, at, [task for task in on_it if states[task["id"]] == "running"], spent)


def _on(worker: Part, tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    own = {process.pid for process in worker.processes}
    return [task for task in tasks if task["state"] == "running" and task["pid"] in own]


def cost(airflow: Airflow, killed: Killed) -> list[Lost]:
    """What the kill has cost each task that ran on the worker; asked once all runs have ended."""
    return [_cost(airflow.tries(task), task, killed.at) for task in killed.tasks]


def _cost(tries: Sequence[Mapping[str, Any]], task: Mapping[str, Any], killed: datetime.datetime) -> Lost:
    died = next(one for one in tries if one["try_number"] == task["try_number"])
    after = next((one for one in tries if one["try_number"] > task["try_number"]), died)
    name = task["task_id"] if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"
    return Lost(
        dag=task["dag_id"],
        task=name,
        ran=(killed - _moment(died["start_date"])).total_seconds(),
        noticed=(_moment(died["end_date"]) - killed).total_seconds(),
        again=(_moment(after["start_date"]) - killed).total_seconds(),
    )


def ended(airflow: Airflow, dag: str, run: str) -> Ended:
    """How a run went."""
    found, tasks = airflow.run(dag, run), airflow.tasks(dag, run)
    seconds = (_moment(found["end_date"]) - _moment(found["queued_at"])).total_seconds()
    tries = [int(task["try_number"]) for task in tasks if task["try_number"]]
    return Ended(dag, run, str(found["state"]), seconds, sum(tries), len(tries))


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
