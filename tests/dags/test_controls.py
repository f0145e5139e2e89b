"""Controls by group, of parents and by hash, and records that are left, through whole runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import yaml

from dags import runs
from dags.inspection.synthesis import synthesize
from dags.pipeline.controls import control_files
from target_schemas.postgres.database import connect

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
TOWN = "990027_mihon"
CODE = "21"
"""An old reason of change that some of the records bear."""


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS, tmp_path / "towns")
    synthesize(tmp_path / "towns" / TOWN, residents=400, seed=5, faults=0, out=tmp_path / "home" / "inbox" / TOWN)
    return tmp_path / "home"


def say(home, *, controls=(), leave=()):
    """Add controls to the manifest, and records that are left to the mapping."""
    folder = home.parent / "towns" / TOWN / "resident_records"
    manifest = yaml.load((folder / "manifest.yaml").read_text("utf-8"), yaml.BaseLoader)
    manifest["dumps"]["juki_master"]["controls"] += list(controls)
    (folder / "manifest.yaml").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    mapping = yaml.load((folder / "mapping.yaml").read_text("utf-8"), yaml.BaseLoader)
    if leave:
        mapping["leave"] = {"juki_master.resident": list(leave)}
    (folder / "mapping.yaml").write_text(json.dumps(mapping, ensure_ascii=False), encoding="utf-8")


def promoted(url, query):
    with connect(url).connect() as connection:
        return connection.execute(sa.text(query)).all()


def totals(url):
    """By sex and reason of change: records and amounts, as a run without any fault has promoted them."""
    return promoted(
        url,
        "SELECT sex, change_reason, count(*), sum(amount) FROM resident_records_rehearsal.residents "
        "JOIN resident_records_rehearsal.tax_amounts USING (municipality_code, source_record) GROUP BY 1, 2 ORDER BY 1, 2",
    )


def old_codes(home):
    table = home.parent / "towns" / TOWN / "resident_records" / "codes" / "change_reason.csv"
    return {line.split(",")[1]: line.split(",")[0] for line in table.read_text("utf-8").splitlines()[1:]}


def statement(home, url, *, unit=1):
    """A control file as the old system would write it: its own codes, yen with commas, and a triangle for less than none."""
    old = old_codes(home)
    lines = [f'{sex},{old[why]},{count},"{amount // unit:,}"' for sex, why, count, amount in totals(url)]
    return "\n".join(["性別,事由,件数,課税額", *lines, ""])


BY = {"JJ-SEIBETSU": "性別", "JJ-IDO-JIYU": "事由"}
COUNT = {"count": "resident", "by": BY, "equals": "kazei.csv#件数"}
SUM = {"sum": "resident.JJ-KAZEI", "by": BY, "equals": "kazei.csv#課税額"}


def receive(home, text, encoding="cp932"):
    (home / "inbox" / TOWN / "kazei.csv").write_bytes(text.encode(encoding))


def grouped(record):
    return [control for control in record.controls if control.by]


@pytest.mark.parametrize("slice_bytes", ["40000", None])
def test_a_control_file_is_received_proved_and_followed_to_the_promoted_rows(
    home, database_url, monkeypatch, slice_bytes
):
    if slice_bytes:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    runs.run_all(TOWN)
    receive(home, statement(home, database_url))
    say(home, controls=[COUNT, SUM])
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    groups = len(totals(database_url))
    assert groups > 4
    assert [(c.agrees, c.groups, c.differing) for c in grouped(record)] == [(True, groups, 0)] * 2
    receipt = next(r for r in record.receipts if r.role == "control")
    assert (receipt.file, receipt.status, receipt.charset, receipt.dump) == (
        "kazei.csv",
        "received",
        "cp932",
        "juki_master",
    )
    assert [e.kind for e in record.evidence if e.name == "kazei.csv"] == ["control"]
    lines = [(a.table, a.column, a.by, a.groups, a.differing, a.agrees) for a in record.amounts if a.by]
    assert lines == [("resident_records.residents", "", ("sex", "change_reason"), groups, 0, True)]
    followed = next(a for a in record.amounts if a.by)
    assert (followed.in_dump, followed.in_table, followed.in_rejected) == ("400", "400", "0")
    told = {line.values: line.in_table for line in followed.listed if line.values[0] != "*"}
    assert told == {(sex, why): str(count) for sex, why, count, _ in totals(database_url)}


def test_groups_that_differ_hold_the_run_and_are_named(home, database_url):
    runs.run_all(TOWN)
    header, first, second, _, *rest = statement(home, database_url).splitlines()
    wrong = [first.replace(",", ",9", 2).replace(",9", ",", 1), "1,ZZ,4,4", *rest]
    receive(home, "\n".join([header, *wrong, second]))
    say(home, controls=[COUNT])
    record = runs.run_all(TOWN)
    assert record.state == "held"
    control = grouped(record)[0]
    assert (control.agrees, control.differing) == (False, 3)
    found = pl.read_ipc(home / "runs" / record.run_id / "findings.arrow").filter(pl.col("code").str.starts_with("C56"))
    assert sorted(found["code"].to_list()) == ["C560", "C561", "C562"]
    assert any("kazei.csv:3" in said for said in found["detail"])
    assert "total of a group differs" in record.state_reason_en


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("性別,事由,件数\n1,11,12\n1,11,13\n", "kazei.csv:3 states a group that kazei.csv:2 states too"),
        ("性別,事由,件数\n1,11,\n", "kazei.csv:2 states no number"),
        ("性別,事由,人数\n1,11,3\n", "kazei.csv:1 does not name the column 件数 among its 3 cells; it must name 性別"),
        ("性別,事由,件数\n1,11,3,4\n", "kazei.csv is no CSV"),
    ],
)
def test_a_control_file_that_cannot_be_read_proves_nothing_and_says_where(tmp_path, text, said):
    statement = control_files.read(text.encode("cp932"), "kazei.csv", "件数", ("性別", "事由"), (True, False))
    assert statement.problems[0].startswith(said)


@pytest.mark.parametrize("text", ["山田　太郎,0123456789\n練習　花子,9876543210\n", "a\n山田　太郎,0123456789\n"])
def test_what_lies_in_the_place_of_a_control_file_is_not_quoted(text):
    """It may be a list of residents."""
    statement = control_files.read(text.encode(), "kazei.csv", "件数", ("性別",), (True,))
    (said,) = statement.problems
    assert "山田" not in said
    assert "0123456789" not in said


def test_numbers_as_old_systems_write_them(tmp_path):
    amounts = ['"1,234"', "△5", "▲ 6", "－7", "８", "￥9", "\\9", "10円", "0"]
    text = "科目,額\n" + "\n".join(f"{n},{amount}" for n, amount in enumerate(amounts)) + "\n,\n"
    for encoding in ("utf-8-sig", "utf-8", "cp932"):
        statement = control_files.read(text.encode(encoding), "k.csv", "額", ("科目",), (True,))
        assert statement.problems == ()
        assert [int(said.amount) for said in statement.amounts.values()] == [1234, -5, -6, -7, 8, 9, 9, 10, 0]


def test_a_control_file_that_is_missing_holds_the_run_before_anything_is_read(home):
    say(home, controls=[COUNT])
    record = runs.run_all(TOWN)
    assert record.state == "held"
    assert "kazei.csv" in record.state_reason_en
    assert [(r.file, r.status) for r in record.receipts if r.status == "missing"] == [("kazei.csv", "missing")]


LEFT = {"reason": "移行元で削除済み", "when": {"field": "JJ-IDO-JIYU", "values": [CODE]}}


def test_records_that_are_left_are_counted_by_their_reason_and_every_equation_closes(home, database_url):
    runs.run_all(TOWN)
    gone = sum(count for _, why, count, _ in totals(database_url) if old_codes(home)[why] == CODE)
    receive(home, statement(home, database_url))
    say(
        home,
        controls=[COUNT, SUM],
        leave=[LEFT, {"reason": "never", "when": {"field": "JJ-IDO-JIYU", "values": [CODE]}}],
    )
    assert gone > 2
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    fate = next(f for f in record.fates if f.kind == "resident")
    assert (fate.records, fate.accepted, fate.rejected, fate.left) == (400, 400 - gone, 0, {"移行元で削除済み": gone})
    assert fate.closes
    assert all(line.closes for line in record.reconciliations)
    assert {line.candidates for line in record.reconciliations} == {400 - gone}
    amounts = {(a.column, a.by): a for a in record.amounts}
    assert all(a.agrees for a in record.amounts)
    whole = amounts["amount", ()]
    assert int(whole.in_dump) == int(whole.in_left) + int(whole.in_table)
    assert int(whole.in_left) > 0
    by_group = amounts["", ("sex", "change_reason")]
    assert (by_group.in_dump, by_group.in_left, by_group.in_table) == ("400", str(gone), str(400 - gone))
    # The control file counts what the old system holds, those that are left included.
    assert [c.agrees for c in grouped(record)] == [True, True]


def test_a_record_that_no_table_takes_is_named_until_somebody_says_why(home):
    folder = home.parent / "towns" / TOWN / "resident_records"
    mapping = yaml.load((folder / "mapping.yaml").read_text("utf-8"), yaml.BaseLoader)
    for table in mapping["tables"].values():
        table.setdefault("when", {"field": "JJ-IDO-JIYU", "besides": [CODE]})
    (folder / "mapping.yaml").write_text(json.dumps(mapping, ensure_ascii=False), encoding="utf-8")
    record = runs.run_all(TOWN)
    fate = next(f for f in record.fates if f.kind == "resident")
    assert fate.untaken > 2
    assert (fate.accepted, fate.closes) == (400 - fate.untaken, True)
    assert [(i.severity, i.count) for i in record.issues if i.code == "C566"] == [("alert", fate.untaken)]
    say(home, leave=[LEFT])
    record = runs.run_all(TOWN)
    assert not any(i.code == "C566" for i in record.issues)
    assert next(f for f in record.fates if f.kind == "resident").left == {LEFT["reason"]: fate.untaken}


def test_a_hash_total_over_key_numbers(home, database_url):
    numbers = [int(n) for (n,) in promoted_after(home, database_url)]
    say(home, controls=[{"hash": "resident.JJ-JUMIN-NO", "equals": str(sum(numbers) % 10**6), "modulus": "1000000"}])
    record = runs.run_all(TOWN)
    assert [(c.kind, c.agrees) for c in record.controls if c.kind == "hash"] == [("hash", True)]


def promoted_after(home, url):
    runs.run_all(TOWN)
    return promoted(url, "SELECT resident_no FROM resident_records_rehearsal.residents")


OTHER = "990035_reiji"
PARENTS = [
    {"count": "person", "per": "parent", "equals": "household.ST-NINZU"},
    {"count": "household", "equals": "trailer.TR-SETAI-KENSU"},
]


def households(home, *, drop=()):
    """A file of households and persons in which each household states how many it has; `drop`: records left out of it."""
    inbox = home / "inbox" / OTHER
    (made,) = synthesize(home.parent / "towns" / OTHER, residents=300, seed=5, faults=0, out=inbox)
    data = made.dump.read_bytes()
    records = [data[at : at + 240] for at in range(0, len(data), 240)]
    made.dump.write_bytes(b"".join(record for number, record in enumerate(records, 1) if number not in drop))
    manifest = home.parent / "towns" / OTHER / "resident_records" / "manifest.yaml"
    said = yaml.load(manifest.read_text("utf-8"), yaml.BaseLoader)
    said["dumps"]["setai_kojin"] |= {"records": {"person": {"parent": "household"}}, "controls": PARENTS}
    said["limits"] = {"rejects": "10"}
    manifest.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return [number for number, record in enumerate(records, 1) if record[:1] == b"\xe2"]


@pytest.mark.parametrize("slice_bytes", ["2400", None])
def test_a_parent_that_states_another_number_of_children_is_rejected_and_named(home, monkeypatch, slice_bytes):
    if slice_bytes:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    places = households(home, drop=())
    whole = runs.run_all(OTHER)
    of_parents = next(c for c in whole.controls if c.kind == "parents")
    assert (of_parents.stated, of_parents.found, of_parents.agrees) == (str(len(places)), str(len(places)), True)
    third = places[2]
    households(home, drop=(third + 1,))
    record = runs.run_all(OTHER)
    of_parents = next(c for c in record.controls if c.kind == "parents")
    assert (of_parents.found, of_parents.differing, of_parents.agrees) == (str(len(places) - 1), 1, False)
    found = pl.read_ipc(home / "runs" / record.run_id / "findings.arrow").filter(pl.col("code") == "C565")
    assert found.select("kind", "record", "field", "detail").rows() == [("household", third, "ST-NINZU", None)]
    # It is a record that is rejected, and holds the run by the limit alone.
    assert "control total" not in record.state_reason_en
    assert next(f for f in record.fates if f.kind == "household").rejected >= 1


def test_trailers_that_come_once_a_group_state_it():
    rows = [
        {"KAIKEI": "01", "KEI": "5"},
        {"KAIKEI": "2", "KEI": "7"},
        {"KAIKEI": "3", "KEI": None},
        {"KAIKEI": "1", "KEI": "1"},
    ]
    said = control_files.of_trailers(rows, "total.KEI", ("KAIKEI",), numbers=(True,))
    assert {key: (int(of.amount), of.place) for key, of in said.amounts.items()} == {
        ("1",): (5, "total:1"),
        ("2",): (7, "total:2"),
    }
    assert said.problems == (
        "total:3 states no number (a group without any is stated as 0)",
        "total:4 states a group that total:1 states too",
    )
    assert control_files.of_trailers([], "total.KEI", ("KAIKEI",), numbers=(True,)).problems == ("there is no total",)
