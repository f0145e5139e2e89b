"""Results are read back as they were written, in every format that there was; a newer one is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migration_reports.findings import RunError
from migration_reports.records import counted, formats, steps
from migration_reports.records.comparison import compare
from migration_reports.records.formats import FORMER_NAMES, UPGRADES, from_json, name_of, to_json
from migration_reports.records.run_record import FORMAT, AttachmentCheck, CandidateSearch, Decision, RunRecord, Timing
from migration_reports.records.step_result import StepResult
from tests.migration_reports.invented_runs import RUNS

FORMER = Path(__file__).parents[1] / "golden" / "former_run"
"""What a run of three slices left before results had formats; lists are shortened."""

WRITTEN = [
    steps.Begun(run_id="r", folder="f", code="990027", mode="rehearsal", rehearsal=1, owner="o", inbox="i", started="s"),
    steps.Specs(sha256={"a/manifest.yaml": "00"}),
    steps.Receipts(receipts=RUNS["rehearsal"].receipts),
    steps.Held(reasons=(steps.Reason("理由", "a reason"),)),
    steps.Cuts(dumps={"format": steps.DumpCuts(slices=(steps.SliceCut(offset=0, length=-1, record=1, state=(1,)),))}),
    counted.SliceAccount(
        sums={"person.A": "123456789012345678901234567890123456.70"},
        trailers={"trailer": ({"N": None}, {"N": "1"})},
        characters=(counted.Met(field="A", code=1, area="undefined", count=1, records=1, places=((1, 2),)),),
    ),
    counted.DumpAccount(characters_distinct=1),
    counted.Made(parts={"t.0": counted.PartMade(unknown={"sex": {"9": 1}})}),
    steps.Attachments(checks=(AttachmentCheck(place="tenpu", kinds=("d.k",), files=2, named=1, extra=1),)),
    steps.Validation(rules=RUNS["rehearsal"].rules, rejected=3),
    steps.Searched(searches=(CandidateSearch(name="s.c", ja="c", en="c", table="s.t", other="s.t", severity="note"),)),
    steps.Verdict(promotable=False, lines=RUNS["rehearsal"].reconciliations, reasons=(steps.Reason("理由", "a reason"),)),
    steps.Approval(decision=Decision(approved=True, by="課長", at="2026-11-28T05:12:00+00:00")),
    steps.Promotion(rows={"residents": 1}, amounts=RUNS["rehearsal"].amounts),
    steps.Failure(reason="the database is away", at="s"),
    steps.Finished(at="s"),
    steps.Timed(timing=Timing(step="validate", started="s", seconds=0.5)),
    RUNS["rehearsal"],
]  # fmt: skip

KINDS = [
    kind
    for module in (steps, counted)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, StepResult)
]


@pytest.mark.parametrize("value", WRITTEN, ids=lambda value: type(value).__name__)
def test_what_is_written_is_read_back(value):
    assert from_json(type(value), to_json(value), where="x.json") == value


def test_every_result_is_tried():
    assert {type(value) for value in WRITTEN} == {*KINDS, RunRecord} - {StepResult, counted.Counted}


def read_former(kind, of=""):
    name = FORMER_NAMES.get(kind, name_of(kind))
    file = FORMER / (f"{name}/{of}.json" if of else f"{name}.json")
    return from_json(kind, file.read_bytes(), where=str(file))


def test_slices_of_a_former_run_add_up_to_its_dumps_account():
    slices = [read_former(counted.SliceAccount, f"juki_master/000{number}") for number in (1, 2, 3)]
    total = slices[0] + slices[1] + slices[2]
    assert counted.DumpAccount.of(total, ["header", "resident", "trailer"]) == read_former(
        counted.DumpAccount, "juki_master"
    )
    assert read_former(counted.Made).parts == total.made
    cuts = read_former(steps.Cuts).dumps["juki_master"]
    assert [(cut.record, cut.state) for cut in cuts.slices] == [(1, ()), (15, (1,)), (29, (1,))]
    assert len(cuts.sha256) == 3


def test_every_other_result_of_a_former_run_is_read():
    assert read_former(steps.Receipts).of("juki_master")[0].bytes == 16_800
    assert len(read_former(steps.Specs).sha256) == 3
    assert read_former(steps.Held).reasons[0].en == "An expected file has not come (juki_master.dat)"
    assert read_former(steps.Validation).rules[0].rule == "resident_records.households.household_no.not_null"
    assert read_former(steps.Verdict).promotable
    assert read_former(steps.Approval).decision.by == "automatic"
    assert read_former(steps.Promotion).rows["resident_records.residents"] == 40
    assert read_former(steps.Failure).reason == "the database is away"
    assert read_former(steps.Finished).at == "2026-11-28T09:28:11+00:00"
    assert read_former(steps.Timed, "validate").timing.step == "validate"


def test_the_record_of_a_former_run_names_tables_by_their_system():
    record = from_json(RunRecord, (FORMER / "reports" / "run.json").read_bytes(), where="run.json")
    assert record.state == "promoted"
    assert {line.table for line in record.reconciliations} == {
        f"resident_records.{name}" for name in ("households", "residents", "tax_amounts", "protective_measures")
    }
    assert (record.references[0].table, record.references[0].target_table) == (
        "resident_records.households", "resident_records.residents",
    )  # fmt: skip
    assert record.receipts[0].rules["binary_sizes"] == "2-4-8"


def test_runs_are_compared_across_the_change_of_names():
    bare = RUNS["rehearsal"]
    former = from_json(RunRecord, bare.model_dump_json().replace('"format":2', '"format":1').encode(), where="run.json")
    now = [issue.model_copy(update={"table": f"resident_records.{issue.table}"}) for issue in bare.issues]
    assert compare(former, now).changes == ()
    assert {change.table for change in former.since.changes} == {
        "resident_records.residents", "resident_records.tax_amounts",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "table", "now"),
    [
        ("residents.birth.length", "residents", "resident_records.residents.birth.length"),
        ("postal_code_form.residents", "residents", "postal_code_form.resident_records.residents"),
        ("single_head", "residents", "single_head"),
        ("tax.payers.birth.length", "tax.payers", "tax.payers.birth.length"),
    ],
)
def test_rules_are_called_as_their_tables_are(rule, table, now):
    (row,) = UPGRADES[steps.Validation, 0]({"rules": [{"rule": rule, "table": table}]})["rules"]
    assert row["rule"] == now


@pytest.mark.parametrize("kind", [steps.Verdict, RunRecord])
def test_a_newer_format_is_refused_with_what_to_do(kind):
    number = kind.model_fields["format"].default + 1
    text = json.dumps({"format": number, "something": "new"}).encode()
    with pytest.raises(
        RunError, match=rf"runs/x\.json was written by a newer program: its format is {number}, .* Use the"
    ):
        from_json(kind, text, where="runs/x.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "it is no JSON of that form"),
        (b"[1]", "it is no JSON of that form"),
        (b'{"promotable": tru', "it is no JSON of that form"),
        (b'{"format": 1}', "1 of its values cannot be right"),
        (b'{"format": 1, "promotable": true, "more": 1}', "1 of its values cannot be right"),
        (b"\xff", "it is no JSON of that form"),
    ],
)
def test_what_no_program_wrote_is_refused_and_no_value_is_shown(text, said):
    with pytest.raises(RunError, match=rf"x\.json is not the verdict of a run: {said}"):
        from_json(steps.Verdict, text, where="x.json")


def test_upgrades_lead_from_format_to_format(monkeypatch):
    class Verdict(steps.StepResult):
        format: int = 3
        may: bool

    later = {
        (Verdict, 1): lambda data: {"can": data["promotable"]},
        (Verdict, 2): lambda data: {"may": data["can"]},
    }
    monkeypatch.setattr(formats, "UPGRADES", {**UPGRADES, **later})
    for text in (b'{"promotable": true}', b'{"format": 1, "promotable": true}', b'{"format": 2, "can": true}'):
        assert from_json(Verdict, text, where="x.json").may
    monkeypatch.setattr(formats, "UPGRADES", UPGRADES)
    with pytest.raises(RunError, match="is not the verdict of a run"):
        from_json(Verdict, b'{"format": 1, "promotable": true}', where="x.json")


@pytest.mark.parametrize("kind", [*KINDS, RunRecord], ids=lambda kind: kind.__name__)
def test_every_format_that_there_was_has_an_upgrade(kind):
    latest = kind.model_fields["format"].default
    assert latest == (FORMAT if kind is RunRecord else latest)
    assert all((kind, number) in UPGRADES for number in range(1, latest))
