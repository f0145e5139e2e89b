"""A contract's price recomputed by the rate of its day, a vendor looked for, a title that was cut: from the dump to the report."""

from __future__ import annotations

import polars as pl
import pytest

from dags import runs
from dags.pipeline import data_centre, town
from target_schemas.sheets import read_systems
from target_schemas.systems import SYSTEMS

HEAD = """\
title: {ja: 契約, en: contracts}
based_on: none (a system of the tests)
editions: {"1.0": 2026-04-01}
tables:
  vendors: {ja: 業者, en: vendors}
  awards: {ja: 契約, en: awards}
rules:
  price:
    recompute: contract_amount
    as: floor(bid_amount * (1 + tax.rate))
    beside: {tax: {of: joint.consumption_tax, where: {rate_class: "1"}, day: contracted}}
    of: awards
    source: 消費税法 第29条
  vendor: {counterpart: {of: vendors, per: vendor_no}, of: awards, severity: alert, source: none}
  cheaper_than_others: {holds: not other.bid_amount < bid_amount, beside: {other: {of: awards, per: tender_no}}, of: awards, severity: alert, source: none}
"""
ITEMS = """\
table,item,ja,en,type,length,must,key,since
vendors,vendor_no,業者番号,vendor number,N,3,1,1,1.0
awards,award_no,契約番号,contract number,N,3,1,1,1.0
awards,tender_no,案件番号,tender number,N,3,,,1.0
awards,vendor_no,業者番号,vendor number,N,3,,,1.0
awards,title,件名,title,J,10,,,1.0
awards,contracted,契約日,contracted,D,,,,1.0
awards,bid_amount,入札金額,bid,M,9,,,1.0
awards,contract_amount,契約金額,contract price,M,9,,,1.0
"""
LAYOUTS = {
    "awards": "01 R. 03 NO PIC X(3). 03 ANKEN PIC X(3). 03 GYOSHA PIC X(3). 03 KENMEI PIC X(6). 03 BI PIC X(8). 03 NYUSATSU PIC 9(6). 03 KEIYAKU PIC 9(6).",
    "vendors": "01 R. 03 GYOSHA PIC X(3).",
}
MANIFEST = """\
edition: "1.0"
dumps:
  awards:
    {file: awards.dat, title: 契約, layout: layouts/awards.cpy, framing: fixed, charset: shift_jis, records: {award: {cut: [KENMEI]}}}
  vendors:
    {file: vendors.dat, title: 業者, layout: layouts/vendors.cpy, framing: fixed, charset: shift_jis, records: {vendor: {}}}
"""
MAPPING = """\
system: contracts
tables:
  vendors: {from: vendors.vendor, columns: {vendor_no: GYOSHA}}
  awards:
    from: awards.award
    columns:
      award_no: NO
      tender_no: ANKEN
      vendor_no: GYOSHA
      title: KENMEI
      contracted: {from: BI, transforms: [date]}
      bid_amount: NYUSATSU
      contract_amount: KEIYAKU
"""
AWARDS = [
    ("001", "101", "001", "道路", "20190930", 100_000, 108_000),
    ("002", "102", "001", "橋", "20191001", 100_000, 108_000),  # the rate of the day before
    ("003", "103", "002", "下水道", "20260401", 99_999, 109_998),  # cut off below a yen; a title that fills its field
    ("004", "104", "009", "公園", "19880401", 100_000, 103_000),  # of no vendor; before there was a rate
    ("005", "101", "001", "道路２", "20190930", 100_001, 108_001),  # dearer than another bid; fills its field
]


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    sheets = tmp_path / "sheets"
    towns = tmp_path / "towns" / "990094_renshu"
    texts = {
        sheets / "systems" / "contracts" / "system.yaml": HEAD,
        sheets / "systems" / "contracts" / "items.csv": ITEMS,
        sheets / "codes" / "code_sets.csv": "code_set,ja,en\n",
        towns
        / "manifest.yaml": 'municipality: {code: "990094", name: 練習町, romaji: renshu}\nreference_date: 2026-04-01\n',
        towns / "contracts" / "manifest.yaml": MANIFEST,
        towns / "contracts" / "mapping.yaml": MAPPING,
        **{towns / "contracts" / "layouts" / f"{name}.cpy": text for name, text in LAYOUTS.items()},
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    known = (*SYSTEMS, *read_systems(sheets / "systems", ("contracts",), sheets / "codes"))
    monkeypatch.setattr(town, "SYSTEMS", known)
    monkeypatch.setattr(town, "EDITIONS", {s.name: tuple(e.name for e in s.editions) for s in known})
    monkeypatch.setattr(data_centre, "SYSTEMS", known)
    inbox = tmp_path / "home" / "inbox" / towns.name
    inbox.mkdir(parents=True)
    lines = [f"{n}{t}{v}".encode() + title.encode("cp932").ljust(6) + f"{day}{bid:06}{price:06}".encode() for n, t, v, title, day, bid, price in AWARDS]  # fmt: skip
    (inbox / "awards.dat").write_bytes(b"".join(lines))
    (inbox / "vendors.dat").write_bytes(b"001002")
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(towns.parent))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    return tmp_path / "home"


@pytest.mark.parametrize("slice_bytes", ["", "70"])
def test_what_differs_is_an_alert_and_is_moved_as_it_stands(home, monkeypatch, slice_bytes):
    if slice_bytes:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    record = runs.run_all("renshu", ask_person=lambda _: runs.Answer(True, "t"))
    assert record.state == "promoted", record.state_reason_en
    assert record.not_checked == ()
    assert all(rule.agrees for rule in record.rules)
    judged = {rule.rule: rule for rule in record.rules if rule.failing_polars}
    assert {name: rule.failing_gx for name, rule in judged.items()} == {
        "price": 2,
        "vendor": 1,
        "cheaper_than_others": 1,
    }
    told = judged["price"].differences
    assert (told.unknown, told.total, told.bands) == (1, "-2000", {"10000": 1})
    assert [(one.dump, one.record, one.difference) for one in told.first] == [("awards", 2, "-2000")]
    found = pl.read_ipc(home / "runs" / record.run_id / "findings.arrow")
    cut = found.filter(pl.col("code") == "V455").select("record", "field", "severity").sort("record").rows()
    assert cut == [(3, "KENMEI", "alert"), (5, "KENMEI", "alert")]
    said = found.filter(pl.col("code") == "V451").select("record", "detail").sort("record").rows()
    assert said == [(2, "difference -2000"), (4, "nothing to compare with")]
    page = (home / "runs" / record.run_id / "reports" / "result.en.html").read_text("utf-8")
    assert "By how much numbers differ" in page
    assert "108,000" not in page
    assert "108000" not in page
