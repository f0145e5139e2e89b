"""A gaiji from the dump to the ledger, decided, imported, and gone from the next rehearsal's open list."""

from __future__ import annotations

import csv
import datetime
import re
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs
from dags.authoring.decisions import gaiji_import
from dags.pipeline import gaiji_ledger
from dags.pipeline.extraction import Notes
from dags.pipeline.town import load
from extractors import charsets, framings
from extractors.batches import extract
from extractors.charsets.contract import SINGLE
from extractors.copybooks.copybook import read_copybook
from migration_reports.findings import RunError, SpecError
from migration_reports.records.counted import DumpAccount, Met
from migration_reports.reports.gaiji import decidable
from target_schemas.postgres.database import connect
from tests.dags.test_pipeline import allow_rejects, findings, home, receive
from tests.reading import open_bytes

__all__ = ["home"]

TOWN = "990027_mihon"


@pytest.fixture
def rehearsed(home):
    """A rehearsal of a town whose residents' names hold gaiji, and its ledger as a workbook."""
    receive(home, residents=1500)
    allow_rejects(home)
    record = runs.run_all("mihon")
    gaiji_ledger.export(record.run_id, home / "gaiji.xlsx")
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
    assert all(
        len({place.record for place in row.first}) == min(row.records, 5) for row in open_ if len(row.fields) == 1
    )
    chosen, other, *_ = open_
    found = findings(home, first).filter(pl.col("code") == "D221")
    assert found.height == sum(row.records for row in open_)

    fill_in(home, {chosen.code: {"decision": "character", "text": "U+9AD9", **SAID}})
    done = gaiji_import.read_back(home / "gaiji.xlsx", load(town(home)))
    assert done == {"juki_master": (1, 0, 0, 0)}

    second = runs.run_all("mihon", rehearsal=2)
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
        named = connection.execute(
            sa.text("SELECT count(*) FROM resident_records_rehearsal.residents WHERE name LIKE '%髙%'")
        ).scalar()
    assert named >= 1

    third = runs.run_all("mihon", rehearsal=3)
    assert {row.code: row.since for row in third.gaiji}[chosen.code] == "decided"
    page = (home / "runs" / third.run_id / "reports" / "gaiji.html").read_text("utf-8")
    assert "字形が同じ" in page


def test_what_a_later_dump_does_not_hold_any_more_is_gone_and_stays_listed_once(rehearsed):
    home, first = rehearsed
    receive(home, residents=1500, faults=0.0)
    second = runs.run_all("mihon", rehearsal=2)
    assert {row.since for row in second.gaiji} <= {"gone", "open"}
    gone = [row for row in second.gaiji if row.since == "gone"]
    assert {row.code for row in gone} >= {row.code for row in first.gaiji if row.area == "user-defined"}
    assert all(row.count == 0 and row.first == () for row in gone)
    third = runs.run_all("mihon", rehearsal=3)
    assert [row for row in third.gaiji if row.since == "gone"] == []


def test_the_csv_is_read_back_as_the_workbook_is(rehearsed):
    home, record = rehearsed
    gaiji_ledger.export(record.run_id, home / "gaiji.csv")
    rows = list(csv.DictReader((home / "gaiji.csv").read_text("utf-8-sig").splitlines()))
    own = next(row for row in rows if row["area"] == "user-defined")
    own.update(decision="private", **SAID)
    with (home / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert gaiji_import.read_back(home / "filled.csv", load(town(home))) == {"juki_master": (1, 0, 0, 0)}
    assert gaiji_import.read_back(home / "filled.csv", load(town(home))) == {"juki_master": (0, 0, 1, 0)}
    own.update(decision="substitute", text="高")
    with (home / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert gaiji_import.read_back(home / "filled.csv", load(town(home))) == {"juki_master": (0, 1, 0, 0)}


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
    table = town(home) / "resident_records" / "gaiji" / "juki_master.csv"
    before = table.read_bytes()
    fill_in(home, {code: filled})
    with pytest.raises(SpecError, match=re.escape(says)):
        gaiji_import.read_back(home / "gaiji.xlsx", load(town(home)))
    assert table.read_bytes() == before


def test_a_file_that_is_no_ledger_is_refused(rehearsed):
    home, _ = rehearsed
    for name, content in (("a.xlsx", b"no workbook"), ("a.csv", b"one,two\n1,2\n"), ("b.csv", b"\xff\xfe")):
        (home / name).write_bytes(content)
        with pytest.raises(RunError):
            gaiji_import.read_back(home / name, load(town(home)))


def test_a_dump_without_a_gaiji_table_says_how_to_make_one(rehearsed):
    home, record = rehearsed
    code = next(row.code for row in record.gaiji if row.area == "user-defined")
    fill_in(home, {code: {"decision": "private", **SAID}})
    manifest = town(home) / "resident_records/manifest.yaml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("      gaiji: gaiji/juki_master.csv\n", ""), encoding="utf-8"
    )
    with pytest.raises(RunError, match=r"Make resident_records/gaiji/juki_master\.csv"):
        gaiji_import.read_back(home / "gaiji.xlsx", load(town(home)))


TABLE = """# 見本市 外字対応表, "the registry's"
Code,Decision,Text,Reason,Decided_by,Sheet

0x80B1,character,U+9AD9,same glyph,Registry,12
80b2,character,吉,"same
glyph",Registry,13
"""


def ledger(home, *rows, columns=("dump", "code", "area", "decision", "text", "reason", "decided_by", "decided_on")):
    """A ledger as CSV: the given cells of each line, and for a decision a reason and who decided."""
    with (home.parent / "ledger.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({"dump": "juki_master", **(SAID if row.get("decision") else {}), **row})
    return home.parent / "ledger.csv"


def import_ledger(home, file):
    return gaiji_import.read_back(file, load(town(home)))


def table_of(home):
    return town(home) / "resident_records" / "gaiji" / "juki_master.csv"


def test_an_import_keeps_every_line_comment_and_column_of_the_table(home):
    table_of(home).write_text(TABLE, encoding="utf-8")
    file = ledger(home, {"code": "80A1", "decision": "character", "text": "髙"})
    assert import_ledger(home, file) == {"juki_master": (1, 0, 0, 0)}
    lines = table_of(home).read_text("utf-8").split("\n")
    before = TABLE.split("\n")
    assert lines[0] == before[0]
    assert lines[1].startswith(before[1])
    assert lines[2 : len(before) - 1] == before[2:-1]
    charset = load(town(home)).dumps["juki_master"].reading.charset
    assert {code: d.text for code, d in charset.decisions.items()} == {0x80A1: "髙", 0x80B1: "髙", 0x80B2: "吉"}


def test_a_decision_changes_its_own_line_however_its_code_is_written(home):
    table_of(home).write_text(TABLE, encoding="utf-8")
    rows = [
        {"code": "80B1", "decision": "character", "text": "髙", "reason": "same glyph", "decided_by": "Registry"},
        {"code": "80B2", "decision": "substitute", "text": "吉"},
    ]
    assert import_ledger(home, ledger(home, *rows)) == {"juki_master": (0, 1, 1, 0)}
    text = table_of(home).read_text("utf-8")
    assert "0x80B1,character,U+9AD9,same glyph,Registry,12\n" in text
    assert "80b2,substitute,吉," in text
    assert ",13" in text
    assert len(load(town(home)).dumps["juki_master"].reading.charset.decisions) == 2


def test_a_decision_that_was_in_force_and_is_emptied_is_withdrawn_and_no_other(home):
    table_of(home).write_text(TABLE, encoding="utf-8")
    file = ledger(home, {"code": "80B1", "area": "decided", "text": "髙"}, {"code": "80B2", "area": "user-defined"})
    assert import_ledger(home, file) == {"juki_master": (0, 0, 0, 1)}
    assert set(load(town(home)).dumps["juki_master"].reading.charset.decisions) == {0x80B2}
    assert import_ledger(home, file) == {"juki_master": (0, 0, 0, 0)}


def test_an_import_that_the_check_would_refuse_changes_nothing(home):
    """A character beyond the target's repertoire stands in the charset's standard area, which no table decides about."""
    before = table_of(home).read_bytes()
    rows = [{"code": "80A1", "decision": "private"}, {"code": "B0A1", "decision": "substitute", "text": "上"}]
    with pytest.raises(SpecError, match=r"ledger\.csv:3:1: L931 code B0A1"):
        import_ledger(home, ledger(home, *rows))
    assert table_of(home).read_bytes() == before
    assert [p.name for p in table_of(home).parent.iterdir()] == [table_of(home).name]
    load(town(home))


def test_a_date_that_a_spreadsheet_made_of_what_was_typed_is_a_date(rehearsed):
    home, record = rehearsed
    codes = [row.code for row in record.gaiji if row.area == "user-defined"]
    typed = {"decision": "private", "decided_on": datetime.datetime(2026, 11, 26), **SAID}
    fill_in(home, {codes[0]: typed})
    assert import_ledger(home, home / "gaiji.xlsx") == {"juki_master": (1, 0, 0, 0)}
    file = ledger(home, {"code": codes[0], "decided_on": "2026/11/6", "decision": "private"})
    assert import_ledger(home, file) == {"juki_master": (0, 1, 0, 0)}
    decision = load(town(home)).dumps["juki_master"].reading.charset.decisions[int(codes[0], 16)]
    assert decision.on == "2026-11-06"


def test_a_single_byte_is_refused_by_name_and_its_line(home):
    with pytest.raises(SpecError, match=r"ledger\.csv:2:1: L930 `FA` is a single byte, which no gaiji table decides"):
        import_ledger(home, ledger(home, {"code": "FA", "decision": "character", "text": "髙"}))


def test_two_lines_that_decide_a_code_otherwise_are_refused(home):
    rows = [{"code": "80A1", "decision": "character", "text": text} for text in "髙高"]
    with pytest.raises(SpecError, match=r"ledger\.csv:3:1: L930 code 80A1 is decided otherwise on line 2"):
        import_ledger(home, ledger(home, *rows))


def test_a_ledger_without_the_dumps_is_no_ledger(home):
    file = ledger(home, {"code": "80A1", "decision": "private"}, columns=("code", "decision", "reason", "decided_by"))
    with pytest.raises(RunError, match="no line names the columns dump, code and decision"):
        import_ledger(home, file)


@pytest.mark.parametrize("batch_records", [4, 100])
def test_the_first_places_of_each_field_are_kept_however_the_dump_is_read(batch_records):
    layout = read_copybook("01 R. 05 A PIC N(3). 05 B PIC N(2).", file="r.cpy")
    gaiji_first, usual = "80A1 B0A1 80A1 80A1 B0A1", "B0A1 B0A1 B0A1 80A1 B0A1"
    data = bytes.fromhex("".join(usual if n % 2 else gaiji_first for n in range(12)))
    notes = Notes()
    charset = charsets.load("fujitsu", {}, Path())
    framing = framings.load("fixed", {"length": "10"}, layout)
    options = {"name": "d", "layout": layout, "framing": framing, "charset": charset, "batch_records": batch_records}
    for extracted in extract(open_bytes(data), **options):
        notes.add(extracted)
    found = {met.field: (met.count, met.places) for met in notes.characters}
    # A record counts once, at its first character there.
    assert found == {
        "A": (12, ((1, 0), (3, 20), (5, 40), (7, 60), (9, 80))),
        "B": (12, ((1, 6), (2, 16), (3, 26), (4, 36), (5, 46))),
    }


def test_a_single_byte_is_named_in_the_ledger_and_its_cells_take_no_decision(home):
    characters = tuple(
        Met(field="A", code=code, area=area, count=1, records=1, places=((1, offset),))
        for code, area, offset in ((SINGLE + 0xFA, "undefined", 0), (0x80A1, "user-defined", 2))
    )
    rows = gaiji_ledger.ledger(load(town(home)), {"juki_master": DumpAccount(characters=characters)}, None)
    assert {row.code: (row.place, decidable(row)) for row in rows} == {
        "FA": ("single byte", False),
        "80A1": ("user-defined", True),
    }
