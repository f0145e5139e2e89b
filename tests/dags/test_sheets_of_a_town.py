"""A system whose key has a date, whose rows have periods, and a town with lists of its own: from the dump to the report."""

from __future__ import annotations

import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs
from dags.pipeline import data_centre, town
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
    period: {from: registered, until: scrapped, ends: before, gaps: "no"}
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
table,item,ja,en,type,length,must,codes,key,since
vehicles,plate_no,標識番号,plate number,A,6,1,,1,1.0
vehicles,registered,取得日,registered,D,,1,,1,1.0
vehicles,seq,順番,place,I,,1,,seq,1.0
vehicles,scrapped,廃車日,scrapped,D,,,,,1.0
vehicles,vehicle_class,車種,class of vehicle,C,2,1,vehicle_class,,1.0
vehicles,rate,税率,rate,R,5.3,,,,1.0
vehicles,memo,備考,memo,A,60,,,,1.0
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
    ("A00003", "", "", "91", "0000"),  # nothing is known of three
    ("A00003", "00000000", "20100101", "91", "0000"),
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
        "vehicles.vehicles.registered.known": 3,
        "vehicles.vehicles.key": 1,
        "vehicles.vehicles.vehicle_class.codes": 1,
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


def test_a_mapping_may_not_move_a_secret(home, tmp_path):
    mapping = tmp_path / "towns" / "990094_renshu" / "vehicles" / "mapping.yaml"
    mapping.write_text(MAPPING.partition("ignore:")[0].replace("memo: KJ-MEMO", "memo: {from: [KJ-MEMO, KJ-PASS], transforms: [concat]}"), encoding="utf-8")  # fmt: skip
    with pytest.raises(SpecError) as caught:
        town.load(mapping.parents[1])
    (problem,) = caught.value.problems
    assert (problem.code, problem.position.line) == ("Y082", 11)
    assert problem.message == "`KJ-PASS` is a secret (password), and vehicles refuses it"


def test_a_mapping_may_not_fill_what_the_program_gives(home, tmp_path):
    mapping = tmp_path / "towns" / "990094_renshu" / "vehicles" / "mapping.yaml"
    mapping.write_text(MAPPING.replace("      memo:", "      seq: $record\n      memo:"), encoding="utf-8")
    with pytest.raises(Exception, match=r"Y081 column `seq` of vehicles is given by the program"):
        town.load(mapping.parents[1])
