"""Column lineage says the same in both directions, as OpenLineage data and as the item mapping table."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from dags.authoring import lineage
from dags.cli import app
from dags.pipeline.town import load
from migration_reports.records.item_mapping import SOURCE_HEADS, TARGET_HEADS, SourceItem, workbook

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.fixture(scope="module")
def mihon():
    return load(TOWNS / "990027_mihon")


def facets(town):
    return {d["name"]: d["facets"]["columnLineage"] for d in lineage.column_lineage(town)}


def inputs(facet, column):
    return {
        (f["name"], f["field"]): [(t["type"], t["subtype"], t["description"]) for t in f["transformations"]]
        for f in facet["fields"][column]["inputFields"]
    }


R = "juki_master.resident"


def test_openlineage_says_what_each_column_is_made_of(mihon):
    found = facets(mihon)
    assert set(found) == {
        "resident_records.households",
        "resident_records.residents",
        "resident_records.tax_amounts",
        "resident_records.protective_measures",
    }
    residents = found["resident_records.residents"]
    assert residents["_schemaURL"].startswith("https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json")
    assert inputs(residents, "name") == {(R, "JJ-SHIMEI"): [("DIRECT", "IDENTITY", "")]}
    assert inputs(residents, "resident_no") == {
        (R, "JJ-JUMIN-NO"): [("DIRECT", "TRANSFORMATION", "digits (width: 10)")]
    }
    assert set(inputs(residents, "relationship")) == {(R, f"JJ-ZOKUGARA({n})") for n in (1, 2, 3, 4)}
    assert inputs(residents, "birth_key") == inputs(residents, "birth_source")
    assert "history_no" not in residents["fields"]
    head = inputs(found["resident_records.households"], "head_resident_no")
    assert head[R, "JJ-ZOKUGARA(1)"] == [("INDIRECT", "CONDITIONAL", "when")]
    assert [(f["field"], f["transformations"][0]["subtype"]) for f in found["resident_records.households"]["dataset"]] == [("JJ-ZOKUGARA(1)", "SORT")]  # fmt: skip
    assert [(f["field"], f["transformations"][0]["subtype"]) for f in found["resident_records.protective_measures"]["dataset"]] == [("JJ-SHIEN", "FILTER")]  # fmt: skip
    every = [
        t for f in found.values() for c in f["fields"].values() for i in c["inputFields"] for t in i["transformations"]
    ]
    assert all(set(t) == {"type", "subtype", "description", "masking"} and t["masking"] is False for t in every)


def test_both_directions_agree_and_every_field_has_a_fate(mihon):
    forward = {(t.source, t.field, t.table.split()[1]) for t in lineage.target_items(mihon) if t.field}
    backward = {
        (s.source, s.field, ".".join(target.partition(" ")[0].split(".")[:2]))
        for s in lineage.source_items(mihon)
        for target in s.targets
        if "." in target
    }
    assert backward <= forward
    sources = lineage.source_items(mihon)
    assert {s.fate for s in sources} == {"移行", "対象外"}
    by_name = {(s.source, s.field): s for s in sources}
    assert by_name[R, "FILLER@292"].reason == "予備領域"
    assert by_name[R, "JM-KUBUN"].targets == ("レコード種別の判定",)
    assert by_name["juki_master.trailer", "JT-KENSU"].targets == ("コントロール",)
    assert by_name["juki_master.header", "JH-FILE-ID"].fate == "対象外"
    assert (by_name[R, "JJ-KANA"].position, by_name[R, "JJ-KANA"].width) == (17, 30)
    assert SourceItem("f", "d.k", "A", "X", "text", 1, 1, (), "").fate == "未定"


def test_every_target_column_stands_in_the_table_with_its_attributes(mihon):
    items = lineage.target_items(mihon)
    (sex,) = [t for t in items if t.column == "sex"]
    assert (sex.system, sex.title, sex.kind, sex.length, sex.code_set, sex.mandatory) == (
        "住民記録",
        "性別",
        "C",
        "1",
        "sex",
        True,
    )
    assert (sex.file, sex.source, sex.field, sex.picture) == ("住民記録マスタ", R, "JJ-SEIBETSU", "9(01)")
    assert sex.transforms == "lookup (table: codes/sex.csv)"
    assert sex.policy == "reject"
    assert sex.place.startswith("990027_mihon/resident_records/mapping.yaml:")
    (empty,) = [t for t in items if t.column == "member_count"]
    assert (empty.field, empty.remark) == ("", "空とする")
    own = {c.name for s in mihon.systems for t in s.tables for c in t.columns}
    assert {t.column for t in items} == own


def test_what_differs_from_a_package_shows_whose_line_it_is():
    town = load(TOWNS / "990051_tehon")
    items = {(t.table.split()[1], t.column): t for t in lineage.target_items(town)}
    assert items["resident_records.residents", "sex"].policy == "default, default 9, at most 0.5%"
    assert items["resident_records.residents", "remarks"].place.startswith("990051_tehon/")
    assert items["resident_records.residents", "name"].place.startswith("ibm_setai/")
    assert items["resident_records.tax_amounts", "amount"].remark == "移行しない表"


def test_a_joined_and_an_unrolled_field_are_traced_to_their_own_records(tmp_path):
    shutil.copytree(TOWNS.parent / "packages", tmp_path / "packages")
    folder = Path(shutil.copytree(TOWNS / "990027_mihon", tmp_path / "towns" / "990027_mihon"))
    mapping = folder / "resident_records/mapping.yaml"
    text = mapping.read_text("utf-8").replace(
        "  tax_amounts:\n    from: juki_master.resident\n",
        "  tax_amounts:\n    from: juki_master.resident\n"
        "    each: JJ-ZOKUGARA\n    when: {field: JJ-ZOKUGARA}\n"
        "    join: {other: {from: juki_master.resident, on: {JJ-JUMIN-NO: JJ-JUMIN-NO}}}\n",
    )
    mapping.write_text(text.replace("amount: {from: JJ-KAZEI}", "amount: {from: other.JJ-KAZEI}"), encoding="utf-8")
    facet = facets(load(folder))["resident_records.tax_amounts"]
    assert inputs(facet, "amount") == {(R, "JJ-KAZEI"): [("DIRECT", "IDENTITY", "")]}
    whole = {f["field"]: {t["subtype"] for t in f["transformations"]} for f in facet["dataset"]}
    assert whole == {**{f"JJ-ZOKUGARA({n})": {"FILTER"} for n in (1, 2, 3, 4)}, "JJ-JUMIN-NO": {"JOIN"}}


def test_each_member_of_a_list_stands_in_the_item_table(tmp_path):
    folder = Path(shutil.copytree(TOWNS / "990027_mihon", tmp_path / "990027_mihon")) / "resident_records"
    (folder / "layouts" / "r.cpy").write_text(
        "       01  R.\n           03  R-NO PIC 9(10).\n           03  R-SU PIC 9.\n"
        "           03  R-RIREKI OCCURS 0 TO 5 DEPENDING ON R-SU.\n               05  R-YMD PIC 9(8).\n"
        "               05  R-KI OCCURS 2.\n                   07  R-BIKO PIC X.\n",
        encoding="utf-8",
    )
    (folder / "manifest.yaml").write_text(
        'edition: "1.0"\ndumps:\n  r: {file: r.dat, title: 履歴, layout: layouts/r.cpy, framing: variable, charset: ibm, '
        "records: {record: {}}}\n",
        encoding="utf-8",
    )
    (folder / "mapping.yaml").write_text("""\
system: resident_records
tables:
  resident_changes:
    from: r.record
    each: R-RIREKI
    columns:
      resident_no: {from: R-NO, transforms: [{digits: {width: 10}}]}
      change_no: $occurrence
      changed: {from: R-YMD, transforms: [date]}
    empty: [change_reason]
ignore:
  r.record:
    - {field: R-SU, reason: 件数}
    - {field: R-BIKO(*), reason: 移行しない}
""", encoding="utf-8")  # fmt: skip
    items = {item.field: item for item in lineage.source_items(load(folder.parent))}
    assert items["R-YMD"].targets == ("resident_records.resident_changes.changed",)
    assert (items["R-BIKO(2)"].targets, items["R-BIKO(2)"].reason) == ((), "移行しない")
    assert (items["R-YMD"].position, items["R-BIKO(2)"].position) == (1, 10)


def test_the_workbook_has_two_sheets_and_no_formula(mihon):
    nasty = SourceItem("=1+1", "d.k", "@A", "X", "text", 1, 2, (), "=HYPERLINK(1)")
    book = openpyxl.load_workbook(io.BytesIO(workbook("見本市", lineage.target_items(mihon), [nasty])))
    targets, sources = book.worksheets
    assert tuple(c.value for c in targets[1]) == TARGET_HEADS
    assert tuple(c.value for c in sources[1]) == SOURCE_HEADS
    assert [c.value for c in sources[2]][:3] == ["=1+1", "d.k", "@A"]
    assert {c.data_type for c in sources[2]} <= {"s", "n"}
    assert targets.max_row == len(lineage.target_items(mihon)) + 1


def test_the_command_writes_both_forms(tmp_path):
    run = CliRunner().invoke
    done = run(app, ["lineage", "mihon"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)) == 4
    out = tmp_path / "item_mapping.xlsx"
    assert run(app, ["lineage", str(TOWNS / "990051_tehon"), "--format", "xlsx", "--out", str(out)]).exit_code == 0
    assert len(openpyxl.load_workbook(out).worksheets) == 2
    assert run(app, ["lineage", "mihon", "--format", "xlsx"]).exit_code == 2
    assert run(app, ["lineage", "mihon", "--format", "csv"]).exit_code == 2
