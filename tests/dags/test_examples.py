"""`hikkoshi test`: the shipped examples hold, what differs is told, and a wrong example is told by its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dags.authoring.examples import run_examples
from dags.cli import app
from dags.pipeline.town import load
from migration_reports.findings import SpecError

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.fixture
def towns(tmp_path, monkeypatch):
    """A copy of the municipalities and packages, for a test to change."""
    for name in ("municipalities", "packages"):
        shutil.copytree(MAPPINGS / name, tmp_path / name)
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "municipalities"))
    return tmp_path / "municipalities"


def tried(town, text):
    (town / "resident_records/examples.yaml").write_text(text, encoding="utf-8")
    return run_examples(load(town))


@pytest.mark.parametrize("town", sorted(p.name for p in (MAPPINGS / "municipalities").iterdir() if p.is_dir()))
def test_the_shipped_examples_hold(town):
    made = run_examples(load(MAPPINGS / "municipalities" / town))
    assert len(made) >= 5
    assert {example.name: example.differences for example in made if example.differences} == {}


def test_what_a_municipality_leaves_out_or_says_otherwise_of_its_package_is_heeded():
    made = {example.name: example for example in run_examples(load(MAPPINGS / "municipalities" / "990051_tehon"))}
    assert made["個人レコードは住民になり、課税額はそのまま移る"].left_out == ("tax_amounts",)
    assert made["知らない性別"].place.file == "990051_tehon/resident_records/examples.yaml"


def test_what_differs_is_told(towns):
    (made,) = tried(towns / "990027_mihon", """\
- name: one
  record: juki_master.resident
  fields: {JJ-JUMIN-NO: 5, JJ-SETAI-NO: 1, JJ-SEIBETSU: 7, JJ-SEINENGAPPI: 3200101, JJ-KAZEI: "10"}
  rows:
    residents: [{resident_no: "5", sex: "1", history_no: 1}]
    tax_amounts: [{amount: 10.0}, {amount: 11}]
  findings: [{code: M302}, {code: M310, column: sex}]
""")  # fmt: skip
    assert made.differences == (
        "resident_records.residents row 1, resident_no: `5` was expected, and `0000000005` came",
        "resident_records.residents row 1, sex: `1` was expected, and null came",
        "resident_records.tax_amounts: 2 rows were expected, and 1 came",
        "finding M302 was expected, and did not come",
    )


def test_a_finding_that_is_not_listed_differs(towns):
    (made,) = tried(towns / "990027_mihon", """\
- name: one
  record: juki_master.resident
  fields: {JJ-JUMIN-NO: 5, JJ-SETAI-NO: 1, JJ-SEIBETSU: 7, JJ-SEINENGAPPI: 3200101}
""")  # fmt: skip
    assert made.differences == ("finding M310 on sex came, and was not expected",)


def test_joins_and_numbers_work_in_memory(towns):
    town = towns / "990035_reiji"
    (town / "resident_records/mapping.yaml").write_text("""\
system: resident_records
tables:
  tax_amounts:
    from: setai_kojin.person
    join: {home: {from: setai_kojin.household, on: {KJ-SETAI-NO: ST-SETAI-NO}, missing: reject}}
    columns:
      resident_no: {from: KJ-KOJIN-NO, transforms: [{assign: {series: resident, width: 6}}]}
      amount: home.ST-HEIKIN
ignore:
  setai_kojin.person:
    - {field: SK-KBN, reason: 区分}
    - {field: KJ-GAKU, reason: 試験}
    - {field: FILLER@*, reason: 予備}
""".replace("home.ST-HEIKIN", "home.ST-NINZU"), encoding="utf-8")  # fmt: skip
    made = tried(town, """\
- name: joined
  record: setai_kojin.person
  fields: {KJ-SETAI-NO: 77, KJ-KOJIN-NO: 900, KJ-SEI: "1", KJ-SEINEN: 4070401, KJ-ZOKU: "01"}
  with:
    - {record: setai_kojin.household, fields: {ST-SETAI-NO: 77, ST-NINZU: 3}}
    - {record: setai_kojin.household, fields: {ST-SETAI-NO: 78, ST-NINZU: 4}}
  rows: {tax_amounts: [{resident_no: "000001", amount: 3}]}
- name: nobody at home
  record: setai_kojin.person
  fields: {KJ-SETAI-NO: 77, KJ-KOJIN-NO: 900, KJ-SEI: "1", KJ-SEINEN: 4070401, KJ-ZOKU: "01"}
  rows: {tax_amounts: [{resident_no: "000001", amount: }]}
  findings: [{code: M315}, {code: M315}]
""")  # fmt: skip
    mine = [example for example in made if example.place.file.startswith("990035")]
    assert [(example.name, example.differences) for example in mine] == [("joined", ()), ("nobody at home", ())]


WRONG = """\
- name: one
  record: juki_master.residnet
- name: one
  record: juki_master.resident
  fields: {JJ-JUMIN: 1, JJ-KAZEI: ten, JJ-SETAI-NO: [1]}
  rows:
    resident: []
    residents: [{birth: "19880209"}, {sexx: 1}]
  findings: [{code: M999}]
- record: juki_master.resident
  felds: {}
"""


def test_a_wrong_example_is_told_by_its_place(towns):
    with pytest.raises(SpecError) as caught:
        tried(towns / "990027_mihon", WRONG.rpartition("- record")[0])
    said = [(p.position.line, p.code, p.hint) for p in caught.value.problems]
    assert said == [
        (2, "Y020", "did you mean `juki_master.resident`?"),
        (3, "Y012", ""),
    ]
    with pytest.raises(SpecError) as caught:
        tried(
            towns / "990027_mihon",
            WRONG.rpartition("- record")[0].replace("- name: one\n  record: juki_master.residnet\n", ""),
        )
    assert [(p.position.line, p.code) for p in caught.value.problems] == [
        (3, "Y021"), (3, "Y033"), (3, "Y012"), (5, "Y030"), (6, "Y031"), (6, "Y031"), (7, "Y012")
    ]  # fmt: skip
    assert "birth_key" in next(p for p in caught.value.problems if p.code == "Y031").hint
    with pytest.raises(SpecError) as caught:
        tried(towns / "990027_mihon", WRONG)
    assert [(p.position.line, p.code) for p in caught.value.problems] == [(10, "Y011"), (11, "Y010")]


def test_the_command_says_ok_or_what_differs(towns):
    good = CliRunner().invoke(app, ["test", "mihon"])
    assert good.exit_code == 0, good.output
    assert "ok       支援措置は失われない" in good.stdout
    file = towns / "990027_mihon" / "resident_records/examples.yaml"
    file.write_text(file.read_text("utf-8").replace('measure_kind: "01"', 'measure_kind: "02"'), encoding="utf-8")
    bad = CliRunner().invoke(app, ["test"])
    assert bad.exit_code == 1
    assert "differs  支援措置は失われない  (990027_mihon/resident_records/examples.yaml:" in bad.stdout
    assert "measure_kind: `02` was expected, and `01` came" in bad.stdout
    file.write_text("- name: [", encoding="utf-8")
    assert isinstance(CliRunner().invoke(app, ["test", "mihon"]).exception, SpecError)
