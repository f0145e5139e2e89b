"""Every framing finds the records of its cases, and every byte of a dump is accounted for."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.copybook import read_copybook
from extractors.framings import FRAMINGS, load
from extractors.memory import SLACK
from extractors.records import Account, fetch, frames, slices
from migration_reports.findings import SpecError
from tests.reading import open_bytes

CASES = Path(__file__).parents[1] / "cases" / "framings"


def cases():
    for framing in FRAMINGS:
        for case in yaml.safe_load((CASES / f"{framing.name}.yaml").read_text("utf-8")):
            yield pytest.param(framing.name, case, id=f"{framing.name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_records_lie_where_the_case_says(name, case):
    options = case.get("options", {})
    text = case.get("copybook", f"01 R. 05 F PIC X({case.get('width', 1)}).")
    layout = read_copybook(text, file="case.cpy")
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            load(name, options, layout)
        assert [p.code for p in caught.value.problems] == [case["problem"]]
        return
    framing = load(name, options, layout)
    data = bytes.fromhex(case["bytes"])
    account = Account()
    parts = taken(frames(open_bytes(data), framing, layout, account))
    records = [r.hex().upper() for _, rows in parts for _, _, r in rows]
    assert records == case["records"]
    assert account.left_over == case.get("left_over", 0)
    assert account.skipped == case.get("skipped", 0)
    assert [t.code for p, _ in parts for t in p.troubles] == ([case["finding"]] if "finding" in case else [])
    assert account.bytes == account.in_records + account.descriptors + account.skipped + account.left_over == len(data)
    offsets = [o for _, rows in parts for _, o, _ in rows]
    assert all(data[o : o + 1].hex().upper() == r[:2] for o, r in zip(offsets, records, strict=True) if r)


def taken(framed):
    """Each part with its records' numbers, offsets and bytes, taken out of the buffer while they are good."""
    return [
        (
            part,
            [
                (int(n), int(o), part.data[a:b].tobytes())
                for n, o, a, b in zip(part.numbers, part.offsets, part.pos, part.limits, strict=True)
            ],
        )
        for part in framed
    ]


def recorded(records: list[bytes], name: str) -> bytes:
    """The records as this framing writes them."""
    if name == "fixed":
        return b"".join(r.ljust(12, b"x")[:12] for r in records)
    if name == "lines":
        return b"".join(r.replace(b"\n", b"x") + b"\n" for r in records)
    if name == "length_field":
        return b"".join((len(r) + 2).to_bytes(2, "big") + r for r in records)
    words = [(len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in records]
    if name in ("variable", "undefined"):
        return b"".join(words)
    if name == "spanned":
        words = []
        for r in records:
            cut = len(r) // 2
            parts = [(0, r)] if len(r) < 3 else [(1, r[:cut]), (2, r[cut:])]
            words += [(len(p) + 4).to_bytes(2, "big") + bytes([code, 0]) + p for code, p in parts]
    blocks = [b"".join(words[at : at + 3]) for at in range(0, len(words), 3)]
    return b"".join((len(b) + 4).to_bytes(2, "big") + b"\0\0" + b for b in blocks)


@pytest.mark.parametrize("name", [f.name for f in FRAMINGS])
@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.binary(min_size=1, max_size=40), max_size=60),
    buffer=st.integers(min_value=1, max_value=300),
)
def test_buffers_and_slices_give_the_records_that_were_written(name, records, buffer):
    layout = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    options = {"length_field": {"field": "L"}}.get(name, {})
    framing = load(name, options, layout)
    data = recorded(records, name)
    if name == "fixed":
        records = [r.ljust(12, b"x")[:12] for r in records]
    elif name == "lines":
        records = [r.replace(b"\n", b"x") for r in records]
    elif name == "length_field":
        records = [(len(r) + 2).to_bytes(2, "big") + r for r in records]
    account = Account()
    with mock.patch("extractors.records.BUFFER_LEAST", buffer):
        framed = taken(frames(open_bytes(data), framing, layout, account, buffer_bytes=buffer))
        whole = [row for _, rows in framed for row in rows]
        assert [r for _, _, r in whole] == records
        assert account.left_over == account.skipped == 0
        again = []
        for part in slices(open_bytes(data), framing, layout, size=len(data), target=50):
            stream = open_bytes(data)
            stream.seek(part.offset)
            more = frames(
                stream, framing, layout, Account(), base=part.offset, state=part.state,
                first_record=part.record, length=part.length, buffer_bytes=buffer,
            )  # fmt: skip
            again += [row for _, rows in taken(more) for row in rows]
    assert [r for _, _, r in again] == records
    assert again == whole
    wanted = list(range(1, len(records) + 1, 3))
    assert [r for _, _, r in fetch(open_bytes(data), framing, layout, wanted)] == records[::3]


@pytest.mark.parametrize("name", [f.name for f in FRAMINGS])
@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=400), again=st.booleans(), buffer=st.integers(min_value=1, max_value=300))
def test_arbitrary_bytes_are_accounted_for(name, data, again, buffer):
    layout = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    options = {"length_field": {"field": "L"}}.get(name, {})
    if again and name in ("variable", "blocked"):
        options = {"resynchronise": "yes", "longest": "64"}
    framing = load(name, options, layout)
    account = Account()
    with mock.patch("extractors.records.BUFFER_LEAST", buffer):
        for part in frames(open_bytes(data), framing, layout, account, buffer_bytes=buffer):
            assert (part.limits >= part.pos).all()
            assert (part.limits <= len(part.data) - SLACK).all()
    assert account.bytes == len(data)
    assert account.bytes == account.in_records + account.descriptors + account.skipped + account.left_over
