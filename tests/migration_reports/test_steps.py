"""What was counted of slices adds up to what is counted of the whole, wherever the dump is cut."""

from __future__ import annotations

import functools
import itertools
import operator
import random
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from migration_reports.records.counted import DumpAccount, Made, PartMade, SliceAccount, part_key

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "slice_accounts.yaml").read_text("utf-8"))
KINDS, FIELDS = ["header", "person", "trailer"], ["A", "B"]


def account(number, seed):
    """What is counted of one record, from a number: kinds, tables, amounts and characters come and go."""
    some = random.Random(seed)
    kind, size = some.choice(KINDS), some.randint(1, 400)
    wrong = {name: some.randint(0, 3) for name in FIELDS if some.random() < 0.5}
    made = {
        key: {
            "candidates": 1,
            "rows": some.randint(0, 2),
            "wrong": wrong,
            "unknown": {"A": {some.choice(["", "9"]): 1}},
        }
        for key in ("t.0", "t.1")
        if some.random() < 0.6
    }
    characters = [
        {"field": field, "code": code, "area": some.choice(["undefined", "decided"]), "count": times, "records": 1,
         "places": [[number, at] for at in range(times)]}
        for field in FIELDS
        for code in (0x80A1, 0xB1F1)
        for times in [some.randint(0, 7)]
        if times
    ]  # fmt: skip
    return SliceAccount(
        read={"bytes": size, "records": 1, "in_records": size, "kinds": {kind: 1}},
        made=made,
        records={kind: 1},
        sums={
            f"{kind}.{name}": Decimal(f"{some.randint(-(10**37), 10**37)}e-2") for name in FIELDS if some.random() < 0.7
        },
        trailers={"trailer": ({"N": some.choice(["1", None])},) if kind == "trailer" else ()},
        filled={kind: {name: some.randint(0, 1) for name in FIELDS}},
        characters=characters,
        files=({"number": (number - 1) // 3, "records": {kind: 1}, "left_over": some.randint(0, 1)},),
    )


def dumps():
    """The accounts of single records that follow one another, as slices of one record each."""
    seeds = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8)
    return seeds.map(lambda drawn: [account(number, seed) for number, seed in enumerate(drawn, 1)])


@given(parts=dumps(), data=st.data())
def test_cutting_a_dump_anywhere_never_changes_the_sum(parts, data):
    places = sorted(data.draw(st.sets(st.integers(0, len(parts)))) | {0, len(parts)})
    slices = [SliceAccount.total(parts[a:b]) for a, b in itertools.pairwise(places)]
    whole = SliceAccount.total(parts)
    assert SliceAccount.total(slices) == functools.reduce(operator.add, slices) == whole
    # Nor do the order of equal counts or the digits of a sum depend on it.
    assert SliceAccount.total(slices).model_dump_json() == whole.model_dump_json()


@given(parts=dumps(), data=st.data())
def test_the_order_of_slices_changes_nothing_but_the_order_of_what_is_listed(parts, data):
    def unordered(account):
        told = account.model_dump()
        told["characters"] = sorted(told["characters"], key=lambda met: (met["field"], met["code"], met["area"]))
        del told["trailers"]
        return told

    mixed = data.draw(st.permutations(parts))
    assert unordered(SliceAccount.total(mixed)) == unordered(SliceAccount.total(parts))


@given(parts=dumps())
def test_a_dumps_account_tells_sums_by_kind_and_the_most_frequent_characters_first(parts):
    total = SliceAccount.total(parts)
    account = DumpAccount.of(total, KINDS)
    assert [KINDS.index(name.partition(".")[0]) for name in account.sums] == sorted(
        KINDS.index(name.partition(".")[0]) for name in total.sums
    )
    assert [met.count for met in account.characters] == sorted((met.count for met in total.characters), reverse=True)
    assert account.characters_distinct == len(total.characters)


def test_what_is_listed_of_characters_is_bounded_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr("migration_reports.records.counted.MOST_CHARACTERS", 2)
    met = [{"field": "A", "code": code, "area": "undefined", "count": code, "records": 1} for code in (1, 2, 3)]
    account = DumpAccount.of(SliceAccount(characters=met), KINDS)
    assert ([met.code for met in account.characters], account.characters_distinct) == ([3, 2], 3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_slices_add_up(case):
    slices = [SliceAccount.model_validate(part) for part in case["slices"]]
    whole = SliceAccount.model_validate(case["whole"])
    total = SliceAccount.total(slices)
    for name in SliceAccount.model_fields:
        assert getattr(total, name) == getattr(whole, name), name
    assert {name: str(amount) for name, amount in total.sums.items()} == case["whole"].get("sums", {})


def test_a_part_that_met_no_record_made_nothing():
    made = Made(parts={part_key("system.residents", 1): PartMade(candidates=2, rows=1)})
    assert (made.of("system.residents", 1).rows, made.of("system.residents", 0)) == (1, PartMade())
