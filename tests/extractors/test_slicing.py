"""Slices: read by themselves they give together what the whole gives, whatever the bytes; and what cannot be cut."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.framings import FRAMINGS
from extractors.reading import Choice, Spoken, make_reading
from extractors.records import WHOLE
from extractors.slicing import cut

LAYOUT = read_copybook("01 R. 05 K PIC X. 05 T PIC X(4). 05 P PIC 9(3) COMP-3.", file="r.cpy")
FLAT = (Kind("a", "K", ("A..D",)), Kind("b", "K", ("1", "2")), Kind("rest"))
FAMILY = (
    Kind("a", "K", ("A",)),
    Kind("b", "K", ("B",), parent="a"),
    Kind("c", "K", ("C",), parent="b"),
    Kind("d", "K", ("D",)),
    Kind("e", "K", ("E",), parent="d"),
)
PACKED = b"\x12\x3c"


def make(framing="fixed", container=None, **options):
    names = ("length", "block_length", "resynchronise", "longest", "field", "blocks")
    own = {name: value for name, value in options.items() if name in names}
    others = {name: value for name, value in options.items() if name not in names}
    spoken = Spoken(Choice(framing, own), Choice("ibm"), Choice("ibm"), container, others)
    return make_reading(spoken, LAYOUT, Path())


def read(reading, paths, kinds, part):
    with reading.open(paths) as stream:
        stream.skip(part.offset)
        extraction = extract(
            stream, name="d", layout=reading.layout, framing=reading.framing, charset=reading.charset, kinds=kinds,
            batch_records=4, part=part,
        )  # fmt: skip
        rows, found = [], []
        for extracted in extraction:
            rows += [(extracted.kind, row) for row in extracted.batch.to_pylist()]
            found += extracted.findings.to_pylist()
    rows.sort(key=lambda row: row[1]["_record"])
    return rows, found, extraction.account


def assert_same(reading, paths, kinds, *, target, at_most=1000):
    """Read the whole and its slices; gives the slices."""
    rows, found, account = read(reading, paths, kinds, WHOLE)
    made = cut(reading, paths, kinds, target=target, at_most=at_most)
    parts = [read(reading, paths, kinds, part) for part in made.slices]
    assert [row for some, _, _ in parts for row in some] == rows
    assert sorted(str(f) for _, some, _ in parts for f in some) == sorted(map(str, found))
    for field in dataclasses.fields(account):
        if field.name != "kinds":
            assert sum(getattr(a, field.name) for _, _, a in parts) == getattr(account, field.name), field.name
    assert {k: sum(a.kinds[k] for _, _, a in parts) for k in account.kinds} == account.kinds
    return made


ROWS = ("cells", "delimited")
"""Framings of rows of cells, which have no copybook (`test_rows`)."""

FRAMES = st.sampled_from(
    [
        *({"framing": f.name} for f in FRAMINGS if f.name not in ("length_field", *ROWS)),
        {"framing": "undefined", "block_length": "9"},
        *(
            {"framing": f.name, "resynchronise": "yes", "longest": "64"}
            for f in FRAMINGS
            if "resynchronise" in f.options and f.name not in ("length_field", *ROWS)
        ),
        {"framing": "spanned", "blocks": "no", "resynchronise": "yes", "longest": "64"},
        {"framing": "fixed", "header": "3", "trailer": "2"},
    ]
)
PREFIXES = (b"", b"\0\x0b\0\0", b"\0\x0f\0\0\0\x0b\0\0")
KEYS = st.sampled_from("ABCDE").map(lambda key: key.encode("cp037") + b"\x40" * 4 + PACKED)
WORDS = st.one_of(
    st.tuples(st.sampled_from(PREFIXES), st.lists(KEYS, max_size=30)).map(lambda w: b"".join(w[0] + k for k in w[1])),
    st.lists(
        st.one_of(st.binary(max_size=12), st.tuples(st.sampled_from(PREFIXES), KEYS).map(b"".join)), max_size=40
    ).map(b"".join),
)


@settings(max_examples=150, deadline=None)
@given(
    files=st.lists(WORDS, min_size=1, max_size=3),
    options=FRAMES,
    kinds=st.sampled_from([FLAT, FAMILY]),
    target=st.integers(1, 90),
    buffer=st.integers(8, 64),
)
def test_slices_of_any_bytes_are_what_the_whole_is(tmp_path_factory, files, options, kinds, target, buffer):
    paths = [tmp_path_factory.getbasetemp() / f"any{number}.dat" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    with mock.patch("extractors.records.BUFFER_LEAST", buffer):
        assert_same(make(**options), paths, kinds, target=target)


@pytest.mark.parametrize("framing", ["fixed", "variable"])
def test_a_child_in_another_slice_than_its_parent_keeps_it(tmp_path, framing):
    # With two roots a cut at a root record would not do: E belongs to the D that came before the A.
    records = [k.encode("cp037") + b"\x40" * 4 + PACKED for k in "DABCCAEBCBDE"]
    prefix = b"" if framing == "fixed" else b"\0\x0b\0\0"
    path = tmp_path / "family.dat"
    path.write_bytes(b"".join(prefix + record for record in records))
    with mock.patch("extractors.records.BUFFER_LEAST", 8):
        made = assert_same(make(framing), [path], FAMILY, target=1)
    (part,) = (p for p in made.slices if p.record == 7)
    rows, _, _ = read(make(framing), [path], FAMILY, part)
    assert [row["_parent"] for kind, row in rows if kind == "e"] == [1]


def test_a_short_last_file_is_found_in_the_last_slice_and_headers_are_counted_once(tmp_path):
    paths = [tmp_path / f"{number}.dat" for number in range(3)]
    for path, size in zip(paths, (10, 10, 0), strict=True):
        path.write_bytes(b"HHH" + (b"\x40" * 5 + PACKED) * size + b"TT" if size else b"HH")
    reading = make(header="3", trailer="2")
    made = assert_same(reading, paths, FLAT, target=30)
    _, found, account = read(reading, paths, FLAT, made.slices[-1])
    assert [(f["code"], "header and trailer" in f["detail"]) for f in found] == [("F105", True)]
    assert sum(read(reading, paths, FLAT, part)[2].left_out for part in made.slices) == 12
    assert account.closes


def test_slices_are_even_and_of_whole_records(tmp_path):
    path = tmp_path / "even.dat"
    path.write_bytes((b"\x40" * 5 + PACKED) * 101)
    made = cut(make(), [path], FLAT, target=350, at_most=1000)
    assert [part.length for part in made.slices] == [238, 238, -1]
    assert [part.record for part in made.slices] == [1, 35, 69]
    assert len(cut(make(), [path], FLAT, target=1, at_most=4).slices) == 4


def test_slices_of_several_files_begin_where_records_do(tmp_path):
    paths = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for path, size in zip(paths, (75, 3, 160), strict=True):
        path.write_bytes(b"\x40" * size)
    made = assert_same(make(), paths, FLAT, target=40)
    assert [(part.offset, part.record) for part in made.slices] == [
        (0, 1),
        (42, 7),
        (85, 12),
        (127, 18),
        (169, 24),
        (211, 30),
    ]


def test_a_small_dump_is_whole_without_a_reason(tmp_path):
    path = tmp_path / "small.dat"
    path.write_bytes(b"\x40" * 70)
    made = cut(make(), [path], FLAT, target=70, at_most=1000)
    assert (made.slices, made.reason) == ((WHOLE,), "")


def test_a_wrapped_dump_is_whole_and_says_why(tmp_path):
    path = tmp_path / "wrapped.dat"
    path.write_bytes(gzip.compress(bytes(range(256)) * 40))
    made = cut(make(container=Choice("gzip")), [path], FLAT, target=70, at_most=1000)
    assert made.slices == (WHOLE,)
    assert "wrapped" in made.reason


def test_what_follows_damage_stays_together_and_says_why(tmp_path):
    path = tmp_path / "damaged.dat"
    record = b"\0\x0b\0\0" + b"\x40" * 5 + PACKED
    path.write_bytes(record * 20 + b"\0\0\0\0" + record * 80)
    for options in ({}, {"resynchronise": "yes", "longest": "64"}):
        with mock.patch("extractors.records.BUFFER_LEAST", 16):
            made = assert_same(make("variable", **options), [path], FLAT, target=50)
        assert len(made.slices) == 3
        assert "cannot be followed" in made.reason
        assert 100 < made.slices[-1].offset <= 220
