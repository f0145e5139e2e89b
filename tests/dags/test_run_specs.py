"""A run owns its specs and its dumps: what is said of it is what was run, whoever edits or exchanges what meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dags import known_runs, runs, steps
from dags.inspection.synthesis import synthesize
from dags.pipeline import reporting, run_folder, run_specs
from migration_reports.findings import RunError, SpecError
from migration_reports.records.steps import Promotion, Specs

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
MIHON, REIJI = "990027_mihon", "990035_reiji"


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "mappings" / "municipalities"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS.parent / "packages", tmp_path / "mappings" / "packages")
    shutil.copytree(TOWNS, tmp_path / "mappings" / "municipalities")
    return tmp_path / "home"


def town(home, name=MIHON):
    return home.parent / "mappings" / "municipalities" / name


def receive(home, name=MIHON, **more):
    return synthesize(town(home, name), **{"residents": 300, "seed": 5, "faults": 0} | more, out=home / "inbox" / name)[
        0
    ]


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def swap_name_and_kana(home):
    """A mapping as a vendor may save it in the middle of a run: two columns exchanged, everything else as it was."""
    mapping = town(home) / "resident_records/mapping.yaml"
    edit(mapping, "name: JJ-SHIMEI", "name: JJ-KANA")
    edit(mapping, "name_kana: {from: JJ-KANA", "name_kana: {from: JJ-SHIMEI")


def to_the_end(run_id, parts):
    for part in parts:
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    steps.validate(run_id)
    return steps.reconcile(run_id)


def test_specs_that_are_edited_while_a_run_reads_its_slices_change_nothing_of_it(home, monkeypatch):
    receive(home)
    plain = runs.run_all("mihon")
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "30000")
    run_id = steps.begin(MIHON)
    first, *others = steps.receive(run_id)
    assert len(others) > 2
    steps.extract_map_stage(run_id, **first)
    swap_name_and_kana(home)
    run_specs._compiled.cache_clear()
    assert to_the_end(run_id, others).promotable
    steps.approve(run_id, "automatic", automatic=True)
    steps.promote(run_id)
    steps.report(run_id)
    record = runs.record(run_id)
    assert record.state == "promoted"
    assert record.specs_changed == (f"municipalities/{MIHON}/resident_records/mapping.yaml",)
    assert {e.sha256 for e in record.evidence} == {e.sha256 for e in plain.evidence}
    assert record.coverage == plain.coverage
    assert plain.specs_changed == ()


def test_what_was_begun_is_approved_promoted_and_reported_though_the_folder_has_a_problem_now(home):
    receive(home)
    run_id = steps.begin(MIHON)
    assert to_the_end(run_id, steps.receive(run_id)).promotable
    (town(home) / "resident_records/manifest.yaml").write_text("municipality: [", encoding="utf-8")
    run_specs._compiled.cache_clear()
    with pytest.raises(SpecError):
        steps.begin(MIHON)
    steps.approve(run_id, "automatic", automatic=True)
    steps.promote(run_id)
    steps.report(run_id)
    assert runs.record(run_id).specs_changed == (f"municipalities/{MIHON}/resident_records/manifest.yaml",)
    assert runs.render_again(run_id)


def test_the_package_of_a_municipality_is_copied_with_it(home):
    receive(home, REIJI)
    run_id = steps.begin(REIJI)
    copy = home / "runs" / run_id / "specs"
    kept = run_folder.open_run(run_id).read(Specs).sha256
    assert "packages/ibm_setai/manifest.yaml" in kept
    assert f"municipalities/{REIJI}/resident_records/manifest.yaml" in kept
    assert {name: (copy / name).is_file() for name in kept} == dict.fromkeys(kept, True)
    layout = home.parent / "mappings" / "packages" / "ibm_setai" / "layouts"
    shutil.rmtree(layout)
    run_specs._compiled.cache_clear()
    assert to_the_end(run_id, steps.receive(run_id)).promotable
    changed = runs.record(run_id).specs_changed
    assert changed
    assert all(name.startswith("packages/ibm_setai/layouts/") for name in changed)


def test_a_copy_that_somebody_changes_is_refused(home):
    receive(home)
    run_id = steps.begin(MIHON)
    copy = home / "runs" / run_id / "specs" / "municipalities" / MIHON / "resident_records/mapping.yaml"
    edit(copy, "name: JJ-SHIMEI", "name: JJ-KANA")
    run_specs._compiled.cache_clear()
    with pytest.raises(RunError, match=r"copy of the specs has been changed: municipalities/990027_mihon/resident_rec"):
        steps.receive(run_id)


def test_a_dump_among_the_specs_is_refused_before_anything_is_begun(home, monkeypatch):
    monkeypatch.setattr(run_specs, "MOST_BYTES", 100_000)
    (town(home) / "resident_records" / "layouts" / "dump.dat").write_bytes(b"x" * 100_000)
    with pytest.raises(RunError, match="holds specs only: move dumps"):
        steps.begin(MIHON)
    assert not list((home / "runs").iterdir())
    assert known_runs.list_runs(None) == []


def other_people(home, made):
    """The same number of residents under the same name and length, and other people."""
    data = made.dump.read_bytes()
    receive(home, seed=6)
    assert len(made.dump.read_bytes()) == len(data)
    assert made.dump.read_bytes() != data


@pytest.mark.parametrize("slice_bytes", ["1000000", "30000"], ids=["whole", "slices"])
def test_a_dump_that_is_exchanged_after_it_was_received_stops_the_run(home, monkeypatch, slice_bytes):
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    made = receive(home)
    run_id = steps.begin(MIHON)
    *_, last = parts = steps.receive(run_id)
    other_people(home, made)
    with pytest.raises(
        RunError, match=r"juki_master \(juki_master.dat in .*\) has changed since it was received: .*SHA-256"
    ):
        steps.extract_map_stage(run_id, **last)
    assert len(parts) == (1 if slice_bytes == "1000000" else 5)


def test_a_dump_that_is_exchanged_before_its_rejects_are_kept_stops_the_run(home):
    edit(town(home) / "resident_records/manifest.yaml", "rejects: 2%", "rejects: 50%")
    made = receive(home, faults=0.05)
    run_id = steps.begin(MIHON)
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    other_people(home, made)
    with pytest.raises(RunError, match="has changed since it was received"):
        steps.validate(run_id)


def test_a_dump_that_is_gone_is_named(home):
    made = receive(home)
    run_id = steps.begin(MIHON)
    (part,) = steps.receive(run_id)
    made.dump.unlink()
    with pytest.raises(RunError, match=r"juki_master.dat .* has changed since it was received: No such file"):
        steps.extract_map_stage(run_id, **part)


def test_ids_of_dag_runs_that_a_file_name_cannot_tell_apart_are_two_runs(home):
    receive(home)
    ids = []
    for dag_run_id in ("x:1", "x_1"):
        run_id = steps.begin(MIHON, dag_run=(f"migrate_{MIHON}", dag_run_id), owner="airflow:x")
        ids.append(run_id)
        steps.fail(run_id, "test")
        steps.report(run_id)
    assert len(set(ids)) == 2
    for run_id, dag_run_id in zip(ids, ("x:1", "x_1"), strict=True):
        assert run_folder.run_of_dag_run(f"migrate_{MIHON}", dag_run_id).run_id == run_id
        assert run_id.startswith("990027-r01-20")
    assert run_folder.run_of_dag_run("migrate_990035_reiji", "x:1") is None


def test_a_run_that_has_ended_is_not_worked_on_again(home):
    record = runs.run_all("mihon")
    assert record.state == "held"
    receive(home)
    said = rf"run {record.run_id} has ended \(held\), and what it left stays as it is"
    for step in (steps.receive, steps.join_slices, steps.validate, steps.reconcile, runs.ask):
        with pytest.raises(RunError, match=said):
            step(record.run_id)
    with pytest.raises(RunError, match=said):
        steps.extract_map_stage(record.run_id, "juki_master", 1)


def test_a_step_that_was_left_out_is_told_and_nothing_is_proved_without_it(home):
    receive(home)
    run_id = steps.begin(MIHON)
    with pytest.raises(RunError, match=f"no dump has been received by run {run_id}"):
        steps.join_slices(run_id)
    parts = steps.receive(run_id)
    with pytest.raises(RunError, match="juki_master has not been read"):
        steps.join_slices(run_id)
    for part in parts:
        steps.extract_map_stage(run_id, **part)
    with pytest.raises(RunError, match="has not been joined"):
        steps.reconcile(run_id)
    steps.join_slices(run_id)
    with pytest.raises(RunError, match="has not been validated"):
        steps.reconcile(run_id)
    with pytest.raises(RunError, match="has not been reconciled"):
        steps.promote(run_id)


def test_a_reason_to_hold_a_run_does_not_outlive_its_cause(home):
    run_id = steps.begin(MIHON)
    with pytest.raises(RunError, match="there is no inbox"):
        steps.receive(run_id)
    assert runs.record(run_id).state == "held"
    receive(home)
    parts = steps.receive(run_id)
    assert runs.record(run_id).state == "running"
    assert to_the_end(run_id, parts).promotable
    assert runs.record(run_id).state == "waiting"


def test_a_run_that_is_begun_again_for_its_dag_run_is_a_new_one_and_the_former_keeps_its_evidence(home):
    dag_run = (f"migrate_{MIHON}", "manual__1")
    first = steps.begin(MIHON, dag_run=dag_run, owner="airflow:1")
    with pytest.raises(RunError, match="there is no inbox"):
        steps.receive(first)
    runs.conclude(first)
    receive(home)
    second = steps.begin(MIHON, dag_run=dag_run, owner="airflow:1")
    assert second != first
    assert to_the_end(second, steps.receive(second)).promotable
    assert run_folder.run_of_dag_run(*dag_run).run_id == second
    assert runs.record(first).state == "held"


def test_a_cut_over_is_never_approved_automatically(home):
    receive(home)
    with pytest.raises(RunError, match="a cut-over is approved by a person"):
        runs.run_all("mihon", mode="cut-over")
    assert known_runs.list_runs(None) == []
    run_id = steps.begin(MIHON, mode="cut-over")
    assert to_the_end(run_id, steps.receive(run_id)).promotable
    with pytest.raises(RunError, match="a cut-over is approved by a person"):
        steps.approve(run_id, "automatic", automatic=True)
    with pytest.raises(RunError, match="has not been approved"):
        steps.promote(run_id)


def test_an_automatic_approval_acknowledges_nothing(home):
    receive(home)
    record = runs.run_all("mihon")
    assert record.decision.automatic
    assert not record.alerts_acknowledged
    by_person = runs.run_all("mihon", ask_person=lambda _: runs.Answer(approved=True, by="課長", reason="確認済"))
    assert by_person.alerts_acknowledged
    assert by_person.decision.reason == "確認済"


KILLED = """
import os, sys
from dags import steps
steps.extract_and_map = lambda *given, **more: os._exit(9)
steps.extract_map_stage(sys.argv[1], sys.argv[2], 1)
"""


def test_what_a_killed_slice_left_half_is_not_read_when_it_is_repeated(home):
    receive(home)
    run_id = steps.begin(MIHON, owner="airflow:a_dag_run")
    (part,) = steps.receive(run_id)
    done = subprocess.run([sys.executable, "-c", KILLED, run_id, part["dump"]], check=False)
    assert done.returncode == 9
    assert list((home / "runs" / run_id).rglob(".part-*")), "it was killed with files open"
    steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    steps.validate(run_id)
    assert steps.reconcile(run_id).promotable
    steps.approve(run_id, "automatic", automatic=True)
    assert steps.promote(run_id).rows["resident_records.residents"] == 300
    steps.report(run_id)
    assert runs.record(run_id).state == "promoted"
    assert not list((home / "runs" / run_id).rglob(".part-*"))


def test_what_a_killed_run_left_is_cleared_by_the_next_command_which_names_it(home, caplog):
    receive(home)
    dead = run_folder.this_process().rsplit(":", 2)[0] + ":999999:1"
    killed = steps.begin(MIHON, owner=dead)
    (part,) = steps.receive(killed)
    steps.extract_map_stage(killed, **part)
    left = home / "runs" / killed
    (left / ".part-1-run.json").write_text("half")
    assert (left / "mapped").is_dir()
    other = run_folder.new_folder()
    other.rename(other.with_name(other.name.replace(f"-{os.getpid()}-", "-999999-")))
    elsewhere = home / "runs" / ".new-0a0a0a0a-999999-dead"
    elsewhere.mkdir()
    with caplog.at_level("WARNING", logger="hikkoshi"):
        receive(home, REIJI)
        steps.begin(REIJI)
        assert (left / "mapped").is_dir(), "nobody has yet found that it is dead"
        steps.begin(MIHON)
    assert f"run {killed} had been left unfinished" in caplog.text
    assert f"run {killed} has ended: its mapped rows and half files were deleted" in caplog.text
    assert "the staging schema stage_" in caplog.text
    assert not (left / "mapped").exists()
    assert not list(left.rglob(".part-*"))
    assert list((home / "runs").glob(".new-*")) == [elsewhere], "what another machine does nobody here knows"
    assert (left / "specs").is_dir(), "its evidence stays"


def test_the_home_inboxes_and_dumps_are_for_their_owner_only(home):
    home.mkdir(mode=0o755, parents=True)
    home.chmod(0o755)
    made = receive(home)
    runs.run_all("mihon")
    everything = [home, *home.rglob("*")]
    assert made.dump in everything
    open_to_others = [path for path in everything if not path.is_symlink() and path.stat().st_mode & 0o077]
    assert [str(path) for path in open_to_others] == []
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_reports_are_replaced_whole(home, monkeypatch):
    receive(home)
    record = runs.run_all("mihon")
    reports = home / "runs" / record.run_id / "reports"
    before = {path.name: path.read_bytes() for path in reports.iterdir()}

    def broken(_record, folder, *, findings):
        (folder / "result.ja.html").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "render", broken)
    with pytest.raises(OSError, match="No space left"):
        runs.render_again(record.run_id)
    assert {path.name: path.read_bytes() for path in reports.iterdir()} == before
    assert sorted(path.name for path in reports.parent.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("path", ["../..", "/etc", "990027_mihon/../..", ".", ""])
def test_a_form_cannot_name_a_folder_outside_the_inboxes(home, path):
    with pytest.raises(RunError, match="does not lie in"):
        run_folder.settings().inside_inboxes(path)


def test_a_form_may_name_a_folder_inside_the_inboxes(home):
    inbox = home / "inbox" / "990027_mihon" / "second"
    inbox.mkdir(parents=True)
    assert run_folder.settings().inside_inboxes("990027_mihon/second") == inbox
    assert run_folder.settings().inside_inboxes(str(inbox)) == inbox
    (home / "inbox" / "link").symlink_to("/etc")
    with pytest.raises(RunError, match="does not lie in"):
        run_folder.settings().inside_inboxes("link")


def said_by(home, run_id):
    """What the reports of a run, written anew, say of its state."""
    runs.render_again(run_id)
    return json.loads((home / "runs" / run_id / "reports" / "run.json").read_text("utf-8"))["state"]


def test_records_and_reports_say_what_the_ledger_says(home):
    receive(home)
    first, second = runs.run_all("mihon"), runs.run_all("mihon", rehearsal=2)
    assert (said_by(home, first.run_id), said_by(home, second.run_id)) == ("superseded", "promoted")
    known_runs.rollback(MIHON, mode="rehearsal", by="課長", reason="件数を確かめたい")
    assert (said_by(home, first.run_id), said_by(home, second.run_id)) == ("promoted", "rolled back")
    known_runs.withdraw(first.run_id, by="課長", reason="試しに")
    assert said_by(home, first.run_id) == "withdrawn"


def test_killed_behind_its_swap_a_run_is_promoted_and_its_report_can_be_made(home, monkeypatch):
    receive(home)
    dead = run_folder.this_process().rsplit(":", 2)[0] + ":999999:1"
    run_id = steps.begin(MIHON, owner=dead)
    assert to_the_end(run_id, steps.receive(run_id)).promotable
    steps.approve(run_id, "automatic", automatic=True)
    write = run_folder.Run.write

    def killed(run, result, of=""):
        if isinstance(result, Promotion):
            raise KeyboardInterrupt
        write(run, result, of)

    monkeypatch.setattr(run_folder.Run, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        steps.promote(run_id)
    monkeypatch.setattr(run_folder.Run, "write", write)
    assert (home / "runs" / run_id / "mapped").is_dir()
    steps.begin(MIHON)
    assert {e.run_id: e.state for e in known_runs.list_runs(None)}[run_id] == "promoted"
    assert not (home / "runs" / run_id / "mapped").exists()
    runs.conclude(run_id)
    record = runs.record(run_id)
    assert record.state == "promoted"
    assert said_by(home, run_id) == "promoted"
    assert record.finished


def test_a_run_that_the_ledger_calls_abandoned_is_not_promoted_any_more(home):
    receive(home)
    dead = run_folder.this_process().rsplit(":", 2)[0] + ":999999:1"
    run_id = steps.begin(MIHON, owner=dead)
    assert to_the_end(run_id, steps.receive(run_id)).promotable
    steps.approve(run_id, "automatic", automatic=True)
    steps.begin(MIHON)
    with pytest.raises(RunError, match=rf"the ledger says that run {run_id} is abandoned"):
        steps.promote(run_id)
    assert said_by(home, run_id) == "abandoned"
