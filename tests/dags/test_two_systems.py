"""Two systems of one municipality, each with a table `residents`: compiled, judged, promoted and reported side by side."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from dags.pipeline.municipality import load
from openpyxl import load_workbook
from typer.testing import CliRunner

from dags import steps
from dags.authoring import difference, examples, explain, lineage
from dags.cli import app
from dags.inspection.synthesis import synthesize
from dags.pipeline import municipality
from migration_reports.findings import SpecError, UsageError
from migration_reports.pages.summary import headline, summary
from target_schemas.postgres.database import connect
from target_schemas.systems import SYSTEMS
from tests.second_system import SYSTEM

MIHON = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"
RECORDS, TAXPAYERS = "resident_records.residents", "tax.residents"

TAX = """\
system: tax
tables:
  residents:
    from: juki_master.resident
    columns:
      resident_no: {from: JJ-JUMIN-NO, transforms: [{digits: {width: 10}}]}
      kind: {constant: "1"}
  payments:
    from: juki_master.resident
    columns:
      resident_no: {from: JJ-JUMIN-NO, transforms: [{digits: {width: 10}}]}
      paid: JJ-KAZEI
    empty: [method]
ignore:
  juki_master.resident:
"""


@pytest.fixture
def town(tmp_path, monkeypatch):
    """見本市 with a second system, whose mapping reads the same records."""
    monkeypatch.setattr(municipality, "SYSTEMS", (*SYSTEMS, SYSTEM))
    folder = tmp_path / "towns" / MIHON.name
    fields = load(MIHON).schemas["juki_master.resident"].names
    shutil.copytree(MIHON, folder)
    left = [
        f"    - {{field: {name}, reason: of the other system}}\n"
        for name in fields
        if name not in ("JJ-JUMIN-NO", "JJ-KAZEI")
    ]
    (folder / "tax.yaml").write_text(TAX + "".join(left), encoding="utf-8")
    of_systems(folder, "resident_records, tax")
    return folder


def of_systems(folder, systems):
    manifest = folder / "manifest.yaml"
    said = re.sub(r"systems: \[.*\]", f"systems: [{systems}]", manifest.read_text("utf-8"))
    manifest.write_text(said, encoding="utf-8")


@pytest.fixture
def home(town, tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(town.parent))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    synthesize(town, residents=300, seed=3, faults=0.01, out=tmp_path / "home" / "inbox" / town.name)
    return tmp_path / "home"


def numbers(url, schema):
    with connect(url).connect() as connection:
        return sorted(connection.execute(sa.text(f"SELECT resident_no FROM {schema}.residents")).scalars())


def test_both_go_from_dump_to_report_under_their_own_names(home, database_url):
    record = steps.run_all("mihon")
    assert record.state == "promoted", record.state_reason_en
    lines = {line.table: line for line in record.reconciliations}
    assert lines[RECORDS].rows_promoted == lines[TAXPAYERS].rows_promoted > 250
    assert all(line.closes for line in lines.values())
    both = numbers(database_url, "resident_records_rehearsal"), numbers(database_url, "tax_rehearsal")
    assert both[0] == both[1]
    assert len(both[0]) == lines[RECORDS].rows_promoted
    rules = {rule.rule: rule for rule in record.rules}
    assert {f"{RECORDS}.key", f"{TAXPAYERS}.key", f"{TAXPAYERS}.kind.codes"} <= rules.keys()
    assert all(rule.agrees and rule.rows for name, rule in rules.items() if name.startswith(("tax.", f"{RECORDS}.")))
    named = {reference.name: reference for reference in record.references}
    across = named[f"{TAXPAYERS}.resident_no → {RECORDS}.resident_no"]
    assert across.closes
    assert across.rows == lines[TAXPAYERS].rows_promoted
    sums = {(a.table, a.column): (a.in_table, a.agrees) for a in record.amounts}
    assert sums["tax.payments", "paid"] == sums["resident_records.tax_amounts", "amount"]
    assert all(agrees for _, agrees in sums.values())
    fate = next(f for f in record.coverage if f.field == "JJ-JUMIN-NO")
    assert {f"{RECORDS}.resident_no", f"{TAXPAYERS}.resident_no"} <= set(fate.targets)
    assert [(of.system, of.edition, of.state) for of in record.systems] == [
        ("resident_records", "1.0", "promoted"),
        ("tax", "1.1", "promoted"),
    ]
    reports = home / "runs" / record.run_id / "reports"
    page = (reports / "result.en.html").read_text("utf-8")
    assert RECORDS in page
    assert TAXPAYERS in page
    counts = load_workbook(reports / "workbook.xlsx")["件数照合 Counts"]
    assert {RECORDS, TAXPAYERS} <= {cell.value for row in counts.rows for cell in row}
    assert f"{TAXPAYERS}: {lines[TAXPAYERS].rows_promoted:,} rows" in list(summary(record))


def test_a_later_run_of_one_system_leaves_the_other_in_force_and_reports_say_so(home, town, database_url):
    first = steps.run_all("mihon")
    of_systems(town, "tax")
    second = steps.run_all("mihon", rehearsal=2)
    assert second.former_run == first.run_id
    assert {e.run_id: e.in_force for e in steps.list_runs("mihon")} == {
        first.run_id: ("resident_records",),
        second.run_id: ("tax",),
    }
    # What a fault took from the resident records alone is no reject of a run of the taxes.
    assert set(numbers(database_url, "resident_records_rehearsal")) < set(numbers(database_url, "tax_rehearsal"))
    again = steps.record(first.run_id)
    assert headline(again).endswith("Rehearsal passed (in part)")
    assert "a part of its systems only: resident records in force, tax superseded." in next(summary(again))
    steps.render_again(first.run_id)
    page = (home / "runs" / first.run_id / "reports" / "result.ja.html").read_text("utf-8")
    assert "リハーサル合格 (一部)" in page
    assert "業務システムにより異なる: 住民記録 有効、税務 置換済。" in page
    listed = CliRunner().invoke(app, ["runs", "mihon"], terminal_width=200, env={"COLUMNS": "200"}).output
    assert "resident_records promoted, tax superseded" in listed
    assert "rehearsal: tax" in listed
    command = ["rollback", "mihon", "--rehearsals", "--yes", "--reason", "tax again"]
    asked = CliRunner().invoke(app, command)
    assert "Say which systems are meant, such as --system resident_records" in str(asked.exception)
    back = CliRunner().invoke(app, [*command, "--system", "tax"])
    assert back.exit_code == 0
    assert f"tax of run {second.run_id} was rolled back" in back.output
    assert f"of tax run {first.run_id}" in back.output
    assert headline(steps.record(first.run_id)).endswith("Rehearsal passed")
    assert "Rehearsal rolled back" in headline(steps.record(second.run_id))


def test_a_column_is_named_by_as_much_as_makes_it_clear(town):
    made = load(town)
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
    assert any(value.startswith("990027_mihon/tax.yaml:") for _, value in told)


def test_lineage_and_differences_keep_them_apart(town, home):
    made = load(town)
    assert {d["name"] for d in lineage.column_lineage(made)} >= {RECORDS, TAXPAYERS}
    tables = {item.table.split()[1] for item in lineage.target_items(made)}
    assert {RECORDS, TAXPAYERS} <= tables
    changed = town.parent / "changed" / town.name
    shutil.copytree(town, changed)
    mapping = changed / "tax.yaml"
    mapping.write_text(mapping.read_text("utf-8").replace("digits: {width: 10}", "digits: {width: 11}", 1), "utf-8")
    compared = difference.compare(made, load(changed), inbox=home / "inbox" / town.name)
    assert [table.name for table in compared.tables if table.differs] == [TAXPAYERS]


def test_an_example_names_the_table_of_a_system_where_the_other_has_one_too(town):
    file = town / "examples.yaml"
    with pytest.raises(SpecError, match="unknown target table `residents`"):
        examples.run_examples(load(town))
    file.write_text(file.read_text("utf-8").replace("    residents:", f"    {RECORDS}:"), encoding="utf-8")
    tried = examples.run_examples(load(town))
    assert tried
    assert not any(one.differences for one in tried)
