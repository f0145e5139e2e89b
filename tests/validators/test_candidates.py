"""Candidates are found by blocks, and are those that comparing every row with every other finds."""

from __future__ import annotations

import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dags.pipeline.candidates.likeness import likeness
from migration_reports.candidates import Candidates, Compared, Evidence
from validators import candidates as finding
from validators.candidates import Tried, find

FORMS = {"name": "text", "kana": "kana", "address": "address", "birth": "day", "tel": "exact"}
ROW = {"name": "山田", "kana": "ヤマダ", "address": "栄町1-2", "birth": "19700101", "tel": "1"}


def declared(*evidence, other="s.people", items=FORMS, where=None, most=50):
    """Candidates among people, by items: `strong: ...` is a strong evidence."""
    compared = tuple(Compared(name, name, name, name, name, FORMS[name], sensitive=name == "tel") for name in items)
    made = tuple(Evidence("_".join(names), names, strong=number == 0) for number, names in enumerate(evidence))
    return Candidates("c", "", "", "s.people", other, ("no",), ("no",), compared, made, where or {}, most, "alert", "")


def people(*rows):
    """Staged rows: what each says differently from the usual one."""
    made = [{**ROW, "no": str(number), "precision": "day", **row} for number, row in enumerate(rows, 1)]
    return pl.DataFrame(
        {
            **{name: [row[name] for row in made] for name in ("no", "name", "kana", "address", "tel")},
            "birth_key": [row["birth"] for row in made],
            "birth_source": [row["birth"] for row in made],
            "birth_precision": [row["precision"] for row in made],
            "source_dump": ["d"] * len(made),
            "source_record": range(1, len(made) + 1),
            "_offset": [0] * len(made),
            "_part": pl.Series([0] * len(made), dtype=pl.Int16),
        },
        schema_overrides=dict.fromkeys(("no", *FORMS, "birth_key", "birth_source", "birth_precision"), pl.String),
        strict=False,
    ).lazy()


def pairs(found):
    return [tuple(pair) for pair in found.pairs.select("a", "b").iter_rows()]


@pytest.mark.parametrize(
    ("item", "one", "other", "alike"),
    [
        ("name", "髙橋　邉", "高橋辺", True),
        ("name", "ＡＢＣ商店", "abc商店", True),
        ("name", "渡\U000e0101辺", "渡辺", True),
        ("name", "斎藤", "斉藤", False),
        ("kana", "ｷｮｳｺ ﾀﾛ-", "キヨウコタロー", True),
        ("kana", "やまだ", "ヤマダ", True),
        ("kana", "ハハ", "ババ", False),
        ("address", "栄町二十三番地の四", "栄町23-4", True),
        ("address", "栄町２３－４", "栄町23-40", False),
        ("birth", "19700101", "19700101", True),
        ("tel", "012 ", "012", True),
        ("tel", "012", "12", False),
    ],
)
def test_what_is_written_in_two_ways_is_alike(item, one, other, alike):
    found = find(declared((item,), items=(item,)), {"s.people": people({item: one}, {item: other})}, likeness)
    assert pairs(found) == ([("1", "2")] if alike else [])


@pytest.mark.parametrize("value", [None, "", "  ", "\u3000"])
def test_what_says_nothing_is_no_evidence(value):
    frames = {"s.people": people({"name": value}, {"name": value})}
    found = find(declared(("kana", "name"), ("tel",), items=("kana", "name", "tel")), frames, likeness)
    assert found.pairs.select("evidence", "agree", "differ").rows() == [(["tel"], ["kana", "tel"], [])]


def test_a_day_that_is_not_known_is_no_evidence():
    frames = {"s.people": people({"precision": "year"}, {"precision": "year"})}
    assert pairs(find(declared(("birth",), items=("birth",)), frames, likeness)) == []


def test_it_is_told_what_agrees_what_differs_and_where_and_every_sample_is_masked():
    rows = people({"kana": "ｷｮｳｺ"}, {"tel": "9"}, {"kana": "キヨウコ", "birth": "19990909", "address": None})
    found = find(declared(("name", "kana"), ("tel",)), {"s.people": rows}, likeness)
    row = found.pairs.row(0, named=True)
    assert (row["a"], row["b"], row["evidence"], row["strong"]) == ("1", "3", ["name_kana", "tel"], True)
    assert (row["agree"], row["differ"]) == (["name", "kana", "tel"], ["birth"])
    assert (row["a_source_record"], row["b_source_record"]) == (1, 3)
    assert row["b_sample"] == "name=漢漢; kana=アアアア; address=; birth=99999999"
    assert found.tried == (Tried("name_kana", pairs=1), Tried("tel", pairs=1))


def test_rows_of_one_number_are_one_person_and_agree_where_any_two_of_them_do():
    rows = people({"no": "1", "name": "旧姓"}, {"no": "1"}, {"no": "2"}, {"no": "2", "tel": "7"})
    found = find(declared(("name", "kana")), {"s.people": rows}, likeness)
    assert pairs(found) == [("1", "2")]
    assert found.pairs["differ"].to_list() == [[]]


def test_a_value_that_too_many_rows_share_is_counted_and_pairs_nobody():
    rows = people(*[{}] * 4, {"tel": "2"}, {"tel": "2"})
    found = find(declared(("tel",), items=("tel",), most=3), {"s.people": rows}, likeness)
    assert pairs(found) == [("5", "6")]
    assert found.tried == (Tried("tel", pairs=1, groups_left=1, rows_left=4),)


def test_an_evidence_that_gives_more_pairs_than_people_look_at_gives_none(monkeypatch):
    monkeypatch.setattr(finding, "MOST_PAIRS", 5)
    rows = people(*[{"name": "x"}] * 2, *[{}] * 4)
    found = find(declared(("tel",), ("name", "tel")), {"s.people": rows}, likeness)
    assert [one.too_many for one in found.tried] == [15, 7]
    assert pairs(found) == []


def test_another_table_is_compared_and_never_its_rows_with_one_another():
    frames = {"s.people": people({}, {}), "s.others": people({"no": "1"}, {"no": "9", "name": "x"})}
    found = find(declared(("name",), other="s.others"), frames, likeness)
    assert pairs(found) == [("1", "1"), ("2", "1")]


def test_rows_promoted_before_have_no_place():
    others = people({"no": "9"}).drop("source_dump", "source_record", "_offset", "_part")
    found = find(declared(("name",), other="s.others"), {"s.people": people({}), "s.others": others}, likeness)
    assert found.pairs.select("a_source_record", "b_source_record").rows() == [(1, None)]


def test_only_chosen_rows_are_compared():
    rows = people({"tel": "1"}, {"tel": "2"}, {"tel": "2"})
    found = find(declared(("name",), where={"tel": ("2",)}), {"s.people": rows}, likeness)
    assert pairs(found) == [("2", "3")]


VALUES = st.sampled_from(["", "髙", "高", "一", None])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, st.integers(1, 4)), max_size=12), share=st.sampled_from([1, 3, 1_000_000])
)
def test_the_pairs_are_those_that_comparing_every_two_rows_gives(rows, share):
    made = [{"no": str(no), "name": name, "tel": tel} for name, tel, no in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "SHARE", share)
        found = find(declared(("name",), ("tel",), items=("name", "tel")), {"s.people": people(*made)}, likeness)

    def alike(one, other):
        names = [(row["name"] or "").replace("髙", "高") for row in (one, other)]
        return (names[0] == names[1] != "") or (one["tel"] == other["tel"] and one["tel"] not in (None, ""))

    every = itertools.product(made, repeat=2)
    expected = {(a["no"], b["no"]) for a, b in every if a["no"] < b["no"] and alike(a, b)}
    assert pairs(found) == sorted(expected)
