"""What must hold for any bytes, any values and any batch size."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets
from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.framings import load
from extractors.writing.encode import encode
from migration_reports.findings import SpecError

IBM = charsets.load("ibm", {}, Path())
FUJITSU = charsets.load("fujitsu", {}, Path())
LAYOUT = read_copybook(
    """01 R.
    05 K PIC X. 05 T PIC X(17). 05 A PIC A(3). 05 G PIC G(4) DISPLAY-1. 05 Z PIC S9(7). 05 ZW PIC 9(21).
    05 P PIC S9(9)V99 COMP-3. 05 PW PIC S9(25) COMP-3. 05 B PIC S9(4) COMP. 05 BU PIC 9(18) COMP.
    05 O PIC 9(3) COMP-3 OCCURS 3 TIMES.
    """,
    file="any.cpy",
)
PIECES = [
    "01 ", "05 ", "88 ", "A", "B ", "PIC ", "X(", "9)", "S9(4)", "V99", "COMP-3", " OCCURS ", "99999999", "REDEFINES ",
    "VALUE '", "'", ".", "\n", "      *", "      -", "FILLER", "G(3)", " DISPLAY-1", " TIMES", "名前",
]  # fmt: skip


def read(data, charset, batch_records=7, kinds=(Kind("record"),)):
    extraction = extract(
        io.BytesIO(data),
        name="any",
        layout=LAYOUT,
        framing=load("fixed", {}, LAYOUT),
        charset=charset,
        kinds=kinds,
        batch_records=batch_records,
    )
    return list(extraction), extraction.account


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=LAYOUT.length * 5 + 3), fujitsu=st.booleans())
def test_any_bytes_are_read_and_every_byte_is_accounted_for(data, fujitsu):
    out, account = read(data, FUJITSU if fujitsu else IBM)
    assert account.bytes == len(data)
    assert account.records * LAYOUT.length + account.left_over == len(data)
    assert account.closes
    for extracted in out:
        extracted.batch.validate(full=True)
        for finding in extracted.findings.to_pylist():
            assert 0 <= finding["offset"] < len(data)
    lost = sum(e.batch.column(i).null_count for e in out for i in range(e.batch.num_columns))
    codes = [c for e in out for c in e.findings.column("code").to_pylist()]
    assert lost == sum(c in ("D201", "D202", "D203", "D205") for c in codes)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=LAYOUT.length * 40), sizes=st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_the_batch_size_never_changes_a_result(data, sizes):
    kinds = (Kind("a", "K", ("A",)), Kind("rest"))
    results = []
    for size in sizes:
        out, account = read(data, IBM, size, kinds)
        tables = {
            kind: pa.Table.from_batches([e.batch for e in out if e.kind == kind]).combine_chunks().to_pydict()
            for kind in ("a", "rest")
            if any(e.kind == kind for e in out)
        }
        found = sorted(str(f) for e in out for f in e.findings.to_pylist())
        results.append((tables, found, account))
    assert results[0] == results[1]


OF_EVERY_FORM = read_copybook(
    """01 R.
    05 K PIC X. 05 Z PIC S9(3). 05 P PIC S9(3)V99 COMP-3. 05 PP PIC 9PP COMP-3. 05 PW PIC S9(39) COMP-3.
    05 B PIC S9(4) COMP. 05 F COMP-1. 05 E PIC ZZ9. 05 J PIC X(4) JUSTIFIED. 05 A POINTER. 05 FILLER PIC X(2).
    05 N PIC 9. 05 O PIC 9 OCCURS 2. 05 H OCCURS 0 TO 3 DEPENDING ON N. 10 Y PIC 9. 05 L PIC 9(2).
    """,
    file="forms.cpy",
)


def says(value):
    return any(value) if isinstance(value, bytes) else bool(value)


@settings(max_examples=150, deadline=None)
@given(
    records=st.lists(st.lists(st.sampled_from(b"\x00\x0c\x40\x4e\x0f\xf0\xf1\xf3\xc1\xff"), max_size=80), max_size=9),
    policy=st.sampled_from(("finding", "null", "zero")),
    lists=st.booleans(),
)
def test_what_a_field_holds_is_counted_as_its_values_tell(records, policy, lists):
    data = b"".join((len(r) + 4).to_bytes(2, "big") + b"\0\0" + bytes(r) for r in records)
    layout = OF_EVERY_FORM
    extraction = extract(
        io.BytesIO(data), name="any", layout=layout, framing=load("variable", {}, layout), charset=IBM,
        kinds=(Kind("r", lists=lists),), batch_records=4, blanks=Blanks(spaces=policy, low_values=policy),
    )  # fmt: skip
    for extracted in extraction:
        columns = {n: extracted.batch[n].to_pylist() for n in extracted.batch.schema.names if not n.startswith("_")}
        counted = {name: extracted.filled.get(name) for name in columns}
        assert counted == {name: sum(map(says, values)) for name, values in columns.items()}


@settings(max_examples=100, deadline=None)
@given(
    z=st.integers(-(10**7) + 1, 10**7 - 1),
    zw=st.integers(0, 10**21 - 1),
    p=st.integers(-(10**11) + 1, 10**11 - 1),
    pw=st.integers(-(10**25) + 1, 10**25 - 1),
    b=st.integers(-9999, 9999),
    bu=st.integers(0, 10**18 - 1),
    text=st.text(st.sampled_from("ABC ｱｶﾞ山田〜ｰ1"), max_size=5),
    g=st.text(st.sampled_from("山田花子〜−　Ａ"), max_size=4),
    fujitsu=st.booleans(),
)
def test_what_is_written_is_read_back(z, zw, p, pw, b, bu, text, g, fujitsu):
    charset = FUJITSU if fujitsu else IBM
    columns = {
        "T": pa.array([text]),
        "G": pa.array([g]),
        "Z": np.array([z]),
        "ZW": np.array([zw], dtype=object),
        "P": np.array([p]),
        "PW": np.array([pw], dtype=object),
        "B": np.array([b]),
        "BU": np.array([bu]),
        "O(2)": np.array([7]),
    }
    data = encode(LAYOUT.fields(), columns, charset=charset, length=LAYOUT.length, count=1).tobytes()
    (extracted,), _ = read(data, charset)
    row = extracted.batch.to_pylist()[0]
    assert (row["Z"], row["ZW"], row["PW"], row["B"], row["BU"]) == (z, Decimal(zw), Decimal(pw), b, bu)
    assert row["P"] == Decimal(p).scaleb(-2)
    assert (row["T"], row["G"]) == (text.rstrip(" \u3000"), g.rstrip(" \u3000"))
    assert row["O(2)"] == 7
    assert extracted.findings.num_rows == 0


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)))
def test_any_text_is_a_layout_or_a_spec_error(text):
    try:
        layout = read_copybook(text, file="any.cpy")
    except SpecError as error:
        assert error.problems
        assert all(p.position.line >= 1 and p.position.column >= 1 for p in error.problems)
    else:
        assert layout.length >= 1
        assert all(f.offset + f.width <= layout.length for f in layout.fields())
