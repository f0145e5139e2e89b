"""Whole runs: from dump bytes to promoted tables and reports, for invented and for shared towns, and with bad input."""

from __future__ import annotations

import collections
import csv
import json
import os
import re
import shutil
import stat
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from dags import known_runs, runs, steps
from dags.inspection.synthesis import synthesize
from dags.pipeline import run_folder
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import RunError, SpecError, TransientError
from target_schemas.postgres import loader, staging
from target_schemas.postgres.database import connect
from tests.reading import SHARED

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
SHARED_TOWNS = Path(__file__).parents[1] / "shared_towns"


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS, tmp_path / "towns")
    return tmp_path / "home"


def receive(home, town="990027_mihon", residents=600, faults=0.05, seed=3):
    return synthesize(
        home.parent / "towns" / town, residents=residents, seed=seed, faults=faults, out=home / "inbox" / town
    )[0]


def allow_rejects(home, town="990027_mihon"):
    manifest = home.parent / "towns" / town / "resident_records/manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("rejects: 2%", "rejects: 50%"), encoding="utf-8")


def findings(home, record):
    return pl.read_ipc(home / "runs" / record.run_id / "findings.arrow")


def promoted(url, table, column="resident_no"):
    with connect(url).connect() as connection:
        return sorted(connection.execute(sa.text(f"SELECT {column} FROM resident_records_rehearsal.{table}")).scalars())


def heads_lost(dump, faults):
    """What the faults do to households of a setai_kojin file, worked out from its own bytes: place and code to expect.

    A household names its head, whose record may be rejected for its fault (V406), or have lost its number to another's
    (V405). A record of juki_master makes both the household and its head, and loses both.
    """
    if dump.name != "setai_kojin.dat":
        return []
    data = dump.read_bytes()
    records = [data[at : at + 240] for at in range(0, len(data), 240)]
    people = {n: int.from_bytes(r[6:14], "big") for n, r in enumerate(records, 1) if r[:1] == b"\xd2"}
    heads = {n: int.from_bytes(r[8:16], "big") for n, r in enumerate(records, 1) if r[:1] == b"\xe2"}
    rejected = {int(row["record"]) for row in faults if CATALOGUE[row["code"]].severity == "error"}
    kept = {number for record, number in people.items() if record not in rejected}
    came = set(people.values())
    return [(n, "ST-NUSHI-NO", "V406" if no in came else "V405") for n, no in heads.items() if no not in kept]


@pytest.mark.parametrize("town", ["990027_mihon", "990035_reiji"])
def test_every_seeded_fault_is_found_once_and_nothing_else(home, town):
    made = receive(home, town, residents=1500)
    allow_rejects(home, town)
    record = runs.run_all(town)
    assert record.state == "promoted", record.state_reason_en
    rows = list(csv.DictReader(made.faults.open(encoding="utf-8")))
    seeded = collections.Counter((int(row["record"]), row["field"], row["code"]) for row in rows)
    found = collections.Counter(findings(home, record).select("record", "field", "code").iter_rows())
    lost = heads_lost(made.dump, rows)
    # A head that is named wrongly on purpose is lost, too.
    assert found == seeded | collections.Counter(lost)
    assert {code for _, _, code in lost} == (set() if town == "990027_mihon" else {"V405", "V406"})
    dangling = {f"{r.table}.{r.columns[0]}": r.dangling for r in record.references}
    assert dangling.pop("resident_records.households.head_resident_no") == len(lost)
    assert set(dangling.values()) == {0}
    assert len({row["kind"] for row in rows}) > 8
    assert all(line.closes for line in record.reconciliations)
    assert all(amount.agrees for amount in record.amounts)
    assert all(control.agrees for control in record.controls)
    assert all(rule.agrees for rule in record.rules)
    named = collections.Counter(row["rule"] for row in rows if row["rule"])
    assert len(named) >= 1
    assert {rule.rule: rule.reported for rule in record.rules if rule.rule in named} == dict(named)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(
    ("folder", "name"), [("990019_a_city", "a_city_resident"), ("990043_d_city", "d_city_resident")]
)
def test_a_shared_register_goes_the_whole_way(home, folder, name):
    town = home.parent / "towns" / folder
    shutil.copytree(SHARED_TOWNS / folder, town)
    (town / "resident_records" / "layouts").mkdir()
    shutil.copy(SHARED / "dumps" / name / f"{name}.cpy", town / "resident_records" / "layouts")
    (town / "resident_records" / "tables").mkdir()
    (town / "resident_records" / "tables" / "extended.csv").write_text("6EA4,9AD9\n4BD0,FA11\n", encoding="utf-8")
    (home / "inbox" / folder).mkdir(parents=True)
    shutil.copy(SHARED / "dumps" / name / f"{name}.dat", home / "inbox" / folder)
    record = runs.run_all(folder)
    assert record.state == "promoted", record.state_reason_en
    faults = list(csv.DictReader((SHARED / "dumps" / name / "faults.csv").open(encoding="utf-8")))
    found = findings(home, record)
    places = collections.Counter(found.select("record", "field").iter_rows())
    assert places == collections.Counter((int(f["record"]), f["field"]) for f in faults)
    codes = {(r, f): (c, s) for r, f, c, s in found.select("record", "field", "code", "severity").iter_rows()}
    fitting = {
        "invalid packed decimal": ("D201", "error"),
        "impossible date": ("M302", "alert"),
        "unknown day": ("M303", "note"),
        "era boundary": ("M304", "alert"),
        "gaiji": ("D221", "note"),
        "extended kanji": ("D222", "note"),
        "shift not closed": ("D212", "alert"),
        "unknown code": ("M310", "error"),
        "duplicate key": ("V404", "error"),
        "low-values": ("D214", "alert"),
        "blank numeric": ("D203", "alert"),
        "zero date": ("M305", "alert"),
    }
    for fault in faults:
        assert codes[int(fault["record"]), fault["field"]] == fitting[fault["kind"]], fault
    assert all(line.closes for line in record.reconciliations)
    # No fault of these dumps takes a parent away: a person's record makes the household and the amount, too, or names a
    # household of a record that no fault rejects.
    assert {(r.fell, r.dangling, r.dangling_gx) for r in record.references} == {(0, 0, 0)}
    named = {f"{r.table}.{r.columns[0]}": r.rows for r in record.references if r.rows}
    assert named["resident_records.residents.household_no"] == named["resident_records.tax_amounts.resident_no"] > 0


def test_running_twice_changes_nothing_but_the_run(home, database_url):
    receive(home)
    allow_rejects(home)
    first = runs.run_all("mihon")
    before = promoted(database_url, "residents")
    second = runs.run_all("mihon", rehearsal=2)
    assert promoted(database_url, "residents") == before
    assert second.former_run == first.run_id
    undone = known_runs.rollback("990027_mihon", mode="rehearsal", by="tester", reason="the first was right")
    (undone,) = undone.systems
    assert (undone.run_id, undone.in_force) == (second.run_id, first.run_id)
    assert promoted(database_url, "residents") == before
    assert {e.run_id: e.state for e in known_runs.list_runs(None)}[second.run_id] == "rolled back"


def test_a_rejected_record_is_kept_with_its_bytes_for_the_owner_only(home):
    made = receive(home)
    allow_rejects(home)
    record = runs.run_all("mihon")
    path = home / "runs" / record.run_id / "rejects.arrow"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = pl.read_ipc(path)
    assert kept.height == record.rejects > 0
    data = made.dump.read_bytes()
    for number, offset, content in kept.select("record", "offset", "bytes").iter_rows():
        assert content == data[(number - 1) * 400 : number * 400]
        assert offset == (number - 1) * 400
    for row in kept.iter_rows(named=True):
        assert {error["code"] for error in row["errors"]} == set(row["codes"].split())
        assert all(
            error["reason"] == f"{CATALOGUE[error['code']].ja} / {CATALOGUE[error['code']].en}"
            for error in row["errors"]
        )
        assert all(row["offset"] <= error["offset"] < row["offset"] + 400 for error in row["errors"] if error["field"])


def test_no_residents_value_reaches_reports_findings_or_log(home, caplog):
    made = receive(home)
    allow_rejects(home)
    with caplog.at_level("DEBUG", logger="hikkoshi"):
        record = runs.run_all("mihon")
    numbers = promoted(os.environ["HIKKOSHI_DATABASE_URL"], "residents")
    names = promoted(os.environ["HIKKOSHI_DATABASE_URL"], "residents", "name")
    said = caplog.text + (home / "runs" / record.run_id / "findings.arrow").read_bytes().decode("utf-8", "ignore")
    for file in (home / "runs" / record.run_id).rglob("*"):
        if file.is_file() and file.name != "rejects.arrow" and file.suffix != ".xlsx":
            said += file.read_bytes().decode("utf-8", "ignore")
    assert not [name for name in names if name in said]
    assert not [number for number in numbers if number in said]
    assert made.records == 602


def test_the_report_is_made_and_the_record_reads_back(home):
    receive(home)
    allow_rejects(home)
    record = runs.run_all("mihon")
    reports = home / "runs" / record.run_id / "reports"
    assert {p.name for p in reports.iterdir()} == {
        "result.ja.html", "result.en.html", "workbook.xlsx", "run.json", "SHA256SUMS",
        "gaiji.html", "gaiji.xlsx", "gaiji.csv", "candidates.html", "candidates.xlsx", "candidates.csv",
    }  # fmt: skip
    assert json.loads((reports / "run.json").read_text("utf-8"))["run_id"] == record.run_id
    assert record.count("error") >= record.rejects
    assert {g.area for g in record.gaiji} >= {"user-defined", "undefined"}


# Bad input, each with what it says and what it leaves intact.


def broken_run(home, change, town="990027_mihon"):
    made = receive(home, town, faults=0)
    change(made.dump)
    return runs.run_all(town)


def test_an_empty_dump_is_held(home, database_url):
    record = broken_run(home, lambda dump: dump.write_bytes(b""))
    assert record.state == "held"
    assert [r.status for r in record.receipts] == ["empty"]
    assert "A dump is empty" in record.state_reason_en
    assert promoted(database_url, "residents") == []


def test_a_missing_dump_is_held(home):
    record = broken_run(home, lambda dump: dump.unlink())
    assert (record.state, record.receipts[0].status) == ("held", "missing")
    inbox = home / "inbox" / "990027_mihon"
    assert record.state_reason_en == f"An expected dump is missing (juki_master.dat in {inbox})"
    assert record.reconciliations == record.rules == ()


def test_an_inbox_that_is_not_there_is_named(home):
    record = runs.run_all("mihon", folder_of_dumps=str(home / "nowhere"))
    assert record.state == "held"
    assert record.state_reason_en.startswith(f"there is no inbox {home / 'nowhere'}")


def test_a_dump_shorter_than_a_record_is_held_and_its_bytes_are_counted(home):
    record = broken_run(home, lambda dump: dump.write_bytes(dump.read_bytes()[:100]))
    assert record.state == "held"
    assert record.receipts[0].bytes_left_over == 100
    assert {"F105", "C503"} <= {i.code for i in record.issues}


def test_a_record_length_that_does_not_divide_is_held(home):
    record = broken_run(home, lambda dump: dump.write_bytes(dump.read_bytes()[:-1]))
    assert record.state == "held"
    assert record.receipts[0].bytes_left_over == 399


def test_a_dump_received_twice_is_held(home):
    record = broken_run(home, lambda dump: shutil.copy(dump, dump.with_name("copy.dat")))
    assert record.state == "held"
    assert "received twice" in record.state_reason_en


def test_an_unexpected_file_is_an_alert(home):
    record = broken_run(home, lambda dump: dump.with_name("notes.txt").write_text("hello"))
    assert record.state == "promoted"
    assert [(i.code, i.severity) for i in record.issues] == [("F104", "alert")]


def test_thousands_of_yen_are_followed_to_the_promoted_table(home):
    mapping = home.parent / "towns" / "990027_mihon" / "resident_records/mapping.yaml"
    receive(home, residents=300)
    allow_rejects(home, "990027_mihon")
    times = "amount: {from: JJ-KAZEI, transforms: [{number: {times: 1000}}]}"
    mapping.write_text(mapping.read_text("utf-8").replace("amount: {from: JJ-KAZEI}", times), encoding="utf-8")
    record = runs.run_all("mihon")
    (amount,) = record.amounts
    control = next(c for c in record.controls if c.kind == "sum")
    assert amount.field == "JJ-KAZEI × 1,000"
    assert int(amount.in_dump) == 1000 * int(control.found) > 0
    assert int(amount.in_dump) == int(amount.in_table) + int(amount.in_rejected)
    assert amount.agrees
    assert int(amount.in_rejected) > 0


def test_a_wrong_copybook_is_found_out_by_its_controls(home):
    town = home.parent / "towns" / "990027_mihon"
    path = town / "resident_records" / "layouts" / "juki_master.cpy"
    receive(home, faults=0)
    text = re.sub(r"(JJ-KANA +PIC X.)30", r"\g<1>31", path.read_text("utf-8"))
    path.write_text(re.sub(r"(FILLER +PIC X.)108", r"\g<1>107", text), encoding="utf-8")
    record = runs.run_all("mihon")
    assert record.state == "held"
    assert record.rejects > record.rejects_allowed


def test_a_wrong_charset_is_found_out_by_undefined_codes(home):
    manifest = home.parent / "towns" / "990027_mihon" / "resident_records/manifest.yaml"
    receive(home, faults=0)
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("name: fujitsu\n      table: tables/extended.csv", "name: ibm"), encoding="utf-8")
    record = runs.run_all("mihon")
    assert record.state == "held"
    assert "D211" in {i.code for i in record.issues}


def test_a_trailer_that_disagrees_is_held(home):
    def drop_records(dump):
        data = dump.read_bytes()
        dump.write_bytes(data[:400] + data[400 * 21 :])

    record = broken_run(home, drop_records)
    assert record.state == "held"
    assert {"C501", "C502"} <= {i.code for i in record.issues}
    assert any("stated" not in c.stated and c.stated != c.found for c in record.controls)


def test_another_municipalitys_dump_is_held(home):
    def relabel(dump):
        data = bytearray(dump.read_bytes())
        data[1:7] = bytes.fromhex("F9F9F0F0F3F5")
        dump.write_bytes(bytes(data))

    record = broken_run(home, relabel)
    assert record.state == "held"
    assert "is not the one that the manifest states" in record.state_reason_en
    assert [(c.stated, c.found) for c in record.controls if c.kind == "value"] == [("990027", "990035")]


def test_a_record_of_no_known_kind_is_held(home):
    def spoil(dump):
        data = bytearray(dump.read_bytes())
        data[400] = 0xE7
        dump.write_bytes(bytes(data))

    record = broken_run(home, spoil)
    assert record.state == "held"
    assert [f.records for f in record.fates if f.role == "unknown"] == [1]
    assert ("F106", 1) in {(i.code, i.count) for i in record.issues}


def test_a_protective_measure_may_not_be_lost(home):
    made = receive(home, faults=0, residents=3000)
    data = bytearray(made.dump.read_bytes())
    protected = next(n for n in range(1, 3001) if data[n * 400 + 231] == 0xF1)
    data[protected * 400 + 88] = 0xF7
    made.dump.write_bytes(bytes(data))
    record = runs.run_all("mihon")
    assert record.state == "held"
    assert "protective measure" in record.state_reason_en


def test_a_database_that_is_away_is_transient_and_nothing_is_begun(home, monkeypatch):
    receive(home)
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", f"postgresql+psycopg://x:secret@localhost/x?host={home}")
    with pytest.raises(TransientError, match="is away") as caught:
        runs.run_all("mihon")
    assert "secret" not in str(caught.value)
    assert not list((home / "runs").iterdir())


def test_a_second_run_at_the_same_time_is_refused(home):
    receive(home)
    run_id = steps.begin("990027_mihon", owner=run_folder.this_process())
    with pytest.raises(RunError, match=f"run {run_id} of municipality 990027 has been in progress"):
        steps.begin("990027_mihon", owner="somewhere-else:1:1")
    assert [e.run_id for e in known_runs.list_runs("mihon")] == [run_id]


def test_a_run_whose_process_died_is_marked_and_the_next_one_goes_on(home):
    receive(home)
    allow_rejects(home)
    dead = run_folder.this_process().rsplit(":", 2)[0] + ":999999:1"
    first = steps.begin("990027_mihon", owner=dead)
    record = runs.run_all("mihon")
    assert record.state == "promoted"
    assert {e.run_id: e.state for e in known_runs.list_runs(None)}[first] == "abandoned"


def test_a_run_whose_process_died_behind_its_swap_is_promoted_and_leaves_nothing_staged(home, database_url):
    receive(home, residents=60, faults=0)
    dead = run_folder.this_process().rsplit(":", 2)[0] + ":999999:1"
    first = steps.begin("990027_mihon", owner=dead)
    for part in steps.receive(first):
        steps.extract_map_stage(first, **part)
    steps.join_slices(first)
    steps.validate(first)
    steps.reconcile(first)
    steps.approve(first, "tester")
    steps.promote(first)
    steps.begin("990027_mihon")
    assert {e.run_id: e.state for e in known_runs.list_runs(None)}[first] == "promoted"
    assert len(promoted(database_url, "residents")) == 60
    assert staging.staging_schema(first) not in sa.inspect(connect(database_url)).get_schema_names()


def test_a_promotion_that_came_to_no_end_goes_on_or_is_judged_again(home, database_url, monkeypatch):
    receive(home, residents=80, faults=0.2)
    allow_rejects(home)
    run_id = steps.begin("990027_mihon")
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    judged = steps.validate(run_id), steps.reconcile(run_id)
    steps.approve(run_id, "tester")

    def busy(*_):
        raise TransientError("others read the tables")

    with monkeypatch.context() as patch:
        patch.setattr(loader, "_swap", busy)
        with pytest.raises(TransientError):
            steps.promote(run_id)
        assert (steps.validate(run_id), steps.reconcile(run_id)) == judged, "what it had taken is staged again"
        for _ in range(2):
            with pytest.raises(TransientError):
                steps.promote(run_id)
        rows = run_folder.open_run(run_id).path / "mapped"
        rows.rename(rows.with_name("gone"))
        with pytest.raises(RunError, match="are not in the run's folder any more; nothing was promoted"):
            steps.validate(run_id)
        rows.with_name("gone").rename(rows)
        assert (steps.validate(run_id), steps.reconcile(run_id)) == judged
    assert steps.promote(run_id).rows == dict(judged[1].expected)
    assert len(promoted(database_url, "residents")) == judged[1].expected["resident_records.residents"] < 80


def test_nothing_is_promoted_without_approval(home, database_url):
    receive(home, faults=0)
    run_id = steps.begin("990027_mihon")
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    steps.validate(run_id)
    assert steps.reconcile(run_id).promotable
    with pytest.raises(RunError, match="has not been approved"):
        steps.promote(run_id)
    steps.reject(run_id, "係長", reason="件数を確かめたい", at="2026-04-01T10:00:00+09:00")
    runs.conclude(run_id)
    record = runs.record(run_id)
    assert (record.state, record.decision.by, record.decision.reason) == ("rejected", "係長", "件数を確かめたい")
    assert record.decision.at == "2026-04-01T10:00:00+09:00"
    assert [e.state for e in known_runs.list_runs("mihon")] == ["rejected"]
    assert promoted(database_url, "residents") == []


def test_the_approval_question_shows_the_reconciliation(home):
    receive(home, faults=0)
    asked = []

    def refuse(question):
        asked.append(question)
        # The reports that the question is about are there before anybody answers.
        (run,) = [path for path in (home / "runs").iterdir() if path.name.startswith("990027-")]
        assert (run / "reports" / "result.ja.html").is_file()
        assert json.loads((run / "reports" / "run.json").read_text("utf-8"))["state"] == "waiting"
        return runs.Answer(approved=False, by="課長")

    record = runs.run_all("mihon", ask_person=refuse)
    assert (record.state, record.decision.by) == ("rejected", "課長")
    assert r"| resident\_records.residents (juki\_master.resident) | 600 | 600 |" in asked[0]
    assert "✗" not in asked[0]


def test_a_run_id_cannot_leave_the_runs_folder(home):
    for wrong in ("../x", "a/b", "", "..", "x" * 200):
        with pytest.raises(RunError, match="no run id"):
            run_folder.run_path(wrong)


def test_an_unknown_municipality_names_the_known_ones(home):
    with pytest.raises(RunError, match="990027_mihon, 990035_reiji"):
        steps.begin("nowhere")


def test_a_wrong_spec_stops_a_run_before_any_data(home):
    manifest = home.parent / "towns" / "990027_mihon" / "manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("990027", "990028"), encoding="utf-8")
    with pytest.raises(SpecError, match="Y013"):
        steps.begin("990027_mihon")
    assert not list((home / "runs").iterdir())


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "dumps").is_dir(), reason="the shared dumps are not beside this checkout")
@pytest.mark.parametrize(
    ("folder", "name", "state"),
    [("990078_b_town", "b_town_resident", "promoted"), ("990086_c_village", "c_village_resident", "held")],
)
def test_a_shared_register_in_the_language_goes_as_far_as_it_may(home, database_url, folder, name, state):
    town = home.parent / "towns" / folder
    shutil.copytree(SHARED_TOWNS / folder, town)
    (town / "resident_records" / "layouts").mkdir()
    shutil.copy(SHARED / "dumps" / name / f"{name}.cpy", town / "resident_records" / "layouts")
    (home / "inbox" / folder).mkdir(parents=True)
    shutil.copy(SHARED / "dumps" / name / f"{name}.dat", home / "inbox" / folder)
    record = runs.run_all(folder)
    assert record.state == state, record.state_reason_en
    faults = {
        (int(f["record"]), f["field"])
        for f in csv.DictReader((SHARED / "dumps" / name / "faults.csv").open(encoding="utf-8"))
        if f["field"] != "(record)"
    }
    found = findings(home, record).filter(pl.col("record").is_not_null())
    assert set(found.filter(pl.col("severity") != "note").select("record", "field").iter_rows()) <= faults
    assert set(found.select("record", "field").iter_rows()) == faults
    assert all(line.closes for line in record.reconciliations)
    if folder != "990078_b_town":
        # The last record is cut short, and who hands over the dump must say so.
        assert {i.code for i in record.issues} >= {"F105"}
        return
    rejected = set(pl.read_ipc(home / "runs" / record.run_id / "rejects.arrow")["record"])
    lines = [json.loads(line) for line in (SHARED / "dumps" / name / "expected.jsonl").open(encoding="utf-8")]
    changes = [
        (r["record"], n) for r in lines for n, _ in enumerate(r["BJ-RIREKI"] or (), 1) if r["record"] not in rejected
    ]
    with connect(database_url).connect() as connection:
        rows = connection.execute(
            sa.text("SELECT source_record, change_no FROM resident_records_rehearsal.resident_changes")
        ).all()
    assert sorted(map(tuple, rows)) == changes
