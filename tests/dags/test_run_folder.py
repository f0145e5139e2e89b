"""A run's folder: typed results, owner-only and durable, in one module; and what former programs left is still read."""

from __future__ import annotations

import ast
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from dags.pipeline.run_folder import Run, make_run, new_folder, open_run, reported_before
from migration_reports.findings import RunError, UsageError
from migration_reports.records.assembly import run_record
from migration_reports.records.counted import DumpAccount, SliceAccount
from migration_reports.records.run_record import Decision, Municipality
from migration_reports.records.steps import Approval, Cuts, Held, Promotion, Specs, Timed, Verdict

ROOT = Path(__file__).parents[2]
FORMER = ROOT / "tests" / "golden" / "former_run"
FORMER_ID = "990027-r01-20261128T092804-0f0c6d60"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home):
    made = Run(
        run_id="990027-r02-20270101T000000-00000000", folder="990027_mihon", code="990027", mode="rehearsal", rehearsal=2,
        owner="", inbox="", started="2027-01-01T00:00:00+00:00",
    )  # fmt: skip
    make_run(made, new_folder())
    return made


@pytest.fixture
def former(home):
    shutil.copytree(FORMER, home / "runs" / FORMER_ID)
    return open_run(FORMER_ID)


def test_what_a_step_left_is_read_by_its_class(run):
    assert open_run(run.run_id) == run
    assert (run.read(Verdict), run.read(SliceAccount, "d/0001"), run.read_all(SliceAccount)) == (None, None, {})
    run.write(Verdict(promotable=True))
    run.write(Verdict(promotable=False))
    for number in (2, 1):
        run.write(SliceAccount(records={"person": number}), f"d/{number:04}")
    assert not run.read(Verdict).promotable
    assert [(of, one.records["person"]) for of, one in run.read_all(SliceAccount).items()] == [
        ("d/0001", 1),
        ("d/0002", 2),
    ]
    run.forget(SliceAccount)
    assert run.read_all(SliceAccount) == {}
    assert run.results(["d"]).verdict == Verdict(promotable=False)


def test_files_are_the_owners_alone_and_say_their_format(run):
    run.write(Verdict(promotable=True))
    run.write(DumpAccount(), "d")
    for name in ("run.json", "verdict.json", "dump_account/d.json"):
        file = run.path / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text("utf-8"))["format"] == 1


@pytest.mark.parametrize(
    "result",
    [
        Verdict(promotable=True),
        Approval(decision=Decision(approved=True, by="課長", at="t")),
        Promotion(rows={"residents": 1}),
    ],
    ids=lambda result: type(result).__name__,
)
def test_what_a_promotion_relies_on_has_reached_the_disk(run, monkeypatch, result):
    reached, fsync = [], os.fsync

    def noted(descriptor):
        reached.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    run.write(result)
    assert reached == [False, True]


def test_how_long_a_step_took_is_noted_only_where_it_came_to_its_end(run):
    with run.timed("extract_map_stage d 1 of 2"):
        assert run.read_all(Timed) == {}
    with pytest.raises(RunError), run.timed("validate"):
        raise RunError("away")
    assert [timing.step for timing in run.results(()).timings] == ["extract_map_stage d 1 of 2"]


def test_a_run_of_a_former_program_is_read_whole(former):
    results = former.results(["juki_master"])
    assert results.receipts.of("juki_master")[0].file == "juki_master.dat"
    assert (results.held.reasons[0].ja, results.failure.reason) == (
        "移行ファイルが届いていない (juki_master.dat)", "the database is away",
    )  # fmt: skip
    assert [met.count for met in results.accounts["juki_master"].characters] == [4, 1]
    assert results.made.of("resident_records.residents", 0).unknown == {"relationship": {"99": 1}}
    assert (len(results.validation.rules), results.verdict.promotable) == (3, True)
    assert (results.approval.decision.by, results.promotion.rows["resident_records.residents"]) == ("automatic", 40)
    assert results.finished.at == "2026-11-28T09:28:11+00:00"
    assert len(results.timings) == 8
    assert list(former.read_all(SliceAccount)) == [f"juki_master/000{number}" for number in (1, 2, 3)]
    assert len(former.read(Specs).sha256) == 3
    town = Municipality(code="990027", name="見本市", romaji="mihon")
    assert run_record(former, results, municipality=town).state == "promoted"


def test_what_is_written_anew_goes_before_what_a_former_program_left(former):
    former.write(Verdict(promotable=False))
    former.write(SliceAccount(records={"resident": 1}), "juki_master/0002")
    assert not former.read(Verdict).promotable
    assert [account.records.get("resident") for account in former.read_all(SliceAccount).values()] == [13, 1, 13]
    rows = former.path / "held" / "residents-00" / "0001.arrow"
    rows.parent.mkdir(parents=True)
    rows.touch()
    former.forget(SliceAccount)
    former.forget(Held)
    assert (former.read_all(SliceAccount), former.read(Held)) == ({}, None)
    # Rows that wait are no result, though they lie in a folder of that name.
    assert rows.exists()


def test_a_file_of_a_newer_program_is_named(run):
    (run.path / "cuts.json").write_text('{"format": 9}')
    with pytest.raises(RunError, match=r"cuts\.json was written by a newer program: its format is 9"):
        run.read(Cuts)


def test_the_run_before_is_compared_with_whatever_program_reported_it(run, former, caplog):
    assert reported_before(run).run_id == FORMER_ID
    assert reported_before(former) is None
    broken = run.path.parent / "990027-r01-broken"
    shutil.copytree(FORMER, broken)
    (broken / "run.json").write_text("half")
    assert reported_before(run).run_id == FORMER_ID
    (former.path / "reports" / "run.json").write_text('{"format": 99}')
    assert reported_before(run) is None
    assert "nothing is compared with the run before" in caplog.text
    assert "was written by a newer program" in caplog.text


def test_there_is_no_run_without_its_folder(home):
    with pytest.raises(UsageError, match="there is no run 990027-x"):
        open_run("990027-x")


ROOMS = [*sorted((ROOT / "dags" / "pipeline").glob("*.py")), ROOT / "dags" / "steps.py", ROOT / "dags" / "runs.py"]
OTHERS = [
    file
    for file in sorted((ROOT / "dags").rglob("*.py"))
    # What Airflow says is JSON, and its own settings are.
    if file.relative_to(ROOT / "dags").parts[0] not in ("server", "plugins", "migrate.py")
]


def untyped(source):
    """Where a module reads JSON by itself, or takes dictionaries of anything from one function to the next."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.load", "json.loads"):
            yield f"{node.lineno}: {ast.unparse(node.func)}"
        if isinstance(node, ast.Subscript) and ast.unparse(node) in ("Mapping[str, Any]", "dict[str, Any]"):
            yield f"{node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr in ("read", "model_dump"):
                yield f"{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("file", ROOMS, ids=lambda file: file.stem)
def test_no_dictionary_of_json_goes_through_the_pipeline(file):
    assert list(untyped(file.read_text("utf-8"))) == []


@pytest.mark.parametrize("file", OTHERS, ids=lambda file: "/".join(file.parts[-2:]))
def test_nothing_else_reads_what_a_run_left_as_json(file):
    assert [found for found in untyped(file.read_text("utf-8")) if "json.load" in found] == []


@pytest.mark.parametrize(
    "source",
    [
        "def prove(part: Mapping[str, Any]) -> None: ...",
        "def join() -> dict[str, Any]: ...",
        'run = json.loads(file.read_text("utf-8"))',
        'promotable = run.read("reconcile")["promotable"]',
        'rules = validated.model_dump()["rules"]',
    ],
)
def test_it_would_be_found(source):
    assert len(list(untyped(source))) == 1


def test_only_the_runs_folder_names_the_files_of_results():
    named = {
        file.stem
        for file in ROOMS
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".json")
    }
    # The specs of a former program's run have their hashes among them, which are none of the specs.
    assert named == {"run_folder", "run_specs"}


def test_the_pipeline_is_on_one_page():
    assert len((ROOT / "dags" / "steps.py").read_text("utf-8").splitlines()) <= 300
