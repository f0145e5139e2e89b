"""Rows of cells: what was written comes back, any bytes are read, and a sheet of columns says what is wrong with it."""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import charsets
from extractors.batches import Kind, extract
from extractors.charsets.contract import CharacterClass
from extractors.decoder import Blanks
from extractors.framings import load
from extractors.layout.column_sheet import PROBLEMS, read_columns
from extractors.reading import Choice, Spoken, make_layout, make_reading
from extractors.records import WHOLE, fetch
from extractors.slicing import cut
from extractors.writing.encode import encode
from migration_reports.findings import SpecError
from tests.reading import open_bytes

SHEET = "field,heading,type,length\nNO,名簿番号,text,12\nNAME,氏名,text,20\nAREA,面積,number,9.2\n"
LAYOUT = read_columns(SHEET, file="meibo.csv")


@functools.cache
def charset_of(name: str):
    return charsets.load(name, {}, Path())


def read(data: bytes, *, charset: str = "utf_8", framing: str = "delimited", layout=LAYOUT, **options: str):
    made = load(framing, options, layout)
    extraction = extract(
        open_bytes(data),
        name="d",
        layout=layout,
        framing=made,
        charset=charset_of(charset),
        blanks=Blanks(spaces="null"),
    )
    rows, found = [], []
    for extracted in extraction:
        rows += [{k: v for k, v in row.items() if not k.startswith("_")} for row in extracted.batch.to_pylist()]
        found += [(f["code"], f["record"], f["field"]) for f in extracted.findings.to_pylist()]
    return rows, found, extraction.account


NAMES = st.text(st.sampled_from("\",;'\t\n 0aア表ソポ漢々"), max_size=20).map(lambda text: text.rstrip(" "))
"""What rows are made of, and characters whose bytes look like it; trailing spaces are padding."""


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(NAMES, NAMES, st.none() | st.decimals(-9_999_999, 9_999_999, places=2)), max_size=30),
    order=st.permutations([0, 1, 2]),
    end=st.sampled_from(["\n", "\r\n"]),
    separator=st.sampled_from([("comma", ","), ("tab", "\t"), ("semicolon", ";")]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    charset=st.sampled_from([("utf_8", "utf-8-sig"), ("shift_jis", "cp932")]),
)
def test_what_is_written_comes_back(rows, order, end, separator, quoting, charset):
    rows = [(number[:12].rstrip(" "), name, area) for number, name, area in rows]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator[1], lineterminator=end, quoting=quoting)
    for row in (LAYOUT.headings, *rows):
        writer.writerow([row[n] for n in order])
    got, found, account = read(text.getvalue().encode(charset[1]), charset=charset[0], separator=separator[0])
    assert [(r["NO"], r["NAME"], r["AREA"]) for r in got] == rows
    assert {code for code, _, _ in found} <= {"D216"}
    assert account.closes
    assert account.left_over == account.skipped == 0


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300), charset=st.sampled_from(["utf_8", "shift_jis", "euc_jp"]))
def test_any_bytes_are_read_and_accounted_for(data, charset):
    _, _, account = read("氏名,名簿番号,面積\n".encode() + data, charset=charset)
    assert account.closes


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(
        NAMES.map(lambda text: text.replace("\n", "").replace("\t", "").rstrip(" ")), min_size=1, max_size=20
    ),
    options=st.sampled_from([{}, {"separator": "tab"}, {"head": "3"}, {"head": "none"}]),
)
def test_what_is_wrapped_is_read_again(names, options):
    framing = load("delimited", options, LAYOUT)
    records = encode(
        LAYOUT.fields(), {"NAME": pa.array(names)}, charset=charset_of("shift_jis"),
        length=LAYOUT.length, count=len(names),
    )  # fmt: skip
    data = framing.opening + framing.wrap(records.ravel(), np.full(len(names), LAYOUT.length)).tobytes()
    rows, _, account = read(data, charset="shift_jis", **options)
    assert [row["NAME"] for row in rows] == names
    assert account.closes


def test_a_cell_that_nothing_quotes_is_not_written():
    record = np.full(LAYOUT.length, ord(","), np.uint8)
    for name, options in (("delimited", {"quote": "none"}), ("cells", {})):
        record[3] = 0x1F
        with pytest.raises(ValueError, match="holds what ends one"):
            load(name, options, LAYOUT).wrap(record, np.array([LAYOUT.length]))
    with pytest.raises(ValueError, match="no row"):
        load("delimited", {}, LAYOUT).wrap(record, np.array([3]))


def test_what_is_odd_in_a_row_is_told_with_its_row_and_column():
    text = '面積,名簿番号,氏名\n1,001\n1,002,a,b\n1,003,"a\n1,004,a"b"\n1,1234567890123456789012345678901234567890123456789,a\n'
    _, found, account = read(text.encode())
    assert sorted(found) == [
        ("F140", 1, None),
        ("F141", 2, None),
        ("F142", 5, "NO"),
        ("F143", 4, "NAME"),
        ("F144", 3, None),
    ]
    assert account.records == 5


def test_a_head_is_compared_without_its_spaces_and_widths():
    rows, found, _ = read("氏　名,名簿\r\n番号,面積\n".replace("名簿\r\n番号", '"名簿\r\n番号"').encode() + b"a,1,2\n")
    assert (rows[0]["NAME"], rows[0]["NO"], found) == ("a", "1", [])


def test_rejected_rows_are_kept_as_they_stand():
    framing = load("delimited", {}, LAYOUT)
    data = '氏名,面積,名簿番号\n"a, b",1,"0\n1"\nc\n'.encode()
    kept = list(fetch(open_bytes(data), framing, LAYOUT, [2, 1]))
    assert [content for _, _, content in kept] == [b'"a, b",1,"0\n1"', b"c"]
    assert data[kept[1][1] :].startswith(b"c")


@pytest.mark.parametrize("target", [4_100, 9_000])
def test_slices_of_rows_give_together_what_the_whole_gives(tmp_path, target):
    text = "氏名,面積,名簿番号\n" + "".join(f'"a{n}\n, b",{n}.5,{n}\n' for n in range(1_500)) + '"x,1\ny,2\n'
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    reading = make_reading(Spoken(Choice("delimited"), Choice("utf_8")), LAYOUT, tmp_path)
    made = cut(reading, [tmp_path / "d.csv"], [Kind("record")], target=target, at_most=100)

    def rows(part):
        with reading.open([tmp_path / "d.csv"]) as stream:
            stream.skip(part.offset)
            extraction = extract(
                stream, name="d", layout=LAYOUT, framing=reading.framing, charset=reading.charset,
                blanks=reading.blanks, part=part,
            )  # fmt: skip
            return [(e.batch.to_pylist(), e.findings.to_pylist()) for e in extraction]

    def joined(parts):
        return tuple([one for part in parts for some in part for one in some[n]] for n in (0, 1))

    assert len(made.slices) > 1
    assert joined([*map(rows, made.slices)]) == joined([rows(WHOLE)])


def test_wide_columns_are_laid_a_few_rows_at_a_time():
    layout = read_columns("field,heading,type,length\nTEXT,,text,1000000\n", file="wide.csv")
    rows, found, _ = read(b"TEXT\n" + b"x\n" * 20, layout=layout)
    assert [row["TEXT"] for row in rows] == ["x"] * 20
    assert not found


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["L120"]),
        ("field,type\n", ["L120"]),
        ("field,heading,type,length\n", ["L120"]),
        ('field,heading,type,length\n"A,,text,1\n', ["L120"]),
        ("field,heading,type,length\nA,text,1\n", ["L120"]),
        ("field,heading,type,length\nA,,date,8\nB,,text,0\nB C,,text,1\n", ["L121", "L122", "L123"]),
        ("field,heading,type,length\nA,,number,39\nB,,number,2.3\nC,,text,3.1\n", ["L122", "L122", "L122"]),
        ("field,heading,type,length\nA,,text,1\nA,,text,1\n", ["L123"]),
    ],
)
def test_every_mistake_of_a_sheet_of_columns_is_told_with_its_line(text, codes):
    with pytest.raises(SpecError) as caught:
        read_columns(text, file="a.csv")
    assert [problem.code for problem in caught.value.problems] == codes
    assert set(codes) <= set(PROBLEMS)
    assert all(problem.position.file == "a.csv" for problem in caught.value.problems)


def test_rows_need_a_sheet_of_columns_and_a_charset_that_can_be_cut():
    rows = Spoken(Choice("delimited"), Choice("utf_8"))
    layout = make_layout(rows, SHEET, "meibo.csv")
    assert make_reading(rows, layout, Path()).blanks.spaces == "null"
    for spoken, code in (
        (Spoken(Choice("lines"), Choice("utf_8")), "L124"),
        (Spoken(Choice("delimited"), Choice("utf_16")), "L125"),
        (Spoken(Choice("delimited"), Choice("fujitsu")), "L125"),
        (Spoken(Choice("delimited"), Choice("iso_2022_jp")), "L125"),
    ):
        with pytest.raises(SpecError) as caught:
            make_reading(spoken, layout, Path())
        assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize("name", ["shift_jis", "euc_jp"])
def test_no_character_of_a_charset_whose_rows_are_cut_holds_a_separator(name):
    charset = charsets.load(name, {}, Path())
    assert charset.delimits
    lead, low = np.divmod(np.flatnonzero(charset.double[:65_536] >> 24 != CharacterClass.UNDEFINED), 256)
    assert not np.isin(low[np.isin(lead, [*charset.leads])], [*b"\"',\t;\n\r\x1a\x1e\x1f"]).any()
