"""Every framing finds the records of its cases, and every byte of a dump is accounted for."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.copybooks.copybook import read_copybook
from extractors.framings import FRAMINGS, load
from extractors.kernels.memory import SLACK
from extractors.layout.column_sheet import read_columns
from extractors.reading import ROWS
from extractors.records import Account, fetch, frame, frames, slices
from migration_reports.findings import SpecError
from tests.reading import open_bytes

COLUMNS = read_columns("field,heading,type,length\nL,,text,9\nF,,text,9\n", file="case.csv")
CASES = Path(__file__).parents[1] / "cases" / "framings"


def cases():
    for framing in FRAMINGS:
        for case in yaml.safe_load((CASES / f"{framing.name}.yaml").read_text("utf-8")):
            yield pytest.param(framing.name, case, id=f"{framing.name}: {case['name']}")


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_records_lie_where_the_case_says(name, case):
    options = case.get("options", {})
    text = case.get("copybook", f"01 R. 05 F PIC X({case.get('width', 1)}).")
    layout = COLUMNS if name in ROWS and "copybook" not in case else read_copybook(text, file="case.cpy")
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
    expected = [case["finding"]] if "finding" in case else []
    expected += ["F105"] if "left_over" in case else []
    assert [t.code for p, _ in parts for t in p.troubles] == expected
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


def as_row(record: bytes) -> bytes:
    """Bytes as a row of either framing: nothing in them is a mark, a quote or an end."""
    return b"1" + record.translate(None, b'\x1a\x1e"\n\r')


def recorded(records: list[bytes], name: str) -> bytes:
    """The records as this framing writes them."""
    if name == "fixed":
        return b"".join(r.ljust(12, b"x")[:12] for r in records)
    if name == "lines":
        return b"".join(r.replace(b"\n", b"x") + b"\n" for r in records)
    if name in ROWS:
        head, end = (b"L,F\r\n", b"\r\n") if name == "delimited" else (b"\x1a0L\x1fF\x1e", b"\x1e")
        return head + b"".join(as_row(r) + end for r in records)
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
    layout = COLUMNS if name in ROWS else read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    options = {"length_field": {"field": "L"}}.get(name, {})
    framing = load(name, options, layout)
    data = recorded(records, name)
    if name == "fixed":
        records = [r.ljust(12, b"x")[:12] for r in records]
    elif name == "lines":
        records = [r.replace(b"\n", b"x") for r in records]
    elif name in ROWS:
        records = [as_row(r) for r in records]
    elif name == "length_field":
        records = [(len(r) + 2).to_bytes(2, "big") + r for r in records]
    account = Account()
    with mock.patch("extractors.records.BUFFER_LEAST", buffer):
        framed = taken(frames(open_bytes(data), framing, layout, account, buffer_bytes=buffer))
        whole = [row for _, rows in framed for row in rows]
        assert [r for _, _, r in whole] == records
        assert account.left_over == account.skipped == 0
        again = []
        for part in slices(open_bytes(data), framing, layout, sizes=[len(data)], target=50):
            stream = open_bytes(data)
            stream.seek(part.offset)
            more = frame(stream, framing, layout, Account(), part, buffer_bytes=buffer)
            again += [row for _, rows in taken(more) for row in rows]
    assert [r for _, _, r in again] == records
    assert again == whole
    wanted = list(range(1, len(records) + 1, 3))
    assert [r for _, _, r in fetch(open_bytes(data), framing, layout, wanted)] == records[::3]


WRITTEN = {
    "fixed": [{}, {"length": "12"}],
    "lines": [{}, {"ending": "crlf"}],
    "length_field": [{"field": "L"}],
    "variable": [{}, {"record_at": "2", "record_order": "little", "record_inclusive": "no"}, {"trailing": "4"}],
    "undefined": [{}, {"block_size": "6", "block_width": "4", "block_adjust": "3"}, {"block_length": "12"}],
    "blocked": [{}, {"records": "fixed"}, {"block_size": "8", "record_size": "2"}],
    "spanned": [{}, {"blocks": "no"}, {"record_size": "3", "record_inclusive": "no"}],
}


@pytest.mark.parametrize(("name", "options"), [(n, o) for n, several in WRITTEN.items() for o in several])
@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.binary(min_size=1, max_size=90), max_size=60), block=st.integers(20, 300))
def test_what_is_wrapped_is_framed_again(name, options, records, block):
    layout = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    framing = load(name, options, layout)
    if name == "lines":
        records = [r.replace(b"\n", b"x") for r in records]
    elif name == "length_field":
        records = [(len(r) + 2).to_bytes(2, "big") + r for r in records]
    elif 12 in (framing.record_length, int(options.get("block_length", 0))) or options.get("records") == "fixed":
        records = [r.ljust(12, b"x")[:12] for r in records]
    sizes = np.array([len(r) for r in records], np.int64)
    with mock.patch("extractors.framings._writing.BLOCK", block):
        # A piece after another is a file, as is a piece alone.
        cut = len(records) // 3
        pieces = [
            framing.wrap(np.frombuffer(b"".join(some), np.uint8), lengths).tobytes()
            for some, lengths in ((records[:cut], sizes[:cut]), (records[cut:], sizes[cut:]))
        ]
    account = Account()
    framed = taken(frames(open_bytes(b"".join(pieces)), framing, layout, account))
    assert [r for _, rows in framed for _, _, r in rows] == records
    assert account.left_over == account.skipped == 0


@pytest.mark.parametrize(
    ("name", "options", "record"),
    [
        ("fixed", {}, b"short"),
        ("undefined", {"block_length": "12"}, b"short"),
        ("lines", {}, b"two\nlines"),
        ("length_field", {"field": "L"}, b"\x00\x09xxxx"),
        ("variable", {"record_size": "1", "record_width": "1"}, b"x" * 255),
    ],
)
def test_records_that_cannot_lie_in_a_framing_are_not_written(name, options, record):
    layout = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    with pytest.raises(ValueError, match=r"record|word"):
        load(name, options, layout).wrap(np.frombuffer(record, np.uint8), np.array([len(record)]))


RECOVERING = [f.name for f in FRAMINGS if "resynchronise" in f.options]


def some_options(name):
    """Options of a framing, of any value that its numbers may have, and of some that they may not."""
    small = st.sampled_from(["-1", "0", "1", "2", "3", "4", "4", "8", "12", "64"])
    values = {
        "order": st.sampled_from(["big", "little"]), "inclusive": st.sampled_from(["yes", "no"]),
        "resynchronise": st.sampled_from(["yes", "no"]), "blocks": st.sampled_from(["yes", "no"]),
        "records": st.sampled_from(["words", "fixed"]), "ending": st.sampled_from(["lf", "crlf", "nl"]),
        "expression": st.sampled_from(["N", "N + 2", "2 * N", "0 - N", "5"]), "field": st.sampled_from(["L", "M", "P"]),
        "separator": st.sampled_from(["comma", "tab"]), "quote": st.sampled_from(["double", "none"]),
        "head": st.sampled_from(["none", "1", "1", "2", "3"]), "lengths": st.sampled_from(["1=4 2=8 3=12", "1=0", "0=3 64=12", "1=999999999999999999999"]),
    }  # fmt: skip
    options = {o: values.get(o.removeprefix("block_").removeprefix("record_"), small) for o in FAMILIES[name].options}
    options.pop("field", None)
    always = {"field": values["field"]} if name == "length_field" else {}
    return st.fixed_dictionaries(always, optional=options)


FAMILIES = {f.name: f for f in FRAMINGS}


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fixed", {"length": "1", "lenght": "2"}, ["lenght", "length"]),
        ("variable", {"record_size": "0", "record_order": "x", "longest": "0", "resynchronise": "perhaps"},
         ["record_size", "record_order", "longest", "resynchronise"]),
        ("spanned", {"blocks": "x", "block_at": "9", "record_adjust": "x"}, ["blocks", "block_at", "record_adjust"]),
        ("lines", {"ending": "cr", "longest": "x"}, ["ending", "longest"]),
        ("length_field", {"field": "F", "expression": "N * N", "lengths": "1=x 1=2 1=3", "longest": "0"},
         ["field", "expression", "1=x", "1=3", "longest"]),
    ],
)  # fmt: skip
def test_every_problem_of_a_framings_options_is_told_at_once(name, options, words):
    layout = read_copybook("01 R. 05 L PIC 9(4). 05 F PIC X(5).", file="case.cpy")
    with pytest.raises(SpecError) as caught:
        load(name, options, layout)
    said = [problem.message for problem in caught.value.problems]
    assert len(said) == len(words)
    assert all(any(word in message for message in said) for word in words), said


@pytest.mark.parametrize("name", list(FAMILIES))
@settings(max_examples=400, deadline=None)
@given(
    given_=st.data(),
    data=st.binary(max_size=400),
    buffers=st.tuples(*[st.tuples(st.integers(1, 300), st.sampled_from((1, 3, 65_536)))] * 2),
)
def test_any_bytes_under_any_options_are_accounted_for_and_no_buffer_shows(name, given_, data, buffers):
    layout = read_copybook(
        "01 R. 05 L PIC 9(4) COMP. 05 M PIC 9. 05 P PIC 9(3) COMP-3. 05 F PIC X(5).", file="case.cpy"
    )
    if name in ROWS:
        # Of any bytes hardly any would be what rows are made of.
        layout, pieces = COLUMNS, st.sampled_from(b'"",,\n\n\r\x1a\x1e\x1f019LF\x1a0L\x1e')
        heads = [b"L,F\n", b"\xef\xbb\xbfF,L\r\n", b"\x1a0L\x1fF\x1e", b""]
        data = given_.draw(st.sampled_from(heads)) + bytes(given_.draw(st.lists(pieces, max_size=60)))
    try:
        framing = load(name, given_.draw(some_options(name)), layout)
    except SpecError as error:
        assert {p.code for p in error.problems} == {"L904"}
        return
    results = []
    for buffer, most in buffers:
        account = Account()
        rows, troubles = [], []
        with contextlib.ExitStack() as patched:
            patched.enter_context(mock.patch("extractors.records.BUFFER_LEAST", buffer))
            for module in ("_rows", "_walks", "blocked", "length_field"):
                patched.enter_context(mock.patch(f"extractors.framings.{module}.MOST_RECORDS", most))
            for part, records in (
                (p, r)
                for p in frames(open_bytes(data), framing, layout, account, buffer_bytes=1)
                for r in [taken([p])[0][1]]
            ):
                assert (part.limits >= part.pos).all()
                assert (part.limits <= len(part.data) - SLACK).all()
                rows += records
                for t in part.troubles:
                    if t.more:
                        troubles[-1] = dataclasses.replace(troubles[-1], skipped=troubles[-1].skipped + t.skipped)
                    else:
                        troubles.append(t)
        assert account.bytes == len(data)
        assert account.bytes == account.in_records + account.descriptors + account.skipped + account.left_over
        assert all(0 <= t.at <= len(data) for t in troubles)
        results.append((rows, sorted(troubles, key=str), account))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", RECOVERING)
@pytest.mark.parametrize("buffer", [16, 64, 4096])
def test_what_lies_behind_damage_is_found_again(name, buffer):
    layout = read_copybook("01 R. 05 L PIC 9(4) COMP. 05 F PIC X(10).", file="case.cpy")
    options = {"length_field": {"field": "L"}, "lines": {"longest": "12"}}.get(name, {})
    framing = load(name, {"longest": "64", **options, "resynchronise": "yes"}, layout)
    records = [bytes([n, n + 1] * (5 - n % 2)) for n in range(65, 89)]
    if name == "length_field":
        before, after = (b"".join(b"\0\x0a" + r[:8] for r in some) for some in (records[:6], records[6:]))
        records = [b"\0\x0a" + r[:8] for r in records]
    else:
        before, after = recorded(records[:6], name), recorded(records[6:], name)
    damage = b"\xff" * 700 + (b"\n" if name == "lines" else b"")
    account = Account()
    with mock.patch("extractors.records.BUFFER_LEAST", buffer):
        parts = taken(frames(open_bytes(before + damage + after), framing, layout, account, buffer_bytes=1))
    assert [r for _, rows in parts for _, _, r in rows] == records
    assert account.skipped == len(damage)
    assert {t.code for p, _ in parts for t in p.troubles} == {"F107"}
    assert sum(not t.more for p, _ in parts for t in p.troubles) == 1


def test_a_spanned_record_without_end_does_not_fill_the_memory():
    layout = read_copybook("01 R. 05 F PIC X(5).", file="case.cpy")
    for segment, options in ((b"\0\x0c\3\0" + b"x" * 8, {"longest": "1000"}), (b"\0\4\3\0", {})):
        data = b"\0\5\1\0a" + segment * 100_000 + b"\0\5\0\0b"
        account = Account()
        sizes, troubles = [0], []
        for part in frames(
            open_bytes(data), load("spanned", {"blocks": "no", **options}, layout), layout, account, buffer_bytes=1
        ):
            sizes.append(len(part.data))
            troubles += part.troubles
        assert [t.code for t in troubles if not t.more] == ["F108"]
        assert account.records == 1
        assert account.skipped + account.descriptors + 1 == len(data) == account.bytes
        assert max(sizes) < 600_000


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("blocked", {}, b"\0\x68\0\0"),
        ("spanned", {}, b"\0\x68\0\0"),
        ("blocked", {"records": "fixed"}, b""),
        ("undefined", {}, b""),
    ],
)
def test_a_block_may_be_longer_than_any_record(name, options, word):
    layout = read_copybook("01 R. 05 F PIC X(100).", file="case.cpy")
    block = (word + b"x" * 100) * 500
    data = ((len(block) + 4) | 1 << 31).to_bytes(4, "big") + block
    account = Account()
    lengths = []
    for part in frames(open_bytes(data * 2), load(name, options, layout), layout, account):
        assert not part.troubles
        lengths += (part.limits - part.pos).tolist()
    assert lengths == ([50_000] * 2 if name == "undefined" else [100] * 1000)
