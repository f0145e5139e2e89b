"""What tasks work with is imported before they are forked, and works in them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dags.inspection.synthesis import synthesize
from dags.server import airflow_home, standalone
from tests.conftest import own_database

ROOT = Path(__file__).parents[2]

FORKED = """
import json, os, pathlib, signal, sys
from dags.server import airflow_home
os.environ.update(airflow_home.environment())
from dags.server.airflow_preloaded import preload

def threads():
    return sorted(file.read_text().strip() for file in pathlib.Path("/proc/self/task").glob("*/comm"))

preload()
before, started = set(sys.modules), threads()
child = os.fork()
if child == 0:
    signal.alarm(90)
    from dags import runs
    record = runs.run_all("990027_mihon")
    late = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
    print("RESULT" + json.dumps({"state": record.state, "late": late, "started": started, "used": threads()}), flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def forked(tmp_path_factory, server_url):
    home = tmp_path_factory.mktemp("preloaded") / "home"
    town = ROOT / "mappings" / "municipalities" / "990027_mihon"
    synthesize(town, residents=60, seed=1, faults=0, out=home / "inbox" / town.name)
    with own_database(server_url) as url:
        done = subprocess.run(
            [sys.executable, "-c", FORKED],
            cwd=ROOT,
            env={**os.environ, "HIKKOSHI_HOME": str(home), "HIKKOSHI_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, (done.returncode, done.stderr[-3000:])
    return json.loads(lines[0].removeprefix("RESULT"))


def test_a_forked_process_runs_every_step_in_both_engines(forked):
    """A pool or a connection that had begun before the fork would hang or break here."""
    assert forked["state"] == "promoted"


def test_no_pool_of_threads_begins_before_the_fork(forked):
    pools = {"polars-0", "tokio-rt-worker"}
    assert pools & set(forked["used"])
    assert not pools & set(forked["started"])


def test_a_forked_process_imports_nothing_of_weight(forked):
    heavy = {"adbc_driver_postgresql", "great_expectations", "pandas", "polars", "psycopg", "pyarrow", "sqlalchemy"}
    assert not heavy & set(forked["late"])


def test_it_is_airflow_that_begins_behind_the_imports(tmp_path, monkeypatch):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "dags.server.airflow_preloaded", "version"],
        cwd=ROOT,
        env={**os.environ, **airflow_home.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == importlib.metadata.version("apache-airflow")


def test_the_part_that_forks_tasks_is_one_of_airflows():
    """A name that no part has would leave every task to import by itself, and nobody would see it."""
    assert standalone.FORKING in standalone.PARTS
