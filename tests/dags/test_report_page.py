"""The page behind the Report tab: every link of every report answers, nothing else does, and nothing shows raw JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migration_reports.reports import FILES

ROOT = Path(__file__).parents[2]
DAG = "migrate_990027_mihon"
DAG_RUN = "manual__2026-11-28T04:40:25.295755+00:00"
HOSTILE = {
    "script": f"{DAG}/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "script in a name": f"{DAG}/x/%3Cscript%3Ealert(1)",
    "attribute": f"{DAG}/%22%20onload=%22alert(1)",
    "scheme": f"{DAG}/javascript:alert(1)",
    "parent": f"{DAG}/..%2F..%2F..%2Fetc",
    "parent, encoded twice": f"{DAG}/%2e%2e/run.json",
    "parent as a file": f"{DAG}/{DAG_RUN}/..%2Frun.json",
    "encoded parent as a file": f"{DAG}/{DAG_RUN}/%2e%2e%2frun.json",
    "rejected records": f"{DAG}/{DAG_RUN}/rejects.arrow",
    "very long": f"{DAG}/{'x' * 5000}/result.ja.html",
    "empty": f"{DAG}//result.ja.html",
    "empty at the end": f"{DAG}/",
    "no run": DAG,
    "nothing": "",
    "another run": f"{DAG}/other/result.ja.html",
    "another DAG": f"migrate_990035_reiji/{DAG_RUN}/result.ja.html",
    "every DAG": f"~/{DAG_RUN}/result.ja.html",
    "line end": f"{DAG}/a%0d%0aSet-Cookie:x=1",
}

SCRIPT = """
import json, sys
from dags.server import airflow_home
airflow_home.use()
import importlib.util
from fastapi.testclient import TestClient
from dags.pipeline.run_folder import Run, make_run, note_dag_run
from migration_reports.pages.render import render
from migration_reports.records.run_record import Municipality, RunRecord

spec = importlib.util.spec_from_file_location("reports_page", "dags/plugins/hikkoshi_reports.py")
page = importlib.util.module_from_spec(spec); spec.loader.exec_module(page)
asked = json.loads(sys.argv[1])
dag, dag_run = asked["dag"], asked["dag_run"]
client = TestClient(page.app, follow_redirects=False)
answer = lambda path: (lambda a: {"status": a.status_code, "headers": dict(a.headers), "text": a.text[:200_000]})(client.get(path))
result = {"guarded": all(route.dependencies == [page.MayRead] for route in page.app.routes)}
result["unauthorised"] = answer(f"/{dag}/{dag_run}/result.ja.html")
page.app.dependency_overrides[page.MayRead.dependency] = lambda: None
for name, path in (("not begun", f"/{dag}/{dag_run}/result.ja.html"), ("index not begun", f"/{dag}/{dag_run}")):
    result[name] = answer(path)
run = Run(run_id="990027-r03-20261128T044025-0a1b2c3d", folder="990027_mihon", code="990027", mode="rehearsal", rehearsal=3,
          owner="", inbox="", started="2026-11-28T04:40:25+00:00", dag_id=dag, dag_run_id=dag_run)
new = run.path.parent / ".new-page"
new.mkdir(parents=True); make_run(run, new); note_dag_run(run)
result["not reported"] = answer(f"/{dag}/{dag_run}/result.ja.html")
record = RunRecord(run_id=run.run_id, municipality=Municipality(code="990027", name="x", romaji="mihon"), mode="rehearsal",
                   rehearsal=3, state="promoted", started=run.started, finished=run.started, versions={})
render(record, run.path / "reports", findings=None)
result["index"] = answer(f"/{dag}/{dag_run}")
result["files"] = {name: answer(f"/{dag}/{dag_run}/{name}") for name in asked["files"]}
result["hostile"] = {name: answer(f"/{path}") for name, path in asked["hostile"].items()}
follow = {}
import urllib.parse, re
for start in [f"/{dag}/{dag_run}", *(f"/{dag}/{dag_run}/{name}" for name in asked["files"] if name.endswith(".html"))]:
    for link in re.findall(r'href="([^"#]+)"', answer(start)["text"]):
        target = urllib.parse.urljoin("http://testserver" + start, link)
        follow[f"{start.rsplit('/', 1)[1]} -> {link}"] = answer(target)
result["links"] = follow
(run.path / "reports" / "gaiji.csv").unlink()
result["file gone"] = answer(f"/{dag}/{dag_run}/gaiji.csv")
print("RESULT" + json.dumps(result))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    asked = {"dag": DAG, "dag_run": DAG_RUN, "files": list(FILES), "hostile": HOSTILE}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)],
        cwd=ROOT,
        env={**os.environ, "HIKKOSHI_HOME": str(tmp_path_factory.mktemp("page") / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("RESULT"))


def is_page(answer):
    return answer["headers"]["content-type"] == "text/html; charset=utf-8" and answer["text"].startswith("<!DOCTYPE")


def guarded(answer):
    policy = answer["headers"]["content-security-policy"]
    return (
        answer["headers"]["x-content-type-options"] == "nosniff"
        and answer["headers"]["referrer-policy"] == "no-referrer"
        and answer["headers"]["cache-control"] == "no-store"
        and "frame-ancestors 'self'" in policy
        and "default-src 'none'" in policy
    )


def test_every_route_asks_airflow_whether_the_dag_may_be_read(served):
    assert served["guarded"]
    assert served["unauthorised"]["status"] in (401, 403)
    assert not is_page(served["unauthorised"])


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_registry_is_served_with_its_type_and_guards(served, name):
    answer = served["files"][name]
    assert answer["status"] == 200
    assert answer["headers"]["content-type"] == FILES[name]
    assert guarded(answer)


def test_every_link_of_every_report_is_followed_and_answers(served):
    links = served["links"]
    shown = ("result.en.html", "gaiji.html", "gaiji.xlsx", "gaiji.csv")
    assert {f"result.ja.html -> {name}" for name in shown} <= set(links)
    for link, answer in links.items():
        assert answer["status"] == 200, link
        assert answer["headers"]["content-type"] == FILES[re.split("[ /]", link)[-1]], link


def test_the_page_of_a_run_lists_every_file_that_is_there(served):
    page = served["index"]["text"]
    assert is_page(served["index"])
    assert guarded(served["index"])
    assert re.findall(r'href="\./manual__2026-11-28T04%3A40%3A25\.295755%2B00%3A00/([^"]+)"', page) == [
        "result.ja.html", "result.en.html", "gaiji.html", "gaiji.xlsx", "gaiji.csv",
        "candidates.html", "candidates.xlsx", "candidates.csv", "run.json", "workbook.xlsx", "SHA256SUMS",
    ]  # fmt: skip
    assert "移行結果報告書" in page
    assert "990027-r03-20261128T044025-0a1b2c3d" in page


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("not begun", "has not begun a migration yet"),
        ("index not begun", "has not begun a migration yet"),
        ("not reported", "a provisional one appears here"),
        ("file gone", "no report of that name"),
    ],
)
def test_where_there_is_no_report_a_page_says_so_in_both_languages(served, asked, says):
    answer = served[asked]
    assert answer["status"] == 404
    assert is_page(answer)
    assert guarded(answer)
    assert says in answer["text"]
    assert '"detail"' not in answer["text"]
    assert ('http-equiv="refresh"' in answer["text"]) == (asked != "file gone")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_address_is_a_page_that_says_nothing_of_it_unescaped(served, name):
    answer = served["hostile"][name]
    assert answer["status"] == 404
    assert is_page(answer)
    assert guarded(answer)
    assert "set-cookie" not in answer["headers"]
    for forbidden in ("<script", 'onload="', 'href="javascript', '"owner"', "/home"):
        assert forbidden not in answer["text"]
