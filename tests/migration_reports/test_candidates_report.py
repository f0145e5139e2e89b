"""The list of candidates in its three forms, and its section of the result: counts, ids and places, and no number."""

from __future__ import annotations

import csv

import openpyxl
import pytest

from migration_reports.pages.render import render
from migration_reports.records.run_record import CandidatePair, CandidateSearch, EvidenceTried, Place
from migration_reports.reports._candidates import candidates_ledger
from migration_reports.reports._ledger import CANDIDATES, NUMBERED, csv_file, workbook
from tests.migration_reports.invented_runs import REHEARSAL

NAME = "integrated_linkage.same_person"
SEARCHES = (
    CandidateSearch(
        name=NAME, ja="同一人の二重付番", en="one person under two numbers", table="integrated_linkage.parties",
        other="integrated_linkage.parties", severity="error", items={"name_kana": ("フリガナ", "name in kana"), "sex": ("性別", "sex")},
        evidence=(
            EvidenceTried(evidence="kana_birth", strong=True, pairs=41),
            EvidenceTried(evidence="telephone", strong=False, pairs=7, groups_left=3, rows_left=4321),
        ),
        since={"new": 31, "open": 5, "back": 1, "changed": 2, "decided": 8, "gone": 3}, decisions={"same": 6, "different": 4}, open=37,
    ),
    CandidateSearch(
        name="e_procurement.is_creditor", ja="業者と債権者の同一", en="a vendor who is a creditor", table="e_procurement.vendors",
        other="financial_accounting.creditors", severity="alert", missing=("financial_accounting.creditors",),
    ),
)  # fmt: skip
PAIRS = (
    CandidatePair(
        candidates=NAME, id="0a1b2c3d4e5f", group="0a1b2c3d4e5f", strong=True, evidence=("kana_birth",), agree=("name_kana",),
        differ=("sex",), a=Place(dump="atena", record=1234), b=Place(dump="jutogai", record=77), since="back",
    ),
    CandidatePair(
        candidates=NAME, id="99aa88bb77cc", group="0a1b2c3d4e5f", strong=False, evidence=("telephone",), since="changed",
        decision="different", reason="=cmd|'/c calc'!A1 <b>家族</b>", decided_by="住民課", decided_on="2026-11-20",
    ),
    CandidatePair(candidates=NAME, id="1111aaaa2222", group="1111aaaa2222", strong=False, evidence=(), since="decided", follows="same"),
)  # fmt: skip
RECORD = REHEARSAL.model_copy(update={"searches": SEARCHES, "pairs": PAIRS, "pairs_left_out": 8642})


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return {path.name: path for path in render(RECORD, tmp_path_factory.mktemp("reports"), findings=None)}


def test_the_page_shows_every_pair_with_what_speaks_for_it(rendered):
    page = rendered["candidates.html"].read_text("utf-8")
    for said in (
        "名寄せ候補一覧", "同一人の二重付番", "one person under two numbers", "フリガナ", "name in kana", "性別", "0a1b2c3d4e5f", "1,234",
        "再び出現", "back again", "別人", "different", "他の判断からの帰結", "4,321", "8,642", "&lt;b&gt;家族", "不可 / held",
        "比べる表がない", "financial_accounting.creditors", "<b>37</b>",
    ):  # fmt: skip
        assert said in page, said
    assert "<script" not in page


@pytest.mark.parametrize(
    ("language", "title", "missing"), [("ja", "名寄せ候補", "比べる表がない"), ("en", "Candidates", "Table not there")]
)
def test_the_result_counts_them(rendered, language, title, missing):
    page = rendered[f"result.{language}.html"].read_text("utf-8")
    section = (
        page[page.index(f"<h2>{title}</h2>") :]
        .partition(
            "<h2>",
        )[2]
        .partition("<h2>")[0]
    )
    assert all(said in section for said in ("candidates.xlsx", ">37<", ">6<", ">4<", ">31<", ">4,321<", missing, NAME))


def test_a_result_without_candidates_has_no_section_of_them(tmp_path):
    pages = {path.name: path for path in render(REHEARSAL, tmp_path, findings=None)}
    assert "candidates.xlsx" not in pages["result.en.html"].read_text("utf-8")
    assert "該当なし" in pages["candidates.html"].read_text("utf-8")


def test_the_files_hold_the_same_and_start_no_formula(rendered):
    rows = list(csv.reader(rendered["candidates.csv"].read_text("utf-8-sig").splitlines()))
    sheet = openpyxl.load_workbook(rendered["candidates.xlsx"]).worksheets[0]
    cells = [["" if cell.value is None else str(cell.value) for cell in row] for row in sheet.iter_rows()]
    assert [name.split("\n")[-1] for name in cells[0]] == rows[0] == list(CANDIDATES)
    assert [[cell.lstrip("'") for cell in row] for row in rows[1:]] == cells[1:]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    reason = rows[2][CANDIDATES.index("reason")]
    assert reason.startswith("'=")


def test_a_report_takes_no_decision_and_an_exported_list_does(tmp_path):
    """The report has no numbers by which a decision could be read back; of the list, `keeps` takes one of the line's two."""
    rows = [tuple("gone" if line and name == "since" else name for name in NUMBERED) for line in range(2)]
    ledger = candidates_ledger("r", "", NUMBERED, rows)
    assert ledger.fillable == [True, False]
    (tmp_path / "list.xlsx").write_bytes(workbook(ledger))
    book = openpyxl.load_workbook(tmp_path / "list.xlsx").worksheets[0]
    rules = {str(rule.sqref): (rule.type, rule.formula1) for rule in book.data_validations.dataValidation}
    column = {name: book.cell(1, number).column_letter for number, name in enumerate(NUMBERED, 1)}
    assert rules[f"{column['decision']}2"] == ("list", '"same,different,later"')
    assert rules[f"{column['keeps']}2"] == ("list", f"${column['a']}2:${column['b']}2")
    assert rules[f"{column['decision']}3:{column['decided_on']}3"] == ("custom", "FALSE")
    report = candidates_ledger("r", "", CANDIDATES, [tuple(CANDIDATES)])
    assert report.fillable == [False]
    assert csv_file(report).decode("utf-8-sig").count("\n") == 2
