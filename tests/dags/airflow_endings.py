"""Runs a municipality's DAG to each of its endings, in one process; prints what every task and the run record say.

A person's answer is given as a person gives it: over Airflow's own API, signed in, while the task waits. What is cleared
is cleared by Airflow's own function.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

HOME = Path(os.environ["HIKKOSHI_HOME"])
TOWN = "990027_mihon"
APPROVE = "approve_by_person"
PASSWORDS = {name: f"of {name}" for name in ("operator", "approver", "dag_test")}

os.environ["HIKKOSHI_OWNER"] = ""

from dags.server import airflow_home  # noqa: E402

airflow_home.use()
passwords = HOME / "airflow" / "test_passwords.json"
passwords.write_text(json.dumps(PASSWORDS))
os.environ |= {
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:user" for name in PASSWORDS),
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
}

from airflow import settings  # noqa: E402
from airflow.api_fastapi.app import create_app  # noqa: E402
from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.models.taskinstance import TaskInstance, clear_task_instances  # noqa: E402
from airflow.sdk.definitions.dag import _run_task  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402

from dags import migrate, runs  # noqa: E402
from dags.pipeline import run_folder  # noqa: E402

client = TestClient(create_app(apps="all"))
dag = DagBag(str(Path(migrate.__file__))).dags[f"migrate_{TOWN}"]
for one in dag.tasks:
    one.retries = 0


def token(user):
    answer = client.post("/auth/token", json={"username": user, "password": PASSWORDS[user]})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def answering(*answers):
    """Answer the waiting question, as each of some users in turn; gives what the server answered."""
    codes = []

    def answer():
        listed = f"/api/v2/dags/{dag.dag_id}/dagRuns/~/hitlDetails?response_received=false"
        headers = {user: token(user) for user, *_ in answers}
        first = headers[answers[0][0]]
        while not (waiting := client.get(listed, headers=first).json()["hitl_details"]):
            time.sleep(0.2)
        run_id = waiting[0]["task_instance"]["dag_run_id"]
        codes.append(waiting[0]["body"])
        page = f"/hikkoshi/{dag.dag_id}/{run_id}/result.ja.html"
        codes.append(client.get(page, headers=first).text)
        for user, choice, reason in answers:
            where = f"/api/v2/dags/{dag.dag_id}/dagRuns/{run_id}/taskInstances/{APPROVE}/-1/hitlDetails"
            body = {"chosen_options": [choice], "params_input": {"reason": reason}}
            codes.append(client.patch(where, json=body, headers=headers[user]).status_code)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return codes, thread


def told(run, answers=()):
    """What the run's tasks and its record say."""
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    ours = run_folder.run_of_dag_run(dag.dag_id, run.run_id)
    record = None
    if ours is not None and "away" not in os.environ["HIKKOSHI_DATABASE_URL"]:
        record = runs.record(ours.run_id).model_dump(
            include={"run_id", "state", "state_reason_en", "decision", "mode", "started_by"}
        )
    return {"tasks": states, "record": record, "answers": list(answers)}


def go(name, answers=(), **conf):
    codes, thread = answering(*answers) if answers else ((), None)
    # The DAG stays in this process, and with it what the form was filled with last.
    run = dag.test(run_conf={"approval": "automatic", "inbox": None, **conf})
    if thread is not None:
        thread.join(30)
    result[name] = told(run, codes)
    return run


def clear(run, *tasks):
    """Clear tasks of a run that ended, and let Airflow run what it then would."""
    session = settings.Session()
    instances = [ti for ti in run.get_task_instances(session=session) if ti.task_id in tasks]
    clear_task_instances(instances, session)
    session.commit()
    run = session.merge(run)
    run.dag = dag_of(run)
    for _ in range(60):
        session.expire_all()
        ready, _ = run.update_state(session=session)
        if run.state not in ("queued", "running"):
            break
        for ti in ready:
            ti.state, ti.try_number = "scheduled", ti.try_number + 1
        session.commit()
        for ti in session.query(TaskInstance).filter_by(dag_id=run.dag_id, run_id=run.run_id, state="scheduled"):
            _run_task(ti=ti, task=dag.task_dict[ti.task_id], run_triggerer=False)
    return run


def dag_of(run):
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def downstream(*tasks):
    return {t for task in tasks for t in (task, *dag.get_task(task).get_flat_relative_ids(upstream=False))}


result: dict[str, object] = {}
inboxes = HOME / "inbox"
whole = inboxes / TOWN

go("promoted", mode="rehearsal")
go("refused", [("operator", "Reject", "件数を確かめたい")], mode="rehearsal", approval="person")
os.environ["HIKKOSHI_APPROVERS"] = "dag_test"
go("nobody else may approve", mode="cut-over")
os.environ["HIKKOSHI_APPROVERS"] = "approver, dag_test"
go(
    "cut-over",
    [("operator", "Approve", ""), ("dag_test", "Approve", ""), ("approver", "Approve", "リハーサル 3 のとおり")],
    mode="cut-over",
)
damaged = inboxes / "damaged"
damaged.mkdir()
data = (whole / "juki_master.dat").read_bytes()
(damaged / "juki_master.dat").write_bytes(data[:400] + data[800:])
go("held", mode="rehearsal", inbox="damaged")
later = inboxes / "later"
later.mkdir()
missing = go("missing", mode="rehearsal", inbox="later")
shutil.copy(whole / "juki_master.dat", later)
result["cleared receive"] = told(clear(missing, *downstream("receive")))
result["cleared begin"] = told(clear(missing, *downstream("begin")))
go("outside", mode="rehearsal", inbox="../..")
mapping = Path(os.environ["HIKKOSHI_MUNICIPALITIES"]) / TOWN / "resident_records/mapping.yaml"
text = mapping.read_text("utf-8")
mapping.write_text(text.replace("JJ-KANA", "JJ-KANNA"), encoding="utf-8")
go("wrong spec", mode="rehearsal")
mapping.write_text(text, encoding="utf-8")
os.environ["HIKKOSHI_DATABASE_URL"] = f"postgresql+psycopg://x@localhost/x?host={HOME}/away"
go("away", mode="rehearsal")
sys.stdout.write("\nRESULT" + json.dumps(result, ensure_ascii=False, default=str) + "\n")
