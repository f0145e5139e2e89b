"""A number that is recomputed differently: its difference is told, and neither of the two numbers, anywhere."""

from __future__ import annotations

import openpyxl
import polars as pl

from migration_reports.findings import Severity
from migration_reports.pages.render import render
from migration_reports.records.run_record import RuleResult
from tests.migration_reports.invented_runs import REHEARSAL
from tests.sheets import rule_of
from tests.validators.shape_tables import frame, rules
from validators import engine
from validators.differences import differences

RENT = """
rent:
  recompute: total
  as: floor(serial * rate.price, 100)
  beside: {rate: {of: elsewhere.parts, per: kind, day: begun, from: since, until: until}}
  of: things
  source: these tests
"""
THINGS = [
    {"kind": "A", "begun": "20260401", "serial": 31_337, "total": 47_000},
    {"kind": "A", "begun": "20260401", "serial": 31_337, "total": 47_100},
    {"kind": "A", "begun": "20260401", "serial": 31_337, "total": 31_300},
    {"kind": "A", "begun": "20260331", "serial": 31_337, "total": 47_000},
    {"kind": "A", "begun": "20260401", "serial": 31_337},
]
PARTS = [{"kind": "A", "price": 1.5, "since": "20260401"}]


def judged():
    made = rules([rule_of(RENT)])
    frames = {
        "tests.things": frame("tests.things", THINGS).lazy(),
        "elsewhere.parts": frame("elsewhere.parts", PARTS).lazy(),
    }
    return made[0], engine.run_polars(made, frames)["rent"]


def test_how_far_they_differ_is_summed_up():
    rule, failing = judged()
    said = differences(failing)
    assert rule.severity is Severity.ALERT
    assert (said.unknown, said.total, said.least, said.greatest) == (1, "-15600", "-15700", "100")
    assert said.bands == {"100": 1, "100000": 1}
    assert [(one.record, one.difference) for one in said.first] == [(2, "100"), (3, "-15700")]


def test_rules_that_tell_no_difference_have_none():
    assert differences(pl.DataFrame({"source_dump": ["d"], "source_record": [1]})) is None
    assert differences(judged()[1].clear()) is None


def test_a_finding_says_the_difference_and_no_number():
    rule, failing = judged()
    earlier = pl.DataFrame(schema=dict.fromkeys(engine.CAUSE, pl.String)).cast({"record": pl.Int64})
    found = engine.findings(rule, failing, earlier=earlier, origins={})
    assert found["detail"].to_pylist() == ["difference 100", "difference -15700", "nothing to compare with"]


def test_the_reports_show_differences_and_no_number(tmp_path):
    rule, failing = judged()
    result = RuleResult(
        rule=rule.name, title_ja=rule.subject_ja, title_en=rule.subject_en, code=rule.code, severity="alert",
        table=rule.table, failing_polars=3, failing_gx=3, reported=3, rows=5, differences=differences(failing),
    )  # fmt: skip
    render(REHEARSAL.model_copy(update={"rules": (result,)}), tmp_path, findings=None)
    for language, title in (("ja", "再計算・突合との差額"), ("en", "By how much numbers differ")):
        page = (tmp_path / f"result.{language}.html").read_text("utf-8")
        assert title in page
        assert "-15,700" in page
        assert not [number for number in ("31,300", "31300", "47,100", "47100", "47,000") if number in page]
    book = openpyxl.load_workbook(tmp_path / "workbook.xlsx", read_only=True)
    (_, row) = book["差額 Differences"].iter_rows(values_only=True)
    assert [str(cell) for cell in row] == ["rent", "3", "1", "-15600", "-15700", "100", "≤ 100: 1, ≤ 100000: 1"]
