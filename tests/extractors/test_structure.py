"""Records that place themselves: tables by their counts, short and long records, kinds and families, slices."""

from __future__ import annotations

import io
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets
from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import AS_FINDINGS, Blanks
from extractors.framings import load
from extractors.reading import Apart, Choice, Spoken, make_layout, make_reading, read_apart
from extractors.records import WHOLE, slices
from extractors.roundtrip import round_trip
from extractors.writing.encode import encode
from migration_reports.findings import SpecError

COPYBOOK = """
01 R.
   05 K PIC X.
   05 N PIC 9.
   05 T OCCURS 0 TO 4 TIMES DEPENDING ON N.
      10 A PIC 9(2).
      10 M PIC 9.
      10 U PIC X(2) OCCURS 0 TO 3 TIMES DEPENDING ON M.
      10 F PIC X OCCURS 2 TIMES.
   05 P PIC 9.
   05 V PIC 9(3) COMP-3 OCCURS 1 TO 5 TIMES DEPENDING ON P.
   05 Z PIC X(3).
"""


def e(text):
    return text.encode("cp037")


def written(record):
    """A record as COBOL would write it, and as it must be read."""
    kind, table, numbers, tail = record
    data = e(kind) + e(str(len(table)))
    rows = []
    for a, inner, flags in table:
        data += e(f"{a:02}") + e(str(len(inner))) + b"".join(e(u.ljust(2)) for u in inner) + e(flags)
        rows.append({"A": a, "M": len(inner), "U": [u.rstrip() for u in inner], "F": list(flags)})
    data += e(str(len(numbers))) + b"".join(
        bytes([n // 10 // 10 << 4 | n // 10 % 10, n % 10 << 4 | 12]) for n in numbers
    )
    data += e(tail.ljust(3))
    return data, {
        "K": kind, "N": len(table), "T": rows, "P": len(numbers), "V": numbers, "Z": tail.rstrip(),
    }  # fmt: skip


LETTERS = st.sampled_from("ABC")
RECORD = st.tuples(
    LETTERS,
    st.lists(
        st.tuples(
            st.integers(0, 99),
            st.lists(st.text("ABC", min_size=1, max_size=2), max_size=3),
            st.text("XY", min_size=2, max_size=2),
        ),
        max_size=4,
    ),
    st.lists(st.integers(0, 999), min_size=1, max_size=5),
    st.text("ABC", max_size=3),
)


def read(
    data,
    layout,
    *,
    batch=5,
    kinds=(Kind("record", lists=True),),
    framing="variable",
    part=WHOLE,
    options=None,
    blanks=AS_FINDINGS,
):
    stream = io.BytesIO(data)
    stream.seek(part.offset)
    extraction = extract(
        stream, name="d", layout=layout, framing=load(framing, options or {}, layout),
        charset=charsets.load("ibm", {}, "."), kinds=kinds, batch_records=batch, part=part, blanks=blanks,
    )  # fmt: skip
    rows, found = [], []
    for extracted in extraction:
        rows += [(extracted.kind, row) for row in extracted.batch.to_pylist()]
        found += extracted.findings.to_pylist()
    rows.sort(key=lambda r: r[1]["_record"])
    return rows, found, extraction.account


def as_variable(records):
    return b"".join((len(r) + 4).to_bytes(2, "big") + b"\0\0" + r for r in records)


@settings(max_examples=80, deadline=None)
@given(records=st.lists(RECORD, max_size=12), batch=st.integers(1, 9), target=st.integers(20, 200))
def test_records_are_laid_out_from_their_own_counts(records, batch, target):
    layout = read_copybook(COPYBOOK, file="r.cpy")
    pairs = [written(record) for record in records]
    data = as_variable([raw for raw, _ in pairs])
    rows, found, account = read(data, layout, batch=batch)
    assert [{k: v for k, v in row.items() if not k.startswith("_")} for _, row in rows] == [want for _, want in pairs]
    assert found == []
    assert account.closes
    framing = load("variable", {}, layout)
    again = []
    for part in slices(io.BytesIO(data), framing, layout, sizes=[len(data)], target=target):
        some, odd, _ = read(data, layout, batch=batch, part=part)
        again += some
        assert odd == []
    assert again == rows


@settings(max_examples=120, deadline=None)
@given(data=st.binary(max_size=300), framing=st.sampled_from(["variable", "lines", "undefined", "spanned"]))
def test_any_bytes_in_any_structure_are_read(data, framing):
    layout = read_copybook(COPYBOOK, file="r.cpy")
    rows, found, account = read(data, layout, framing=framing)
    assert account.closes
    assert len(rows) == account.records
    assert all(0 <= f["offset"] <= len(data) for f in found)
    flat, _, _ = read(data, layout, framing=framing, kinds=(Kind("record"),))
    assert [r["_record"] for _, r in flat] == [r["_record"] for _, r in rows]


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(max_size=400), sizes=st.tuples(st.integers(1, 40), st.integers(1, 40)), target=st.integers(12, 90)
)
def test_slices_and_batches_never_change_rows_or_findings(data, sizes, target):
    layout = read_copybook("01 R. 05 K PIC X. 05 T PIC X(5). 05 P PIC 9(3) COMP-3. 05 Z PIC 9(4).", file="r.cpy")
    kinds = (Kind("a", "K", ("A..D",)), Kind("b", "K", ("1", "2"), also={"Z": ("0..9999",)}), Kind("rest"))
    whole = [read(data, layout, batch=size, kinds=kinds, framing="fixed") for size in sizes]
    assert whole[0][0] == whole[1][0]
    assert sorted(map(str, whole[0][1])) == sorted(map(str, whole[1][1]))
    rows, found = [], []
    framing = load("fixed", {}, layout)
    for part in slices(io.BytesIO(data), framing, layout, sizes=[len(data)], target=target):
        some, odd, _ = read(data, layout, kinds=kinds, framing="fixed", part=part)
        rows += some
        found += odd
    assert rows == whole[0][0]
    assert sorted(map(str, found)) == sorted(map(str, whole[0][1]))


def test_a_short_record_keeps_what_is_there():
    layout = read_copybook("01 R. 05 A PIC X(4). 05 B PIC X(6). 05 C PIC 9(3).", file="r.cpy")
    data = as_variable([e("AAAABBBBBB123"), e("AAAABB"), e("AA"), e("AAAABBBBBB12")])
    rows, found, _ = read(data, layout)
    assert [(r["A"], r["B"], r["C"]) for _, r in rows] == [
        ("AAAA", "BBBBBB", 123), ("AAAA", "BB", None), ("AA", None, None), ("AAAA", "BBBBBB", None),
    ]  # fmt: skip
    assert [(f["code"], f["record"]) for f in found] == [("D231", 2), ("D231", 3), ("D231", 4)]


def test_a_line_gives_what_it_gives_with_its_trailing_spaces():
    layout = read_copybook("01 R. 05 A PIC X(4). 05 C PIC 9(3). 05 D PIC 9(3).", file="r.cpy")
    lines = ["AAAA123456", "AAAA12", "AAAA1234", "AA", ""]
    short = b"".join(e(line) + b"\n" for line in lines)
    long = b"".join(e(line.ljust(10)) + b"\n" for line in lines)
    for policy, codes in (
        ("finding", ["D202", "D202", "D203", "D203", "D203", "D203", "D203"]),
        ("null", ["D202"] * 2),
        ("zero", ["D202"] * 2),
    ):
        (some, odd, account), (rows, found, _) = (
            read(data, layout, framing="lines", blanks=Blanks(spaces=policy)) for data in (short, long)
        )
        assert [(r["A"] or "", r["C"], r["D"]) for _, r in some] == [(r["A"], r["C"], r["D"]) for _, r in rows]
        assert [(f["code"], f["record"], f["field"]) for f in odd] == [
            (f["code"], f["record"], f["field"]) for f in found
        ]
        assert sorted(f["code"] for f in odd) == codes
        assert all(f["offset"] <= len(short) for f in odd)
        assert account.closes


def test_a_record_that_ends_before_its_count_is_short():
    layout = read_copybook(COPYBOOK, file="r.cpy")
    raw, _ = written(("A", [(1, [], "XY")], [7], "Z"))
    rows, found, _ = read(as_variable([raw, raw[:1], raw[:4]]), layout)
    assert [row["T"] for _, row in rows][1:] == [None, [{"A": 1, "M": None, "U": None, "F": []}]]
    assert [(f["code"], f["record"]) for f in found] == [("D231", 2), ("D231", 3)]


def test_an_occurrence_that_the_end_cuts_is_read_to_it_and_never_as_what_follows():
    text = "01 R. 05 N PIC 9. 05 T OCCURS 1 TO 3 TIMES DEPENDING ON N. 10 A PIC X(4). 10 B PIC X(2). 05 Z PIC X(3)."
    layout = read_copybook(text, file="r.cpy")
    records = [e("2AAAABBCC"), e("2AAAABBCCCCB"), e("2AAAABB"), e("2AAAABBC") + b"\x05"]
    rows, found, _ = read(as_variable(records), layout)
    assert [(row["T"][1:], row["Z"]) for _, row in rows] == [
        ([{"A": "CC", "B": None}], None), ([{"A": "CCCC", "B": "B"}], None), ([], None),
        ([{"A": "C\t", "B": None}], None),
    ]  # fmt: skip
    assert [(f["code"], f["record"], f["field"]) for f in found] == [
        ("D216", 4, "A(2)"), ("D231", 1, None), ("D231", 2, None), ("D231", 3, None), ("D231", 4, None)
    ]  # fmt: skip


def test_a_record_that_goes_on_is_found():
    layout = read_copybook("01 R. 05 A PIC X(4).", file="r.cpy")
    rows, found, _ = read(as_variable([e("aaaa"), e("aaaab")]), layout)
    assert len(rows) == 2
    assert [(f["code"], f["record"]) for f in found] == [("D232", 2)]


def test_a_count_that_cannot_be_right_is_found_and_nothing_is_guessed():
    layout = read_copybook(COPYBOOK, file="r.cpy")
    raw, _ = written(("A", [(1, [], "XY")], [7], "Z"))
    data = as_variable([raw, raw[:1] + e("9") + raw[2:], raw[:1] + b"\x40" + raw[2:]])
    rows, found, _ = read(data, layout)
    assert [row["T"] for _, row in rows][1:] == [None, None]
    assert [(f["code"], f["record"], f["field"], f["offset"]) for f in found if f["code"] == "D233"] == [
        ("D233", 2, "N", len(raw) + 4 + 4 + 1),
        ("D233", 3, "N", 2 * (len(raw) + 4) + 4 + 1),
    ]


def test_a_count_of_two_thousand_million_costs_nothing():
    layout = read_copybook("01 R. 05 N PIC S9(9) COMP. 05 T OCCURS 0 TO 9999999 DEPENDING ON N PIC X.", file="r.cpy")
    data = as_variable([(2_000_000_000).to_bytes(4, "big") + b"ab", (9_999_999).to_bytes(4, "big") + b"\xc1\xc2"])
    rows, found, _ = read(data, layout)
    assert [row["T"] for _, row in rows] == [None, ["A", "B"]]
    assert sorted(f["code"] for f in found) == ["D204", "D231", "D233"]


def test_tables_within_tables_take_time_that_grows_with_their_bytes():
    levels = "".join(f"{5 + n:02} N{n} PIC 9. {5 + n:02} T{n} OCCURS 0 TO 9 DEPENDING ON N{n}. " for n in range(5))
    layout = read_copybook(f"01 R. {levels} 10 X PIC X.", file="r.cpy")
    rows, _, account = read(as_variable([e("9" * 8000)]), layout)
    assert len(rows) == 1
    assert account.closes


THREE_LEVELS = """01 R. 05 N PIC 9(4). 05 T OCCURS 0 TO 1000 DEPENDING ON N. 10 M PIC 9(3).
 10 U OCCURS 0 TO 100 DEPENDING ON M. 15 L PIC S9 COMP-3. 15 V OCCURS 0 TO 9 DEPENDING ON L PIC X.
"""


def nested(outer, inner):
    """A record of `THREE_LEVELS`: so many occurrences, each of so many, each of two."""
    occurrence = e(f"{inner:03}") + (b"\x2c" + e("AB")) * inner
    return as_variable([e(f"{outer:04}") + occurrence * outer])


def python_calls(layout, data, framing):
    """How many Python functions are called while a dump is read, and what comes of it."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    extraction = extract(
        io.BytesIO(data), name="d", layout=layout, framing=load(framing, {}, layout),
        charset=charsets.load("ibm", {}, "."), kinds=[Kind("record", lists=True)],
    )  # fmt: skip
    sys.setprofile(count)
    try:
        out = list(extraction)
    finally:
        sys.setprofile(None)
    return calls, out


def test_no_python_is_run_for_an_occurrence_of_a_table_within_tables():
    layout = read_copybook(THREE_LEVELS, file="r.cpy")
    python_calls(layout, nested(2, 2), "variable")
    few, _ = python_calls(layout, nested(3, 5), "variable")
    many, out = python_calls(layout, nested(900, 11), "variable")
    assert many <= few + 20
    (table,) = [row["T"] for row in out[0].batch.to_pylist()]
    assert [len(row["U"]) for row in table] == [11] * 900
    assert {tuple(one["V"]) for row in table for one in row["U"]} == {("A", "B")}
    assert out[0].findings.num_rows == 0


def test_no_python_is_run_for_a_finding_in_a_table_within_tables():
    text = "01 R. 05 T OCCURS {outer}. 10 B PIC 9(2). 10 U OCCURS {inner}. 15 C PIC 9(3) COMP-3 OCCURS 2."
    layouts = [read_copybook(text.format(outer=n, inner=m), file="r.cpy") for n, m in ((2, 3), (60, 40))]
    python_calls(layouts[0], e(" ") * layouts[0].length, "fixed")
    (few, _), (many, out) = (python_calls(layout, e(" ") * layout.length, "fixed") for layout in layouts)
    assert many <= few + 20
    names = out[0].findings.column("field").to_pylist()
    assert names[:3] == ["B(1)", "B(2)", "B(3)"]
    assert names[60:63] == ["C(1,1,1)", "C(1,1,2)", "C(1,2,1)"]
    assert len(set(names)) == len(names) == 60 + 60 * 40 * 2


@pytest.mark.parametrize(("spaces", "inner"), [("finding", None), ("zero", []), ("null", None)])
def test_a_count_of_spaces_within_a_table_is_what_the_dump_says_of_spaces(spaces, inner):
    text = "01 R. 05 T OCCURS 2. 10 M PIC 9. 10 U OCCURS 0 TO 3 DEPENDING ON M PIC X."
    layout = read_copybook(text, file="r.cpy")
    rows, found, _ = read(as_variable([e(" 1X")]), layout, blanks=Blanks(spaces=spaces))
    ((_, row),) = rows
    assert row["T"][0]["U"] == inner
    assert ("D233" in {f["code"] for f in found}) == (inner is None)
    assert [one["U"] for one in row["T"][1:]] == ([["X"]] if inner is not None else [])


def test_a_counter_in_a_view_that_is_not_read_counts():
    text = """01 A. 05 K PIC X. 05 V1. 10 C PIC 9. 10 C2 PIC X. 05 V2 REDEFINES V1. 10 D PIC XX.
        05 T OCCURS 1 TO 5 DEPENDING ON C PIC X. 05 Z PIC X."""
    layout = read_copybook(text, file="r.cpy")
    kinds = (Kind("k", "K", ("A",), "V2", lists=True),)
    rows, found, _ = read(as_variable([e("A3XBCDZ"), e("A1YBZ")]), layout, kinds=kinds)
    assert [(r["D"], r["T"], r["Z"]) for _, r in rows] == [("3X", ["B", "C", "D"], "Z"), ("1Y", ["B"], "Z")]
    assert found == []
    assert "C OF V1" not in rows[0][1]
    varying = "01 A. 05 K PIC 9. 05 V1. 10 U OCCURS 1 TO 2 DEPENDING ON K PIC X. 10 C PIC 9. 05 V2 REDEFINES V1 PIC XX."
    layout = read_copybook(f"{varying} 05 T OCCURS 1 TO 5 DEPENDING ON C PIC X.", file="r.cpy")
    with pytest.raises(SpecError, match="`C`, on which `T` depends, has no fixed place in the view"):
        read(b"", layout, kinds=(Kind("k", "K", ("1",), "V2"),))


def test_what_follows_a_table_stays_where_the_dump_says_so():
    layout = read_copybook("01 R. 05 N PIC 9. 05 T PIC X OCCURS 0 TO 3 DEPENDING ON N. 05 Z PIC X.", file="r.cpy")
    extraction = extract(
        io.BytesIO(e("1A  Z2BC Y")), name="d", layout=layout, framing=load("fixed", {}, layout),
        charset=charsets.load("ibm", {}, "."), kinds=(Kind("r"),), fixed_places=True,
    )  # fmt: skip
    rows = [row for x in extraction for row in x.batch.to_pylist()]
    assert [(r["T"], r["Z"]) for r in rows] == [(["A"], "Z"), (["B", "C"], "Y")]


KINDS = "01 R. 05 K PIC X(2). 05 L PIC 9(2). 05 B PIC S9(4) COMP. 05 P PIC S9(3) COMP-3."


def record(k, number=0, b=0, p=0):
    packed = bytes([p // 100 << 4 | p // 10 % 10, p % 10 << 4 | 12])
    return e(k.ljust(2)) + e(f"{number:02}") + b.to_bytes(2, "big", signed=True) + packed


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((Kind("x", "K", ("A",)),), ["x", "", "", ""]),
        ((Kind("x", "K", ("A", "BB")),), ["x", "x", "", ""]),
        ((Kind("x", "L", ("10..19",)),), ["", "x", "x", ""]),
        ((Kind("x", "L", ("1..12",)), Kind("y")), ["x", "x", "y", "y"]),
        ((Kind("x", "K", ("A..B",), also={"L": ("1", "12")}),), ["x", "", "", ""]),
        ((Kind("x", "B", ("-5",)), Kind("y", "P", ("7..9",)), Kind("z")), ["z", "x", "y", "z"]),
        (
            (Kind("x", "B", ("-5",)), Kind("y", "B", ("-5..0",), also={"K": ("A", "CC")}), Kind("z")),
            ["y", "x", "y", "z"],
        ),
    ],
)
def test_kinds_are_told_apart(kinds, expected):
    layout = read_copybook(KINDS, file="r.cpy")
    data = b"".join([record("A", 1), record("BB", 12, -5), record("CC", 19, 0, 8), record("DD", 20, 3)])
    rows, found, account = read(data, layout, kinds=kinds, framing="fixed", batch=3)
    names = {row["_record"]: kind for kind, row in rows}
    assert [names.get(n, "") for n in range(1, 5)] == expected
    assert sum(f["code"] == "F106" for f in found) == expected.count("") == account.of_no_kind


NUMBERS = """01 R. 05 W PIC 9(21) COMP-3. 05 D PIC 9V9 COMP-3. 05 Z PIC 9V9. 05 ZW PIC 9(20). 05 P PIC 9(2)PP.
    05 F COMP-1. 05 V PIC S9(39) COMP-3. 05 B POINTER."""


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (e("C") + b"\0", "K holds `C` with LOW-VALUES behind it: add X'C300' to the values of kind `c`"),
        (e("C") + b"\xff", "K holds `C` with HIGH-VALUES behind it: add X'C3FF' to the values of kind `c`"),
        (b"\0\0", "K holds LOW-VALUES only (X'0000' as a value takes them)"),
        (b"\xff\xff", "K holds HIGH-VALUES only (X'FFFF' as a value takes them)"),
        (e("  "), "K holds spaces only"),
        (e("Q7"), "K holds `X9`"),
        (e("A "), "K holds `A`"),
    ],
)
def test_a_record_of_no_kind_says_what_it_holds_and_masks_it(cell, says):
    layout = read_copybook(KINDS, file="r.cpy")
    kinds = (Kind("a", "K", ("A",), also={"L": ("1..12",)}), Kind("c", "K", ("C", "D..F")))
    data = cell + record("", 77)[2:]
    _, (finding,), _ = read(data, layout, kinds=kinds, framing="fixed")
    assert finding["code"] == "F106"
    assert finding["detail"] == f"{says}; L holds `99`"
    if "X'" in says:
        said = re.search("X'[0-9A-F]+'", says)[0]
        rows, found, _ = read(data, layout, kinds=(Kind("c", "K", ("C", said)),), framing="fixed")
        assert [kind for kind, _ in rows] == ["c"]
        assert "F106" not in {f["code"] for f in found}


def test_a_record_too_short_to_say_its_kind_says_so():
    layout = read_copybook("01 R. 05 A PIC X(2). 05 K PIC X(2).", file="r.cpy")
    _, found, _ = read(as_variable([e("12C")]), layout, kinds=(Kind("c", "K", ("C",)),))
    assert [f["detail"] for f in found if f["code"] == "F106"] == ["the record ends before the end of K"]


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        (("W", "5"), False), (("W", "18446744073709551621"), True), (("W", "0..18446744073709551620"), False),
        (("W", "18446744073709551620.5..99999999999999999999999"), True), (("W", "-1..5"), False),
        (("D", "1"), False), (("D", "1.5"), True), (("D", "1.45..1.55"), True), (("D", "1.51..1.59"), False),
        (("Z", "1"), False), (("Z", "15"), False), (("Z", "1.5"), True), (("Z", "1..2"), True),
        (("ZW", "12345678901234567890"), True), (("ZW", "12345678901234567891"), False),
        (("P", "1200"), True), (("P", "12"), False), (("F", "1.5"), True), (("F", "2..3"), False),
        (("V", "-5"), True), (("V", "5"), False),
    ],
)  # fmt: skip
def test_numbers_tell_kinds_apart_by_all_their_digits(condition, fits):
    layout = read_copybook(NUMBERS, file="r.cpy")
    values = {"W": 2**64 + 5, "D": 15, "Z": 15, "ZW": 12345678901234567890, "P": 1200, "V": -5}
    columns = {name: np.array([value], object) for name, value in values.items()} | {"F": pa.array([1.5], pa.float64())}
    charset = charsets.load("ibm", {}, ".")
    data = encode(layout.fields(), columns, charset=charset, length=layout.length, count=1).tobytes()
    rows, _, _ = read(data, layout, kinds=(Kind("x", condition[0], (condition[1],)),), framing="fixed")
    assert len(rows) == fits


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        ((Kind("b", "K", ("B",), parent="nope"),), "`nope`, the parent of record kind `b`, is no record kind"),
        ((Kind("a", "K", ("A",), parent="b"), Kind("b", "K", ("B",), parent="a")), "`a` would belong to itself"),
        ((Kind("a", "K", ("A",)), Kind("a", "K", ("B",))), "two record kinds are called `a`"),
        ((Kind("a", "B", ("1",)),), "`1` of record kind `a` does not fit B"),
        ((Kind("a", "N", ("1..x",)),), "`1..x` of record kind `a` does not fit N"),
        ((Kind("a", "N", ("NaN",)),), "`NaN` of record kind `a` does not fit N"),
    ],
)
def test_kinds_that_cannot_be_are_refused_before_data_is_read(kinds, says):
    layout = read_copybook("01 R. 05 K PIC X. 05 B POINTER. 05 N PIC S9(3) COMP-3.", file="r.cpy")
    with pytest.raises(SpecError, match=re.escape(says)):
        read(b"", layout, kinds=kinds, framing="fixed")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Kind("x", "Q", ("A",)), "no field `Q`"),
        (Kind("x", "K", ("ABC",)), "`ABC` of record kind `x` does not fit K"),
        (Kind("x", "K", ("X'C3'",)), "`X'C3'` of record kind `x` does not fit K .*\n.*it needs 4 hexadecimal digits"),
        (Kind("x", "L", ("one",)), "`one` of record kind `x` does not fit L"),
        (Kind("x", "B", ("one",)), "`one` of record kind `x` does not fit B"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(kind, says):
    layout = read_copybook(KINDS, file="r.cpy")
    with pytest.raises(SpecError, match=says):
        read(b"", layout, kinds=(kind,), framing="fixed")


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_children_belong_to_the_last_parent_and_orphans_are_found(batch):
    layout = read_copybook("01 R. 05 K PIC X.", file="r.cpy")
    kinds = (Kind("a", "K", ("A",)), Kind("b", "K", ("B",), parent="a"), Kind("c", "K", ("C",), parent="b"))
    rows, found, _ = read(e("CABCCABACBC"), layout, kinds=kinds, framing="fixed", batch=batch)
    parents = {row["_record"]: row.get("_parent") for _, row in rows}
    assert parents == {1: None, 2: None, 3: 2, 4: 3, 5: 3, 6: None, 7: 6, 8: None, 9: None, 10: 8, 11: 10}
    assert [(f["code"], f["record"]) for f in found] == [("F110", 1), ("F110", 9)]


@pytest.mark.parametrize("views", [("LONG", "SHORT"), ("SHORT", "LONG")])
@pytest.mark.parametrize(
    ("filled", "found"), [("", []), ("  ", []), ("   ", []), ("    ", ["D232"]), (" x ", ["D232"])]
)
def test_a_record_filled_up_for_the_longest_view_is_no_longer_than_its_own(views, filled, found):
    first, second = views
    room = {"LONG": "10 L PIC X(5).", "SHORT": "10 S PIC X(2)."}
    text = f"01 R. 05 K PIC X. 05 {first}. {room[first]} 05 {second} REDEFINES {first}. {room[second]}"
    kinds = (Kind("short", "K", ("S",), group="SHORT"), Kind("long", "K", ("L",), group="LONG"))
    _, odd, _ = read(as_variable([e("Sab" + filled), e("Labcde")]), read_copybook(text, file="r.cpy"), kinds=kinds)
    assert [f["code"] for f in odd] == found


APART = """
01 R.
   05 K PIC X(2).
   05 N PIC 9(3).
   05 M PIC 9(3).
   05 T PIC X OCCURS 0 TO 900 DEPENDING ON N.
   05 B PIC X OCCURS 0 TO 900 DEPENDING ON M.
   05 F PIC X(8).
   05 Z PIC X(2).
"""


def read_apart_of(text, fields, data, *, batch=5, lists=False, framing="variable"):
    spoken = Spoken(Choice(framing), Choice("ibm"), fields=fields)
    layout = read_apart(make_layout(spoken, text, "r.cpy"), fields)
    reading = make_reading(spoken, layout, Path())
    extraction = extract(
        io.BytesIO(data), name="d", layout=layout, framing=reading.framing, charset=reading.charset,
        kinds=(Kind("r", lists=lists),), batch_records=batch,
    )  # fmt: skip
    rows, found = [], []
    for part in extraction:
        part.batch.validate(full=True)
        rows += part.batch.to_pylist()
        found += part.findings.to_pylist()
    return rows, found, reading


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(
        st.tuples(st.text("AB山田ｱ", max_size=300), st.binary(max_size=900), st.text("AB山", max_size=3)), max_size=9
    ),
    batch=st.integers(1, 9),
    lists=st.booleans(),
)
def test_a_table_of_characters_is_one_text_and_bytes_stay_bytes(records, batch, lists):
    fields = {"T": Apart("text"), "B": Apart("bytes"), "F": Apart("text", Choice("shift_jis"))}
    data = []
    for text, raw, other in records:
        shifted = written_in_ibm(text)
        data.append(e(f"K {len(shifted):03}{len(raw):03}") + shifted + raw + other.encode("cp932").ljust(8) + e("ZZ"))
    rows, found, _ = read_apart_of(APART, fields, as_variable(data), batch=batch, lists=lists)
    assert found == []
    assert [(r["T"], r["B"], r["F"], r["Z"]) for r in rows] == [(t, raw, o, "ZZ") for t, raw, o in records]


def written_in_ibm(text):
    """A text of any length, between shifts where it is wide."""
    out = b""
    for wide, some in itertools.groupby(text, lambda c: c in "山田"):
        run = "".join(some)
        layout = read_copybook(f"01 R. 05 F PIC X({len(run) * 2 + 2}).", file="r.cpy")
        cells = encode(layout.fields(), {"F": pa.array([run])}, charset=charsets.load("ibm", {}, "."), length=layout.length, count=1)  # fmt: skip
        out += cells.tobytes() if wide else cells.tobytes()[: len(run)]
    return out


def test_what_is_odd_in_a_joined_text_names_its_record_and_place():
    fields = {"T": Apart("text"), "B": Apart("bytes")}
    good, bad = e("K 003000") + e("ABC") + e("FFFFFFFFZZ"), e("K 003000") + b"\x0eEB" + e("FFFFFFFFZZ")
    rows, found, _ = read_apart_of(APART, fields, as_variable([good, bad]))
    assert [(f["code"], f["record"], f["field"], f["offset"]) for f in found] == [("D212", 2, "T", len(good) + 4 + 12)]
    assert [r["Z"] for r in rows] == ["ZZ", "ZZ"]


def test_a_wrong_count_of_a_joined_text_is_null_and_a_cut_one_is_read_to_the_end():
    fields = {"T": Apart("text"), "B": Apart("bytes")}
    torn, cut = e("K 999000"), e("K 009000") + e("ABC")
    rows, found, _ = read_apart_of(APART, fields, as_variable([torn, cut]))
    assert [r["T"] for r in rows] == [None, "ABC"]
    assert [(f["code"], f["record"]) for f in found] == [("D233", 1), ("D231", 2)]


def test_fields_read_apart_come_back_byte_for_byte():
    fields = {"T": Apart("text"), "B": Apart("bytes"), "F": Apart("text", Choice("shift_jis"))}
    record = e("K 003002") + e("ABC") + b"\xff\x00" + "山".encode("cp932").ljust(8) + e("ZZ")
    _, _, reading = read_apart_of(APART, fields, b"")
    proof = round_trip(io.BytesIO(as_variable([record])), name="d", reading=reading, kinds=(Kind("r"),))
    assert proof.exceptions == ()
    assert (proof.record_bytes, proof.no_field_bytes) == (len(record), 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"TT": Apart("text")}, "the layout has no field `TT`"),
        ({"N": Apart("bytes")}, "`N` is no text, and is read by its picture only"),
        ({"B": Apart("bytes", Choice("shift_jis"))}, "`B` is read as bytes, which have no charset"),
    ],
)
def test_what_cannot_be_read_apart_is_said(fields, message):
    with pytest.raises(SpecError) as caught:
        read_apart(read_copybook(APART, file="r.cpy"), fields)
    assert [(p.code, p.message) for p in caught.value.problems] == [("L914", message)]
