"""Rules that tables imply and rules that systems declare: both engines count the same on anything, and findings say it once."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from dags.pipeline.town import rules_of
from mappings.compiling.compiler import arrow_type
from migration_reports.findings import FINDINGS, finding
from tests.counted import counted, staged_alone
from tests.resident_records import SYSTEM
from tests.sheets import sheet
from validators import derived, engine, instances
from validators.shapes.contract import Expectation, Query, Rule

NUMBERS = sheet(
    "numbers",
    """
    item,ja,type,length,must,key,check
    key,鍵,N,5,1,1,
    individual,個人番号,N,12,,,individual_number
    corporate,法人番号,N,13,,,corporate_number
    code,団体コード,N,6,,,municipality_number
    insurer,保険者番号,N,8,,,insurer_number
    insurer_short,保険者番号,N,6,,,insurer_number
    """,
    system="resident_records",
)
"""A table of every kind of number, which no shipped system has together."""

TABLES = {table.physical.key: table.physical for table in (*SYSTEM.tables, NUMBERS)}
OWN = {"numbers": NUMBERS.physical.key}
SETS = {code_set.name: code_set for code_set in SYSTEM.code_sets}


def schema_of(name):
    fields = [(c.name, arrow_type(c)) for c in TABLES[name].columns]
    return pa.schema([*fields, ("_offset", pa.int64()), ("_rank", pa.int64()), ("_part", pa.int16())])


def frame(name, rows):
    records = [
        {"source_dump": "d", "source_record": n, "_offset": n * 10, "_rank": 0, "_part": 0, **row}
        for n, row in enumerate(rows, 1)
    ]
    return pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(records, schema=schema_of(name))))


def stage(database, url, frames, run):
    rows = {name: rows.to_arrow().cast(schema_of(name)) for name, rows in frames.items()}
    return staged_alone(database, url, run, list(TABLES.values()), rows)


def test_both_engines_count_the_same_on_random_rows(data_centre, database_url):
    rng = np.random.default_rng(5)

    def pick(*values):
        return [values[i] for i in rng.integers(0, len(values), 300)]

    residents = [
        dict(zip(("resident_no", "history_no", "household_no", "name", "name_kana", "birth_source", "birth_key", "birth_precision", "sex",
                  "relationship", "resident_since_key", "resident_since_precision", "change_reason", "postal_code"), row, strict=True))
        for row in zip(
            pick("1", "2", "3", None), pick(1, 2), pick("A", "B", "C", None), pick("山田　太郎", "�", None, "x" * 101),
            pick("ヤマダ", None), pick("3630209", None), pick("19880209", None), pick("day", "month"), pick("1", "2", "7", None),
            pick("01", "0111", "99", "1", None), pick("19880208", "20000101", None), pick("day", None),
            pick("101", "203", "999", None), pick("1234567", "123", "\u3000", None), strict=True,
        )
    ]  # fmt: skip
    households = [
        {"household_no": n, "member_count": c}
        for n, c in zip(pick("A", "B", "D", None), pick(1, 99, None), strict=True)
    ]
    frames = {"resident_records.residents": frame("resident_records.residents", residents), "resident_records.households": frame("resident_records.households", households),
              "resident_records.tax_amounts": frame("resident_records.tax_amounts", [{"resident_no": "1"}, {"resident_no": "9"}]), "resident_records.protective_measures": frame("resident_records.protective_measures", []),
        "resident_records.resident_changes": frame("resident_records.resident_changes", [{"resident_no": n, "change_no": c, "change_reason": r} for n, c, r in zip(
            pick("1", "9", None), pick(1, 2, None), pick("101", "999", None), strict=True)]),
              "resident_records.numbers": frame("resident_records.numbers", [{"key": k, "corporate": c, "code": m} for k, c, m in zip(
                  pick("1", "2", None), pick("7000012050002", "8000012050002", None), pick("011002", "011003", "x", None), strict=True)])}  # fmt: skip
    rules = (
        *derived.derive(TABLES, SETS, one_per_key=frozenset({"resident_records.households"})),
        *rules_of(SYSTEM, {"resident_number": {"length": "4"}}),
        *instances.make(instances.of_columns(TABLES, OWN), TABLES, own=OWN, settings={}),
    )
    lazily = {n: f.lazy() for n, f in frames.items()}
    failing = engine.run_polars(rules, lazily)
    shared = engine.run_polars(rules, lazily, heights=dict.fromkeys(frames, 4 * engine.SHARE))
    assert all(rows.equals(shared[name]) for name, rows in failing.items())
    found = {name: rows.height for name, rows in failing.items()}
    schema = stage(data_centre, database_url, frames, "random")
    counts = counted(rules, url=database_url, schema=schema)
    assert found == dict(counts)
    assert sum(count > 0 for count in found.values()) > 15
    assert engine.compare(rules, found, counts).num_rows == 0
    counts = {**counts, rules[0].name: 10**6}
    assert engine.compare(rules, found, counts).column("code").to_pylist() == ["C510"]


def test_a_rule_that_cannot_be_evaluated_is_a_bug_and_raises(data_centre, database_url):
    schema = stage(
        data_centre,
        database_url,
        {"resident_records.residents": frame("resident_records.residents", [{"name": "x"}])},
        "broken",
    )
    for expectation in (
        Query("SELECT no_such_column FROM {batch}"),
        Expectation("ExpectColumnValuesToNotBeNull", {"column": "nope"}),
    ):
        rule = Rule(
            "broken", "V401", "x", "x", "resident_records.residents", ("name",), pl.col("name").is_null(), expectation
        )
        with pytest.raises(RuntimeError, match="rule broken could not be evaluated"):
            counted([rule], url=database_url, schema=schema)


def test_a_row_whose_cause_was_reported_is_not_reported_again():
    rule = Rule("r", "V401", "x", "x", "resident_records.residents", ("sex",), pl.col("sex").is_null(), Query(""))
    failing = pl.DataFrame({"source_dump": ["d", "d"], "source_record": [1, 2], "_offset": [0, 100], "_part": [0, 0]})
    origins = {("resident_records.residents", "sex", "d", 0): engine.Origin(("SEI",), 88, "person", "m.yaml:3")}
    said = pl.DataFrame(pl.from_arrow(FINDINGS.empty_table()))
    first = engine.findings(rule, failing, earlier=said, origins=origins)
    assert first.select(["record", "offset", "field", "kind", "column", "mapping"]).to_pylist() == [
        {"record": 1, "offset": 88, "field": "SEI", "kind": "person", "column": "sex", "mapping": "m.yaml:3"},
        {"record": 2, "offset": 188, "field": "SEI", "kind": "person", "column": "sex", "mapping": "m.yaml:3"},
    ]
    earlier = pl.DataFrame(pl.from_arrow(first)).head(1)
    again = engine.findings(rule, failing, earlier=earlier, origins=origins)
    assert again.column("record").to_pylist() == [2]


@pytest.mark.parametrize(
    ("code", "severity", "reported"),
    [
        ("V416", "error", [2]),
        ("V416", "alert", [2]),
        ("V416", "note", [1, 2]),
        ("V415", "note", [1, 2]),
        ("V401", "error", [2]),
        ("V401", "alert", [1, 2]),
        ("V402", "alert", [1, 2]),
        ("V405", "error", [2]),
        ("V405", "alert", [1, 2]),
        ("V406", "alert", [1, 2]),
    ],
)
def test_no_note_names_a_cause_and_no_alert_lets_pass_what_the_database_refuses(code, severity, reported):
    rule = Rule("r", code, "x", "x", "resident_records.residents", ("name",), pl.col("name").is_null(), Query(""))
    failing = pl.DataFrame({"source_dump": ["d", "d"], "source_record": [1, 2], "_offset": [0, 100], "_part": [1, 1]})
    origins = {("resident_records.residents", "name", "d", 1): engine.Origin(("SHIMEI",), 8, "person", "m.yaml:3")}
    earlier = pl.DataFrame(pl.from_arrow(finding("D222", severity, dump="d", record=1, field="SHIMEI")))
    found = engine.findings(rule, failing, earlier=earlier, origins=origins)
    assert found.column("record").to_pylist() == reported
