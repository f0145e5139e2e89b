"""A text that its record's end cuts is judged as it would be with its spaces: the same value, the same findings."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets
from extractors.batches import Kind, extract
from extractors.charsets.contract import Charset
from extractors.copybooks.copybook import read_copybook
from extractors.framings import load
from extractors.usages import usage_of
from tests.reading import open_bytes

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "short_text.yaml").read_text("utf-8"))
ENDS = {"lf": b"\n", "nl": b"\x15"}


def read(records, picture, charset, *, framing="variable", options=None, kinds=(Kind("record"),)):
    """The values of A, (record, code, codes, offset) of what was found, and what the characters add up to."""
    layout = read_copybook(f"01 R. 05 K PIC X(2). 05 A PIC {picture}. 05 Z PIC X(3).", file="case.cpy")
    options = options or {}
    if framing == "lines":
        data = b"".join(record + ENDS[options.get("ending", "lf")] for record in records)
    else:
        data = b"".join((len(record) + 4).to_bytes(2) + bytes(2) + record for record in records)
    values, found, met, filled = [], [], [], {}
    framed = load(framing, options, layout)
    for part in extract(open_bytes(data), name="d", layout=layout, framing=framed, charset=charset, kinds=kinds):
        values += part.batch.column("A").to_pylist() if "A" in part.batch.schema.names else []
        found += [(f["record"], f["code"], f["field"], f["detail"]) for f in part.findings.to_pylist()]
        met += [(one.field, one.code, one.area, one.count, one.records) for one in part.characters]
        filled |= part.filled
    return values, sorted(found, key=str), met, filled


@functools.cache
def charset_of(name: str, **options: str) -> Charset:
    return charsets.load(name, options, Path())


def key(charset: Charset) -> bytes:
    return b"\x00K" if charset.usage == "utf16" else b"11" if charset.ascii else b"\xf1\xf1"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_cut_text_reads_as_the_case_says(case):
    charset = charset_of(case["charset"], **case.get("charset_options", {}))
    framing = case.get("framing", "variable")
    cut = key(charset) + bytes.fromhex(case["bytes"])
    # The record behind it would be read on into.
    values, found, met, _ = read(
        [cut, key(charset)], case["picture"], charset, framing=framing, options=case.get("options")
    )
    assert values == [case["value"], None]
    assert [f"{code} {detail or ''}".strip() for record, code, field, detail in found if field == "A"] == case["found"]
    assert sorted(record for record, code, *_ in found if code == "D231") == ([1, 2] if framing == "variable" else [])
    assert sum(count for *_, count, _ in met) == sum(len(f.split()) - 1 for f in case["found"])


TEXTS = {
    "mixed": [("ibm", {}), ("fujitsu", {}), ("hitachi", {}), ("nec", {}), ("nec", {"form": "jips_j"}), ("unisys", {}),
              ("shift_jis", {}), ("euc_jp", {}), ("iso_2022_jp", {}), ("utf_8", {}), ("utf_16", {}),
              ("utf_16", {"order": "little"}), ("single_byte", {}),
              ("jis_8080", {"opening": "0E", "closing": "0F", "single": "cp290", "user_area": "F5..FE"})],
    "text": [("ibm", {}), ("shift_jis", {"kana": "composed"})],
    "national": [("ibm", {}), ("fujitsu", {}), ("shift_jis", {}), ("unisys", {}), ("ibm", {"wide_spaces": "trimmed"})],
    "utf16": [("ibm", {}), ("shift_jis", {})],
}  # fmt: skip
PICTURES = {"mixed": "X(12)", "text": "A(12)", "national": "N(6)", "utf16": "N(6) NATIONAL"}


def blanks_of(charset: Charset, usage: str) -> bytes:
    """Twelve bytes of blanks in a field's own code."""
    if usage == "utf16":
        order = charset.policies.get("order") if charset.usage == "utf16" else "big"
        return (" " * 6).encode("utf-16-le" if order == "little" else "utf-16-be")
    if usage == "national" and charset.double_space is not None:
        return charset.double_space.to_bytes(2) * 6
    return bytes([charset.blank]) * 12


@pytest.mark.parametrize(("usage", "name", "options"), [(u, *one) for u, some in TEXTS.items() for one in some])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_record_cut_within_a_text_gives_what_it_gives_with_its_blanks(usage, name, options, data):
    charset = charset_of(name, **options)
    pieces = [bytes([charset.blank]), *(shift.code for shift in charset.shifts), b"\xf0\x40", b"\x88\x9f", b"\x6e\xa4"]
    pieces += [*(bytes([b]) for b in [*charset.leads][::20]), "漢\ue000".encode(), "漢\ue000".encode("utf-16-be")]
    piece = st.one_of(st.sampled_from(pieces), st.binary(min_size=1, max_size=3))
    texts = data.draw(st.lists(st.lists(piece, max_size=8).map(lambda p: b"".join(p)[:12]), min_size=1, max_size=8))
    layout = read_copybook(f"01 R. 05 A PIC {PICTURES[usage]}.", file="case.cpy")
    own = usage_of(layout.fields()[0], charset).name
    if own in ("national", "utf16"):
        # Half a code unit, or a blank of one byte, before blanks of two has no full form to compare with.
        texts = [text[: len(text) // 2 * 2] for text in texts]
        while own == "national" and any(text.endswith(bytes([charset.blank])) for text in texts):
            texts = [text[:-2] if text.endswith(bytes([charset.blank])) else text for text in texts]
    blanks = blanks_of(charset, own)
    cut = read([key(charset) + text for text in texts], PICTURES[usage], charset)
    full = read([key(charset) + (text + blanks[len(text) :]) for text in texts], PICTURES[usage], charset)
    assert [value or "" for value in cut[0]] == full[0]
    assert [f for f in cut[1] if f[1] != "D231"] == [f for f in full[1] if f[1] != "D231"]
    assert cut[2] == full[2]


@pytest.mark.parametrize("usage", list(PICTURES))
@pytest.mark.parametrize("name", ["ibm", "shift_jis", "utf_8", "utf_16"])
@settings(max_examples=20, deadline=None)
@given(records=st.lists(st.binary(max_size=20), min_size=1, max_size=6))
def test_any_bytes_are_read_and_no_record_is_read_on_into_the_next(usage, name, records):
    charset = charset_of(name)
    together = read(records, PICTURES[usage], charset)
    alone = [read([record], PICTURES[usage], charset) for record in records]
    assert together[0] == [value for one in alone for value in one[0]]
    expected = [(n, *f[1:]) for n, one in enumerate(alone, 1) for f in one[1]]
    assert together[1] == sorted(expected, key=str)


def test_a_field_that_nobody_reads_is_counted_as_filled_in_short_records_too():
    charset = charset_of("ibm")
    records = [b"\xf1\xf1\xc1", b"\xf1\xf1\x40", b"\xf1\xf1", b"\xf1\xf1" + b"\x40" * 10 + b"\xc1"]
    kinds = (Kind("record", wanted=frozenset({"K"})),)
    for framing in ("variable", "lines"):
        *_, filled = read(records, "X(10)", charset, framing=framing, kinds=kinds)
        assert filled == {"A": 1, "Z": 1, "K": 4}, framing
