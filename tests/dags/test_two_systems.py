"""Two systems of one municipality, each with a table `residents`: compiled, judged, promoted and reported side by side."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from typer.testing import CliRunner

from dags import known_runs, runs
from dags.authoring import difference, examples, explain, lineage
from dags.authoring.decisions import gaiji_import
from dags.cli import app
from dags.inspection.synthesis import synthesize
from dags.pipeline import data_centre, town
from dags.pipeline.town import load
from migration_reports.findings import UsageError
from migration_reports.pages.summary import headline, summary
from target_schemas.postgres.database import connect
from target_schemas.systems import SYSTEMS
from tests.second_system import RULED, SYSTEM

MIHON = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"
RECORDS, TAXPAYERS = "resident_records.residents", "tax.residents"
REFERENCE = f"{TAXPAYERS}.resident_no.reference"
ACROSS = f"{TAXPAYERS}.resident_no → {RECORDS}.resident_no"
RECORD_LENGTH = 400
NOBODY = "9999999999"

MANIFEST = """\
edition: "1.1"
dumps:
  zei_master:
    file: zei_master.dat
    title: 課税マスタ
    layout: layouts/zei_master.cpy
    framing: fixed
    charset: {name: fujitsu, table: tables/extended.csv, gaiji: gaiji/zei_master.csv}
    records:
      header: {field: JM-KUBUN, values: [H], group: JM-HEADER, role: header}
      resident: {field: JM-KUBUN, values: [D], group: JM-JUMIN}
      trailer: {field: JM-KUBUN, values: [T], group: JM-TRAILER, role: trailer}
"""
MAPPING = """\
system: tax
tables:
  residents:
    from: zei_master.resident
    columns:
      resident_no: {from: JJ-JUMIN-NO, transforms: [{digits: {width: 10}}]}
      kind: {constant: "1"}
  payments:
    from: zei_master.resident
    columns:
      resident_no: {from: JJ-JUMIN-NO, transforms: [{digits: {width: 10}}]}
      paid: JJ-KAZEI
    empty: [method]
ignore:
  zei_master.resident:
    - {field: JM-KUBUN, reason: of the record kinds}
"""
EXAMPLES = """\
- name: a taxpayer pays what he is charged
  record: zei_master.resident
  fields: {JJ-JUMIN-NO: 1234, JJ-KAZEI: 500}
  rows:
    residents: [{resident_no: "0000001234", kind: "1"}]
    payments: [{resident_no: "0000001234", paid: 500}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """見本市 with a second system, which has a dump of its own, laid out as that of the resident records."""
    know(monkeypatch, SYSTEM)
    made = tmp_path / "towns" / MIHON.name
    shutil.copytree(MIHON, made)
    records, tax = made / "resident_records", made / "tax"
    fields = load(MIHON).schemas["juki_master.resident"].names
    for part, ending in (("layouts", "cpy"), ("gaiji", "csv")):
        (tax / part).mkdir(parents=True)
        shutil.copy(records / part / f"juki_master.{ending}", tax / part / f"zei_master.{ending}")
    shutil.copytree(records / "tables", tax / "tables")
    recipe = (records / "synthesis.yaml").read_text("utf-8")
    recipe = recipe.replace("juki_master", "zei_master").replace("JUKIMST", "ZEIMST")
    recipe = re.sub(r"    # A run that would.*(?=  trailer:)", "", recipe, flags=re.DOTALL)
    unread = (name for name in fields if name not in ("JM-KUBUN", "JJ-JUMIN-NO", "JJ-KAZEI"))
    left = [f"    - {{field: {name}, reason: of the other system}}\n" for name in unread]
    written = {
        "manifest.yaml": MANIFEST,
        "mapping.yaml": MAPPING + "".join(left),
        "examples.yaml": EXAMPLES,
        "synthesis.yaml": recipe,
    }
    for name, text in written.items():
        (tax / name).write_text(text, encoding="utf-8")
    return made


def know(monkeypatch, system):
    """Let the programs know a second system."""
    known = (*SYSTEMS, system)
    monkeypatch.setattr(town, "SYSTEMS", known)
    monkeypatch.setattr(town, "EDITIONS", {s.name: tuple(edition.name for edition in s.editions) for s in known})
    monkeypatch.setattr(data_centre, "SYSTEMS", known)


@pytest.fixture
def home(folder, tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(folder.parent))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    inbox = tmp_path / "home" / "inbox" / folder.name
    synthesize(folder, system="resident_records", residents=300, seed=3, faults=0.01, out=inbox)
    synthesize(folder, system="tax", residents=300, seed=3, faults=0, out=inbox)
    return tmp_path / "home"


def numbers(url, schema):
    with connect(url).connect() as connection:
        return sorted(connection.execute(sa.text(f"SELECT resident_no FROM {schema}.residents")).scalars())


def reports(home, record):
    return home / "runs" / record.run_id / "reports"


def page(home, record, language):
    return (reports(home, record) / f"result.{language}.html").read_text("utf-8")


def in_rules(record, name):
    return next((rule for rule in record.rules if rule.rule == name), None)


def reference(record, name=ACROSS):
    return next((one for one in record.references if one.name == name), None)


def one_without_a_resident(home, folder):
    """Give the first taxpayer of the dump a number that no resident has; records count from 1, the header's."""
    dump = home / "inbox" / folder.name / "zei_master.dat"
    data = bytearray(dump.read_bytes())
    data[RECORD_LENGTH + 1 : RECORD_LENGTH + 11] = NOBODY.encode("cp037")
    dump.write_bytes(data)


def test_both_go_from_dump_to_report_under_their_own_names(home, database_url):
    record = runs.run_all("mihon")
    assert record.state == "promoted", record.state_reason_en
    lines = {line.table: line for line in record.reconciliations}
    assert 250 < lines[RECORDS].rows_promoted < lines[TAXPAYERS].rows_promoted == 300
    assert all(line.closes for line in lines.values())
    assert len(numbers(database_url, "resident_records_rehearsal")) == lines[RECORDS].rows_promoted
    assert len(numbers(database_url, "tax_rehearsal")) == lines[TAXPAYERS].rows_promoted
    rules = {rule.rule: rule for rule in record.rules}
    assert {f"{RECORDS}.key", f"{TAXPAYERS}.key", f"{TAXPAYERS}.kind.codes"} <= rules.keys()
    assert all(rule.agrees and rule.rows for name, rule in rules.items() if name.startswith(("tax.", f"{RECORDS}.")))
    sums = {(a.table, a.column): a for a in record.amounts}
    assert sums["tax.payments", "paid"].in_table > sums["resident_records.tax_amounts", "amount"].in_table
    assert all(one.agrees for one in sums.values())
    fates = {f.dump: f.targets for f in record.coverage if f.field == "JJ-JUMIN-NO"}
    assert f"{RECORDS}.resident_no" in fates["juki_master"]
    assert f"{TAXPAYERS}.resident_no" in fates["zei_master"]
    assert [(of.system, of.edition, of.state) for of in record.systems] == [
        ("resident_records", "1.0", "promoted"),
        ("tax", "1.1", "promoted"),
    ]
    assert all(table in page(home, record, "en") for table in (RECORDS, TAXPAYERS))
    counts = load_workbook(reports(home, record) / "workbook.xlsx")["件数照合 Counts"]
    assert {RECORDS, TAXPAYERS} <= {cell.value for row in counts.rows for cell in row}
    assert f"{TAXPAYERS}: {lines[TAXPAYERS].rows_promoted:,} rows" in list(summary(record))


def test_of_one_run_the_rows_of_the_run_are_looked_up(home):
    record = runs.run_all("mihon")
    assert record.not_checked == ()
    across = reference(record)
    lines = {line.table: line.rows_promoted for line in record.reconciliations}
    assert across.closes
    assert across.rows == lines[TAXPAYERS]
    assert across.dangling == across.dangling_gx == lines[TAXPAYERS] - lines[RECORDS]
    assert (in_rules(record, REFERENCE).failing_polars, in_rules(record, REFERENCE).failing_gx) == (0, 0)


def test_what_reads_a_system_of_which_nothing_is_there_is_told_as_not_checked(home):
    asked = []
    record = runs.run_all(
        "mihon", systems=["tax"], ask_person=lambda text: asked.append(text) or runs.Answer(True, "t")
    )
    assert record.state == "promoted", record.state_reason_en
    assert [(one.rule, one.missing, one.of_others) for one in record.not_checked] == [(REFERENCE, (RECORDS,), False)]
    assert in_rules(record, REFERENCE) is None
    assert reference(record) is None
    # Its references to its own tables are judged all the same.
    assert [one.name for one in record.references] == [f"tax.payments.resident_no → {TAXPAYERS}.resident_no"]
    assert "照合していない規則" in asked[0]
    assert RECORDS.replace("_", r"\_") in asked[0]
    assert {r.file: r.status for r in record.receipts} == {"zei_master.dat": "received", "juki_master.dat": "left"}
    assert all(issue.code != "F104" for issue in record.issues)
    assert "1 rule NOT CHECKED, for want of rows of resident_records; the report lists them" in list(summary(record))
    for language, said in (("ja", "照合していない規則"), ("en", "Rules not checked")):
        assert said in page(home, record, language)
        assert REFERENCE in page(home, record, language)
    sheet = load_workbook(reports(home, record) / "workbook.xlsx")["未照合 Not checked"]
    assert [sheet["A2"].value, sheet["E2"].value] == [REFERENCE, RECORDS]


def test_what_was_promoted_before_is_looked_up_in_both_engines(home, folder, database_url):
    synthesize(folder, system="resident_records", residents=300, seed=3, faults=0, out=home / "inbox" / folder.name)
    first = runs.run_all("mihon", systems=["resident_records"])
    assert first.not_checked == ()
    one_without_a_resident(home, folder)
    record = runs.run_all("mihon", systems=["tax"], rehearsal=2)
    assert record.state == "promoted", record.state_reason_en
    assert record.not_checked == ()
    rule, across = in_rules(record, REFERENCE), reference(record)
    assert (rule.code, rule.severity, rule.failing_polars, rule.failing_gx) == ("V405", "alert", 1, 1)
    assert (across.rows, across.dangling, across.dangling_gx, across.fell) == (300, 1, 1, 0)
    assert [(place.dump, place.record) for place in across.first] == [("zei_master", 2)]
    found = pl.read_ipc(home / "runs" / record.run_id / "findings.arrow").filter(pl.col("code") == "V405")
    assert found.select("severity", "dump", "record", "table").rows() == [("alert", "zei_master", 2, TAXPAYERS)]
    assert {entry.run_id: entry.in_force for entry in known_runs.list_runs("mihon")} == {
        first.run_id: ("resident_records",),
        record.run_id: ("tax",),
    }
    assert set(numbers(database_url, "tax_rehearsal")) - set(numbers(database_url, "resident_records_rehearsal")) == {
        NOBODY
    }


def test_what_reads_rows_that_a_run_replaces_is_told(home):
    runs.run_all("mihon")
    record = runs.run_all("mihon", systems=["resident_records"], rehearsal=2)
    assert record.state == "promoted", record.state_reason_en
    assert [(one.rule, one.missing, one.of_others) for one in record.not_checked] == [(REFERENCE, (TAXPAYERS,), True)]
    assert "A rule of a system promoted before" in page(home, record, "en")


def test_a_rule_about_amounts_is_judged_against_promoted_ones(home, folder, monkeypatch):
    know(monkeypatch, RULED)
    synthesize(folder, system="resident_records", residents=300, seed=3, faults=0, out=home / "inbox" / folder.name)
    runs.run_all("mihon", systems=["resident_records"])
    one_without_a_resident(home, folder)
    record = runs.run_all("mihon", systems=["tax"], rehearsal=2)
    assert record.state == "promoted", record.state_reason_en
    rule = next(rule for rule in record.rules if rule.family == "paid_as_assessed")
    # Of whom nothing is known nothing was assessed, and all that he paid is too much.
    assert (rule.failing_polars, rule.failing_gx, rule.rows) == (1, 1, 300)
    # Those who were assessed and paid nothing are rows of the resident records, and none of this run.
    lacking = f"{rule.rule}.missing"
    assert [(one.rule, one.missing) for one in record.not_checked] == [(lacking, ("resident_records.tax_amounts",))]
    other = runs.run_all("mihon", systems=["resident_records"], rehearsal=3)
    assert {one.rule: one.missing for one in other.not_checked} == {
        REFERENCE: (TAXPAYERS,),
        rule.rule: ("tax.payments",),
        lacking: ("tax.payments",),
    }
    assert all(one.of_others for one in other.not_checked)


def test_a_later_run_of_one_system_leaves_the_other_in_force_and_reports_say_so(home, database_url):
    first = runs.run_all("mihon")
    second = runs.run_all("mihon", systems=["tax"], rehearsal=2)
    assert second.former_run == first.run_id
    assert {e.run_id: e.in_force for e in known_runs.list_runs("mihon")} == {
        first.run_id: ("resident_records",),
        second.run_id: ("tax",),
    }
    again = runs.record(first.run_id)
    assert headline(again).endswith("Rehearsal passed (in part)")
    assert "a part of its systems only: resident records in force, tax superseded." in next(summary(again))
    runs.render_again(first.run_id)
    assert "リハーサル合格 (一部)" in page(home, first, "ja")
    assert "業務システムにより異なる: 住民記録 有効、税務 置換済。" in page(home, first, "ja")
    listed = CliRunner().invoke(app, ["runs", "mihon"], terminal_width=200, env={"COLUMNS": "200"}).output
    assert "resident_records promoted, tax superseded" in listed
    assert "rehearsal: tax" in listed
    command = ["rollback", "mihon", "--rehearsals", "--yes", "--reason", "tax again"]
    asked = CliRunner().invoke(app, command)
    assert "Say which systems are meant, such as --system resident_records" in str(asked.exception)
    records = numbers(database_url, "resident_records_rehearsal")
    back = CliRunner().invoke(app, [*command, "--system", "tax"])
    assert back.exit_code == 0
    assert f"tax of run {second.run_id} was rolled back" in back.output
    assert f"of tax run {first.run_id}" in back.output
    assert headline(runs.record(first.run_id)).endswith("Rehearsal passed")
    assert "Rehearsal rolled back" in headline(runs.record(second.run_id))
    assert numbers(database_url, "resident_records_rehearsal") == records


def test_a_column_is_named_by_as_much_as_makes_it_clear(folder):
    made = load(folder)
    assert explain.column_of(made, "payments.paid") == ("tax.payments", "paid")
    assert explain.column_of(made, "birth") == (RECORDS, "birth")
    assert explain.column_of(made, "tax.residents.resident_no") == (TAXPAYERS, "resident_no")
    several = r"say which: resident_records\.residents\.resident_no, tax\.residents\.resident_no"
    with pytest.raises(UsageError, match=several):
        explain.column_of(made, "residents.resident_no")
    with pytest.raises(UsageError, match=r"did you mean `payments\.paid`\? there are payments\."):
        explain.column_of(made, "payments.payd")
    told = [line for section in explain.explain(made, TAXPAYERS, "resident_no") for line in section.lines]
    assert any("納税義務者" in value for _, value in told)
    assert any(value.startswith("990027_mihon/tax/mapping.yaml:") for _, value in told)


def test_lineage_and_differences_keep_them_apart(folder, home):
    made = load(folder)
    assert {d["name"] for d in lineage.column_lineage(made)} >= {RECORDS, TAXPAYERS}
    tables = {item.table.split()[1] for item in lineage.target_items(made)}
    assert {RECORDS, TAXPAYERS} <= tables
    changed = folder.parent / "changed" / folder.name
    shutil.copytree(folder, changed)
    mapping = changed / "tax" / "mapping.yaml"
    mapping.write_text(mapping.read_text("utf-8").replace("digits: {width: 10}", "digits: {width: 11}", 1), "utf-8")
    compared = difference.compare(made, load(changed), inbox=home / "inbox" / folder.name)
    assert [table.name for table in compared.tables if table.differs] == [TAXPAYERS]


def test_an_example_means_the_tables_of_its_own_system(folder):
    tried = examples.run_examples(load(folder))
    places = {one.place.file.split("/")[1] for one in tried}
    assert places == {"resident_records", "tax"}
    assert not [(one.name, one.differences) for one in tried if one.differences]
    file = folder / "tax" / "examples.yaml"
    file.write_text(file.read_text("utf-8").replace('kind: "1"', 'kind: "2"'), encoding="utf-8")
    (differing,) = (one for one in examples.run_examples(load(folder)) if one.differences)
    assert differing.differences[0].startswith(f"{TAXPAYERS} row 1, kind: ")


def test_a_decided_gaiji_goes_to_the_table_of_its_dumps_own_system(folder, tmp_path):
    ledger = tmp_path / "ledger.csv"
    ledger.write_text(
        "dump,code,area,decision,text,reason,decided_by\n"
        "juki_master,0x80A1,user-defined,character,U+9AD9,same glyph,Registry\n"
        "zei_master,0x80A1,user-defined,substitute,高,usual form,Tax office\n",
        encoding="utf-8",
    )
    read = gaiji_import.read_back(ledger, load(folder))
    assert read == {"juki_master": (1, 0, 0, 0), "zei_master": (1, 0, 0, 0)}
    of_records = (folder / "resident_records" / "gaiji" / "juki_master.csv").read_text("utf-8")
    of_tax = (folder / "tax" / "gaiji" / "zei_master.csv").read_text("utf-8")
    assert ("Registry" in of_records, "Tax office" in of_records) == (True, False)
    assert ("Registry" in of_tax, "Tax office" in of_tax) == (False, True)
