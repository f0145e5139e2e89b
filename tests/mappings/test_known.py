"""What is known of a value is what its steps would make of it: looking it up never changes a row, a finding or a count."""

from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from extractors.batches import extract
from mappings import known
from mappings.engine import Mapper
from mappings.known import Known, key_of
from mappings.language.folder import CodeTable, Period
from mappings.plan import ColumnPlan, Step
from mappings.transforms import BY_NAME
from mappings.values import alone, working_levels

TOWN = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"
SOURCE = "juki_master.resident"
TABLES = {"codes.csv": CodeTable((Period("", "", {"a": "1", "b": "2"}),), "codes.csv")}
DAYS = st.one_of(st.integers(-9, 9_999_999), st.sampled_from([0, 3_630_209, 3_630_230, 3_200_100, 9_999_999]))
TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["", " ", "a", "b ", "ｶﾞｯｺｳ ﾀﾛ-", "S63.2.3", "山田　太郎"]))
CHAINS = {
    "wareki_date": ([("wareki_date", {"eras": "1-5"})], 1, DAYS, pl.Int64),
    "wareki_text": ([("wareki_text", {})], 1, TEXTS, pl.String),
    "kana": ([("trim", {}), ("kana", {"small": "fold", "long": "unify"})], 1, TEXTS, pl.String),
    "lookup": ([("lookup", {"table": "codes.csv"})], 1, TEXTS, pl.String),
    "joined": ([("lookup", {"table": "codes.csv"}), ("concat", {})], 2, TEXTS, pl.String),
    "parts": ([("wareki_parts", {"eras": "1-5"})], 2, DAYS, pl.Int64),
}


def first_steps(steps, sources):
    made = tuple(Step(BY_NAME[name], BY_NAME[name].params.model_validate(params)) for name, params in steps)
    column = ColumnPlan("c", ("c",), sources, made, None, None, (), None, "reject", "", None, False, "x.yaml:1")
    return alone(column, TABLES)


def by_steps(one, frame):
    for level in working_levels(one.workings):
        frame = frame.with_columns(level)
    return frame.select(one.names)


def looked_up(one, table, frame):
    """What the table gives of a frame, masks that hit nothing written out; None where it leaves the frame alone."""
    values = frame.select(key_of(one).alias("v"))["v"]
    (made,) = table.of([(values, values.hash().to_numpy())])
    if made is None:
        return None
    never = pl.repeat(value=False, n=frame.height, eager=True)
    return pl.DataFrame([(never if c is None else c).alias(n) for n, c in zip(one.names, made, strict=True)])


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(list(CHAINS)), st.sampled_from([8, known.LIMIT]))
def test_a_value_that_is_looked_up_is_what_the_steps_make_of_it(data, name, limit):
    steps, width, cells, dtype = CHAINS[name]
    one = first_steps(steps, tuple(f"F{n}" for n in range(width)))
    pool = data.draw(st.lists(st.tuples(*[st.none() | cells] * width), min_size=1, max_size=12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "LIMIT", limit)
        table = Known(one)
        for _ in range(4):
            rows = data.draw(st.lists(st.sampled_from(pool), max_size=30))
            frame = pl.DataFrame(rows, schema=dict.fromkeys(one.sources, dtype), orient="row")
            made = looked_up(one, table, frame)
            assert made is None or made.equals(by_steps(one, frame))


def test_values_that_come_again_are_looked_up_and_only_new_ones_go_through_the_steps():
    one = first_steps([("kana", {})], ("F",))
    table = Known(one)
    seen = []
    table._make = lambda new, make=table._make: seen.append(new.drop_nulls().to_list()) or make(new)
    for texts in (["ｱ", "ｲ"] * 50, ["ｲ", None] * 50, ["ｱ"] * 50 + ["ｳ"] * 50):
        frame = pl.DataFrame({"F": texts})
        assert looked_up(one, table, frame).equals(by_steps(one, frame))
    assert [sorted(values) for values in seen] == [["ｱ", "ｲ"], ["ｳ"]]


def test_a_column_of_distinct_values_is_left_alone():
    one = first_steps([("kana", {})], ("F",))
    assert looked_up(one, Known(one), pl.DataFrame({"F": [f"ｱ{n}" for n in range(20_000)]})) is None


def test_a_table_that_filled_and_served_few_rows_is_given_up_and_one_that_served_many_begins_anew(monkeypatch):
    monkeypatch.setattr(known, "LIMIT", 100)
    one = first_steps([("kana", {})], ("F",))
    for each, again in ((2, False), (20, True)):
        table = Known(one)
        given = [looked_up(one, table, pl.DataFrame({"F": [f"ｱ{n}.{m}" for m in range(30)] * each})) for n in range(5)]
        assert [made is None for made in given] == [False, False, False, True, not again]


def test_a_hash_that_two_values_share_gives_no_wrong_row():
    one = first_steps([("kana", {})], ("F",))
    values = pl.Series(["ｱ", "ｲ"] * 50)
    assert Known(one).of([(values, np.full(100, 7, np.uint64))]) == [None]


@pytest.fixture(scope="module")
def town():
    return load(TOWN)


@pytest.fixture(scope="module")
def resident(town, tmp_path_factory):
    (made,) = synthesize(TOWN, residents=300, seed=2, faults=0.2, out=tmp_path_factory.mktemp("known"))
    reader = town.dumps["juki_master"]
    with made.dump.open("rb") as stream:
        every = extract(
            stream, name="juki_master", layout=reader.layout, framing=reader.reading.framing,
            charset=reader.reading.charset, kinds=reader.kinds,
        )  # fmt: skip
        return next(extracted for extracted in every if extracted.kind == "resident")


def outcome(town, batches, decoded, *, looking):
    """Rows, each batch's findings, and counts of all; the decoder's findings come with the first batch."""
    with pytest.MonkeyPatch.context() as patch:
        if not looking:
            patch.setattr(Known, "of", lambda _, columns: [None] * len(columns))
        mapper = Mapper(list(town.plans.values()), "r")
        done = [mapper.map(SOURCE, batch, decoded if not n else decoded.slice(0, 0)) for n, batch in enumerate(batches)]
    rows = {part: [row for m in done for row in m.rows[part].to_pylist()] for part in done[0].rows}
    found = [m.findings.to_pylist() for m in done]
    counts = Counter()
    for part, tally in ((part, tally) for m in done for part, tally in m.tallies.items()):
        counts.update({(part, "candidates"): tally.candidates, (part, "rows"): tally.rows})
        counts.update({(part, "wrong", column): n for column, n in tally.wrong.items()})
        counts.update({(part, column, code): n for column, codes in tally.unknown.items() for code, n in codes.items()})
    return rows, found, counts


@settings(deadline=None, max_examples=25)
@given(
    days=st.lists(st.none() | DAYS, min_size=1, max_size=40),
    codes=st.lists(st.none() | st.sampled_from(["", "01", "02", "99", "?", " 1 "]), min_size=1, max_size=9),
    kana=st.lists(st.none() | TEXTS, min_size=1, max_size=20),
    cuts=st.lists(st.integers(0, 300), max_size=4),
)
def test_neither_looking_up_nor_a_batchs_size_changes_rows_findings_or_counts(town, resident, days, codes, kana, cuts):
    batch = resident.batch
    drawn = {"JJ-SEINENGAPPI": days, "JJ-IDO-YMD": days[::-1], "JJ-KANA": kana, "JJ-ZOKUGARA(1)": codes, "JJ-ZOKUGARA(2)": codes[::-1]}  # fmt: skip
    for name, values in drawn.items():
        at = batch.schema.get_field_index(name)
        column = pa.array([values[n % len(values)] for n in range(batch.num_rows)], batch.schema.field(at).type)
        batch = batch.set_column(at, batch.schema.field(at), column)
    edges = sorted({0, *(cut for cut in cuts if cut < batch.num_rows), batch.num_rows})
    pieces = [batch.slice(start, end - start) for start, end in pairwise(edges)]
    whole = outcome(town, [batch], resident.findings, looking=False)
    assert outcome(town, [batch], resident.findings, looking=True) == whole
    rows, found, counts = outcome(town, pieces, resident.findings, looking=True)
    assert outcome(town, pieces, resident.findings, looking=False) == (rows, found, counts)
    assert (rows, sorted(map(str, chain(*found))), counts) == (whole[0], sorted(map(str, whole[1][0])), whole[2])
