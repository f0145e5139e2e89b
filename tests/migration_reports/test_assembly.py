"""The record of a run from what its steps have left, without a run's folder: how it stands, and what stands in it."""

from __future__ import annotations

import pytest

from migration_reports.records.assembly import run_record, state_of
from migration_reports.records.counted import DumpAccount
from migration_reports.records.run_record import Decision, DumpReceipt, Evidence, Municipality, Timing
from migration_reports.records.steps import (
    Approval,
    Begun,
    Failure,
    Finished,
    Held,
    Promotion,
    Reason,
    Receipts,
    Results,
    Verdict,
)
from tests.migration_reports.invented_runs import RUNS

BEGUN = Begun(
    run_id="990027-r01-x", folder="990027_mihon", code="990027", mode="rehearsal", rehearsal=1, owner="", inbox="", started="s"
)  # fmt: skip
TOWN = Municipality(code="990027", name="見本市", romaji="mihon")

HELD = Held(reasons=(Reason("届いていない", "has not come"), Reason("空である", "is empty")))
GOOD, BAD = Verdict(promotable=True), Verdict(promotable=False, reasons=(Reason("多すぎる", "too many"),))
YES, NO = (Approval(decision=Decision(approved=approved, by="課長", at="t")) for approved in (True, False))
FAILED, PROMOTED = Failure(reason="away", at="t"), Promotion(rows={"residents": 1}, former_run="before")


@pytest.mark.parametrize(
    ("left", "state", "ja", "en"),
    [
        ({}, "running", "", ""),
        ({"held": HELD}, "held", "届いていない、空である", "has not come; is empty"),
        ({"verdict": GOOD}, "waiting", "", ""),
        ({"verdict": BAD}, "held", "多すぎる", "too many"),
        ({"verdict": GOOD, "approval": YES}, "waiting", "", ""),
        ({"verdict": GOOD, "approval": NO}, "rejected", "", ""),
        ({"failure": FAILED}, "failed", "処理が中断した (away)", "the run stopped (away)"),
        (
            {"verdict": GOOD, "approval": NO, "failure": FAILED},
            "failed",
            "処理が中断した (away)",
            "the run stopped (away)",
        ),
        ({"verdict": GOOD, "approval": YES, "promotion": PROMOTED}, "promoted", "", ""),
        # What failed behind its promotion is promoted all the same.
        ({"promotion": PROMOTED, "failure": FAILED}, "promoted", "", ""),
    ],
)
def test_how_a_run_stands_is_told_by_what_it_left(left, state, ja, en):
    results = Results(**left)
    assert state_of(results) == (state, ja, en)
    record = run_record(BEGUN, results, municipality=TOWN)
    assert (record.state, record.state_reason_ja, record.state_reason_en) == (state, ja, en)


@pytest.mark.parametrize("known", ["promoted", "superseded", "rolled back", "withdrawn", "abandoned"])
def test_what_the_ledger_alone_knows_goes_before(known):
    record = run_record(BEGUN, Results(failure=FAILED), municipality=TOWN, in_ledger=known)
    assert (record.state, record.state_reason_en) == (known, "")


@pytest.mark.parametrize("known", ["", "running", "held", "failed"])
def test_what_the_run_itself_knows_better_is_not_asked_of_the_ledger(known):
    assert run_record(BEGUN, Results(failure=FAILED), municipality=TOWN, in_ledger=known).state == "failed"


def test_a_run_that_has_just_begun_has_a_record():
    record = run_record(BEGUN, Results(), municipality=TOWN)
    assert (record.state, record.receipts, record.rejects, record.decision, record.finished) == (
        "running",
        (),
        0,
        None,
        "",
    )


def test_what_was_read_of_a_dump_stands_with_its_first_file():
    files = tuple(
        DumpReceipt(dump=dump, title="", file=name, status="received", sha256=sha256)
        for dump, name, sha256 in (("d", "d.1", "01"), ("d", "d.2", "02"), ("e", "e", ""))
    )
    account = DumpAccount(read={"records": 7, "left_over": 2, "left_out": 3, "kinds": {"person": 7}})
    results = Results(receipts=Receipts(receipts=files), accounts={"d": account})
    record = run_record(
        BEGUN, results, municipality=TOWN, evidence=(Evidence(name="a.cpy", kind="layout", sha256="03"),)
    )
    assert [(r.records, r.bytes_left_over, r.bytes_left_out, r.kinds) for r in record.receipts] == [
        (7, 2, 3, {"person": 7}), (0, 0, 0, {}), (0, 0, 0, {}),
    ]  # fmt: skip
    assert [(e.name, e.kind) for e in record.evidence] == [("d.1", "dump"), ("d.2", "dump"), ("a.cpy", "layout")]


def test_amounts_are_those_of_the_data_centre_once_there_are_any():
    (amount,) = RUNS["rehearsal"].amounts[:1]
    there = amount.model_copy(update={"in_table": "0", "agrees": False})
    verdict = Verdict(promotable=True, amounts=(amount,))
    before = run_record(BEGUN, Results(verdict=verdict), municipality=TOWN)
    after = run_record(
        BEGUN,
        Results(verdict=verdict, promotion=Promotion(rows={}, former_run="f", amounts=(there,))),
        municipality=TOWN,
    )
    assert (before.amounts, before.former_run) == ((amount,), "")
    assert (after.amounts, after.former_run) == ((there,), "f")


def test_steps_are_told_in_the_order_in_which_they_began():
    timings = tuple(Timing(step=step, started=at, seconds=1) for step, at in (("b", "2"), ("a", "1")))
    record = run_record(BEGUN, Results(timings=timings, finished=Finished(at="3")), municipality=TOWN)
    assert ([timing.step for timing in record.timings], record.finished) == (["a", "b"], "3")


def test_it_is_compared_with_the_run_before():
    former = RUNS["rehearsal"]
    record = run_record(BEGUN, Results(), municipality=TOWN, former=former)
    assert record.since.run_id == former.run_id
    assert {change.now for change in record.since.changes} == {0}
    assert run_record(BEGUN, Results(), municipality=TOWN).since is None
