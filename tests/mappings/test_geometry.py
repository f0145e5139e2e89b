"""A geometry from map files or coordinates to the columns of its kind, and the rules that ask for them."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest
import shapely
import yaml

from mappings.compiling.compiler import compile_mapping
from mappings.engine import Mapper
from mappings.language.reader import read_municipality
from migration_reports.findings import SpecError, no_findings
from tests.sheets import rule_of, sheet
from validators import instances
from validators.derived import derive

PLACES = sheet(
    "places",
    """
    item,ja,type,length,must,key
    no,番号,N,4,1,1
    registered,登記地積,R,13.2,,
    geom,図形,G,,1,
    """,
)
SCHEMAS = {
    "d.row": pa.schema(
        [
            ("NO", pa.string()),
            ("AREA", pa.decimal128(9, 2)),
            ("GEOMETRY", pa.string()),
            ("X", pa.int64()),
            ("Y", pa.int64()),
        ]
    )
}
MANIFEST = """
edition: "1.0"
dumps: {d: {file: d.zip, title: d, layout: l.csv, container: shapefile, records: {row: {}}}}
"""


def compiled(tmp_path, geom, *, left):
    folder = tmp_path / "990027_mihon" / "s"
    folder.mkdir(parents=True)
    (folder.parent / "manifest.yaml").write_text('municipality: {code: "990027", name: 見本市, romaji: mihon}', "utf-8")
    (folder / "manifest.yaml").write_text(MANIFEST, "utf-8")
    (folder / "l.csv").write_text("field,heading,type,length\n", "utf-8")
    ignore = {"d.row": [{"field": name, "reason": "試験"} for name in left]}
    columns = {"no": "NO", "registered": "AREA", "geom": geom}
    mapping = {"system": "s", "tables": {"places": {"from": "d.row", "columns": columns}}, "ignore": ignore}
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), "utf-8")
    spec = read_municipality(folder.parent).systems["s"]
    return compile_mapping(spec, schemas=SCHEMAS, tables={"places": PLACES.physical}, code_sets={})


def mapped(plan, *rows):
    names = SCHEMAS["d.row"].names
    filled = [{"_record": n, "_offset": n, **dict.fromkeys(names), **row} for n, row in enumerate(rows, 1)]
    schema = pa.schema([("_record", pa.int64()), ("_offset", pa.int64()), *SCHEMAS["d.row"]])
    return Mapper([plan], "r").map("d.row", pa.RecordBatch.from_pylist(filled, schema=schema), no_findings())


def wkb(words):
    return shapely.to_wkb(shapely.from_wkt(words), hex=True, byte_order=1)


def test_a_geometry_of_map_files_is_staged_with_what_it_measures(tmp_path):
    plan = compiled(tmp_path, {"from": "GEOMETRY", "transforms": [{"geometry": {"srid": 6677}}]}, left=["X", "Y"])
    square, crossing = wkb("POLYGON ((0 0, 0 4, 4 4, 4 0, 0 0))"), wkb("POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))")
    made = mapped(
        plan,
        {"NO": "1", "GEOMETRY": square},
        {"NO": "2", "GEOMETRY": crossing},
        {"NO": "3", "GEOMETRY": "00"},
        {"NO": "4", "GEOMETRY": wkb("POINT (3000000 1)")},
    )
    rows = made.rows["tests.places", 0].to_pylist()
    first = {name.removeprefix("geom_"): value for name, value in rows[0].items() if name.startswith("geom_")}
    assert first == {"srid": 6677, "wkb": square, "area": 16, "west": 0, "south": 0, "east": 4, "north": 4, "valid": 1}
    assert [row["geom_valid"] for row in rows] == [1, 0, None, 1]
    found = [(f["code"], f["record"], f["column"]) for f in made.findings.to_pylist()]
    assert ("V490", 3, "geom") in found
    assert ("V493", 4, "geom") in found
    assert {code for code, _, _ in found} == {"V490", "V493"}


def test_a_point_is_made_of_two_numbers_of_a_record(tmp_path):
    plan = compiled(
        tmp_path, {"from": ["X", "Y"], "transforms": [{"geometry": {"srid": 30169, "axis": "yx"}}]}, left=["GEOMETRY"]
    )
    made = mapped(plan, {"NO": "1", "X": -35_000, "Y": -6_000}, {"NO": "2", "X": 1})
    assert made.rows["tests.places", 0]["geom_wkb"].to_pylist() == [wkb("POINT (-6000 -35000)"), None]
    assert [(f["code"], f["record"]) for f in made.findings.to_pylist()][:1] == [("V491", 1)]


@pytest.mark.parametrize(
    ("geom", "said"),
    [
        ("GEOMETRY", "read it with geometry"),
        (
            {"from": "GEOMETRY", "transforms": [{"geometry": {"srid": 6677}}], "default": "0"},
            "no place may be invented",
        ),
        ({"from": "GEOMETRY", "transforms": [{"geometry": {"srid": 6677, "axis": "north"}}]}, "axis"),
        ({"from": "GEOMETRY", "transforms": ["geometry"]}, "srid"),
    ],
)
def test_what_is_wrong_with_a_geometrys_mapping_is_said(tmp_path, geom, said):
    with pytest.raises(SpecError) as caught:
        compiled(tmp_path, geom, left=["X", "Y"])
    assert said in str(caught.value)


def test_rules_ask_for_what_was_measured(tmp_path):
    frame = pl.LazyFrame(
        {
            "source_record": [1, 2, 3, 4],
            "registered": pl.Series(["100.00", "100.00", "1000.00", None]).cast(pl.Decimal(13, 2)),
            "geom_area": pl.Series(["101.5", "106", "1049", "5"]).cast(pl.Decimal(24, 4)),
            "geom_valid": [1, 1, 0, 1],
        }
    )
    valid = next(
        rule
        for rule in derive({"tests.places": PLACES.physical}, {}, one_per_key=frozenset())
        if rule.name == "tests.places.geom.valid"
    )
    assert (valid.code, frame.filter(valid.failing).collect()["source_record"].to_list()) == ("V492", [3])
    text = "abs(geom_area - registered) <= greatest(2, registered * 0.05)"
    spec = rule_of(f'area_within: {{holds: "{text}", of: places, severity: alert, source: a rule of the tests}}')
    (rule,) = instances.make((spec,), {"tests.places": PLACES.physical}, own={"places": "tests.places"}, settings={})
    assert frame.filter(rule.failing).collect()["source_record"].to_list() == [2]
