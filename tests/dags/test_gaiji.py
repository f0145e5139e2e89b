"""A gaiji from the dump to the ledger, decided, imported, and gone from the next rehearsal's open list."""

from __future__ import annotations

import csv
import re

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa

from dags import gaiji, steps
from dags.municipality import load
from migration_reports.findings import RunError, SpecError
from target_schemas.database import connect
from tests.dags.test_pipeline import allow_rejects, findings, home, receive

__all__ = ["home"]

TOWN = "990027_mihon"


@pytest.fixture
def rehearsed(home):
    """A rehearsal of a town whose residents' names hold gaiji, and its ledger as a workbook."""
    receive(home, residents=1500)
    allow_rejects(home)
    record = steps.run_all("mihon")
    gaiji.export(record.run_id, home / "gaiji.xlsx")
    return home, record


def town(home):
    return home.parent / "towns" / TOWN


def fill_in(home, decisions, name="gaiji.xlsx"):
    """Fill decisions into the exported workbook, as a person does."""
    book = openpyxl.load_workbook(home / name)
    sheet = book.worksheets[0]
    columns = [cell.value.split("\n")[-1] for cell in sheet[1]]
    for line in sheet.iter_rows(min_row=2):
        code = line[columns.index("code")].value
        for column, value in decisions.get(code, {}).items():
            line[columns.index(column)].value = value
    book.save(home / name)


SAID = {"reason": "字形が同じ same glyph", "decided_by": "住民課 Registry"}


def test_a_gaiji_is_followed_from_dump_to_decision_to_the_next_rehearsal(rehearsed, database_url):
    home, first = rehearsed
    open_ = [row for row in first.gaiji if row.area == "user-defined"]
    assert len(open_) >= 2
    assert {row.since for row in first.gaiji} == {"new"}
    assert all(row.place == "user-defined" and row.count >= row.records > 0 for row in open_)
    chosen, other, *_ = open_
    found = findings(home, first).filter(pl.col("code") == "D221")
    assert found.height == sum(row.records for row in open_)

    fill_in(home, {chosen.code: {"decision": "character", "text": "U+9AD9", **SAID}})
    done = gaiji.read_back(home / "gaiji.xlsx", load(town(home)), town(home))
    assert done == {"juki_master": (1, 0, 0)}

    second = steps.run_all("mihon", rehearsal=2)
    by_code = {row.code: row for row in second.gaiji}
    now = by_code[chosen.code]
    assert (now.area, now.decision, now.text, now.since) == ("decided", "character", "髙", "changed")
    assert (now.count, now.records, now.unicode) == (chosen.count, chosen.records, "U+9AD9")
    assert by_code[other.code].since == "open"
    assert [row.code for row in second.gaiji if not row.decision and row.area == "user-defined"] == [
        row.code for row in open_ if row.code != chosen.code
    ]
    left = findings(home, second).filter(pl.col("code") == "D221")
    assert left.height == found.height - chosen.records
    with connect(database_url).connect() as connection:
        named = connection.execute(sa.text("SELECT count(*) FROM joint.residents WHERE name LIKE '%髙%'")).scalar()
    assert named >= 1

    third = steps.run_all("mihon", rehearsal=3)
    assert {row.code: row.since for row in third.gaiji}[chosen.code] == "decided"
    page = (home / "runs" / third.run_id / "reports" / "gaiji.html").read_text("utf-8")
    assert "字形が同じ" in page


def test_what_a_later_dump_does_not_hold_any_more_is_gone_and_stays_listed_once(rehearsed):
    home, first = rehearsed
    receive(home, residents=1500, faults=0.0)
    second = steps.run_all("mihon", rehearsal=2)
    assert {row.since for row in second.gaiji} <= {"gone", "open"}
    gone = [row for row in second.gaiji if row.since == "gone"]
    assert {row.code for row in gone} >= {row.code for row in first.gaiji if row.area == "user-defined"}
    assert all(row.count == 0 and row.first == () for row in gone)
    third = steps.run_all("mihon", rehearsal=3)
    assert [row for row in third.gaiji if row.since == "gone"] == []


def test_the_csv_is_read_back_as_the_workbook_is(rehearsed):
    home, record = rehearsed
    gaiji.export(record.run_id, home / "gaiji.csv")
    rows = list(csv.DictReader((home / "gaiji.csv").read_text("utf-8-sig").splitlines()))
    rows[0].update(decision="private", **SAID)
    with (home / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert gaiji.read_back(home / "filled.csv", load(town(home)), town(home)) == {"juki_master": (1, 0, 0)}
    assert gaiji.read_back(home / "filled.csv", load(town(home)), town(home)) == {"juki_master": (0, 0, 1)}
    rows[0].update(decision="substitute", text="高")
    with (home / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert gaiji.read_back(home / "filled.csv", load(town(home)), town(home)) == {"juki_master": (0, 1, 0)}


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        ({"decision": "character", "text": "U+9AD9"}, "needs a reason"),
        ({"decision": "guess", **SAID}, "unknown decision `guess`"),
        ({"decision": "character", "text": "", **SAID}, "needs a text"),
        ({"decision": "mj", "mj": "MJ030196", **SAID}, "needs the MJ data"),
        ({"decision": "private", "decided_on": "yesterday", **SAID}, "is no date"),
    ],
)
def test_a_line_that_cannot_be_used_changes_nothing(rehearsed, filled, says):
    home, record = rehearsed
    code = next(row.code for row in record.gaiji if row.area == "user-defined")
    table = town(home) / "gaiji" / "juki_master.csv"
    before = table.read_bytes()
    fill_in(home, {code: filled})
    with pytest.raises(SpecError, match=re.escape(says)):
        gaiji.read_back(home / "gaiji.xlsx", load(town(home)), town(home))
    assert table.read_bytes() == before


def test_a_file_that_is_no_ledger_is_refused(rehearsed):
    home, _ = rehearsed
    for name, content in (("a.xlsx", b"no workbook"), ("a.csv", b"one,two\n1,2\n"), ("b.csv", b"\xff\xfe")):
        (home / name).write_bytes(content)
        with pytest.raises(RunError):
            gaiji.read_back(home / name, load(town(home)), town(home))


def test_a_dump_without_a_gaiji_table_says_how_to_make_one(rehearsed):
    home, record = rehearsed
    code = next(row.code for row in record.gaiji if row.area == "user-defined")
    fill_in(home, {code: {"decision": "private", **SAID}})
    manifest = town(home) / "manifest.yaml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("      gaiji: gaiji/juki_master.csv\n", ""), encoding="utf-8"
    )
    with pytest.raises(RunError, match=r"Make gaiji/juki_master\.csv"):
        gaiji.read_back(home / "gaiji.xlsx", load(town(home)), town(home))
