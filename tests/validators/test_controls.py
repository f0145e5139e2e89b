"""Tallies: exact whatever the size of the numbers, and the same however the dump is read. Controls against what is stated."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration_reports.records.groups import Group, groups_of_all
from validators.control_groups import FEW, Said, prove_groups
from validators.controls import Stated, prove
from validators.tally import GroupTally, Tally

AMOUNT = pa.decimal128(38, 2)
CENTS = st.one_of(st.none(), st.integers(-(10**37), 10**37))


def tally(values, size):
    made = Tally()
    for at in range(0, len(values), size):
        batch = pa.RecordBatch.from_arrays([pa.array(values[at : at + size], AMOUNT)], names=["A"])
        made.add("person", batch, ["A"])
    return made


@settings(deadline=None)
@given(cents=st.lists(CENTS, min_size=1, max_size=9), sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_sum_is_exact_and_no_matter_of_batches(cents, sizes):
    values = [None if c is None else Decimal(f"{c}e-2") for c in cents]
    one, other = (tally(values, size) for size in sizes)
    assert str(one.sums["person.A"]) == str(other.sums["person.A"])
    assert one.records == other.records == {"person": len(values)}
    assert one.sums["person.A"] == Decimal(f"{sum(c or 0 for c in cents)}e-2")


def test_a_code_in_a_header_is_shown_with_its_zeros():
    stated = [Stated("value", "header.CODE", "011002")]
    for held, shown, agrees in (("11002", "011002", True), ("1", "000001", False)):
        controls, _ = prove("d", stated, {}, {"header": [{"CODE": held}]})
        assert [(c.stated, c.found, c.agrees) for c in controls if c.kind == "value"] == [("011002", shown, agrees)]


ROWS = st.lists(
    st.tuples(st.sampled_from(["01", "02", None]), st.integers(0, 3), st.integers(-(10**15), 10**15), st.booleans(), st.booleans()),
    max_size=30,
)  # fmt: skip


def grouped(rows, size, *, field="AMOUNT", by=("KAN", "KI")):
    """The groups of some rows, counted in slices of a size, each a tally of its own."""
    parts = []
    for at in range(0, max(len(rows), 1), size):
        some = rows[at : at + size]
        schema = {"KAN": pl.String, "KI": pl.Int64, "AMOUNT": pl.Int64, "meant": pl.Boolean, "left": pl.Boolean}
        frame = pl.DataFrame(some, schema=schema, orient="row").with_row_index("_record", at + 1)
        frame = frame.with_columns(pl.col("_record").cast(pl.Int64))
        made = GroupTally()
        made.add(frame, [field] if field else [], by, meant=frame["meant"], left=frame["left"])
        parts.append({"0": made.groups})
    return groups_of_all(parts)["0"]


@settings(deadline=None)
@given(rows=ROWS, sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_groups_are_no_matter_of_slices(rows, sizes):
    one, other = (grouped(rows, size) for size in sizes)
    assert one == other
    meant = [row for row in rows if row[3]]
    assert sum(group.records for group in one) == len(meant)
    assert sum(group.total for group in one) == sum(row[2] for row in meant)
    assert sum(group.read for group in one) == sum(row[2] for row in rows)
    assert sum(group.left for group in one) == sum(row[2] for row in rows if row[4])


def test_keys_of_text_are_added_up_for_a_hash_and_what_is_none_adds_nothing():
    frame = pl.DataFrame({"_record": [1, 2, 3, 4], "NO": ["0000000012", " 30 ", "A1", None]})
    always = pl.Series([True] * 4)
    made = GroupTally()
    made.add(frame, ["NO"], (), meant=always, left=~always)
    assert [group.total for group in made.groups] == [Decimal(42)]


def control(**more):
    return Stated("sum", "row.AMOUNT", "kessan.csv#金額", number="0", by=("KAN", "KI"), **more)


def group(*values, total, records=FEW):
    return Group(values, records, 7, Decimal(total), Decimal(total), Decimal(0))


def said(**amounts):
    return {
        tuple(key.split("_")[1:]): Said(Decimal(v), f"kessan.csv:{n}") for n, (key, v) in enumerate(amounts.items(), 2)
    }


def proved(groups, stated, **more):
    made, found = prove_groups("d", control(**more), groups, stated, numbers=(False, True))
    return made, list(zip(found.column("code").to_pylist(), found.column("detail").to_pylist(), strict=True))


def test_every_group_agrees_whatever_zeros_and_widths_it_is_written_with():
    made, found = proved([group("０１", "1", total=5), group("02", "001", total=7)], said(g_01_1=5, g_02_1=7))
    assert (made.agrees, made.groups, made.stated, made.found, found) == (True, 2, "12", "12", [])


def test_groups_that_differ_are_all_named_on_either_side():
    groups = [group("01", "1", total=5), group("01", "2", total=9), group("03", "1", total=1)]
    made, found = proved(groups, said(g_01_1=5, g_01_2=8, g_02_1=4))
    assert (made.agrees, made.groups, made.differing) == (False, 4, 3)
    assert found == [
        ("C560", "KAN 01, KI 2 (kessan.csv:3): stated 8 found 9"),
        ("C561", "KAN 02, KI 1 (kessan.csv:4): stated * found -"),
        ("C562", "KAN 03, KI 1 (record 7): stated - found 1"),
    ]
    assert [line.agrees for line in made.listed] == [False, False, False, True]


def test_a_group_of_few_records_shows_no_amount_and_no_long_key():
    groups = [group("1234567890", "1", total=5, records=FEW - 1), group("1", "1", total=3, records=1)]
    made, found = proved(groups, said(g_1234567890_1=4))
    assert [(line.values, line.stated, line.found) for line in made.listed] == [
        (("1", "1"), "", "*"),
        (("*", "*"), "*", "*"),
    ]
    assert not any(secret in f"{made.listed}{found}" for secret in ("1234567890", "found 5", "stated 4"))


@pytest.mark.parametrize(
    ("total", "stated", "more", "agrees"),
    [
        (1_234_567, "1234.567", {"unit": 1000}, True),
        (1_234_567, 1234, {"unit": 1000}, False),
        (1_234_567, 1234, {"unit": 1000, "rounding": "down"}, True),
        (1_234_567, 1235, {"unit": 1000, "rounding": "half_up"}, True),
        (1_234_001, 1235, {"unit": 1000, "rounding": "up"}, True),
        (-1_234_567, -1234, {"unit": 1000, "rounding": "down"}, True),
        (-1_234_500, -1235, {"unit": 1000, "rounding": "half_up"}, True),
        (1_234, 1_234_000, {"times": 1000}, True),
        (1_234, 1_234, {"times": 1000, "unit": 1000}, True),
    ],
)
def test_a_control_in_its_own_unit(total, stated, more, agrees):
    made, _ = proved([group("01", "1", total=total)], said(g_01_1=stated), **more)
    assert made.agrees == agrees


@pytest.mark.parametrize(
    ("stated", "modulus", "codes"), [("1015", 0, []), ("15", 1000, []), ("15", 0, ["C564"]), ("x", 0, ["C564"])]
)
def test_a_hash_total(stated, modulus, codes):
    hashed = Stated("hash", "person.NO", "trailer.CHECK", number="0", modulus=modulus)
    counted = {"0": [Group((), 2, 1, Decimal(1015), Decimal(1015), Decimal(0))]}
    made, found = prove("d", [hashed], counted, {"trailer": [{"CHECK": stated}]})
    assert found.column("code").to_pylist() == codes
    assert made[-1].agrees == (not codes)


def test_too_many_groups_prove_nothing_and_say_so(monkeypatch):
    monkeypatch.setattr("validators.control_groups.MOST_GROUPS", 1)
    made, found = proved([group("01", "1", total=5), group("02", "1", total=5)], said(g_01_1=5, g_02_1=5))
    assert not made.agrees
    assert [code for code, _ in found] == ["C563"]
    assert "KAN, KI tells persons or vouchers apart" in found[0][1]
