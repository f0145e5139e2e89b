"""Tallies: exact whatever the size of the numbers, and the same however the dump is read."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from validators.controls import Stated, Tally, prove

AMOUNT = pa.decimal128(38, 2)
CENTS = st.one_of(st.none(), st.integers(-(10**37), 10**37))


def tally(values, size):
    made = Tally()
    for at in range(0, len(values), size):
        batch = pa.RecordBatch.from_arrays([pa.array(values[at : at + size], AMOUNT)], names=["A"])
        made.add("person", batch, ["A"])
    return made


@given(cents=st.lists(CENTS, min_size=1, max_size=9), sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_sum_is_exact_and_no_matter_of_batches(cents, sizes):
    values = [None if c is None else Decimal(f"{c}e-2") for c in cents]
    one, other = (tally(values, size) for size in sizes)
    assert str(one.sums["person.A"]) == str(other.sums["person.A"])
    assert one.records == other.records == {"person": len(values)}
    assert one.sums["person.A"] == Decimal(f"{sum(c or 0 for c in cents)}e-2")


def test_a_code_in_a_header_is_shown_with_its_zeros():
    stated = [Stated(None, None, "011002", "header.CODE")]
    for held, shown, agrees in ((Decimal(11002), "011002", True), (Decimal(1), "000001", False)):
        controls, _ = prove("d", stated, Tally(), {"header": [{"CODE": held}]})
        assert [(c.stated, c.found, c.agrees) for c in controls if c.kind == "value"] == [("011002", shown, agrees)]
