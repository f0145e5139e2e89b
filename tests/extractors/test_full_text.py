"""A text that fills its field to the last byte is told of where it is asked about: what was longer has been cut."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from extractors import charsets
from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.framings import load
from extractors.writing.encode import encode
from migration_reports.findings import SpecError
from tests.reading import open_bytes

CASES = [
    ("kanji", "ibm", "N(3)", "山田太", True),
    ("fewer kanji", "ibm", "N(3)", "山田", False),
    ("kanji of another maker", "fujitsu", "N(3)", "山田太", True),
    ("fewer kanji of another maker", "fujitsu", "N(3)", "山田", False),
    ("mixed, with the shift back in the last byte", "ibm", "X(8)", "山田太", True),
    ("mixed, with room behind", "ibm", "X(9)", "山田太", False),
    ("mixed, filled up with blanks of full width", "ibm", "X(8)", "山田\N{IDEOGRAPHIC SPACE}", False),
    ("half width", "shift_jis", "X(4)", "ABCD", True),
    ("half width with room", "shift_jis", "X(4)", "ABC", False),
    ("kanji among half width", "shift_jis", "X(4)", "山田", True),
    ("kana of half width", "ibm", "X(4)", "ﾔﾏﾀﾞ", True),
    ("nothing", "ibm", "X(4)", "", False),
]


def record(picture, charset, text):
    layout = read_copybook(f"01 R. 05 K PIC X. 05 A PIC {picture}. 05 Z PIC X(2).", file="case.cpy")
    fields = layout.segment(None).fields
    return layout, encode(fields, {"A": pa.array([text])}, charset=charset, length=layout.length, count=1).tobytes()


def found(layout, data, charset, cut=("A",), framing="fixed"):
    kinds = (Kind("record", wanted=frozenset(("K",)), cut=frozenset(cut)),)
    options = {"length": str(layout.length)} if framing == "fixed" else {}
    read = extract(
        open_bytes(data),
        name="d",
        layout=layout,
        framing=load(framing, options, layout),
        charset=charset,
        kinds=kinds,
    )
    return [(f["record"], f["field"], f["offset"]) for p in read for f in p.findings.to_pylist() if f["code"] == "V455"]


@pytest.mark.parametrize(("name", "charset", "picture", "text", "told"), CASES, ids=[case[0] for case in CASES])
def test_a_text_is_told_of_where_its_field_is_full(name, charset, picture, text, told):
    loaded = charsets.load(charset, {}, Path())
    layout, data = record(picture, loaded, text)
    assert found(layout, data + data, loaded) == ([(1, "A", 1), (2, "A", 1 + layout.length)] if told else []), name
    assert found(layout, data, loaded, cut=()) == []


def test_each_occurrence_is_told_of():
    charset = charsets.load("shift_jis", {}, Path())
    layout = read_copybook("01 R. 05 K PIC X. 05 T OCCURS 3. 10 A PIC X(2).", file="case.cpy")
    assert found(layout, b"kABC DE", charset) == [(1, "A(1)", 1), (1, "A(3)", 5)]


def test_a_text_that_its_records_end_cuts_is_not_full():
    charset = charsets.load("shift_jis", {}, Path())
    layout = read_copybook("01 R. 05 K PIC X. 05 A PIC X(4).", file="case.cpy")
    short, whole = b"\0\x08\0\0kABC", b"\0\x09\0\0kABCD"
    assert found(layout, short + whole, charset, framing="variable") == [(2, "A", 13)]


def test_only_texts_can_be_asked_about():
    charset = charsets.load("shift_jis", {}, Path())
    layout = read_copybook("01 R. 05 K PIC X(2). 05 N PIC 9(4).", file="case.cpy")
    with pytest.raises(SpecError) as caught:
        found(layout, b"", charset, cut=("N",))
    assert "the layout has no text `N` of record kind `record`" in str(caught.value)
    assert "did you mean" not in str(caught.value)
