"""A system whose key has a date, whose rows have periods, and a town with lists of its own: from the dump to the report."""

from __future__ import annotations

import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs
from dags.authoring import draft, explain, lineage
from dags.authoring.check import check
from dags.inspection import profile
from dags.pipeline import data_centre, reporting, town
from extractors.batches import Kind
from extractors.reading import Spoken
from migration_reports.masking import HIDDEN
from migration_reports.trouble import SpecError
from target_schemas.postgres.database import connect
from target_schemas.sheets import read_systems
from target_schemas.systems import SYSTEMS

HEAD = """\
title: {ja: 軽自動車, en: light vehicles}
based_on: none (a system of the tests)
editions: {"1.0": 2026-04-01}
tables:
  vehicles:
    ja: 軽自動車
    en: vehicles
    period: {from: registered, until: scrapped, ends: before, gaps: no}
rules:
  rate:
    within_range: rate
    day: registered
    of: vehicles
    where: {vehicle_class: "1*"}
    in: {of: joint.consumption_tax, lowest: rate, highest: rate}
    severity: alert
    source: a rule of the tests
"""
ITEMS = """\
table,item,ja,en,type,length,must,codes,key,since,sensitive
vehicles,plate_no,標識番号,plate number,A,6,1,,1,1.0
vehicles,registered,取得日,registered,D,,1,,1,1.0
vehicles,seq,順番,place,I,,1,,seq,1.0
vehicles,scrapped,廃車日,scrapped,D,,,,,1.0
vehicles,vehicle_class,車種,class of vehicle,C,2,1,vehicle_class,,1.0
vehicles,rate,税率,rate,R,5.3,,,,1.0
vehicles,memo,備考,memo,A,60,,,,1.0,1
"""
CODES = "code,ja,en,valid_from,valid_to,source\n11,原付一種,up to 50 cc,,,a code of the tests\n"
OWN_CODES = "code,ja,en,valid_from,valid_to,source\n91,トゥクトゥク,tuk-tuk,2020-04-01,,町条例第1号\n92,人力車,rickshaw,,,町条例第1号\n"
OWN_LINES = "rate_class,rate,valid_from,valid_to,source\n1,0.09,2024-01-01,2024-12-31,町条例第2号\n"
COPYBOOK = """\
       01  KJ-REC.
           03  KJ-HYOSHIKI  PIC X(6).
           03  KJ-TOROKU    PIC X(8).
           03  KJ-HAISHA    PIC X(8).
           03  KJ-SHASHU    PIC XX.
           03  KJ-RITSU     PIC 9V999.
           03  KJ-MEMO      PIC X(60).
           03  KJ-PASS      PIC X(8).
"""
MANIFEST = """\
edition: "1.0"
dumps:
  keiji:
    file: keiji.dat
    title: 軽自動車
    layout: layouts/keiji.cpy
    framing: fixed
    charset: shift_jis
    records: {vehicle: {}}
limits: {rejects: 50%}
"""
MAPPING = """\
system: vehicles
tables:
  vehicles:
    from: keiji.vehicle
    columns:
      plate_no: KJ-HYOSHIKI
      registered: {from: KJ-TOROKU, transforms: [date]}
      scrapped: {from: KJ-HAISHA, transforms: [date]}
      vehicle_class: KJ-SHASHU
      rate: KJ-RITSU
      memo: KJ-MEMO
ignore:
  keiji.vehicle:
    - {field: KJ-PASS, reason: 秘密情報}
"""
VEHICLES = [
    ("A00001", "20240401", "", "11", "0090"),  # the town's own rate of that year
    ("A00002", "20250401", "", "11", "0090"),  # which holds no longer
    ("A00003", "", "", "91", "0000"),  # nothing is known of four
    ("A00003", "00000000", "20100101", "91", "0000"),
    ("A00003", "", "", "12", "0000"),  # of a code of nobody: rejected, and not counted
    ("A00003", "", "", "91", "0000"),
    ("A00004", "20190000", "", "11", "0080"),  # the year of two
    ("A00004", "20190000", "", "11", "0080"),
    ("A00005", "20200101", "20200601", "11", "0100"),  # a period, then a month of which there is none
    ("A00005", "20200701", "", "11", "0100"),
    ("A00006", "20200101", "20210101", "11", "0100"),  # two at one time
    ("A00006", "20200601", "", "11", "0100"),
    ("A00007", "20200101", "", "12", "0100"),  # a code of nobody
    ("A00008", "20200101", "", "11", "0100"),  # a key twice
    ("A00008", "20200101", "", "11", "0100"),
    ("A00009", "20200101", "", "11", "0100"),  # whose memo is what is kept of a password
]
HASH = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
STANDING = [
    ("A00001", "20240401", 0),
    ("A00002", "20250401", 0),
    ("A00003", "00000000", 1),
    ("A00003", "00000000", 2),
    ("A00003", "00000000", 3),
    ("A00004", "20190000", 1),
    ("A00004", "20190000", 2),
    ("A00005", "20200101", 0),
    ("A00006", "20200101", 0),
    ("A00008", "20200101", 0),
]


def system(folder):
    systems, codes = folder / "systems", folder / "codes"
    (systems / "vehicles").mkdir(parents=True)
    codes.mkdir()
    for path, text in {
        systems / "vehicles" / "system.yaml": HEAD,
        systems / "vehicles" / "items.csv": ITEMS,
        codes / "code_sets.csv": "code_set,ja,en,open\nvehicle_class,車種,class of vehicle,1\n",
        codes / "vehicle_class.csv": CODES,
    }.items():
        path.write_text(text, encoding="utf-8")
    return read_systems(systems, ("vehicles",), codes)[0]


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    known = (*SYSTEMS, system(tmp_path / "sheets"))
    monkeypatch.setattr(town, "SYSTEMS", known)
    monkeypatch.setattr(town, "EDITIONS", {s.name: tuple(e.name for e in s.editions) for s in known})
    monkeypatch.setattr(data_centre, "SYSTEMS", known)
    folder = tmp_path / "towns" / "990094_renshu"
    for path, text in {
        "manifest.yaml": 'municipality: {code: "990094", name: 練習町, romaji: renshu}\nreference_date: 2026-04-01\n',
        "vehicles/manifest.yaml": MANIFEST,
        "vehicles/mapping.yaml": MAPPING,
        "vehicles/layouts/keiji.cpy": COPYBOOK,
        "own/codes/vehicle_class.csv": OWN_CODES,
        "own/tables/consumption_tax.csv": OWN_LINES,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    records = [
        f"{plate}{on:8}{off:8}{kind}{rate}{HASH if plate == 'A00009' else '':60}opensesa".encode("ascii")
        for plate, on, off, kind, rate in VEHICLES
    ]
    inbox = tmp_path / "home" / "inbox" / folder.name
    inbox.mkdir(parents=True)
    (inbox / "keiji.dat").write_bytes(b"".join(records))
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(folder.parent))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    return tmp_path / "home"


def standing(url):
    with connect(url).connect() as connection:
        query = "SELECT plate_no, registered_key, seq, source_record FROM vehicles_rehearsal.vehicles ORDER BY 1, 2, 3"
        rows = connection.execute(sa.text(query)).all()
    assert [row.source_record for row in rows] == sorted(row.source_record for row in rows)
    return [tuple(row)[:3] for row in rows]


@pytest.mark.parametrize("slice_bytes", ["", "192"])
def test_from_the_dump_to_the_report(home, database_url, monkeypatch, slice_bytes):
    if slice_bytes:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    record = runs.run_all("renshu", ask_person=lambda _: runs.Answer(True, "t"))
    assert record.state == "promoted", record.state_reason_en
    assert standing(database_url) == STANDING
    judged = {rule.rule: rule for rule in record.rules if rule.failing_polars}
    assert all(rule.agrees for rule in record.rules)
    assert {name: rule.failing_gx for name, rule in judged.items()} == {
        "vehicles.vehicles.registered.known": 4,
        "vehicles.vehicles.key": 1,
        "vehicles.vehicles.vehicle_class.codes": 2,
        "vehicles_period.overlap": 2,  # the key twice is one, too
        "vehicles_period.gap": 1,
        "vehicles.vehicles.memo.secret": 1,
        "rate": 1,
    }
    assert record.not_checked == ()
    found = pl.read_ipc(home / "runs" / record.run_id / "findings.arrow")
    own = found.filter(pl.col("code").is_in(["V440", "V441", "V442"])).select("code", "column", "detail").rows()
    assert own == [
        ("V440", "rate", "1 20240101–20241231: 0.1 → 0.09 (町条例第2号)"),
        ("V441", "vehicle_class", "91 トゥクトゥク"),
        ("V441", "vehicle_class", "92 人力車"),
        ("V442", "vehicle_class", "92"),
    ]
    assert [(o.of, o.key, o.item, o.shared, o.own, o.source) for o in record.own_values] == [
        ("joint.consumption_tax", "1 20240101–20241231", "rate", "0.1", "0.09", "町条例第2号"),
        ("vehicle_class", "", "", "", "91 トゥクトゥク", "町条例第1号"),
        ("vehicle_class", "", "", "", "92 人力車", "町条例第1号"),
    ]
    page = (home / "runs" / record.run_id / "reports" / "result.ja.html").read_text("utf-8")
    assert all(said in page for said in ("団体独自の値とコード", "町条例第2号", "91 トゥクトゥク", "KJ-PASS"))
    refused = found.filter(pl.col("code") == "V445").select("dump", "kind", "field", "detail").rows()
    assert refused == [("keiji", "vehicle", "KJ-PASS", "password")]
    assert {e.name for e in record.evidence} >= {"own/codes/vehicle_class.csv", "own/tables/consumption_tax.csv"}
    with connect(database_url).connect() as connection:
        codes = connection.execute(sa.text("SELECT code, municipality_code FROM joint_rehearsal.own_codes ORDER BY 1"))
        assert [tuple(row) for row in codes] == [("91", "990094"), ("92", "990094")]
        shared = connection.execute(sa.text("SELECT code FROM joint.codes WHERE code_set = 'vehicle_class'")).scalars()
        assert shared.all() == ["11"]


def test_the_runs_own_copy_of_the_specs_has_the_towns_lists(home):
    record = runs.run_all("renshu", ask_person=lambda _: runs.Answer(False, "t"))
    own = home / "runs" / record.run_id / "specs" / "municipalities" / "990094_renshu" / "own"
    assert (own / "codes" / "vehicle_class.csv").read_text("utf-8") == OWN_CODES
    assert (own / "tables" / "consumption_tax.csv").read_text("utf-8") == OWN_LINES


def changed(tmp_path, *edits):
    """The town, with other words in its mapping."""
    mapping = tmp_path / "towns" / "990094_renshu" / "vehicles" / "mapping.yaml"
    text = MAPPING
    for before, after in edits:
        assert before in text
        text = text.replace(before, after, 1)
    mapping.write_text(text, encoding="utf-8")
    return mapping.parents[1]


def test_a_code_table_may_give_the_towns_own_codes_and_no_others(home, tmp_path):
    folder = changed(tmp_path, ("KJ-SHASHU", "{from: KJ-SHASHU, transforms: [{lookup: {table: codes/shashu.csv}}]}"))
    table = folder / "vehicles" / "codes" / "shashu.csv"
    table.parent.mkdir()
    table.write_text("old,new,label\n11,11,原付\n91,91,トゥクトゥク\n", encoding="utf-8")
    assert town.load(folder).own.codes["vehicle_class"].ever == {"91", "92"}
    table.write_text("old,new,label\n11,11,原付\n91,93,トゥクトゥク\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"`91` becomes `93`, which vehicle_class does not have"):
        town.load(folder)


def test_an_own_list_that_leads_out_of_the_folder_is_not_read(home, tmp_path):
    folder = changed(tmp_path)
    outside = tmp_path / "outside.csv"
    outside.write_text("code,ja\n93,牛車\n", encoding="utf-8")
    (folder / "own" / "codes" / "linked.csv").symlink_to(outside)
    with pytest.raises(SpecError, match=r"own/codes/linked.csv:1:1: Y007 .* lies outside the municipality's folder"):
        town.load(folder)


def test_a_gap_that_an_own_line_leaves_is_noted_and_is_no_problem(home, tmp_path):
    folder = changed(tmp_path)
    path = folder / "own" / "tables" / "consumption_tax.csv"
    path.write_text(
        OWN_LINES + "2,0.08,2026-04-01,,町条例第3号\n2,0.08,2019-10-01,2024-12-31,町条例第3号\n", encoding="utf-8"
    )
    assert check(folder).notes == ()
    path.write_text(
        OWN_LINES + "3,0.01,2026-04-01,,町条例第3号\n3,0.01,2019-10-01,2024-12-31,町条例第3号\n", encoding="utf-8"
    )
    (note,) = check(folder).notes
    assert (note.code, note.message) == ("Y083", "no line of 3 holds between 20241231 and 20260401")


def test_what_needs_grounds_to_be_seen_is_in_no_sample(home, tmp_path):
    loaded = town.load(changed(tmp_path))
    inbox = home / "inbox" / "990094_renshu"
    for reveal in (False, True):
        (section,) = explain.explain_record(loaded, "vehicles.vehicles", "memo", record=16, inbox=inbox, reveal=reveal)
        assert {shown.strip() for _, shown in section.lines} == {HIDDEN}
    (open_,) = explain.explain_record(loaded, "vehicles.vehicles", "plate_no", record=16, inbox=inbox)
    assert open_.lines[0][1].strip() == "X99999"
    profiled = profile.profile(profile.of_municipality(loaded, "keiji", inbox))
    shown = {field.field for field in profiled.fields if field.patterns}
    assert shown == {"KJ-HYOSHIKI", "KJ-TOROKU", "KJ-HAISHA", "KJ-SHASHU", "KJ-RITSU"}
    (table,) = town.target_tables(loaded)
    unknown = {"memo": {"A": 2, "B": 3}, "vehicle_class": {"12": 1}}
    assert list(reporting._seen(table, "memo", unknown)) == [("", 5)]
    assert list(reporting._seen(table, "vehicle_class", unknown)) == [("12", 1)]


def test_the_item_mapping_says_who_gives_what_no_mapping_fills(home, tmp_path):
    loaded = town.load(changed(tmp_path))
    remarks = {item.column: item.remark for item in lineage.target_items(loaded)}
    assert remarks["seq"] == "到着順に付番する"
    assert remarks["plate_no"] == ""


def test_a_draft_maps_a_key_of_dates_and_leaves_secrets_with_the_reason(home, tmp_path):
    copybook = tmp_path / "keiji.cpy"
    copybook.write_text(COPYBOOK, encoding="utf-8")
    made = draft.draft_of_copybook(copybook, town.SYSTEMS[-1], spoken=Spoken(), options={}, kinds=[Kind("record")])
    left = {one.field: one.reason for one in made.left["record"]}
    assert left["KJ-PASS"] == "秘密情報 (password)。移行しない"
    assert "seq" not in {name for part in made.parts for name in part.filled.guesses}


def test_a_mapping_may_not_move_a_secret(home, tmp_path):
    both = ("memo: KJ-MEMO", "memo: {from: [KJ-MEMO, KJ-PASS], transforms: [concat]}")
    with pytest.raises(SpecError) as caught:
        town.load(changed(tmp_path, both, (MAPPING[MAPPING.index("ignore:") :], "")))
    (problem,) = caught.value.problems
    assert (problem.code, problem.position.line) == ("Y082", 11)
    assert problem.message == "`KJ-PASS` is a secret (password), and vehicles refuses it"


def test_a_mapping_may_not_fill_what_the_program_gives(home, tmp_path):
    folder = changed(tmp_path, ("      memo:", "      seq: $record\n      memo:"))
    with pytest.raises(Exception, match=r"Y081 column `seq` of vehicles is given by the program"):
        town.load(folder)
