"""Occurrences become rows as a loop over the records would make them, in every form that a table (OCCURS) is kept in."""

from __future__ import annotations

import dataclasses
import itertools

import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.batches import arrow_schema
from extractors.copybooks.copybook import read_copybook
from mappings.compiling.compiler import compile_mapping
from mappings.compiling.conditions import compile_condition
from mappings.compiling.occurrences import compile_occurrences, runs_of
from mappings.engine import Mapper
from mappings.language.reader import read_municipality
from mappings.language.spec import WhenSpec
from mappings.plan import OCCURRENCE, Runs, occurrence_of
from mappings.provenance import Followed, followed, origins
from mappings.unfolding import unfold
from migration_reports.codes import Code, CodeSet
from migration_reports.findings import FINDINGS, SpecError, no_findings
from tests.sheets import sheet

SCHEMA = arrow_schema(
    read_copybook(
        """\
01 K-REC.
   03 K-NO PIC 9(4). 03 K-NENDO PIC 9(4). 03 K-SU PIC 9.
   03 K-TSUKI OCCURS 3.
      05 K-YMD PIC 9(6). 05 K-GAKU OCCURS 2 PIC S9(7) COMP-3. 05 K-BIKO PIC X.
   03 K-HI OCCURS 2.
      05 K-WAKU PIC 9 OCCURS 4.
   03 K-NAME PIC X OCCURS 2.
   03 V-TABLE OCCURS 0 TO 3 DEPENDING ON K-SU.
      05 V-KBN PIC 9. 05 V-KI OCCURS 2. 07 V-KIGEN PIC X. 07 V-GAKU PIC 9 OCCURS 2.
   03 W-TABLE OCCURS 2.
      05 W-SU PIC 9. 05 W-LIST OCCURS 0 TO 3 DEPENDING ON W-SU. 07 W-CODE PIC X.
   03 Z-WAKU OCCURS 0 TO 9 DEPENDING ON K-SU PIC 9.
""",
        file="k.cpy",
        source_format="free",
    )
)
OFFSETS = {field.name: int((field.metadata or {}).get(b"offset", b"0")) for field in SCHEMA}
KINDS = {field.name: field.type for field in SCHEMA}

RECORDS = [("_record", pa.int64()), ("_offset", pa.int64())]


def values_of(kind):
    if pa.types.is_list(kind):
        return st.lists(values_of(kind.value_type), max_size=3)
    if pa.types.is_struct(kind):
        return st.fixed_dictionaries({member.name: values_of(member.type) for member in kind})
    return st.none() | (st.integers(0, 3) if pa.types.is_integer(kind) else st.sampled_from(["", "a", "b"]))


RECORD = st.fixed_dictionaries({name: values_of(kind) for name, kind in KINDS.items()})


def batch_of(records):
    rows = [{"_record": n, "_offset": 100 * n, **record} for n, record in enumerate(records, 1)]
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema([*RECORDS, *SCHEMA]))


def fixed(record):
    for i, j in itertools.product(range(1, 4), range(1, 3)):
        yield {"K-TSUKI": i, "K-GAKU": j}, {
            "K-NO": record["K-NO"], "K-YMD": record[f"K-YMD({i})"], "K-BIKO": record[f"K-BIKO({i})"],
            "K-GAKU": record[f"K-GAKU({i},{j})"],
        }  # fmt: skip


def outer(record):
    for i in range(1, 4):
        yield {"K-TSUKI": i}, {"K-YMD": record[f"K-YMD({i})"], "K-GAKU(2)": record[f"K-GAKU({i},2)"]}


def elementary(record):
    for i in range(1, 3):
        yield {"K-NAME": i}, {"K-NAME": record[f"K-NAME({i})"], "K-YMD(3)": record["K-YMD(3)"]}


def fixed_in_varying(record):
    for n, entry in enumerate(record["V-TABLE"], 1):
        for i, j in itertools.product(range(1, 3), range(1, 3)):
            yield {"V-TABLE": n, "V-KI": i, "V-GAKU": j}, {
                "V-KBN": entry["V-KBN"], "V-KIGEN": entry[f"V-KIGEN({i})"], "V-GAKU": entry[f"V-GAKU({i},{j})"],
                "K-NENDO": record["K-NENDO"],
            }  # fmt: skip


def varying_in_fixed(record):
    for n, entry in enumerate(record["W-TABLE"], 1):
        for m, one in enumerate(entry["W-LIST"], 1):
            yield {"W-TABLE": n, "W-LIST": m}, {"W-SU": entry["W-SU"], "W-CODE": one["W-CODE"], "K-NO": record["K-NO"]}


def varying(record):
    for n, value in enumerate(record["Z-WAKU"], 1):
        yield {"Z-WAKU": n}, {"Z-WAKU": value, "K-GAKU(3,1)": record["K-GAKU(3,1)"]}


TABLES = {
    "K-GAKU": fixed, "K-TSUKI": outer, "K-NAME": elementary, "V-GAKU": fixed_in_varying, "W-LIST": varying_in_fixed,
    "Z-WAKU": varying,
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
@settings(deadline=None, max_examples=40)
@given(records=st.lists(RECORD, max_size=4), data=st.data())
def test_rows_are_those_of_a_loop(table, records, data):
    each = compile_occurrences(table, SCHEMA)
    expected = [
        {
            **{occurrence_of(name): n for name, n in at.items()},
            OCCURRENCE: list(at.values())[-1],
            "_record": number,
            **row,
        }
        for number, record in enumerate(records, 1)
        for at, row in TABLES[table](record)
    ]
    batch = batch_of(records)
    names = list(expected[0]) if expected else ["_record"]
    cut = data.draw(st.integers(0, len(records)))
    for wanted in (None, set(names)):
        parts = [unfold(each, pl.DataFrame(pl.from_arrow(part)), wanted) for part in (batch[:cut], batch[cut:])]
        made = pl.concat([part.select(names) for part in parts])
        assert made.to_dicts() == expected or (not expected and not made.height)
    assert set(each.numbers) | set(each.members) >= {name for name in names if name not in ("_record", *KINDS)}


def runs_in(values, kept, left):
    at = 1
    for value, run in itertools.groupby(values):
        length = len(list(run))
        if value is not None and (not kept or value in kept) and value not in left:
            yield at, at + length - 1, value
        at += length


def slots(record):
    for day in (1, 2):
        yield {occurrence_of("K-HI"): day}, [record[f"K-WAKU({day},{n})"] for n in range(1, 5)]


@pytest.mark.parametrize(("table", "of"), [("K-WAKU", slots), ("Z-WAKU", lambda record: [({}, record["Z-WAKU"])])])
@pytest.mark.parametrize(("kept", "left"), [((), ()), ((1, 2), ()), ((), (0, 3)), ((1,), (1,))])
@settings(deadline=None, max_examples=30)
@given(records=st.lists(RECORD, max_size=4))
def test_runs_are_those_of_a_loop(table, of, kept, left, records):
    runs = Runs(tuple(map(str, kept)), tuple(map(str, left)))
    each = runs_of(compile_occurrences(table, SCHEMA), runs)
    expected = [
        {"K-NO": record["K-NO"], **around, "$from": first, "$to": last, "$value": value}
        for record in records
        for around, values in of(record)
        for first, last, value in runs_in(values, kept, left)
    ]
    made = unfold(each, pl.DataFrame(pl.from_arrow(batch_of(records))))
    assert made.select("K-NO", *each.numbers, "$value").to_dicts() == expected


def test_a_name_that_is_qualified_keeps_its_group():
    layout = read_copybook(
        "01 R.\n   03 G OCCURS 2. 05 A PIC X.\n   03 H OCCURS 3. 05 A PIC X. 05 FILLER PIC X.\n",
        file="r.cpy",
        source_format="free",
    )
    each = compile_occurrences("H", arrow_schema(layout))
    assert dict(each.flat) == {"A OF H": ("A(1) OF H", "A(2) OF H", "A(3)")} or set(each.members) == {"A", "A OF H"}


PAY = CodeSet("pay_item", "給与項目", "pay item", (Code("101", "給料", "salary"), Code("201", "共済", "mutual aid")))
PAYROLLS = sheet(
    "payrolls",
    """
    item,ja,type,length,must,codes,key
    employee,職員番号,N,8,1,,1
    year,支給年,N,4,1,,1
    month,支給月,N,2,1,,1
    item,項目,C,3,1,pay_item,1
    amount,金額,M,9,1,,
    paid,支給日,D,,,,
    """,
    code_sets=(PAY,),
)
BUSY = sheet(
    "busy",
    """
    item,ja,type,length,must,codes,key
    room,室場,N,4,1,,1
    day,日,I,,1,,1
    begins,開始,T,,1,,1
    ends,終了,T,,1,,
    state,状態,C,1,1,,
    """,
)
HEAD = 'municipality: {code: "990027", name: 見本市, romaji: mihon}'
MANIFEST = """
edition: "1.0"
dumps:
  d: {file: d, title: d, layout: l.cpy, framing: fixed, charset: ibm, records: {pay: {}}}
"""
CODES = {"items.csv": "old,new,label\n1,101,給料\n2,201,共済\n", "states.csv": "old,new,label\n1,1,仮\n2,2,本\n"}


@pytest.fixture
def compiled(tmp_path):
    def make(tables, *, ignore=()):
        folder = tmp_path / "990027_mihon" / "s"
        folder.mkdir(parents=True)
        (folder.parent / "manifest.yaml").write_text(HEAD, encoding="utf-8")
        (folder / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
        (folder / "l.cpy").write_text("       01 A PIC X.\n", encoding="utf-8")
        for name, content in CODES.items():
            (folder / name).write_text(content, encoding="utf-8")
        used = yaml.safe_dump(tables)
        left = [n for n in SCHEMA.names if n.partition("(")[0] not in used and not (n == "V-TABLE" and "V-" in used)]
        left += ignore
        mapping = {"system": "s", "tables": tables, "ignore": {"d.pay": [{"field": n, "reason": "試験"} for n in left]}}
        (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
        return compile_mapping(
            read_municipality(folder.parent).systems["s"],
            schemas={"d.pay": SCHEMA},
            tables={"payrolls": PAYROLLS.physical, "busy": BUSY.physical},
            code_sets={"pay_item": PAY.ever},
        )

    return make


def year_month(gives, **more):
    return {"from": "K-NENDO", "transforms": [{"month_of": {"first": "4", "occurrence": "$occurrence(K-TSUKI)", "gives": gives, **more}}]}  # fmt: skip


def payrolls(**columns):
    return {
        "from": "d.pay",
        "each": "K-GAKU",
        "when": {"field": "K-GAKU"},
        "columns": {
            "employee": {"from": "K-NO", "transforms": [{"digits": {"width": "8"}}]},
            "year": year_month("yyyy"),
            "month": year_month("mm"),
            "item": {"from": "$occurrence", "transforms": [{"lookup": {"table": "items.csv"}}]},
            "amount": "K-GAKU",
            "paid": {"from": "K-YMD", "transforms": ["date"]},
            **columns,
        },
    }


def busy(each=None, **columns):
    return {
        "from": "d.pay",
        "each": each or {"runs": "K-WAKU", "besides": ["0"]},
        "columns": {
            "room": {"from": "K-NO", "transforms": [{"digits": {"width": "4"}}]},
            "day": "$occurrence(K-HI)",
            "begins": {"from": "$from", "transforms": [{"slot_time": {"minutes": "30"}}]},
            "ends": {"from": "$to", "transforms": [{"slot_time": {"minutes": "30", "edge": "end"}}]},
            "state": {"from": "$value", "transforms": [{"lookup": {"table": "states.csv"}}]},
            **columns,
        },
    }


def of_list(**columns):
    constants = {"begins": {"constant": "0000"}, "ends": {"constant": "0100"}, "state": {"constant": "1"}}
    return busy("V-GAKU", **constants, **columns)


NOTHING = {name: [] if pa.types.is_list(kind) else None for name, kind in KINDS.items()}


def test_twelve_months_of_items_by_place(compiled):
    record = {
        **NOTHING, "K-NO": 7, "K-NENDO": 2023,
        **{f"K-YMD({i})": 20240100 + i for i in range(1, 4)},
        **{f"K-GAKU({i},{j})": 0 for i in range(1, 4) for j in range(1, 3)},
        "K-GAKU(1,1)": 300_000, "K-GAKU(3,2)": -5,
    }  # fmt: skip
    plan = compiled({"payrolls": payrolls()})
    done = Mapper([plan], "r").map("d.pay", batch_of([record]), no_findings())
    rows = pl.DataFrame(pl.from_arrow(done.rows["tests.payrolls", 0]))
    assert rows.select("employee", "year", "month", "item", pl.col("amount").cast(pl.Int64), "paid_source").rows() == [
        ("00000007", "2023", "04", "101", 300_000, "20240101"),
        ("00000007", "2023", "06", "201", -5, "20240103"),
    ]
    assert (done.tallies["tests.payrolls", 0].candidates, rows.height) == (6, 2)
    assert done.findings.num_rows == 0


def test_rows_are_numbered_through_by_an_expression(compiled):
    numbered = {"expression": '("$occurrence(K-HI)" - 1) * 4 + "$from"'}
    record = {**NOTHING, "K-NO": 1, "K-WAKU(1,2)": 1, "K-WAKU(2,1)": 1}
    done = Mapper([compiled({"busy": busy(day=numbered)})], "r").map("d.pay", batch_of([record]), no_findings())
    assert done.rows["tests.busy", 0].column("day").to_pylist() == [2, 5]


def test_what_the_decoder_lost_counts_for_the_column_and_by_its_policy(compiled):
    """Whether a table is a list or lies in columns, its cells' values that were lost are the column's."""
    lost = [{**dict.fromkeys(FINDINGS.names), "code": "D201", "severity": "error", "dump": "d", "kind": "pay", "record": 1, "offset": 100, "field": field}
            for field in ("K-GAKU(2,1)", "V-GAKU(3,1,2)", "K-GAKU(9,9)")]  # fmt: skip
    found = pa.RecordBatch.from_pylist(lost, schema=FINDINGS)
    plan = compiled(
        {
            "payrolls": payrolls(),
            "busy": of_list(day={"from": "V-GAKU", "on_error": "reject"}),
        },
        ignore=["V-KBN", "V-KIGEN(*)"],
    )
    done = Mapper([plan], "r").map("d.pay", batch_of([NOTHING]), found)
    assert {f["field"]: (f["severity"], f["column"]) for f in done.findings.to_pylist()} == {
        "K-GAKU(2,1)": ("error", "amount"), "V-GAKU(3,1,2)": ("error", "day"), "K-GAKU(9,9)": ("note", None),
    }  # fmt: skip
    assert done.tallies["tests.payrolls", 0].wrong == {"amount": 1}
    assert done.tallies["tests.busy", 0].wrong == {"day": 1}


def test_every_cell_of_a_nested_table_has_its_fate(compiled):
    plan = compiled({"payrolls": payrolls()})
    fates = plan.fates["d.pay"]
    assert all(fates[f"K-GAKU({i},{j})"][0] == ("tests.payrolls.amount", "tests.payrolls (when)") for i in (1, 2, 3) for j in (1, 2))  # fmt: skip
    assert fates["K-YMD(2)"][0] == ("tests.payrolls.paid",)
    assert {"K-GAKU(3,2)", "K-YMD(1)", "K-NENDO"} <= plan.fields_used("d.pay")


def test_the_sum_of_all_cells_is_that_of_the_rows(compiled):
    """Where cells are left out it is because they are zero; a condition on anything else leaves an amount out."""
    cells = tuple(f"K-GAKU({i},{j})" for i in (1, 2, 3) for j in (1, 2))
    thousands = {"from": "K-GAKU", "transforms": [{"number": {"times": "1000"}}]}
    (part,) = compiled({"payrolls": payrolls(amount=thousands)}).parts
    assert followed(part) == (Followed("K-GAKU", cells, "amount", 1000),)
    assert part.sums("K-YMD") == ()
    assert part.sums("K-NENDO") == ()
    for when in ({"field": "K-YMD"}, {"field": "K-GAKU", "besides": ["1"]}, '"K-GAKU" <> 0'):
        left = dataclasses.replace(part, when=(compile_condition(WhenSpec.model_validate(when) if isinstance(when, dict) else WhenSpec(sql=when), part.types, {}),))  # fmt: skip
        assert followed(left) == ()
    assert followed(dataclasses.replace(part, keep="preferred")) == ()


def test_a_bitmap_becomes_intervals_and_a_hole_makes_two(compiled):
    days = {1: (1, 1, 0, 1), 2: (0, 2, 7, 7)}
    record = {**NOTHING, "K-NO": 1, **{f"K-WAKU({d},{n})": v for d, of in days.items() for n, v in enumerate(of, 1)}}
    plan = compiled({"busy": busy()})
    done = Mapper([plan], "r").map("d.pay", batch_of([record]), no_findings())
    rows = pl.DataFrame(pl.from_arrow(done.rows["tests.busy", 0]))
    assert rows.select("day", "begins", "ends", "state").rows() == [
        (1, "0000", "0100", "1"), (1, "0130", "0200", "1"), (2, "0030", "0100", "2"), (2, "0100", "0200", None),
    ]  # fmt: skip
    (found,) = done.findings.to_pylist()
    assert (found["code"], found["column"], done.tallies["tests.busy", 0].unknown) == (
        "M310",
        "state",
        {"state": {"7": 1}},
    )
    # The second day's third slot, in the record that begins at byte 100.
    assert found["offset"] == 100 + OFFSETS["K-WAKU(2,3)"]
    (part,) = plan.parts
    assert set(origins(part, ["$from", "$value"])) == {
        ("d.pay", f"K-WAKU({d},{n})") for d in (1, 2) for n in range(1, 5)
    }


@pytest.mark.parametrize(
    ("day", "ignore", "said"),
    [
        ("V-GAKU", [], {("Y022", "`V-KBN` of V-TABLE"), ("Y022", "`V-KIGEN(1)` of V-TABLE"), ("Y022", "`V-KIGEN(2)` of V-TABLE")}),
        ("V-GAKU", ["V-KIGEN(*)"], {("Y022", "`V-KBN` of V-TABLE")}),
        ("V-GAKUU", ["V-KIGEN(*)", "V-KBN"], {("Y021", "`V-GAKUU`")}),
        ("V-GAKU", ["V-KIGEN(*)", "V-KBN", "V-GAKU(1,1)"], {("Y023", "`V-GAKU(1,1)` is mapped to busy.day")}),
    ],
    ids=["all of them", "one", "misspelt", "mapped and ignored"],
)  # fmt: skip
def test_each_member_of_a_list_that_is_read_has_a_fate(compiled, day, ignore, said):
    with pytest.raises(SpecError) as caught:
        compiled({"busy": of_list(day=day)}, ignore=ignore)
    found = {(p.code, text) for p in caught.value.problems for _, text in said if text in p.message}
    assert found == said
    assert len(caught.value.problems) == len(said)


BROKEN = [
    ("an unknown table around", payrolls(year=year_month("yyyy", occurrence="$occurrence(K-TSUKY)")), "Y060", "did you mean `$occurrence(K-TSUKI)`"),
    ("a number without occurrences", {**payrolls(), "each": None, "from": "d.pay"}, "Y060", "each: TABLE"),
    ("a table that is not around", payrolls(item="$occurrence(K-HI)"), "Y060", "$occurrence(K-TSUKI)"),
    ("the number of a run", busy(day="$occurrence"), "Y060", "are $from and $to"),
    ("an outer number in a condition", {**payrolls(), "when": {"field": "$occurrence(K-TUKI)"}}, "Y060", "did you mean"),
    ("runs of a group", busy({"runs": "K-TSUKI"}, day="$occurrence"), "Y061", "an occurrence of `K-TSUKI` is a group"),
    ("runs of an unknown table", busy({"runs": "K-WAKUU"}), "Y027", "did you mean `K-WAKU`"),
    ("runs of words", busy({"runs": "K-WAKU", "values": ["x"]}), "Y061", "`x` is no number"),
    ("a mapping without runs", busy({"run": "K-WAKU"}), "Y012", "or the `runs:` of one"),
    ("an unknown key beside runs", busy({"runs": "K-WAKU", "value": ["1"]}), "Y010", "did you mean `values`"),
    ("a month of a text", payrolls(year=year_month("yyyy", occurrence="K-BIKO", year="K-NENDO")), "Y041", "either occurrence or year"),
    ("a month that begins nowhere", payrolls(year=year_month("yyyy", first="13")), "Y041", "`first`"),
    ("a month of an unknown year", payrolls(year={"from": "$occurrence", "transforms": [{"month_of": {"first": "4", "year": "K-NENDOO"}}]}), "Y021", "did you mean `K-NENDO`"),
    ("a date as a month's number", payrolls(month=year_month("mm", occurrence="K-LIST")), "Y021", "unknown field `K-LIST`"),
    ("a member without each", payrolls(paid={"from": "V-GAKU", "transforms": ["date"]}), "Y021", "`each: V-GAKU`"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "code", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_mistake_is_found_before_any_data(compiled, spec, code, says):
    spec = {key: value for key, value in spec.items() if value is not None}
    table = "busy" if "room" in spec["columns"] else "payrolls"
    with pytest.raises(SpecError) as caught:
        compiled({table: spec})
    found = caught.value.problems
    assert any(p.code == code and says in str(p) for p in found), [str(p) for p in found]
