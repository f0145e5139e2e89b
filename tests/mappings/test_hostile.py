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

from dags.pipeline.town import load
from mappings.expression import FUNCTIONS, KEYWORDS, OPERATORS, ExpressionError, compile_expression
from mappings.growth import MAX_PATTERN, MAX_TEXT
from mappings.language.code_table import read_code_table
from migration_reports.findings import SpecError
from migration_reports.yaml_text import read_yaml

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
TYPES = {"N": pa.int64(), "T": pa.string(), "D": pa.decimal128(9, 2)}
NAMES = {"n": "N", "t": "T", "d": "D"}
WIDTHS = {"T": 60}
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
        made = compile_expression(" ".join(words), NAMES, TYPES, WIDTHS)
    except ExpressionError:
        return
    values = VALUES.select(made.expr.alias("v"))["v"]
    assert values.len() in (1, VALUES.height)
    assert (values.cast(pl.String).str.len_chars().max() or 0) <= made.longest


TEXTS = st.recursive(
    st.sampled_from(["t", "'x'", "''", "'abc'", "n", "d", "12", "TRUE"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["'x'", "''", "'12'"]), st.sampled_from(["''", "'y'", "'long'"])).map(lambda of: f"REPLACE({', '.join(of)})"),
        st.tuples(st.sampled_from(["UPPER", "LOWER", "TRIM", "REVERSE", "COALESCE", "LENGTH"]), inner).map(lambda of: f"{of[0]}({of[1]})"),
        st.tuples(st.sampled_from(["LPAD", "RPAD"]), inner, st.integers(0, 9)).map(lambda of: f"{of[0]}({of[1]}, {of[2]}, '*')"),
        st.lists(inner, min_size=1, max_size=3).map(lambda of: f"CONCAT({', '.join(of)})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda of: f"CONCAT_WS('--', {', '.join(of)})"),
        st.tuples(inner, inner).map(lambda of: f"({of[0]} || {of[1]})"),
        st.tuples(inner, inner, inner).map(lambda of: f"CASE WHEN t = 'x' THEN {of[0]} || {of[1]} ELSE {of[2]} END || 'z'"),
    ),
    max_leaves=6,
)  # fmt: skip
CASED = VALUES.with_columns(pl.Series("T", ["", "x", None, "\u0390" * 5]))


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_no_text_is_longer_than_was_said_before(text):
    try:
        made = compile_expression(text, NAMES, TYPES, {"T": 5})
    except ExpressionError:
        return
    values = CASED.select(made.expr.alias("v"))["v"]
    assert (values.cast(pl.String).str.len_chars().max() or 0) <= made.longest


def nested(levels: int) -> str:
    """REPLACE in REPLACE: each level doubles the text."""
    return "REPLACE(" * levels + "t" + ", 'a', 'bb')" * levels


GROWING = [
    *[(nested(levels), "REPLACE could give") for levels in range(7, 21)],
    *[(nested(levels), "brackets or CASEs one in another") for levels in range(21, 31)],
    ("REPLACE(REPLACE(t, '', '" + "x" * 20 + "'), '', '" + "x" * 20 + "')", "REPLACE could give 26,900 characters"),
    ("LEFT(" + nested(8) + ", 5)", "REPLACE could give"),
    *[(f"{pad}(t, 999999999999)", f"{pad} fills to 999999999999 characters") for pad in ("LPAD", "RPAD")],
    ("LPAD(t, " + "9" * 1000 + ")", "LPAD fills to 99999999999999999999 characters"),
    (f"RPAD(t, {MAX_TEXT + 1}, 'x')", f"{MAX_TEXT:,} are allowed"),
    *[(f"LPAD(t, {count})", "is not a whole number that is written in it") for count in ("n", "-1", "1.5", "LENGTH(t)", "(5)", "5 + 5")],
    ("LPAD(t)", "is not a whole number that is written in it"),
    (" || ".join(["t"] * 150), "the expression could give 9,000 characters"),
    ("CONCAT(" + ", ".join(["t"] * 150) + ")", "CONCAT could give 9,000 characters"),
    ("CONCAT_WS('" + "-" * 100 + "', " + ", ".join(["t"] * 30) + ")", "CONCAT_WS could give 4,700 characters"),
    ("CASE WHEN t = 'x' THEN " + " || ".join(["t"] * 67) + " END", "the expression could give 4,020 characters"),
    ("UPPER(" + " || ".join(["t"] * 30) + ")", "UPPER could give 5,400 characters"),
    ("(" * 25 + "t" + ")" * 25, "more than 20 brackets"),
    ("CASE WHEN TRUE THEN " * 25 + "1" + " END" * 25, "more than 20 brackets or CASEs"),
    ("t)", "a bracket is closed that was not opened"),
    ("'" + "x" * 3000 + "'", "longer than 2,000 characters"),
    ("9" * 1900, "SQL"),
    (" + ".join(["n"] * 300), "more than 400 words"),
    (f"t LIKE '{'%a' * MAX_PATTERN}'", "LIKE with 400 characters"),
    (f"t LIKE (('{'%a' * MAX_PATTERN}'))", "LIKE with 400 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), GROWING, ids=[text[:30] for text, _ in GROWING])
def test_what_could_grow_without_end_is_refused_before_any_data(text, message):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, NAMES, TYPES, WIDTHS)
    assert message in caught.value.message


@pytest.mark.parametrize("text", [
    nested(6), "LPAD(t, 4000)", "RPAD(t, 0)", " || ".join(["t"] * 60), " + ".join(["n"] * 199), " AND ".join(["t = 'x'"] * 99),
    " OR ".join(["t = 'x'"] * 99), "REPLACE(" * 19 + "t" + ", '-', '')" * 19, "(" * 20 + "t" + ")" * 20,
    "LEFT(t, n)", "RIGHT(t, n)", "SUBSTR(t, n, n)", "SUBSTR(t, -1, 999999999999999999)", "COALESCE(t, '" + "x" * 1900 + "')",
])  # fmt: skip
def test_what_cannot_grow_is_taken_and_never_raises(text):
    made = compile_expression(text, NAMES, TYPES, WIDTHS)
    assert VALUES.select(made.expr.alias("v")).height == VALUES.height


def test_a_wide_field_is_read_and_may_not_grow():
    assert compile_expression("TRIM(t)", NAMES, TYPES, {"T": 9_000}).longest == 9_000
    with pytest.raises(ExpressionError, match="9,000 are allowed"):
        compile_expression("t || 'x'", NAMES, TYPES, {"T": 9_000})


def test_a_field_is_no_function_whatever_its_name():
    with pytest.raises(ExpressionError, match="is a field, and no function"):
        compile_expression("REPEAT(t, 1000000)", {**NAMES, "REPEAT": "T"}, TYPES, WIDTHS)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_an_expression_or_is_refused(text):
    try:
        made = compile_expression(text, NAMES, TYPES, WIDTHS)
    except ExpressionError as error:
        assert error.message
    else:
        assert set(made.reads) <= set(NAMES.values())


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
    path = folder / "resident_records/mapping.yaml"
    whole = yaml.load(
        (TOWNS / "990027_mihon" / "resident_records" / path.name).read_text("utf-8"), Loader=yaml.BaseLoader
    )
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
