"""Whatever a mapping author writes, it is read or refused with its place: nothing else is raised, and nothing runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dags.municipality import load
from mappings.code_table import read_code_table
from mappings.expression import FUNCTIONS, KEYWORDS, OPERATORS, ExpressionError, compile_expression
from mappings.yaml_text import read_yaml
from migration_reports.findings import SpecError

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
TYPES = {"N": pa.int64(), "T": pa.string(), "D": pa.decimal128(9, 2)}
NAMES = {"n": "N", "t": "T", "d": "D"}
VALUES = pl.DataFrame(
    {"N": [0, 7, None, -(10**17)], "T": ["", "x", None, "12"], "D": ["0.00", "-1.50", None, "9999999.99"]}
).with_columns(pl.col("D").cast(pl.Decimal(9, 2)), pl.col("N").cast(pl.Int128).alias("N$"))

WORDS = st.sampled_from(
    [*FUNCTIONS, *KEYWORDS, *OPERATORS, *NAMES, "'x'", "''", '"T"', "1", "0", "999999999", "1.5", "SELECT", "read_csv", ";", "--", "::", "[1]"]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.lists(WORDS, max_size=12))
def test_an_expression_is_refused_or_never_raises_on_data(words):
    try:
        made = compile_expression(" ".join(words), NAMES, TYPES)
    except ExpressionError:
        return
    assert VALUES.select(made.expr.alias("v")).height in (1, VALUES.height)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_an_expression_or_is_refused(text):
    try:
        compile_expression(text, NAMES, TYPES)
    except ExpressionError:
        return


@settings(deadline=None, max_examples=300)
@given(st.text("ab:{}[],-# \n'\"&*!%|>?\t", max_size=120))
def test_any_text_is_yaml_or_is_refused_with_its_place(text):
    try:
        read_yaml(text, "m.yaml")
    except SpecError as error:
        assert all(problem.position.file == "m.yaml" for problem in error.problems)


@settings(deadline=None, max_examples=200)
@given(st.text('old,new\n"12x-', max_size=80))
def test_any_text_is_a_code_table_or_is_refused_with_its_line(text):
    problems = []
    assert (read_code_table("old,new,label\n" + text, "c.csv", problems) is None) == bool(problems)
    assert all(problem.position.line >= 1 for problem in problems)


ANYTHING = st.recursive(
    st.sampled_from(["x", "", "JJ-KANA", "juki_master.resident", "1", "null", "?", "0.1%"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "when", "field", "sql", "columns", "each", "join", "keep", "last"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
SPOTS = [
    ("tables",), ("tables", "residents"), ("tables", "residents", "columns"), ("tables", "residents", "columns", "name"),
    ("tables", "residents", "columns", "birth", "transforms"), ("tables", "households", "keep"),
    ("tables", "households", "prefer"), ("ignore",), ("system",),
]  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spot=st.sampled_from(SPOTS), value=ANYTHING)
def test_anything_in_any_place_of_a_mapping_is_read_or_refused(spot, value, tmp_path):
    folder = tmp_path / "990027_mihon"
    if not folder.exists():
        shutil.copytree(TOWNS / "990027_mihon", folder)
    path = folder / "resident_records.yaml"
    whole = yaml.load((TOWNS / "990027_mihon" / path.name).read_text("utf-8"), Loader=yaml.BaseLoader)
    at = whole
    for key in spot[:-1]:
        at = at[key]
    at[spot[-1]] = value
    path.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    try:
        load(folder)
    except SpecError as error:
        assert error.problems


@pytest.mark.parametrize("depth", [40, 5000])
def test_brackets_without_end_are_refused(depth):
    with pytest.raises(SpecError):
        read_yaml("a: " + "[" * depth, "m.yaml")
