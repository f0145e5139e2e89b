"""Every ending of a run in Airflow: which task is red, what the run record says, and that a decision is a person's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dags.inspection.synthesis import synthesize
from target_schemas.postgres.server import embedded_url, stop

ROOT = Path(__file__).parents[2]
READING = (
    "receive",
    "resident_records.slices",
    "resident_records.extract_map_stage",
    "join_slices",
    "validate",
    "reconcile",
)
DECIDING = ("approve_automatically", "ask", "approve_by_person", "note_decision", "refused", "not_promotable")
ALL = ("begin", *READING, "choose_approval", *DECIDING, "promote", "report", "outcome")


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endings")
    home, towns = folder / "home", folder / "towns"
    shutil.copytree(ROOT / "mappings" / "municipalities", towns)
    synthesize(towns / "990027_mihon", residents=300, seed=1, faults=0, out=home / "inbox" / "990027_mihon")
    url = embedded_url(folder / "server", durable=False)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "dags" / "airflow_endings.py")],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HIKKOSHI_HOME": str(home),
            "HIKKOSHI_MUNICIPALITIES": str(towns),
            "HIKKOSHI_DATABASE_URL": url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    stop(folder / "server", delete=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stdout[-3000:] + done.stderr[-3000:]
    result = json.loads(lines[0].removeprefix("RESULT"))
    return {**result, "log": done.stdout + done.stderr}


def states(ending, state):
    return {task for task, its in ending["tasks"].items() if its == state}


def test_every_task_is_known(endings):
    assert set(endings["promoted"]["tasks"]) == set(ALL)


def test_a_rehearsal_where_everything_agrees_is_promoted_and_nobody_was_asked(endings):
    ending = endings["promoted"]
    assert states(ending, "success") == {
        "begin", *READING, "choose_approval", "approve_automatically", "promote", "report", "outcome",
    }  # fmt: skip
    assert states(ending, "skipped") == set(DECIDING) - {"approve_automatically"}
    assert ending["record"]["state"] == "promoted"
    assert ending["record"]["decision"]["automatic"]


def test_a_refusal_is_a_refusal_with_name_reason_and_time(endings):
    ending = endings["refused"]
    assert states(ending, "failed") == set()
    assert states(ending, "skipped") == {"approve_automatically", "not_promotable", "promote"}
    assert ending["tasks"]["refused"] == "success"
    record = ending["record"]
    assert record["state"] == "rejected"
    assert (record["decision"]["by"], record["decision"]["reason"]) == ("operator", "件数を確かめたい")
    assert record["decision"]["at"].startswith("20")


def test_who_decides_sees_the_provisional_report_before(endings):
    question, page, *_ = endings["refused"]["answers"]
    run_id = endings["refused"]["record"]["run_id"]
    assert "/hikkoshi/migrate_990027_mihon/manual__" in question
    assert run_id in page
    assert "移行結果報告書" in page


def test_a_cut_over_is_approved_by_another_person_whatever_the_form_says(endings):
    ending = endings["cut-over"]
    assert ending["tasks"]["approve_by_person"] == ending["tasks"]["promote"] == "success"
    assert ending["tasks"]["approve_automatically"] == "skipped"
    # The operator may not approve at all, the one who started it not this one; the third may.
    assert ending["answers"][2:] == [403, 403, 200]
    assert ending["record"]["state"] == "promoted"
    assert ending["record"]["decision"]["by"] == "approver"
    assert ending["record"]["decision"]["reason"] == "リハーサル 3 のとおり"


def test_a_cut_over_that_nobody_else_may_approve_is_refused_before_anything_is_read(endings):
    ending = endings["nobody else may approve"]
    assert states(ending, "failed") == {"begin", "outcome"}
    assert ending["record"] is None
    assert "dag_test started this cut-over, and nobody else may approve it" in endings["log"]


def test_what_may_not_be_promoted_is_held_and_promote_is_skipped(endings):
    ending = endings["held"]
    assert states(ending, "failed") == {"outcome"}
    assert states(ending, "skipped") == {"promote", *DECIDING} - {"not_promotable"}
    assert ending["record"]["state"] == "held"


def test_a_missing_file_fails_receive_and_nothing_after_it_runs(endings):
    ending = endings["missing"]
    assert states(ending, "failed") == {"receive", "outcome"}
    assert states(ending, "success") == {"begin", "report"}
    assert ending["record"]["state"] == "held"
    assert ending["record"]["state_reason_en"].startswith("An expected dump is missing (juki_master.dat in /")


def test_clearing_a_task_of_a_run_that_ended_says_what_to_clear_instead(endings):
    ending = endings["cleared receive"]
    assert states(ending, "failed") == {"receive", "outcome"}
    assert ending["record"] == endings["missing"]["record"]
    run_id = endings["missing"]["record"]["run_id"]
    assert f"run {run_id} has ended (held), and what it left stays as it is" in endings["log"]
    assert "clear `begin` with all tasks after it" in endings["log"]


def test_clearing_begin_starts_a_new_run_with_what_lies_in_the_inbox_now(endings):
    ending = endings["cleared begin"]
    assert ending["tasks"]["promote"] == ending["tasks"]["outcome"] == "success"
    assert ending["record"]["state"] == "promoted"
    assert ending["record"]["run_id"] != endings["missing"]["record"]["run_id"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("outside", "does not lie in"),
        ("wrong spec", "did you mean `JJ-KANA`?"),
        ("away", "is away. Check that the server runs"),
    ],
)
def test_a_run_that_cannot_begin_is_red_in_begin_and_nothing_runs(endings, name, said):
    ending = endings[name]
    assert states(ending, "failed") == {"begin", "outcome"}
    assert states(ending, "skipped") == {"report"}
    assert ending["record"] is None
    assert said in endings["log"]


def test_nothing_of_any_ending_is_a_bare_sqlstate(endings):
    assert "SQLSTATE" not in endings["log"]
