"""`decode` and `peek` as tools of their own."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from dags.cli import app
from dags.inspection import reader
from dags.inspection.peek import peek
from dags.pipeline.town import load
from extractors import charsets
from extractors.batches import Kind
from extractors.copybooks.copybook import read_copybook
from extractors.reading import Choice, Spoken, make_reading, read_text
from extractors.writing.encode import encode
from migration_reports.findings import SpecError

MIHON = Path(__file__).parents[2] / "mappings" / "municipalities" / "990027_mihon"
COPYBOOK = """
       01  REC.
           05  KIND        PIC X.
           05  PERSON.
               10  NAME    PIC X(12).
               10  AMOUNT  PIC S9(5)V99 COMP-3.
               10  MONTHS  OCCURS 2 TIMES.
                   15  PAID  PIC 9(3).
                   15  CODES PIC X OCCURS 3 TIMES.
               10  FILLER  PIC X(4).
           05  TOTAL REDEFINES PERSON.
               10  RECORDS PIC 9(5).
"""


@pytest.fixture
def reading(tmp_path):
    layout = read_copybook(COPYBOOK, file="rec.cpy")
    charset = charsets.load("ibm", {}, tmp_path)
    person = encode(
        layout.fields("PERSON"),
        {
            "KIND": pa.array(["P", "P"]),
            "NAME": pa.array(["山田　太郎", "ABC"]),
            "AMOUNT": np.array([-12345, 100]),
            "PAID(1)": np.array([1, 2]),
            "PAID(2)": np.array([3, 4]),
            "CODES(1,1)": pa.array(["a", "b"]),
            "CODES(2,3)": pa.array(["x", "y"]),
        },
        charset=charset,
        length=layout.length,
        count=2,
    )
    total = encode(
        layout.fields("TOTAL"),
        {"KIND": pa.array(["T"]), "RECORDS": np.array([2])},
        charset=charset,
        length=layout.length,
        count=1,
    )
    dump = tmp_path / "rec.dat"
    dump.write_bytes(person[0].tobytes() + total.tobytes() + person[1].tobytes())
    kinds = (Kind("person", "KIND", ("P",), "PERSON"), Kind("total", "KIND", ("T",), "TOTAL"))
    spoken = Spoken()
    return reader.Job((dump,), make_reading(spoken, layout, tmp_path), kinds)


def test_rows_come_in_record_order_with_lists_for_occurs(reading, tmp_path):
    account, found, _ = reader.decode(reading, out=tmp_path / "out.jsonl", form="jsonl", findings=None)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert rows[0] == {
        "record": 1, "KIND": "P", "NAME": "山田　太郎", "AMOUNT": "-123.45",
        "MONTHS": [{"PAID": "1", "CODES": ["a", "", ""]}, {"PAID": "3", "CODES": ["", "", "x"]}],
    }  # fmt: skip
    assert rows[1] == {"record": 2, "KIND": "T", "RECORDS": "2"}
    assert rows[2]["record"] == 3
    assert (account.records, account.kinds, found, account.closes) == (3, {"person": 2, "total": 1}, 0, True)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_typed_forms_keep_types_and_every_kinds_columns(reading, tmp_path, form):
    reader.decode(reading, out=tmp_path / "out", form=form, findings=None)
    frame = pl.read_parquet(tmp_path / "out") if form == "parquet" else pl.read_ipc(tmp_path / "out")
    assert frame["record"].to_list() == [1, 2, 3]
    assert frame["kind"].to_list() == ["person", "total", "person"]
    assert frame.schema["AMOUNT"] == pl.Decimal(7, 2)
    assert frame["RECORDS"].to_list() == [None, 2, None]
    assert frame["MONTHS"][0][1]["PAID"] == 3


WIDE = """01 R. 05 K PIC X. 05 N PIC S9(39) COMP-3. 05 P PIC S9(30)V9(10). 05 G OCCURS 2. 10 W PIC V9(40) COMP-3.
   10 T PIC 9(41) OCCURS 1. 05 F REDEFINES N COMP-2."""


@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
def test_numbers_wider_than_38_digits_are_written_in_every_form(tmp_path, form):
    layout = read_copybook(WIDE, file="wide.cpy")
    charset = charsets.load("ibm", {}, tmp_path)
    most = 10**39 - 1
    values = {"K": pa.array(["W", "W"]), "N": np.array([-most, 5], object), "P": np.array([-5, 10**40 - 1], object)}
    values |= {"W(1)": np.array([1, 0], object), "W(2)": np.array([10**40 - 1, 12], object)}
    values |= {"T(1,1)": np.array([7, 8], object), "T(2,1)": np.array([10**41 - 1, 0], object)}
    (tmp_path / "wide.dat").write_bytes(
        encode(layout.fields("N"), values, charset=charset, length=layout.length, count=2).tobytes()
    )
    kinds = (Kind("w", "K", ("W",), "N"),)
    job = reader.Job((tmp_path / "wide.dat",), make_reading(Spoken(), layout, tmp_path), kinds)
    account, found, _ = reader.decode(job, out=tmp_path / "out", form=form, findings=None)
    assert (account.records, found) == (2, 0)
    if form == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
        assert [row["N"] for row in rows] == [str(-most), "5"]
        assert [row["P"] for row in rows] == ["-0.0000000005", "9" * 30 + "." + "9" * 10]
        assert [g["W"] for g in rows[0]["G"]] == ["0." + "1".rjust(40, "0"), "0." + "9" * 40]
        assert [g["T"] for g in rows[0]["G"]] == [["7"], ["9" * 41]]
        return
    table = pq.read_table(tmp_path / "out") if form == "parquet" else pa.ipc.open_file(tmp_path / "out").read_all()
    assert table["N"].to_pylist() == [Decimal(-most), Decimal(5)]
    assert table["G"].to_pylist()[1][1]["W"] == Decimal(12).scaleb(-40)
    peeked, _ = peek(job, records=1, reveal=True)
    assert {p.field: p.value for p in peeked}["N"] == str(-most)
    assert not reader.prove(job).exceptions


@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
def test_fields_of_one_name_and_several_types_keep_their_types(tmp_path, form):
    text = "01 A. 05 K PIC X. 05 B PIC X(3). 05 Z PIC X. 01 C. 05 K PIC X. 05 B PIC 9(2). 05 E PIC X. 05 Z PIC X."
    (tmp_path / "kinds.dat").write_bytes("AXYZVB12QVAUVWU".encode("cp037"))
    kinds = (Kind("a", "K", ("A",), "A"), Kind("c", "K", ("B",), "C"))
    reading = make_reading(Spoken(), read_copybook(text, file="kinds.cpy"), tmp_path)
    job = reader.Job((tmp_path / "kinds.dat",), reading, kinds)
    reader.decode(job, out=tmp_path / "out", form=form, findings=None)
    if form == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
        assert [row["B"] for row in rows] == ["XYZ", "12", "UVW"]
        return
    table = pq.read_table(tmp_path / "out") if form == "parquet" else pa.ipc.open_file(tmp_path / "out").read_all()
    assert table.select(["record", "K", "a.B", "c.B", "Z"]).to_pydict() == {
        "record": [1, 2, 3], "K": ["A", "B", "A"], "a.B": ["XYZ", None, "UVW"], "c.B": [None, 12, None],
        "Z": ["V", "V", "U"],
    }  # fmt: skip


def test_peek_masks_values_unless_told_otherwise(reading):
    shown, count = peek(reading, records=1)
    values = {p.field: p.value for p in shown}
    assert count == 1
    assert (values["NAME"], values["AMOUNT"], values["KIND"]) == ("漢漢　漢漢", "-999.99", "X")
    revealed, _ = peek(reading, records=1, reveal=True)
    assert {p.field: p.value for p in revealed}["NAME"] == "山田　太郎"


def test_without_kinds_every_view_is_decoded(reading, tmp_path):
    every = reader.Job(reading.dumps, reading.reading, (Kind("record"),))
    reader.decode(every, out=tmp_path / "out.jsonl", form="jsonl", findings=tmp_path / "findings.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert {"NAME", "RECORDS"} <= set(rows[0])
    assert rows[1]["RECORDS"] == "2"


@pytest.mark.parametrize(
    ("kind", "says"),
    [("person", "is not a record kind"), ("a=b", "NAME=FIELD:VALUES:GROUP"), ("a=b:c:d:e", "not a record kind")],
)
def test_a_kind_that_is_none_is_explained(kind, says):
    with pytest.raises(SpecError, match=says):
        reader.parse_kind(kind)


def decode_to(out, dumps, **given):
    reader.decode(reader.make_job(dumps, **given), out=out, form="jsonl", findings=None)


def test_unknown_names_are_refused_with_what_is_allowed(reading, tmp_path):
    copybook = tmp_path / "rec.cpy"
    copybook.write_text(COPYBOOK, encoding="utf-8")
    for change, says in (
        ({"kinds": ["p=KINDD:P"]}, "no field `KINDD`"),
        ({"kinds": ["p=KIND:P:PERSONS"]}, "no group `PERSONS`"),
        ({"kinds": ["p=KIND:PP:PERSON"]}, "`PP` of record kind `p` does not fit KIND"),
        ({"options": {"tabel": "x"}}, "unknown option `tabel`"),
        ({"options": {"sync_long": "3"}}, "sync_long `3`"),
        ({"options": {"header": "-1"}}, "header `-1`"),
        ({"spoken": Spoken(Choice("vb"))}, "unknown framing `vb`"),
        ({"spoken": Spoken(dialect=Choice("cobol"))}, "unknown dialect `cobol`"),
        ({"spoken": Spoken(container=Choice("rar"))}, "unknown container `rar`"),
    ):
        given = {"spoken": Spoken(), "options": {}, "kinds": [], **change}
        with pytest.raises(SpecError, match=says):
            decode_to(tmp_path / "out", reading.dumps, layout=copybook, **given)


@pytest.mark.parametrize(
    ("charset", "dialect", "options", "expected"),
    [
        ("fujitsu", None, {}, "fujitsu"),
        ("hitachi", None, {}, "hitachi"),
        ("nec", None, {}, "nec"),
        ("ibm", None, {}, "ibm"),
        ("shift_jis", None, {}, "ibm"),
        ("fujitsu", None, {"ascii_signs": "ebcdic"}, "fujitsu"),
        ("fujitsu", "ibm", {}, "ibm"),
        ("fujitsu", "gnucobol", {"sync_long": "4"}, "gnucobol"),
    ],
)
def test_the_dialect_is_that_of_the_charsets_maker_where_none_is_said(charset, dialect, options, expected, tmp_path):
    (tmp_path / "rec.cpy").write_text(COPYBOOK)
    spoken = Spoken(charset=Choice(charset), dialect=Choice(dialect) if dialect else None)
    job = reader.make_job([], layout=tmp_path / "rec.cpy", spoken=spoken, options=options, kinds=[])
    made = job.reading.layout.dialect
    assert made.name == expected
    assert {rule: made.rules[rule] for rule in options} == options


def test_a_municipality_of_a_makers_charset_has_its_compiler():
    (dump,) = load(MIHON).dumps.values()
    assert dump.spec.dialect is None
    assert dump.layout.dialect.name == "fujitsu"


def test_a_copybook_in_shift_jis_is_read(tmp_path):
    path = tmp_path / "sjis.cpy"
    path.write_bytes("      *  住民\n       01  R.\n           05  氏名 PIC X(4).\n".encode("cp932"))
    assert [f.name for f in read_copybook(read_text(path), file="sjis.cpy").fields()] == ["氏名"]


def test_commands_take_what_stands_for_a_tag_and_say_what_was_noted(tmp_path):
    (tmp_path / "kojin.cpy").write_text("05 :TAG:-A PIC X(2).\n05 'XXX'-B PIC 9.\n", encoding="utf-8")
    (tmp_path / "r.dat").write_bytes(b"\xc1\xc2\xf7")
    words = [str(tmp_path / "r.dat"), "--layout", str(tmp_path / "kojin.cpy"), "--charset", "ibm"]
    refused = CliRunner().invoke(app, ["decode", *words])
    assert isinstance(refused.exception, SpecError)
    assert [p.code for p in refused.exception.problems] == ["L020", "L020"]
    assert '--replace ":TAG:=WORD"' in str(refused.exception)
    words += ["--replace", ":TAG:=KJ", "--replace", "'XXX'=KJ"]
    done = CliRunner().invoke(app, ["decode", *words])
    assert json.loads(done.stdout.splitlines()[0])["KJ-A"] == "AB"
    assert "note: " in done.stderr
    assert "L014 there is no level 01" in done.stderr
    for command in ("peek", "roundtrip", "profile"):
        assert CliRunner().invoke(app, [command, *words]).exit_code == 0
    told = CliRunner().invoke(app, ["diagnose", words[0], *words[1:3], *words[5:]]).stdout
    assert 'replacing: {":TAG:": "KJ", "\'XXX\'": "KJ"}' in told
    drafted = CliRunner().invoke(app, ["draft", words[2], "--system", "resident_records", *words[5:]]).stdout
    assert 'replacing: {":TAG:": "KJ"' in drafted
    assert CliRunner().invoke(app, ["decode", *words, "--replace", "KJ"]).exit_code == 2


def test_a_dump_whose_data_need_attention_is_told_apart_by_the_exit_code(tmp_path):
    from typer.testing import CliRunner

    from dags.cli import app

    copybook = tmp_path / "d.cpy"
    copybook.write_text("       01  R.\n           05  K PIC X.\n           05  N PIC 9(3).\n", encoding="utf-8")
    call = [
        "decode",
        str(tmp_path / "d.dat"),
        "--layout",
        str(copybook),
        "--charset",
        "ibm",
        "--out",
        str(tmp_path / "o"),
    ]
    for content, kinds, code in (
        ("A123B456", (), 0),
        ("A123B4 6", (), 1),
        ("A123B456", ("--kind", "a=K:A"), 1),
        ("A123B456C", (), 1),
    ):
        (tmp_path / "d.dat").write_bytes(content.encode("cp037"))
        assert CliRunner().invoke(app, [*call, *kinds]).exit_code == code, (content, kinds)


def test_records_with_errors_are_written_with_their_parents_and_read_again(tmp_path):
    (tmp_path / "r.cpy").write_text("       01  R.\n           05  K PIC X.\n           05  N PIC 9(3).\n")
    dump, rejects, out = tmp_path / "d.dat", tmp_path / "rejects.arrow", tmp_path / "out.jsonl"
    dump.write_bytes("A001B002C003A004B005C0X6B007A008Q009".encode("cp037"))
    how = [
        "--layout", str(tmp_path / "r.cpy"), "--charset", "ibm", "--out", str(out), "--kind", "a=K:A",
        "--kind", "b<a=K:B", "--kind", "c<b=K:C",
    ]  # fmt: skip
    said = CliRunner().invoke(app, ["decode", str(dump), *how, "--rejects", str(rejects)])
    assert said.exit_code == 1, said.output
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert pa.ipc.open_file(rejects).read_all().column("record").to_pylist() == [4, 5, 6, 9]
    again = ["decode", str(rejects), *how, "--container", "rejects", "--framing", "variable"]
    findings = tmp_path / "findings.jsonl"
    assert CliRunner().invoke(app, [*again, "--findings", str(findings)]).exit_code == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["K"] for row in rows] == ["A", "B", "C"]
    codes = {json.loads(line)["code"] for line in findings.read_text().splitlines()}
    assert "F106" in codes
    assert "F110" not in codes
    before = rejects.read_bytes()
    assert CliRunner().invoke(app, [*again, "--rejects", str(rejects)]).exit_code == 2
    assert rejects.read_bytes() == before


def test_the_command_explains_itself():
    import subprocess
    import sys

    for name in ("check", "decode", "peek", "synthesize", "run", "report", "rollback", "withdraw", "runs", "stop"):
        done = subprocess.run(
            [sys.executable, "-m", "dags.cli", name, "--help"], capture_output=True, text=True, check=True
        )
        assert f"hikkoshi {name}" in done.stdout
        assert "Example" in done.stdout
    assert Path(reader.__file__).exists()
