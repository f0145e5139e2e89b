"""Candidates from the dump to the list, decided, imported, followed over rehearsals, and resolved; nobody is merged."""

from __future__ import annotations

import csv
import dataclasses
import re

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs
from dags.authoring.decisions import candidates_import
from dags.authoring.explain import explain
from dags.pipeline import town as town_module
from dags.pipeline.candidates import followed
from dags.pipeline.candidates.export import export
from dags.pipeline.town import load
from migration_reports.candidates import pair_id
from migration_reports.findings import RunError, SpecError, UsageError
from target_schemas.postgres.database import connect
from target_schemas.systems import SYSTEMS
from tests.dags.test_pipeline import allow_rejects, findings, home, receive

__all__ = ["home"]

TOWN = "990027_mihon"
NAME = "resident_records.same_person"
LENGTH, PERSON = 400, slice(16, 93)
"""A record of the dump, and in it who somebody is: kana, name, sex and birth."""
SAID = {"reason": "戸籍の附票で確認", "decided_by": "住民課", "decided_on": "2026-11-20"}


def town(home):
    return home.parent / "towns" / TOWN


def enter_twice(home, *records, of=30):
    """Write who record `of` is over who some others are: they keep their numbers and households."""
    file = home / "inbox" / TOWN / "juki_master.dat"
    data = bytearray(file.read_bytes())
    start = (of - 1) * LENGTH
    for record in records:
        at = (record - 1) * LENGTH
        data[at + PERSON.start : at + PERSON.stop] = data[start + PERSON.start : start + PERSON.stop]
    file.write_bytes(data)


def fill_in(file, decide):
    """Fill an exported workbook in, as people do: `decide` gives of a line, by column, what is written."""
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    columns = [cell.value.split("\n")[-1] for cell in sheet[1]]
    for line in sheet.iter_rows(min_row=2):
        row = {column: cell.value or "" for column, cell in zip(columns, line, strict=True)}
        for column, value in decide(row).items():
            line[columns.index(column)].value = value
    book.save(file)


def rehearse(home, number, decide=None):
    """A rehearsal; and of its list what people decide, imported."""
    record = runs.run_all("mihon", rehearsal=number)
    file = home / "candidates.xlsx"
    export(record.run_id, file)
    if decide is None:
        return record
    fill_in(file, decide)
    return record, candidates_import.read_back(file, load(town(home)))


@pytest.fixture
def inbox(home):
    receive(home, residents=300, faults=0.0)
    allow_rejects(home)
    return home


def decided(kind, **cells):
    return lambda row: {"decision": kind, **SAID, **cells}


def states(record):
    return {(pair.since, pair.decision, pair.follows) for pair in record.pairs}


def test_a_pair_is_followed_from_the_dump_to_a_decision_to_the_next_rehearsals(inbox, database_url):
    home = inbox
    mapping = town(home) / "resident_records" / "mapping.yaml"
    text = mapping.read_text("utf-8")
    head = text.index("head_resident_no:")
    at = text.index("digits: {width: 10}}", head) + len("digits: {width: 10}}")
    mapping.write_text(f"{text[:at]}, {{resolved: {{by: same_person}}}}{text[at:]}", encoding="utf-8")
    enter_twice(home, 41)
    first, done = rehearse(home, 1, decided("同一"))
    assert states(first) == {("new", "", "")}
    (pair,) = first.pairs
    assert pair.strong
    assert set(pair.evidence) == {"kana_birth_sex", "name_birth"}
    assert (pair.a.record, pair.b.record) == (30, 41)
    assert "address" in pair.differ
    (search,) = first.searches
    assert (search.open, search.since, search.decisions) == (1, {"new": 1}, {})
    open_ = findings(home, first).filter(pl.col("code") == "V500")
    assert open_.select("record", "severity", "detail").rows() == [(41, "alert", pair.id)]
    assert done == {NAME: (1, 0, 0, 0)}

    second = rehearse(home, 2)
    assert states(second) == {("changed", "same", "")}
    assert findings(home, second).filter(pl.col("code") == "V500").is_empty()
    assert second.pairs[0].id == pair.id
    third = rehearse(home, 3)
    assert states(third) == {("decided", "same", "")}

    (line,) = csv.DictReader((town(home) / "resident_records/decisions/candidates.csv").read_text("utf-8").splitlines())
    kept, gone = sorted((line["a"], line["b"]))
    with connect(database_url).connect() as connection:

        def one(sql, **given):
            return connection.execute(
                sa.text(sql.replace("{", "resident_records_rehearsal.").replace("}", "")), given
            ).scalar()

        # Every row stands under its own number; whoever refers to the one that gave way refers to the other.
        assert one("SELECT count(*) FROM {residents} WHERE resident_no IN (:a, :b)", a=kept, b=gone) == 2
        assert one("SELECT count(*) FROM {households} WHERE head_resident_no = :b", b=gone) == 0


def test_a_pair_that_is_not_met_any_more_is_gone_and_known_again_when_it_is_back(inbox):
    home = inbox
    file = home / "inbox" / TOWN / "juki_master.dat"
    whole = file.read_bytes()
    enter_twice(home, 41)
    twice = file.read_bytes()
    first = rehearse(home, 1)
    file.write_bytes(whole)
    second = rehearse(home, 2)
    third = rehearse(home, 3)
    file.write_bytes(twice)
    fourth = rehearse(home, 4)
    fifth = rehearse(home, 5)
    said = [states(record) for record in (first, second, third, fourth, fifth)]
    assert said == [{(since, "", "")} for since in ("new", "gone", "gone", "back", "open")]
    assert len({pair.id for record in (first, second, fourth) for pair in record.pairs}) == 1
    assert second.searches[0].open == 0


def test_what_follows_from_decisions_need_not_be_decided(inbox):
    """Three numbers are three pairs; two decisions say what the third is."""
    home = inbox
    enter_twice(home, 41, 52)
    first = rehearse(home, 1)
    assert len(first.pairs) == 3
    assert len({pair.group for pair in first.pairs}) == 1
    open_pairs = iter(range(2))
    record, done = rehearse(
        home, 2, lambda row: {"decision": "same", **SAID} if next(open_pairs, None) is not None else {}
    )
    assert states(record) == {("open", "", "")}
    assert done == {NAME: (2, 0, 0, 0)}
    third = rehearse(home, 3)
    assert states(third) == {("changed", "same", ""), ("changed", "", "same")}
    assert third.searches[0].open == 0


def test_contradictory_decisions_change_nothing_and_name_their_lines(inbox):
    home = inbox
    enter_twice(home, 41, 52)
    kinds = iter(["same", "same", "different"])
    with pytest.raises(SpecError) as refused:
        rehearse(home, 1, lambda row: {"decision": next(kinds), **SAID})
    (problem,) = refused.value.problems
    assert problem.code == "Y117"
    assert problem.position.file == "candidates.xlsx"
    assert {one.position.line for one in problem.defined} | {problem.position.line} == {2, 3, 4}
    assert not (town(home) / "resident_records" / "decisions").exists()


def test_a_decision_is_changed_withdrawn_and_never_overwritten_by_an_older_list(inbox):
    home = inbox
    enter_twice(home, 41)
    _, done = rehearse(home, 1, decided("different"))
    old = (home / "candidates.xlsx").read_bytes()
    assert done == {NAME: (1, 0, 0, 0)}
    record = rehearse(home, 2)
    assert states(record) == {("changed", "different", "")}
    assert findings(home, record).filter(pl.col("code") == "V503").height == 1
    fill_in(home / "candidates.xlsx", decided("later"))
    assert candidates_import.read_back(home / "candidates.xlsx", load(town(home))) == {NAME: (0, 1, 0, 0)}
    assert candidates_import.read_back(home / "candidates.xlsx", load(town(home))) == {NAME: (0, 0, 1, 0)}
    (home / "old.xlsx").write_bytes(old)
    with pytest.raises(SpecError, match="since this list was exported it was decided `later`"):
        candidates_import.read_back(home / "old.xlsx", load(town(home)))
    record = rehearse(home, 3)
    assert states(record) == {("open", "later", "")}
    assert record.searches[0].decisions == {"later": 1}
    fill_in(home / "candidates.xlsx", lambda row: {"decision": "", "reason": ""})
    assert candidates_import.read_back(home / "candidates.xlsx", load(town(home))) == {NAME: (0, 0, 0, 1)}
    assert states(rehearse(home, 4)) == {("open", "", "")}


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"decision": "same"}, "a decision needs `reason`"),
        ({"decision": "same", **SAID, "decided_by": ""}, "a decision needs `decided_by`"),
        ({"decision": "sane", **SAID}, "did you mean `same`"),
        ({"decision": "same", **SAID, "decided_on": "yesterday"}, "`yesterday` is no day"),
        ({"decision": "same", **SAID, "keeps": "1"}, "`keeps` is neither of the two numbers"),
        ({"decision": "different", **SAID, "keeps": "1"}, "`keeps` is for the same person only"),
        ({"decision": "same", **SAID, "a": "1"}, "is not that of these numbers"),
        ({"decision": "same", **SAID, "candidates": "resident_records.same_persons"}, f"did you mean `{NAME}`"),
    ],
)
def test_a_line_that_cannot_be_used_changes_nothing(home, cells, says):
    code = load(town(home)).folder.manifest.municipality.code
    row = {
        "candidates": NAME,
        "a": "0000000001",
        "b": "0000000002",
        "pair": pair_id(code, NAME, "0000000001", "0000000002"),
    }
    file = home.parent / "list.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        lines = csv.DictWriter(
            out, ("candidates", "pair", "a", "b", "in_force", "decision", "keeps", *SAID), restval=""
        )
        lines.writeheader()
        lines.writerow({**row, **cells})
    with pytest.raises(SpecError, match=re.escape(says)) as refused:
        candidates_import.read_back(file, load(town(home)))
    assert {problem.position.line for problem in refused.value.problems} == {2}
    assert not (town(home) / "resident_records" / "decisions").exists()


def test_people_may_add_a_pair_that_no_evidence_speaks_for(inbox):
    home = inbox
    receive(home, residents=300, faults=0.0)
    file = home.parent / "own.csv"
    file.write_text(
        f"candidates,a,b,decision,reason,decided_by,decided_on\n{NAME},0000000007,0000000003,same,申出,住民課,2026-11-20\n",
        encoding="utf-8",
    )
    assert candidates_import.read_back(file, load(town(home))) == {NAME: (1, 0, 0, 0)}
    record = rehearse(home, 1)
    assert states(record) == {("kept", "same", "")}


def test_a_list_that_says_two_things_of_a_pair_or_breaks_off_is_refused(home):
    file = home.parent / "own.csv"
    head = "decision,reason,decided_by,decided_on,candidates,a,b"
    twice = [f"{kind},申出,住民課,2026-11-20,{NAME},{pair}" for kind, pair in (("same", "3,7"), ("different", "7,3"))]
    file.write_text("\n".join([head, *twice]), encoding="utf-8")
    with pytest.raises(SpecError, match=r"own\.csv:3:1: Y115 this pair stands on line 2, too"):
        candidates_import.read_back(file, load(town(home)))
    file.write_text(f"{head}\nsame,申出\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"own\.csv:2:1: Y116 unknown candidates"):
        candidates_import.read_back(file, load(town(home)))


def test_of_two_tables_what_is_decided_stands_for_a_number_and_all_else_is_none(home, monkeypatch):
    declare(monkeypatch, other="resident_records.households", other_number=("household_no",))
    file = home.parent / "own.csv"
    line = f"{NAME},0000000007,000000003,same,申出,住民課,2026-11-20"
    file.write_text(f"candidates,a,b,decision,reason,decided_by,decided_on\n{line}\n", encoding="utf-8")
    assert candidates_import.read_back(file, load(town(home))) == {NAME: (1, 0, 0, 0)}
    table = load(town(home)).folder.systems["resident_records"].code_tables["resolved by same_person"]
    assert (dict(table.codes), table.others) == ({"0000000007": "000000003"}, "are none")
    file.write_text(file.read_text("utf-8") + line.replace("000000003", "000000004") + "\n", encoding="utf-8")
    with pytest.raises(SpecError, match="Y117 number `a` is the same as two numbers of the other table"):
        candidates_import.read_back(file, load(town(home)))


def test_reports_hold_no_number_and_the_list_no_value(inbox):
    home = inbox
    enter_twice(home, 41)
    record = runs.run_all("mihon")
    pairs = followed.read(record.run_id)
    numbers = {*pairs["a"], *pairs["b"]}
    reports = home / "runs" / record.run_id / "reports"
    for name in ("run.json", "candidates.html", "candidates.csv", "result.ja.html"):
        text = (reports / name).read_text("utf-8")
        assert record.pairs[0].id in text or name == "result.ja.html"
        assert not [number for number in numbers if number in text], name
    assert "名寄せ候補" in (reports / "result.ja.html").read_text("utf-8")
    with pytest.raises(RunError, match="no line names the columns candidates, a, b and decision"):
        candidates_import.read_back(reports / "candidates.csv", load(town(home)))
    export(record.run_id, home / "list.csv", samples=True)
    (row,) = csv.DictReader((home / "list.csv").read_text("utf-8-sig").splitlines())
    assert {row["a"], row["b"]} == numbers
    assert re.fullmatch(r"フリガナ=[ｱ ア\u3000]+; 生年月日=[9X]+; .*", row["sample_a"])
    assert "sample_a" not in _columns(home, record)
    assert (home / "list.csv").stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match=r"as \.xlsx or \.csv"):
        export(record.run_id, home / "list.html")


def _columns(home, record):
    export(record.run_id, home / "plain.csv")
    return (home / "plain.csv").read_text("utf-8-sig").splitlines()[0].split(",")


def declare(monkeypatch, **changes):
    """Let the programs know the resident records with other candidates."""

    def changed(system):
        return dataclasses.replace(
            system, candidates=tuple(dataclasses.replace(one, **changes) for one in system.candidates), made={}
        )

    whole = {name: changed(system) for name, system in SYSTEMS[0].made.items()}
    known = (dataclasses.replace(changed(SYSTEMS[0]), made=whole), *SYSTEMS[1:])
    monkeypatch.setattr(town_module, "SYSTEMS", known)


def test_open_candidates_hold_a_cut_over_where_the_sheet_says_so_and_never_a_rehearsal(inbox, monkeypatch):
    home = inbox
    declare(monkeypatch, severity="error")
    enter_twice(home, 41)
    first = rehearse(home, 1)
    assert first.state == "promoted"

    def approved(_):
        return runs.Answer(approved=True, by="課長")

    held = runs.run_all("mihon", mode="cut-over", ask_person=approved)
    assert held.state == "held"
    assert "candidates undecided" in held.state_reason_en
    assert findings(home, held).filter(pl.col("code") == "V501")["detail"].to_list() == [f"{NAME}: 1 open"]
    export(held.run_id, home / "candidates.xlsx")
    fill_in(home / "candidates.xlsx", decided("different"))
    candidates_import.read_back(home / "candidates.xlsx", load(town(home)))
    assert runs.run_all("mihon", mode="cut-over", ask_person=approved).state == "promoted"


def test_what_is_declared_as_a_note_is_one(inbox, monkeypatch):
    home = inbox
    declare(monkeypatch, severity="note")
    enter_twice(home, 41)
    record = runs.run_all("mihon", mode="cut-over", ask_person=lambda _: runs.Answer(approved=True, by="課長"))
    assert record.state == "promoted"
    assert findings(home, record).filter(pl.col("code") == "V500")["severity"].to_list() == ["note"]


def test_a_table_that_is_nowhere_is_told_as_missing_and_what_was_known_is_kept(inbox, monkeypatch):
    home = inbox
    enter_twice(home, 41)
    first = rehearse(home, 1)
    with monkeypatch.context() as patch:
        declare(patch, other="resident_records.movers")
        second = runs.run_all("mihon", rehearsal=2)
    assert second.searches[0].missing == ("resident_records.movers",)
    assert second.pairs == ()
    third = rehearse(home, 3)
    assert [(pair.id, pair.since) for pair in third.pairs] == [(first.pairs[0].id, "open")]


def test_a_value_shared_by_many_is_told(inbox, monkeypatch):
    home = inbox
    declare(monkeypatch, most=2)
    enter_twice(home, 41, 52)
    record = rehearse(home, 1)
    assert record.pairs == ()
    details = findings(home, record).filter(pl.col("code") == "V502")["detail"].to_list()
    assert details == [f"{NAME}, {evidence}: 1 groups, 3 rows" for evidence in ("kana_birth_sex", "name_birth")]


def test_the_latest_run_of_a_municipality_is_meant_where_it_is_named(inbox):
    home = inbox
    with pytest.raises(RunError, match="no run of 990027 has looked for candidates yet"):
        export("mihon", home / "list.csv")
    enter_twice(home, 41)
    runs.run_all("mihon")
    assert export("mihon", home / "list.csv") == (1, 1)


def test_slices_change_nothing(inbox, monkeypatch):
    home = inbox
    enter_twice(home, 41, 52)
    whole = runs.run_all("mihon")
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "8000")
    sliced = runs.run_all("mihon", rehearsal=2)
    assert [pair.model_copy(update={"since": "new"}) for pair in sliced.pairs] == list(whole.pairs)
    assert sliced.searches[0].evidence == whole.searches[0].evidence


def test_explain_names_the_candidates_that_a_column_speaks_for(home):
    sections = explain(load(town(home)), "resident_records.residents", "birth")
    said = [text for section in sections for word, text in section.lines if word == "candidates"]
    assert said == [
        "same_person: kana_birth_sex, name_birth (同一人の二重付番 (再転入等) one person under two numbers (who moved in again, or was entered twice))"
    ]
    (number,) = (
        text
        for word, text in explain(load(town(home)), "resident_records.residents", "resident_no")[0].lines
        if word == "candidates"
    )
    assert number.startswith("same_person: their number")
