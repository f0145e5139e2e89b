"""The DAGs: one a municipality, cheap to parse, the right order, and nothing that a broken folder can hide."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from dags.server import airflow_preloaded

ROOT = Path(__file__).parents[2]

SCRIPT = """
import json, sys, warnings
from dags.server import airflow_home
airflow_home.use()
warnings.filterwarnings("error", message=".*eprecated.*", module="dags.*")
weighty = {"adbc_driver_postgresql", "great_expectations", "numba", "numpy", "pandas", "polars", "psycopg", "pyarrow", "sqlalchemy"}
heavy = lambda: sorted(weighty & set(sys.modules))
import airflow.sdk
before = heavy()
from dags import migrate
result = {"heavy": sorted(set(heavy()) - set(before)), "dags": {}}
for name in (folder.name for folder in migrate.municipality_folders(None)):
    dag = getattr(migrate, f"migrate_{name}")
    result["dags"][dag.dag_id] = {
        "tasks": {t.task_id: sorted(t.downstream_task_ids) for t in dag.tasks},
        "retries": {t.task_id: t.retries for t in dag.tasks}, "weights": {t.task_id: str(t.weight_rule) for t in dag.tasks},
        "doc": dag.doc_md, "tags": sorted(dag.tags), "active": dag.max_active_runs, "schedule": str(dag.timetable),
        "params": list(dag.params), "links": [l.name for t in dag.tasks for l in t.operator_extra_links],
    }
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError
from migration_reports.findings import RunError, SpecError, TransientError
def raises(error):
    def step(): raise error
    try: migrate.graded(step)()
    except Exception as caught: return type(caught).__name__
def says(error):
    def step(): raise error
    try: migrate.graded(step)()
    except Exception as caught: return [str(caught), str(caught.__cause__), caught.__suppress_context__]
result["bug"] = says(ValueError("could not cast 渡邉花子"))
import importlib, os
os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = "migrate_990035_reiji"
for name in [name for name in vars(migrate) if name.startswith("migrate_")]:
    delattr(migrate, name)
importlib.reload(migrate)
result["of_a_task"] = [name for name in vars(migrate) if name.startswith("migrate_")]
result["graded"] = [raises(e) for e in (TransientError("x"), RunError("x"), SpecError([]), ValueError("x"))]
print("RESULT" + json.dumps(result))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("airflow")
    towns = folder / "towns"
    subprocess.run(["cp", "-r", str(ROOT / "mappings" / "municipalities"), str(towns)], check=True)
    broken = towns / "990060_kowareta"
    broken.mkdir()
    (broken / "manifest.yaml").write_text("municipality: {code: '990051', name: x\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        cwd=ROOT,
        env={**os.environ, "HIKKOSHI_HOME": str(folder / "home"), "HIKKOSHI_MUNICIPALITIES": str(towns)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("RESULT"))


def test_there_is_a_dag_for_every_municipality(parsed):
    assert sorted(parsed["dags"]) == [
        "migrate_990027_mihon",
        "migrate_990035_reiji",
        "migrate_990051_tehon",
        "migrate_990060_kowareta",
    ]


def test_parsing_imports_nothing_heavy(parsed):
    assert parsed["heavy"] == []


def test_the_process_of_a_task_builds_its_own_dag_alone(parsed):
    """A centre has a thousand of them."""
    assert parsed["of_a_task"] == ["migrate_990035_reiji"]


def test_tasks_stand_in_the_order_of_the_pipeline(parsed):
    tasks = parsed["dags"]["migrate_990027_mihon"]["tasks"]
    assert tasks["receive"] == ["resident_records.slices"]
    assert tasks["resident_records.slices"] == ["resident_records.extract_map_stage"]
    assert tasks["resident_records.extract_map_stage"] == ["join_slices"]
    assert tasks["join_slices"] == ["validate"]
    assert tasks["validate"] == ["reconcile"]
    assert tasks["reconcile"] == ["choose_approval"]
    assert tasks["choose_approval"] == ["approve_automatically", "ask", "not_promotable"]
    assert tasks["ask"] == ["approve_by_person"]
    assert tasks["approve_by_person"] == ["note_decision"]
    assert tasks["note_decision"] == ["promote", "refused"]
    assert tasks["approve_automatically"] == ["promote"]
    assert tasks["promote"] == tasks["refused"] == tasks["not_promotable"] == ["report"]
    assert tasks["report"] == ["outcome"]
    assert tasks["outcome"] == []


def test_a_town_that_has_come_further_goes_first(parsed):
    assert all("upstream" in rule.lower() for rule in parsed["dags"]["migrate_990027_mihon"]["weights"].values())


def test_a_dag_is_run_by_hand_one_at_a_time_and_explains_itself(parsed):
    dag = parsed["dags"]["migrate_990035_reiji"]
    assert dag["active"] == 1
    assert dag["params"] == ["systems", "mode", "rehearsal", "approval", "inbox"]
    assert {"例示町", "ibm", "resident_records"} <= set(dag["tags"])
    assert "setai_kojin.dat" in dag["doc"]
    assert "移行結果報告書 / Report" in dag["links"]
    assert dag["retries"]["resident_records.extract_map_stage"] == dag["retries"]["outcome"] == 3
    assert dag["retries"]["approve_by_person"] == 0


def test_a_broken_folder_is_a_dag_that_says_why(parsed):
    dag = parsed["dags"]["migrate_990060_kowareta"]
    assert list(dag["tasks"]) == ["check"]
    assert "990060_kowareta/manifest.yaml:1:15: Y002 no YAML: the bracket `{` is not closed" in dag["doc"]


def test_only_an_away_system_is_tried_again(parsed):
    assert parsed["graded"] == [
        "TransientError",
        "AirflowFailException",
        "AirflowFailException",
        "AirflowFailException",
    ]


def test_the_deployment_has_no_secret_in_it():
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    assert {"api-server", "scheduler", "dag-processor", "triggerer", "worker", "metadata", "broker"} <= set(services)
    assert "latest" not in {service["image"].rpartition(":")[2] for service in services.values()}
    for line in text.splitlines():
        if any(word in line for word in ("PASSWORD:", "SECRET", "FERNET")):
            assert "${" in line, line


def test_the_deployments_workers_fork_tasks_with_everything_imported():
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    words = yaml.safe_load(text)["services"]["worker"]["command"]
    assert words[0] == airflow_preloaded.__name__
    assert words[1:] == ["celery", "worker"]
    # A single `$` would be one of Compose's own variables, and `$0` is none.
    assert not re.search(r"(?<!\$)\$(?![{$])", "\n".join(re.sub("#.*", "", line) for line in text.splitlines()))


def test_the_words_of_a_bug_stay_out_of_the_log(parsed):
    said, cause, silent = parsed["bug"]
    assert said.startswith("ValueError at ")
    assert (cause, silent) == ("None", True)
    assert "渡邉" not in said
