"""What the mapping language says, on records that a person can read: joins, occurrences, parts, expressions, policies."""

from __future__ import annotations

import itertools

import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.compiling.compiler import compile_mapping
from mappings.engine import Mapper
from mappings.language.reader import read_municipality
from mappings.rows import look_up
from migration_reports.codes import Code, CodeSet
from migration_reports.findings import SpecError, no_findings
from tests.sheets import sheet

SEX = CodeSet("sex", "性別", "sex", (Code("1", "男", "male"), Code("2", "女", "female"), Code("9", "-", "-")))
PEOPLE = sheet(
    "people",
    """
    item,ja,type,length,must,codes,key
    no,番号,N,15,1,,1
    name,氏名,J,40,,,
    sex,性別,C,1,,sex,
    town,町名,J,40,,,
    due,差引額,M,9,,,
    moved,異動日,D,,,,
    """,
    code_sets=(SEX,),
)
EVENTS = sheet(
    "events",
    """
    item,ja,type,length,must,key
    no,番号,N,15,1,1
    place,順番,I,,1,1
    kind,事由,C,2,,
    """,
)
TABLES = {"people": PEOPLE.physical, "events": EVENTS.physical}
SETS = {"sex": SEX.ever}


def fields(*described):
    made = []
    for name, kind, *occurs in described:
        metadata = {"offset": "4", "width": "4", "picture": "X", "usage": "mixed", "line": "3"}
        made.append(pa.field(name, kind, metadata={**metadata, **({"occurs": occurs[0]} if occurs else {})}))
    return pa.schema(made)


TEXT, INT = pa.string(), pa.int64()
SCHEMAS = {
    "d.person": fields(
        ("P-NO", INT), ("P-NAME", TEXT), ("P-SEX", TEXT), ("P-TOWN", INT), ("P-GROSS", INT), ("P-OFF", INT), ("P-MOVED", INT),
        ("P-EV(1)", TEXT, "P-EV"), ("P-EV(2)", TEXT, "P-EV"), ("P-EV(3)", TEXT, "P-EV"),
        ("P-LIST", pa.list_(pa.struct([("L-KIND", TEXT), ("L-NO", INT)]))),
    ),
    "d.child": fields(("C-NO", INT), ("C-NAME", TEXT)),
    "d.head": fields(("H-YMD", INT), ("H-BANK", TEXT)),
    "d.tail": fields(("T-COUNT", INT)),
    "t.town": fields(("T-NO", INT), ("T-NAME", TEXT)),
}  # fmt: skip

HEAD = 'municipality: {code: "990027", name: 見本市, romaji: mihon}'
MANIFEST = """
edition: "1.0"
dumps:
  d: {file: d, title: d, layout: l.cpy, framing: fixed, charset: ibm, records: {person: {}, child: {parent: person}, head: {role: header}, tail: {role: trailer}}}
  t: {file: t, title: t, layout: l.cpy, framing: fixed, charset: ibm, records: {town: {}}}
"""
REST = {"d.person": list(SCHEMAS["d.person"].names), "d.child": ["C-NO", "C-NAME"], "t.town": ["T-NO", "T-NAME"]}


@pytest.fixture
def compiled(tmp_path):
    def make(tables, *, ignore=None, files=None):
        folder = tmp_path / "990027_mihon" / "s"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "manifest.yaml").write_text(HEAD, encoding="utf-8")
        (folder / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
        (folder / "l.cpy").write_text("       01 A PIC X.\n", encoding="utf-8")
        for name, content in (files or {}).items():
            (folder / name).write_text(content, encoding="utf-8")
        used = yaml.safe_dump(tables, allow_unicode=True)
        left = {
            source: [{"field": name, "reason": "試験"} for name in names if name.partition("(")[0] not in used]
            for source, names in REST.items()
        }
        mapping = {"system": "s", "tables": tables, "ignore": {k: v for k, v in (ignore or left).items() if v}}
        text = yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False)
        (folder / "mapping.yaml").write_text(text, encoding="utf-8")
        return compile_mapping(
            read_municipality(folder.parent).systems["s"], schemas=SCHEMAS, tables=TABLES, code_sets=SETS
        )

    return make


NOBODY = dict.fromkeys(SCHEMAS["d.person"].names)


def people(*rows, parents=None):
    filled = [{"_record": n, "_offset": 100 * n, **NOBODY, "P-LIST": [], **row} for n, row in enumerate(rows, 1)]
    schema = pa.schema([("_record", INT), ("_offset", INT), *[(f.name, f.type) for f in SCHEMAS["d.person"]]])
    return pa.RecordBatch.from_pylist(filled, schema=schema)


def run(plan, batch, source="d.person"):
    return Mapper([plan], "r").map(source, batch, no_findings())


def column(mapped, name, table="tests.people", part=0):
    return mapped.rows[table, part].column(name).to_pylist()


def codes(mapped):
    return [(f["code"], f["severity"], f["record"], f["field"]) for f in mapped.findings.to_pylist()]


EMPTY = ["name", "sex", "town", "due", "moved"]


def person(*, without=(), **more):
    """The mapping of people: the number, and what a test is about."""
    columns = {"no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]}, **more}
    empty = [name for name in EMPTY if name not in columns and name not in without]
    return {"from": "d.person", "columns": columns, "empty": empty}


def test_an_expression_is_computed_exactly_and_says_where_it_has_no_value(compiled):
    due = {"from": {"gross": "P-GROSS", "off": "P-OFF"}, "expression": "gross - off // 3"}
    plan = compiled({"people": person(due=due)})
    out = run(plan, people({"P-NO": 1, "P-GROSS": 10, "P-OFF": 7}, {"P-NO": 2, "P-GROSS": 10, "P-OFF": None}))
    assert [str(v) for v in column(out, "due")] == ["8", "None"]
    assert codes(out) == []
    plan = compiled({"people": person(due={"expression": '"P-GROSS" // "P-OFF"'})})
    out = run(plan, people({"P-NO": 1, "P-GROSS": 10, "P-OFF": 0}))
    assert column(out, "due") == [None]
    assert codes(out) == [("M319", "error", 1, "P-GROSS")]


def test_a_table_of_fixed_occurrences_gives_a_row_each(compiled):
    events = {
        "from": "d.person",
        "each": "P-EV",
        "when": {"field": "P-EV"},
        "columns": {
            "no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]},
            "place": "$occurrence",
            "kind": "P-EV",
        },
    }
    plan = compiled({"events": events})
    out = run(plan, people({"P-NO": 1, "P-EV(1)": "a", "P-EV(2)": "", "P-EV(3)": "c"}, {"P-NO": 2, "P-EV(2)": "b"}))
    rows = out.rows["tests.events", 0].select(["no", "place", "kind", "source_record"]).to_pylist()
    assert [tuple(r.values()) for r in rows] == [("00001", 1, "a", 1), ("00001", 3, "c", 1), ("00002", 2, "b", 2)]
    assert (out.tallies["tests.events", 0].candidates, out.tallies["tests.events", 0].rows) == (6, 3)
    assert plan.fates["d.person"]["P-EV(2)"][0] == ("tests.events.kind", "tests.events (when)")


def test_a_table_of_varying_occurrences_gives_a_row_each(compiled):
    events = {
        "from": "d.person",
        "each": "P-LIST",
        "columns": {
            "no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]},
            "place": "L-NO",
            "kind": "L-KIND",
        },
    }
    plan = compiled({"events": events})
    rows = [{"L-KIND": "x", "L-NO": 7}, {"L-KIND": "y", "L-NO": 8}]
    out = run(plan, people({"P-NO": 1, "P-LIST": rows}, {"P-NO": 2, "P-LIST": []}, {"P-NO": 3, "P-LIST": None}))
    assert column(out, "place", "tests.events") == [7, 8]
    assert column(out, "source_record", "tests.events") == [1, 1]
    assert plan.fates["d.person"]["P-LIST"][0] == ("tests.events.place", "tests.events.kind")
    assert "P-LIST" in plan.fields_used("d.person")


def test_several_kinds_fill_one_table(compiled):
    child = {"from": "d.child", "columns": {"no": {"from": "C-NO", "transforms": [{"digits": {"width": 5}}]}, "name": "C-NAME"}, "empty": ["sex", "town", "due", "moved"]}  # fmt: skip
    plan = compiled({"people": [person(name="P-NAME"), child]})
    batch = pa.RecordBatch.from_pylist([{"_record": 1, "_offset": 0, "_parent": None, "C-NO": 9, "C-NAME": "子"}])
    out = run(plan, batch, "d.child")
    assert list(out.rows) == [("tests.people", 1)]
    assert out.rows["tests.people", 1].column("_part").to_pylist() == [1]
    assert column(out, "name", part=1) == ["子"]


def test_conditions_choose_rows_and_are_counted(compiled):
    plan = compiled({"people": {**person(), "when": [{"field": "P-SEX", "besides": ["9"]}, '"P-GROSS" > 5']}})
    out = run(plan, people({"P-NO": 1, "P-SEX": "1", "P-GROSS": 6}, {"P-NO": 2, "P-SEX": "9", "P-GROSS": 6}, {"P-NO": 3, "P-SEX": "1"}))  # fmt: skip
    assert column(out, "no") == ["00001"]
    assert (out.tallies["tests.people", 0].candidates, out.tallies["tests.people", 0].rows) == (3, 1)


LOOKUP = {"codes.csv": "old,new,label\n1,1,男\n2,2,女\n"}


@pytest.mark.parametrize(
    ("policy", "value", "severity"), [("reject", None, "error"), ("null", None, "alert"), ("keep", "7", "alert"), ("default", "9", "alert")]
)  # fmt: skip
def test_what_becomes_of_a_wrong_value_is_the_columns_policy(compiled, policy, value, severity):
    sex = {"from": "P-SEX", "transforms": [{"lookup": {"table": "codes.csv"}}], "on_error": policy}
    if policy == "default":
        sex["default"] = "9"
    plan = compiled({"people": person(sex=sex)}, files=LOOKUP)
    out = run(plan, people({"P-NO": 1, "P-SEX": "7"}, {"P-NO": 2, "P-SEX": "1"}))
    assert column(out, "sex") == [value, "1"]
    assert codes(out) == [("M310", severity, 1, "P-SEX")]
    assert out.tallies["tests.people", 0].wrong == {"sex": 1}


def test_a_default_stands_where_there_is_no_value(compiled):
    plan = compiled({"people": person(sex={"from": "P-SEX", "default": "9"}, due={"from": "P-GROSS", "default": "0"})})
    out = run(plan, people({"P-NO": 1, "P-SEX": ""}, {"P-NO": 2, "P-SEX": "2", "P-GROSS": 5}))
    assert column(out, "sex") == ["9", "2"]
    assert [str(v) for v in column(out, "due")] == ["0", "5"]
    assert codes(out) == []


def test_a_code_is_looked_up_as_it_was_numbered_on_the_day(compiled):
    codes_csv = "old,new,label,valid_from,valid_to\n1,2,a,,2020-03-31\n1,1,a,20200401,\n"
    sex = {"from": "P-SEX", "transforms": [{"lookup": {"table": "codes.csv", "at": "moved"}}]}
    moved = {"from": "P-MOVED", "transforms": ["date"]}
    plan = compiled({"people": person(sex=sex, moved=moved)}, files={"codes.csv": codes_csv})
    out = run(
        plan, people({"P-NO": 1, "P-SEX": "1", "P-MOVED": 20200331}, {"P-NO": 2, "P-SEX": "1", "P-MOVED": 20200401})
    )
    assert column(out, "sex") == ["2", "1"]


@pytest.mark.parametrize(
    ("keep", "first"), [({"first": "moved"}, 2), ({"last": "moved"}, 3), ({"effective": "moved", "on": "20200101"}, 1)]
)
def test_the_row_of_a_key_is_chosen_by_its_day(compiled, keep, first):
    plan = compiled({"people": {**person(moved={"from": "P-MOVED", "transforms": ["date"]}), "keep": keep}})
    days = [20191231, 20100101, 20200102]
    out = run(plan, people(*({"P-NO": 1, "P-MOVED": day} for day in days)))
    ranks = dict(zip(column(out, "source_record"), column(out, "_rank"), strict=True))
    assert min(ranks, key=ranks.get) == first
    assert plan.one_row_per_key == {"tests.people"}


TOWNS = pl.DataFrame(
    {"_record": [1, 2, 3], "T-NO": [10, 20, 20], "T-NAME": ["東", "西", "新西"]}, schema_overrides={"_record": pl.Int64}
)


def joined(compiled, rows, **policy):
    join = {"town": {"from": "t.town", "on": {"P-TOWN": "T-NO"}, **policy}}
    plan = compiled({"people": {**person(town="town.T-NAME"), "join": join}})
    (part,) = plan.parts
    assert part.waits
    assert plan.looked_at() == {"t.town": ("T-NO", "T-NAME")}
    mapper = Mapper([plan], "r")
    held = pl.DataFrame(pl.from_arrow(mapper.map("d.person", people(*rows), no_findings()).held["tests.people", 0]))
    return plan, mapper.map_held(part, look_up(held, part.joins[0], TOWNS))


def test_a_join_finds_the_other_record(compiled):
    rows = [{"P-NO": 1, "P-TOWN": 10}, {"P-NO": 2, "P-TOWN": 99}, {"P-NO": 3, "P-TOWN": None}]
    plan, (made, found, tally) = joined(compiled, rows)
    assert made.column("town").to_pylist() == ["東", None, None]
    assert [(f["code"], f["severity"], f["record"], f["field"]) for f in found.to_pylist()] == [
        ("M315", "error", 2, "P-TOWN"), ("M315", "error", 3, "P-TOWN")
    ]  # fmt: skip
    assert plan.fates["t.town"] == {"T-NO": (("join town",), ""), "T-NAME": (("tests.people.town",), "")}
    assert (tally.candidates, tally.rows) == (3, 3)


@pytest.mark.parametrize(
    ("policy", "towns", "found"),
    [
        ({"missing": "null"}, [None, "西"], [("M315", "alert"), ("M316", "error")]),
        ({"missing": "drop", "double": "first"}, ["西"], [("M316", "note")]),
        ({"missing": "null", "double": "last"}, [None, "新西"], [("M315", "alert"), ("M316", "note")]),
    ],
)
def test_what_happens_when_the_other_side_is_missing_or_double(compiled, policy, towns, found):
    _, (made, findings, tally) = joined(compiled, [{"P-NO": 1, "P-TOWN": 99}, {"P-NO": 2, "P-TOWN": 20}], **policy)
    assert made.column("town").to_pylist() == towns
    assert [(f["code"], f["severity"]) for f in findings.to_pylist()] == found
    assert tally.candidates - tally.rows == 2 - len(towns)


def test_occurrences_that_look_at_other_records_wait_with_their_numbers(compiled):
    events = {
        "from": "d.person",
        "each": "P-EV",
        "when": {"field": "P-EV"},
        "join": {"t": {"from": "t.town", "on": {"P-TOWN": "T-NO"}}},
        "columns": {
            "no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]},
            "place": "$occurrence(P-EV)",
            "kind": "t.T-NAME",
        },
    }
    plan = compiled({"events": events})
    (part,) = plan.parts
    mapper = Mapper([plan], "r")
    batch = people({"P-NO": 1, "P-TOWN": 7, "P-EV(1)": "a", "P-EV(2)": "", "P-EV(3)": "b"})
    held = pl.DataFrame(pl.from_arrow(mapper.map("d.person", batch, no_findings()).held["tests.events", 0]))
    towns = pl.DataFrame({"_record": [1], "T-NO": [7], "T-NAME": ["x"]})
    made, found, tally = mapper.map_held(part, look_up(held, part.joins[0], towns))
    assert (made.column("place").to_pylist(), made.column("kind").to_pylist()) == ([1, 3], ["x", "x"])
    assert (found.num_rows, tally.candidates, tally.rows) == (0, 3, 2)


def test_a_child_takes_its_parents_key(compiled):
    child = {
        "from": "d.child",
        "join": {"above": {"from": "d.person", "on": "parent"}},
        "columns": {
            "no": {"from": "above.P-NO", "transforms": [{"digits": {"width": 5}}]},
            "place": "C-NO",
            "kind": "C-NAME",
        },
    }
    plan = compiled({"events": child})
    (part,) = plan.parts
    batch = pa.RecordBatch.from_pylist(
        [{"_record": 2, "_offset": 0, "_parent": 1, "C-NO": 1, "C-NAME": "x"}, {"_record": 4, "_offset": 9, "_parent": 3, "C-NO": 2, "C-NAME": "y"}]
    )  # fmt: skip
    mapper = Mapper([plan], "r")
    held = pl.DataFrame(pl.from_arrow(mapper.map("d.child", batch, no_findings()).held["tests.events", 0]))
    parents = pl.DataFrame({"_record": [1, 3], "P-NO": [11, 33]})
    made, found, _ = mapper.map_held(part, look_up(held, part.joins[0], parents))
    assert made.column("no").to_pylist() == ["00011", "00033"]
    assert found.num_rows == 0


def test_digits_of_numbers_and_texts_together(compiled):
    joined = {"from": ["P-NO", "P-SEX"], "transforms": [{"digits": {"width": 3}}, "concat"]}
    mapped = run(
        compiled({"people": person(name=joined)}), people({"P-NO": 7, "P-SEX": " 12"}, {"P-NO": 8, "P-SEX": "x"})
    )
    assert column(mapped, "name") == ["007012", "008"]
    assert codes(mapped) == [("M313", "error", 2, "P-SEX")]


HEADED = {"head?": [True, True, False], "head.H-YMD": [20260110, 20260801, None], "head.H-BANK": ["A", "B", None]}


def headed(*rows, **said):
    """Records with what their headers and trailers say."""
    batch = people(*rows)
    for name, values in {**HEADED, **said}.items():
        batch = batch.append_column(name, pa.array(values))
    return batch


ROWS = ({"P-NO": 1, "P-MOVED": 1227}, {"P-NO": 2, "P-MOVED": 1227}, {"P-NO": 3, "P-MOVED": 1227})


def test_what_a_header_says_is_a_source_and_tells_a_transform(compiled):
    near = {"date": {"form": "mmdd", "near": "head.H-YMD"}}
    plan = compiled({"people": person(name="head.H-BANK", moved={"from": "P-MOVED", "transforms": [near]})})
    (part,) = plan.parts
    assert part.around == ("head",)
    assert plan.fields_used("d.head") == {"H-YMD", "H-BANK"}
    assert plan.fates["d.head"] == {"H-BANK": (("tests.people.name",), ""), "H-YMD": (("tests.people.moved",), "")}
    mapped = run(plan, headed(*ROWS))
    assert column(mapped, "name") == ["A", "B", None]
    assert column(mapped, "moved_key") == ["20251227", "20261227", None]
    assert codes(mapped) == [("M340", "error", 3, "head.H-BANK"), ("M341", "error", 3, "P-MOVED")]


def test_a_record_that_a_missing_header_would_choose_is_told_of(compiled):
    plan = compiled({"people": {**person(), "when": "\"head.H-BANK\" = 'B'"}})
    mapped = run(plan, headed(*ROWS))
    assert column(mapped, "no") == ["00002", "00003"]
    assert codes(mapped) == [("C566", "alert", 1, None), ("M340", "error", 3, "head.H-BANK")]


def test_an_expression_counts_with_a_trailer_and_a_column_asks_a_header(compiled):
    plan = compiled(
        {
            "people": person(
                due={"expression": '"tail.T-COUNT" - "P-OFF"'},
                name={"from": "P-NAME", "when": {"field": "head.H-BANK", "values": ["A"]}},
            )
        }
    )
    assert plan.parts[0].around == ("head", "tail")
    rows = [{**row, "P-OFF": 1, "P-NAME": "甲"} for row in ROWS]
    mapped = run(plan, headed(*rows, **{"tail?": [True] * 3, "tail.T-COUNT": [3, 4, 5]}))
    assert column(mapped, "due") == [2, 3, 4]
    assert column(mapped, "name") == ["甲", None, None]
    assert codes(mapped) == [("M340", "error", 3, "head.H-BANK")]


def test_occurrences_and_what_waits_keep_what_the_header_says(compiled):
    join = {"town": {"from": "t.town", "on": {"P-TOWN": "T-NO"}, "missing": "null"}}
    plan = compiled({
        "events": {"from": "d.person", "each": "P-EV", "columns": {
            "no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]}, "place": "$occurrence", "kind": {"from": ["head.H-BANK", "P-EV"], "transforms": ["concat"]}}},
        "people": {**person(name="head.H-BANK", town="town.T-NAME"), "join": join},
    })  # fmt: skip
    rows = [{**row, "P-TOWN": 10, "P-EV(1)": "x"} for row in ROWS[:2]]
    batch = headed(*rows, **{name: values[:2] for name, values in HEADED.items()})
    mapper = Mapper([plan], "r")
    mapped = mapper.map("d.person", batch, no_findings())
    assert column(mapped, "kind", "tests.events") == ["Ax", "A", "A", "Bx", "B", "B"]
    part = next(part for part in plan.parts if part.waits)
    held = pl.DataFrame(pl.from_arrow(mapped.held["tests.people", 0]))
    made, found, _ = mapper.map_held(part, look_up(held, part.joins[0], TOWNS))
    assert made.column("name").to_pylist() == ["A", "B"]
    assert found.num_rows == 0


def test_numbers_are_taken_from_their_series(compiled):
    plan = compiled(
        {"people": person(**{"no": {"from": "P-NO", "transforms": [{"assign": {"series": "resident", "width": 6}}]}})}
    )
    (part,) = plan.parts
    mapper = Mapper([plan], "r")
    held = pl.DataFrame(pl.from_arrow(mapper.map("d.person", people({"P-NO": 70}, {"P-NO": 5}, {"P-NO": 70}), no_findings()).held["tests.people", 0]))  # fmt: skip
    ((of, at),) = part.series
    assert sorted(mapper.keys_of(part, of, at, held)) == ["5", "70"]
    made, found, _ = mapper.map_held(part, held, numbers={"resident": {"5": "1", "70": "2"}})
    assert made.column("no").to_pylist() == ["000002", "000001", "000002"]
    assert found.num_rows == 0


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_cutting_a_batch_anywhere_changes_no_row(cut_plan, data):
    rows = data.draw(
        st.lists(
            st.fixed_dictionaries({"P-NO": st.integers(0, 99_999), "P-EV(1)": st.sampled_from(["a", "", None])}),
            max_size=8,
        )
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    whole = people(*rows)
    parts = [whole.slice(a, b - a) for a, b in itertools.pairwise([0, *cuts, len(rows)])]
    mapper = Mapper([cut_plan], "r")
    expected = mapper.map("d.person", whole, no_findings())
    made = [mapper.map("d.person", part, no_findings()) for part in parts]
    for key, rows_of in expected.rows.items():
        assert pa.Table.from_batches([m.rows[key] for m in made]).to_pylist() == rows_of.to_pylist()
    assert sum(m.tallies["tests.events", 0].candidates for m in made) == expected.tallies["tests.events", 0].candidates


@pytest.fixture(scope="module")
def cut_plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan") / "990027_mihon" / "s"
    events = {"from": "d.person", "each": "P-EV", "when": {"field": "P-EV"}, "columns": {"no": {"from": "P-NO", "transforms": [{"digits": {"width": 5}}]}, "place": "$occurrence", "kind": "P-EV"}}  # fmt: skip
    tables = {"people": person(), "events": events}
    folder.mkdir(parents=True)
    (folder.parent / "manifest.yaml").write_text(HEAD, encoding="utf-8")
    (folder / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    (folder / "l.cpy").write_text("       01 A PIC X.\n", encoding="utf-8")
    used = yaml.safe_dump(tables)
    ignore = {
        s: [{"field": n, "reason": "試験"} for n in names if n.partition("(")[0] not in used]
        for s, names in REST.items()
    }
    mapping = {"system": "s", "tables": tables, "ignore": {k: v for k, v in ignore.items() if v}}
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
    return compile_mapping(
        read_municipality(folder.parent).systems["s"], schemas=SCHEMAS, tables=TABLES, code_sets=SETS
    )


BROKEN = [
    ("an unknown function", person(due={"expression": "SUM(\"P-GROSS\")"}), "Y044", "unknown function `SUM`"),
    ("a subquery", person(due={"expression": "(SELECT 1)"}), "Y044", "unknown name `SELECT`"),
    ("a comment", person(due={"expression": '"P-GROSS" --1'}), "Y044", "begins a comment"),
    ("division", person(due={"expression": '"P-GROSS" / 2'}), "Y044", "divide with //"),
    ("overflow", person(due={"expression": '"P-GROSS" * "P-OFF" * "P-NO"'}), "Y044", "could have more than 36 digits"),
    ("types", person(due={"expression": '"P-NAME" + 1'}), "Y044", "SQL:"),
    ("a condition as a value", person(name={"expression": '"P-GROSS" > 1'}), "Y033", "a condition is no value"),
    ("a name that is not used", person(due={"from": {"a": "P-GROSS", "b": "P-OFF"}, "expression": "a"}), "Y042", "`b` is named in from"),
    ("a condition of no truth", {**person(), "when": '"P-GROSS" + 1'}, "Y044", "a condition is true or false"),
    ("field and sql", {**person(), "when": {"field": "P-SEX", "sql": "1 = 1"}}, "Y044", "a condition has a field, or is an SQL text"),
    ("a word in a number's condition", {**person(), "when": {"field": "P-NO", "values": ["x"]}}, "Y044", "is no number"),
    ("an unknown table of occurrences", {**person(), "each": "P-EVS"}, "Y027", "unknown table (OCCURS) `P-EVS`"),
    ("a list as a value", person(name="P-LIST"), "Y033", "`P-LIST` is a table (OCCURS)"),
    ("a join on an unknown kind", {**person(), "join": {"t": {"from": "t.twon", "on": {"P-TOWN": "T-NO"}}}}, "Y020", "record kind `t.twon`"),
    ("a join on an unknown field", {**person(), "join": {"t": {"from": "t.town", "on": {"P-TOWN": "T-N"}}}}, "Y021", "unknown field `T-N`"),
    ("a join of text and number", {**person(), "join": {"t": {"from": "t.town", "on": {"P-NAME": "T-NO"}}}}, "Y028", "text and a number"),
    ("a join without a key", {**person(), "join": {"t": {"from": "t.town", "on": {}}}}, "Y028", "has no key"),
    ("no such parent", {**person(), "join": {"t": {"from": "t.town", "on": "parent"}}}, "Y028", "does not belong to t.town"),
    ("keep by an unknown column", {**person(), "keep": {"last": "moved"}}, "Y031", "column `moved` for keep"),
    ("effective without a day", {**person(moved={"from": "P-MOVED", "transforms": ["date"]}), "keep": {"effective": "moved"}}, "Y042", "and on: a day"),
    ("default without a value", person(sex={"from": "P-SEX", "on_error": "default"}), "Y042", "and no default:"),
    ("a default outside the code set", person(sex={"from": "P-SEX", "default": "7"}), "Y034", "`7` is no code of sex"),
    ("a constant outside the code set", person(sex={"constant": "7"}), "Y034", "`7` is no code of sex"),
    ("a default for a date", person(moved={"from": "P-MOVED", "transforms": ["date"], "default": "20200101"}), "Y033", "no day may be invented"),
    ("null in a mandatory column", person(no={"from": "P-NO", "transforms": [{"digits": {"width": 5}}], "on_error": "null"}), "Y033", "is mandatory"),
    ("a limit", person(name={"from": "P-NAME", "at_most": "some"}), "Y012", "`some` is no limit"),
    ("a guess", person(name={"from": "P-NAME", "guessed": "by its name"}), "Y026", "nobody has confirmed column `name`"),
    ("at a column that is not there", person(sex={"from": "P-SEX", "transforms": [{"lookup": {"table": "dated.csv", "at": "moved"}}]}), "Y031", "column `moved` for lookup"),
    ("a dated table without a day", person(sex={"from": "P-SEX", "transforms": [{"lookup": {"table": "dated.csv"}}]}), "Y041", "needs at:"),
    ("a day for a table without", person(sex={"from": "P-SEX", "transforms": [{"lookup": {"table": "codes.csv", "at": "no"}}]}), "Y041", "takes no at:"),
    ("parts that keep different rows", [person(), {**person(), "keep": "one_row_per_key"}], "Y042", "keep different rows"),
    ("a series' name", person(no={"from": "P-NO", "transforms": [{"assign": {"series": "X Y"}}]}), "Y041", "`series`"),
]  # fmt: skip

DATED = {**LOOKUP, "dated.csv": "old,new,label,valid_from,valid_to\n1,1,a,2020,\n"}


@pytest.mark.parametrize(("spec", "code", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_mistake_is_found_before_any_data(compiled, spec, code, says):
    with pytest.raises(SpecError) as caught:
        compiled({"people": spec}, files=DATED)
    found = caught.value.problems
    assert any(p.code == code and says in str(p) for p in found), [str(p) for p in found]
    assert all(p.position.line > 1 for p in found)


def test_a_field_that_nobody_has_decided_about_is_refused(compiled):
    left = {"d.person": [{"field": n, "reason": "?"} for n in SCHEMAS["d.person"].names if n != "P-NO"]}
    with pytest.raises(SpecError) as caught:
        compiled({"people": person()}, ignore=left)
    assert sum(p.code == "Y025" for p in caught.value.problems) == len(SCHEMAS["d.person"].names) - 1


CODE_TABLES = [
    ("old,new,label,valid_from,valid_to\n1,1,a,2020,2019\n", "ends before it begins"),
    ("old,new,label,valid_from,valid_to\n1,1,a,2020,\n1,2,b,2021,2022\n", "for some of the same time"),
    ("old,new,label,valid_from,valid_to\n1,1,a,soon,\n", "`soon` is no day"),
    ("old,new,label\n", "the table holds no code"),
    ("old,new,label\n1\n", "an old code, a new code and a label"),
    ("old,new,colour\n1,1,a\n", "the first line must be the header"),
]


@pytest.mark.parametrize(("content", "says"), CODE_TABLES)
def test_a_code_table_that_cannot_be_used_is_refused(compiled, content, says):
    sex = {"from": "P-SEX", "transforms": [{"lookup": {"table": "codes.csv"}}]}
    with pytest.raises(SpecError, match="Y015") as caught:
        compiled({"people": person(sex=sex)}, files={"codes.csv": content})
    assert says in str(caught.value)
