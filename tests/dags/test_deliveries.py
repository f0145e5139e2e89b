"""Deliveries: files of several layouts that come together; a verdict for each, and each proved by its own trailer."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import yaml
from openpyxl import load_workbook

from dags import runs
from dags.pipeline.receiving import inbox
from dags.pipeline.town import load
from migration_reports.pages.summary import summary
from migration_reports.records import verdicts
from target_schemas.postgres.database import connect

TESTS = Path(__file__).parents[1]
TOWN, SYSTEM = "990035_reiji", "resident_records"
CASES = yaml.safe_load((TESTS / "cases" / "deliveries.yaml").read_text("utf-8"))

LAYOUT = """\
       01  FB-REC.
           03  FB-KBN            PIC X.
           03  FB-HEAD.
               05  FH-GINKO      PIC 9(4).
               05  FILLER        PIC X(25).
           03  FB-DATA REDEFINES FB-HEAD.
               05  FD-NO         PIC 9(10).
               05  FD-GAKU       PIC 9(9).
               05  FILLER        PIC X(10).
           03  FB-TRAIL REDEFINES FB-HEAD.
               05  FT-KENSU      PIC 9(6).
               05  FT-GAKU       PIC 9(12).
               05  FT-HASH       PIC 9(11).
"""
DUMPS = """\
edition: "1.0"
limits: {rejects: 0}
deliveries:
  transfers:
    title: 口座振替 4月分
    must: [results, "contents.txt"]
    may: [returns, "letter*.pdf"]
    per: {bank: ["0001", "0157"]}
dumps:
  results:
    file: FB_{bank}_{date}.dat
    title: 振替結果
    layout: layouts/fb.cpy
    framing: fixed
    charset: shift_jis
    records: &kinds
      header: {field: FB-KBN, values: ["1"], group: FB-HEAD, role: header}
      data: {field: FB-KBN, values: ["2"], group: FB-DATA}
      trailer: {field: FB-KBN, values: ["8"], group: FB-TRAIL, role: trailer}
    controls: &controls
      - {count: data, equals: trailer.FT-KENSU, per: file}
      - {sum: data.FD-GAKU, equals: trailer.FT-GAKU, per: file}
      - {hash: data.FD-NO, equals: trailer.FT-HASH, per: file, modulus: 1000}
  returns:
    file: returns.dat
    title: 返戻
    layout: layouts/fb.cpy
    framing: fixed
    charset: shift_jis
    records: *kinds
    controls:
      - {count: data, equals: trailer.FT-KENSU}
"""
MAPPING = """\
system: resident_records
tables:
  households:
    - &part
      from: results.data
      columns:
        household_no: {from: FD-NO, transforms: [{digits: {width: 10}}]}
        average_amount: FD-GAKU
      empty: [head_resident_no, member_count, postal_code, address, address_building, established]
    - {<<: *part, from: returns.data}
ignore:
  results.data: &ignored
    - {field: FB-KBN, reason: tells the kinds apart}
    - {field: FILLER@*, reason: nothing stands in it}
  returns.data: *ignored
"""


def written(text):
    """YAML without anchors, which specs may not have."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    return yaml.dump(yaml.load(text, yaml.SafeLoader), Dumper=Plain, allow_unicode=True)


@pytest.fixture
def town(tmp_path):
    folder = tmp_path / "towns" / TOWN
    (folder / SYSTEM / "layouts").mkdir(parents=True)
    shutil.copy(TESTS.parent / "mappings" / "municipalities" / TOWN / "manifest.yaml", folder)
    for name, text in (
        ("manifest.yaml", written(DUMPS)),
        ("mapping.yaml", written(MAPPING)),
        ("layouts/fb.cpy", LAYOUT),
    ):
        (folder / SYSTEM / name).write_text(text, "utf-8")
    return folder


def file_of(bank, rows, *, kensu=None, gaku=None, number=None, trailer=True, header=1):
    lines = [f"1{bank}".ljust(30)] * header
    lines += [f"2{number:010}{amount:09}".ljust(30) for number, amount in rows]
    stated = f"8{len(rows) if kensu is None else kensu:06}{sum(a for _, a in rows) if gaku is None else gaku:012}"
    stated += f"{sum(no for no, _ in rows) % 1000 if number is None else number:011}"
    lines += [stated] * trailer
    return "".join(lines).encode("ascii")


FIRST, SECOND = [(11, 500), (12, 700)], [(21, 1), (22, 2), (23, 3)]
GOOD = {
    "FB_0001_20260430.dat": file_of("0001", FIRST),
    "FB_0157_20260430.dat": file_of("0157", SECOND),
    "contents.txt": b"two files",
}


def lay(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_file_has_a_verdict(town, tmp_path, case):
    """Each case changes the delivery that is whole: files that come, by name, and what is in them; null takes one away."""
    files = {**GOOD, **{name: (text or "").encode() for name, text in case.get("files", {}).items()}}
    for name, other in case.get("copies", {}).items():
        files[name] = files[other]
    for name in case.get("without", ()):
        del files[name]
    folder = lay(tmp_path / "inbox", files)
    receipts, found = inbox.receive(load(town), folder, before=case.get("before", {}))
    given = {receipt.file: receipt.status for receipt in receipts}
    usual = {**dict.fromkeys(GOOD, "received"), "returns.dat": "absent", "letter*.pdf": "absent"}
    gone = dict.fromkeys(case.get("gone", ()))
    assert given == {name: v for name, v in {**usual, **case["verdicts"], **gone}.items() if v is not None}
    assert sorted(found["code"].to_pylist()) == sorted(case["codes"])
    assert bool(inbox.why_held(receipts, folder)) == case.get("held", False)


def run(town, tmp_path, monkeypatch, database_url, files, slice_bytes=None):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(town.parent))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    if slice_bytes is not None:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", str(slice_bytes))
    lay(tmp_path / "home" / "inbox" / TOWN, files)
    return runs.run_all(TOWN)


def numbers(database_url):
    with connect(database_url).connect() as connection:
        query = sa.text("SELECT household_no FROM resident_records_rehearsal.households")
        return sorted(int(number) for number in connection.execute(query).scalars())


@pytest.mark.parametrize("slice_bytes", [None, 60])
def test_a_delivery_without_its_optional_dump_is_promoted_and_each_file_proved(
    town, tmp_path, monkeypatch, database_url, slice_bytes
):
    record = run(town, tmp_path, monkeypatch, database_url, GOOD, slice_bytes)
    assert record.state == "promoted", record.state_reason_en
    assert numbers(database_url) == [11, 12, 21, 22, 23]
    assert {r.file: (r.status, r.records) for r in record.receipts if r.dump} == {
        "FB_0001_20260430.dat": ("received", 4),
        "FB_0157_20260430.dat": ("received", 5),
        "returns.dat": ("absent", 0),
    }
    assert "not there, and need not be: returns.dat, letter*.pdf" in list(summary(record))
    proved = {(c.file, c.name): (c.stated, c.found) for c in record.controls if c.dump == "results"}
    assert all(control.agrees for control in record.controls)
    assert proved["FB_0001_20260430.dat", "sum of data.FD-GAKU"] == ("1200", "1200")
    assert proved["FB_0157_20260430.dat", "count of data"] == ("3", "3")
    assert proved["FB_0001_20260430.dat", "hash of data.FD-NO"] == ("23", "23")
    assert {name for file, name in proved if file} == {
        "hash of data.FD-NO",
        "one header",
        "one trailer",
        "count of data",
        "sum of data.FD-GAKU",
    }
    # What is not there proves nothing, and is not called proved.
    assert [(c.name, c.stated) for c in record.controls if c.dump == "returns"] == [("count of data", "")]
    assert all(verdicts.of_control(record, c) is None for c in record.controls if c.dump == "returns")
    reports = Path(os.environ["HIKKOSHI_HOME"], "runs", record.run_id, "reports")
    for name, words in (
        ("result.ja.html", ("任意・なし", "口座振替 4月分")),
        ("result.en.html", ("optional, absent",)),
    ):
        assert all(word in (reports / name).read_text("utf-8") for word in words)
    rows = list(load_workbook(reports / "workbook.xlsx")["移行ファイル Files"].iter_rows(values_only=True))
    assert [row[2] for row in rows if row[0] == "returns.dat"] == ["口座振替 4月分"]


@pytest.mark.parametrize(
    ("name", "spoilt", "codes", "status"),
    [
        ("its trailer counts one more", file_of("0001", FIRST, kensu=3), ["C501"], "received"),
        ("its trailer sums another amount", file_of("0001", FIRST, gaku=1), ["C502"], "received"),
        ("its trailer has the hash total of others", file_of("0001", FIRST, number=24), ["C564"], "received"),
        ("it is cut short", file_of("0001", FIRST, trailer=False), ["C503"], "cut_short"),
        ("it is cut in a record", file_of("0001", FIRST)[:-40], ["C503", "F105"], "cut_short"),
        (
            "it is two files",
            file_of("0001", FIRST) + file_of("0001", []),
            ["C501", "C502", "C504", "C540", "C564"],
            "received",
        ),
        ("its header is lost", file_of("0001", FIRST, header=0), ["C540"], "received"),
    ],
)
def test_what_is_wrong_with_one_file_is_told_of_that_file(
    town, tmp_path, monkeypatch, database_url, name, spoilt, codes, status
):
    """The last file agrees in each case: of the whole dump nothing would be seen, for only the last trailer was looked at."""
    record = run(town, tmp_path, monkeypatch, database_url, {**GOOD, "FB_0001_20260430.dat": spoilt}, 60)
    assert record.state == "held", name
    assert [issue.code for issue in record.issues if issue.severity == "error"] == codes
    found = pl.read_ipc(Path(os.environ["HIKKOSHI_HOME"], "runs", record.run_id, "findings.arrow"))
    told = found.filter(pl.col("code").str.starts_with("C"))["detail"]
    assert told.str.starts_with("FB_0001_20260430.dat: ").all()
    assert {r.file: r.status for r in record.receipts if r.dump == "results"} == {
        "FB_0001_20260430.dat": status,
        "FB_0157_20260430.dat": "received",
    }


def test_the_optional_dump_comes_and_is_read(town, tmp_path, monkeypatch, database_url):
    record = run(town, tmp_path, monkeypatch, database_url, {**GOOD, "returns.dat": file_of("0001", [(31, 5)])})
    assert record.state == "promoted", record.state_reason_en
    assert numbers(database_url) == [11, 12, 21, 22, 23, 31]


def test_a_missing_bank_holds_the_run(town, tmp_path, monkeypatch, database_url):
    record = run(town, tmp_path, monkeypatch, database_url, {n: data for n, data in GOOD.items() if "0157" not in n})
    assert record.state == "held"
    assert "FB_0157_{date}.dat" in record.state_reason_en


def test_a_file_of_a_former_run_under_another_name_is_noted(town, tmp_path, monkeypatch, database_url):
    run(town, tmp_path, monkeypatch, database_url, GOOD)
    box = tmp_path / "home" / "inbox" / TOWN
    (box / "FB_0001_20260430.dat").rename(box / "FB_0001_20260531.dat")
    again = runs.run_all(TOWN, rehearsal=2)
    assert again.state == "promoted", again.state_reason_en
    assert [issue.code for issue in again.issues if issue.code == "F132"] == ["F132"]
