"""Reports say what the record says, safely, in both languages, and without a network."""

from __future__ import annotations

import csv
import hashlib
import re
import stat

import openpyxl
import pytest

from migration_reports import catalogue
from migration_reports.findings import Severity, findings_at
from migration_reports.pages.render import question, render
from migration_reports.pages.summary import summary
from migration_reports.records import verdicts
from migration_reports.records.run_record import (
    AmountGroup,
    AmountReconciliation,
    Control,
    ControlGroup,
    Decision,
    DumpReceipt,
    Evidence,
    FieldFate,
    Gaiji,
    Issue,
    Municipality,
    Place,
    Reconciliation,
    RecordFate,
    ReferenceResult,
    RuleResult,
    RunRecord,
)
from migration_reports.records.standing import standing
from migration_reports.reports import FILES, gaiji
from migration_reports.reports._ledger import GAIJI as COLUMNS
from migration_reports.reports._ledger import unguarded
from migration_reports.words import WORDS

HOSTILE = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("x")'


@pytest.fixture
def record():
    return RunRecord(
        run_id="990027-r03-test",
        municipality=Municipality(code="990027", name=HOSTILE, romaji="mihon"),
        mode="rehearsal",
        rehearsal=3,
        state="held",
        state_reason_ja="件数がトレーラーと合わない",
        state_reason_en="The count differs from the trailer",
        started="2026-04-01T00:00:00+00:00",
        finished="2026-04-01T00:10:00+00:00",
        decision=Decision(approved=True, by=FORMULA, at="2026-04-01T00:09:00+00:00"),
        versions={"hikkoshi": "0.1.0"},
        receipts=(
            DumpReceipt(dump="d", title=FORMULA, file="d.dat", status="received", bytes=1234567, sha256="a" * 64, records=4321, bytes_left_over=17, bytes_left_out=86423,
                        framing="fixed", rules={"sync_long": "4", "spaces": "null"}, sources={"sync_long": "Language Reference, <SYNC>"}),
            DumpReceipt(dump="e", title="二", file="e.dat", status="missing"),
        ),
        fates=(RecordFate(dump="d", kind="person", role="data", records=4321, accepted=4300, rejected=21),),
        controls=(Control(dump="d", name="count of person", kind="count", field="t.N", stated="4322", found="4321", agrees=False),),
        reconciliations=(Reconciliation(dump="d", kind="person", table="residents", records=4321, candidates=4321, rows_staged=4321, rows_rejected=21, rows_promoted=4300),),
        amounts=(AmountReconciliation(dump="d", kind="person", field="F", table="tax", column="amount", in_dump="-1234567.89", in_rejected="0", in_table="-1234567.89", agrees=True),),
        rules=(RuleResult(rule="residents.key", title_ja="宛名番号", title_en="number", code="V404", severity="error", table="residents", failing_polars=9, failing_gx=8, reported=9),),
        references=(
            ReferenceResult(table="households", columns=("head",), target_table="residents", target_columns=("no",), orphan="stays",
                            rows=7654, fell=0, dangling=1357, dangling_gx=1357, first=(Place(dump="d", record=11, offset=1111),)),
            ReferenceResult(table="residents", columns=("household",), target_table="households", target_columns=("no",), orphan="falls",
                            rows=8765, fell=2468, dangling=0, dangling_gx=3),
        ),
        issues=(Issue(code="D201", severity="error", dump="d", field=FORMULA, table="residents", column="birth", mapping="x.yaml:3", count=9876, first=(Place(dump="d", record=7, offset=2096),)),),
        rejects=21,
        rejects_allowed=20,
        coverage=(
            FieldFate(dump="d", kind="person", field="MAPPED", picture="X(3)", offset=0, width=3, filled=4000, targets=("residents.name",)),
            FieldFate(dump="d", kind="person", field="FILLED", picture="X(5)", offset=3, width=5, filled=314, ignored_because="予備"),
        ),
        gaiji=(Gaiji(dump="d", charset="fujitsu", code="80A1", area="user-defined", unicode="U+E000", count=55, records=54, fields=("NAME",)),),
        gaiji_left_out=4567,
        evidence=(Evidence(name="d.dat", kind="dump", sha256="a" * 64),),
    )  # fmt: skip


@pytest.fixture
def rendered(record, tmp_path):
    import pyarrow as pa

    path = tmp_path / "findings.arrow"
    batch = findings_at("D201", Severity.ERROR, dump="d", record=pa.array([7]), offset=pa.array([2096]), field=FORMULA)
    with pa.OSFile(str(path), "wb") as raw, pa.ipc.new_file(raw, batch.schema) as file:
        file.write_batch(batch)
    return {p.name: p for p in render(record, tmp_path / "reports", findings=path)}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_shows_what_the_record_says(rendered, record, language):
    page = rendered[f"result.{language}.html"].read_text("utf-8")
    words = WORDS[language]
    for shown in (
        "4,321", "4,300", "21", "1,234,567", "-1,234,567.89", "9,876", "4,322", "314", "7 / 2,096", "80A1", "U+E000", "4,567",
        getattr(standing(record), language), words["missing"], words["open"], "residents.key", "a" * 64, "09:00:00 JST",
        getattr(catalogue.CATALOGUE["D201"], language), words["header_trailer"], "86,423",
    ):  # fmt: skip
        assert shown in page, shown
    assert page.index("FILLED") < page.index(">MAPPED"), "a field that is filled and goes nowhere stands first"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_each_rule_of_reading_stands_with_its_source(rendered, language):
    page = next(
        rendered[name] for name in rendered if name.startswith("result") and language in name and "html" in name
    )
    assert '<span class="action">Language Reference, &lt;SYNC&gt;</span>' in page.read_text("utf-8")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_needs_no_network_and_runs_no_script(rendered, language):
    page = rendered[f"result.{language}.html"].read_text("utf-8")
    assert not re.findall(r"https?://|src=|@import|url\(", page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert re.findall(r'href="([^"]+)"', page) == [
        f"result.{'en' if language == 'ja' else 'ja'}.html", "gaiji.html", "gaiji.xlsx", "gaiji.csv",
    ]  # fmt: skip


def test_the_workbook_opens_and_starts_no_formula(rendered):
    book = openpyxl.load_workbook(rendered["workbook.xlsx"])
    assert len(book.sheetnames) == 14
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert [cell for cell in cells if cell.value == FORMULA]
    assert 9876 in {cell.value for cell in cells}


def test_the_json_reads_back_equal(rendered, record):
    assert RunRecord.model_validate_json(rendered["run.json"].read_text("utf-8")) == record


def test_every_file_is_summed_and_for_its_owner_only(rendered):
    sums = dict(reversed(line.split("  ")) for line in rendered["SHA256SUMS"].read_text("utf-8").splitlines())
    for name, path in rendered.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if name != "SHA256SUMS":
            assert sums[name] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("language", "by", "decided"), [("ja", False, "アラート: 確認済"), ("en", True, "alert: open, not acknowledged")]
)
def test_what_dangles_is_listed_with_what_was_decided(record, tmp_path, language, by, decided):
    decision = record.decision.model_copy(update={"automatic": by})
    render(record.model_copy(update={"decision": decision}), tmp_path, findings=None)
    page = (tmp_path / f"result.{language}.html").read_text("utf-8")
    section = page[page.index(WORDS[language]["references_lead"]) : page.index(f"<h2>{WORDS[language]['amounts']}")]
    lines = [re.sub(r"<[^>]+>", "|", line) for line in section.split("<tr>")[2:]]
    assert [[cell for cell in line.split("|") if cell.strip()] for line in lines] == [
        ["households.head → residents.no", "7,654", "0", "1,357", "1,357", f"11 / 1,111 … {WORDS[language]['more']} 1,356", decided, WORDS[language]["closes"]],
        ["residents.household → households.no", "8,765", "2,468", "0", "3", WORDS[language]["orphan_falls"], WORDS[language]["open"]],
    ]  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "workbook.xlsx")["参照照合 References"]
    assert [[cell.value for cell in row][:5] for row in sheet.iter_rows(min_row=2)] == [
        ["households.head → residents.no", 7654, 0, 1357, 1357],
        ["residents.household → households.no", 8765, 2468, 0, 3],
    ]


def test_the_question_lists_what_dangles(record):
    text = question(record)
    assert "| households.head → residents.no | 7,654 | 0 | 1,357 | d 11 / 1,111 | ✓ |" in text
    assert "| residents.household → households.no | 8,765 | 2,468 | 0 |  | ✗ |" in text
    assert "参照" not in question(record.model_copy(update={"references": ()}))


def test_the_question_shows_what_does_not_agree(record):
    text = question(record)
    assert "| d: person の件数 / count of person | 4,322 | 4,321 | ✗ |" in text
    assert "| residents (d.person) | 4,321 | 4,300 |" in text
    assert "Polars = Great Expectations: 0" in text


def test_every_word_and_code_is_there_in_both_languages():
    assert WORDS["ja"].keys() == WORDS["en"].keys()
    for entry in catalogue.CATALOGUE.values():
        assert all((entry.ja, entry.en, entry.action_ja, entry.action_en)), entry.code
        assert re.fullmatch(r"[FDMVC]\d{3}", entry.code)
    assert len(catalogue.BY_NAME) == len(catalogue.CATALOGUE)


def test_japanese_is_in_the_register_of_official_documents():
    texts = [*WORDS["ja"].values(), *(text for e in catalogue.CATALOGUE.values() for text in (e.ja, e.action_ja))]
    assert [text for text in texts if re.search("ください|です|ます|ません|ました", text)] == []


def test_every_report_makes_the_files_that_it_names(rendered):
    assert list(rendered) == list(FILES)


def test_the_gaiji_ledger_is_one_table_in_three_forms(rendered):
    rows = list(csv.reader(rendered["gaiji.csv"].read_text("utf-8-sig").splitlines()))
    sheet = openpyxl.load_workbook(rendered["gaiji.xlsx"]).worksheets[0]
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [heading.split("\n")[-1] for heading in table[0]] == rows[0] == list(COLUMNS)
    assert [[str(cell or "") for cell in row] for row in table[1:]] == rows[1:]
    assert rows[1][rows[0].index("records")] == "54"
    page = rendered["gaiji.html"].read_text("utf-8")
    assert "80A1" in page
    assert "<script" not in page
    assert not re.findall(r"https?://|src=|@import|url\(", page)


def test_a_ledgers_cells_start_no_formula(record, tmp_path):
    row = record.gaiji[0].model_copy(update={"reason": "=1+1", "decision": "private", "decided_by": "@x"})
    evil = record.model_copy(update={"gaiji": (row,)})
    files = dict(gaiji.files(evil, None, lambda *_: ""))
    cells = next(csv.reader(files["gaiji.csv"].decode("utf-8-sig").splitlines()[1:]))
    assert [c for c in cells if c.startswith(("=", "@"))] == []
    assert [unguarded(c) for c in cells][14:16] == ["=1+1", "@x"]
    (tmp_path / "g.xlsx").write_bytes(files["gaiji.xlsx"])
    sheet = openpyxl.load_workbook(tmp_path / "g.xlsx").worksheets[0]
    assert [cell for line in sheet.iter_rows() for cell in line if cell.data_type == "f"] == []


def proved_by_group(record):
    """The record with a control by group, the same followed to a table, and records that are left."""
    control = record.controls[0].model_copy(
        update={
            "kind": "sum", "name": "sum of person.AMOUNT", "by": ("KAN", "KI"), "unit": 1000, "groups": 60, "differing": 1,
            "listed": (
                ControlGroup(values=(HOSTILE, "1"), place="kessan.csv:17", stated="7654", found="7655", agrees=False),
                ControlGroup(values=("*", "*"), place="kessan.csv:18", stated="*", found="*", agrees=True),
                *(ControlGroup(values=("02", f"ki{n}"), place="", stated="", found="1", agrees=True) for n in range(58)),
            ),
        }
    )  # fmt: skip
    amount = record.amounts[0].model_copy(
        update={
            "column": "", "by": ("kan", "term"), "groups": 1, "in_left": "31",
            "listed": (AmountGroup(values=("款02", ""), in_dump="8642", in_left="31", in_rejected="11", in_table="8600", agrees=True),),
        }
    )  # fmt: skip
    fate = record.fates[0].model_copy(update={"accepted": 4260, "left": {"削除済み <b>": 37}, "untaken": 3})
    return record.model_copy(update={"controls": (control,), "amounts": (amount,), "fates": (fate,)})


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_shows_groups_and_what_is_left(record, tmp_path, language):
    files = {p.name: p for p in render(proved_by_group(record), tmp_path / "reports", findings=None)}
    page, words = files[f"result.{language}.html"].read_text("utf-8"), WORDS[language]
    for shown in (
        "KAN × KI", "kessan.csv:17", "7,654", "7,655", "59 / 60", "款02", "8,642", "8,600", f"{words['in_unit']} 1,000",
        "削除済み &lt;b&gt;", words["left_by_reason"], "ki47", f"{words['more']} 10",
    ):  # fmt: skip
        assert shown in page, shown
    assert "ki48" not in page, "the page stops, and says how many more there are"
    book = openpyxl.load_workbook(files["workbook.xlsx"])
    said = {
        sheet: [[str(cell) for cell in row] for row in book[sheet].iter_rows(values_only=True)]
        for sheet in book.sheetnames
    }
    assert [row[2] for row in said["グループ Groups"][1:3]] == [f"KAN {HOSTILE}, KI 1", "KAN *, KI *"]
    assert len(said["グループ Groups"]) == 61
    assert said["グループ別金額 Group amounts"][1][3:8] == ["kan 款02, term ", "8,642", "8,600", "11", "31"]
    assert said["レコード Records"][1][6:9] == ["37", "削除済み <b>: 37", "3"]


def test_every_record_is_explained_or_the_fate_does_not_close(record):
    fate = proved_by_group(record).fates[0]
    assert fate.closes
    assert not fate.model_copy(update={"untaken": 4}).closes
    assert verdicts.of_fate(fate.model_copy(update={"left": {}})) is False


def test_the_summary_names_what_is_left_and_what_nobody_takes(record):
    lines = "\n".join(summary(proved_by_group(record)))
    assert "37 records of d.person left: 削除済み" in lines
    assert "3 records of d.person TAKEN BY NO TABLE" in lines
    assert "left: d.person: 削除済み" in question(proved_by_group(record)).replace("\\", "")
