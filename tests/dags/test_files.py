"""Files that are no records, through the tools that take a dump: what they hold, what was odd, what was rejected."""

from __future__ import annotations

import json

import pytest

from dags.inspection import reader
from extractors.containers import CONTAINERS
from extractors.reading import Choice, Spoken
from mappings.language.spec import CONTAINERS_OF_ROWS
from migration_reports.findings import SpecError
from tests.map_files import map_files
from tests.workbooks import workbook

SHEET = "field,heading,type,length\nNO,番号,text,4\nNAME,氏名,text,20\nAREA,面積,number,5.1\n"


def job(tmp_path, files, *, container=None, framing="cells", charset="utf_8", sheet=SHEET, **options):
    (tmp_path / "l.csv").write_text(sheet, encoding="utf-8")
    box = Choice(container) if container is not None else None
    spoken = Spoken(Choice(framing), Choice(charset), None, box)
    return reader.make_job(files, layout=tmp_path / "l.csv", spoken=spoken, options=options, kinds=())


def decoded(job, tmp_path, **more):
    account, _, errors = reader.decode(job, out=tmp_path / "out", form="jsonl", findings=tmp_path / "found", **more)
    rows = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
    found = [json.loads(line) for line in (tmp_path / "found").read_text("utf-8").splitlines()]
    assert account.closes
    return rows, [(f["code"], f["record"], f["field"]) for f in found], errors


def test_the_names_of_the_containers_of_rows_are_known_to_the_manifest():
    assert set(CONTAINERS_OF_ROWS) == {container.name for container in CONTAINERS if container.rows}


def test_a_workbook_is_read_with_what_is_odd_in_it_and_rejected_rows_are_read_again(tmp_path):
    file = tmp_path / "meibo.xlsx"
    rows = [
        ["番号", "氏名", "面積"],
        ["0001", "髙﨑", 12.5],
        [2, "b", "x"],
        ["0003", {"formula": "=NA()", "value": "#N/A"}, 1],
    ]
    file.write_bytes(workbook({"名簿": rows}, hidden_rows=(2,)))
    read, found, errors = decoded(job(tmp_path, [file], container="xlsx"), tmp_path, rejects=tmp_path / "rejects.arrow")
    assert [(row["NO"], row["NAME"], row["AREA"]) for row in read] == [
        ("0001", "髙﨑", "12.5"),
        ("2", "b", None),
        ("0003", "#N/A", "1.0"),
    ]
    assert sorted(found, key=str) == [
        ("D206", 2, "AREA"), ("F150", 2, "NO"), ("F151", 3, "NAME"), ("F152", 3, "NAME"), ("F156", 1, None), ("F159", None, None),
    ]  # fmt: skip
    assert errors == 2
    again = job(tmp_path, [tmp_path / "rejects.arrow"], container="rejects", ends="rs")
    read, found, _ = decoded(again, tmp_path)
    assert [(row["NO"], row["NAME"]) for row in read] == [("2", "b"), ("0003", "#N/A")]
    assert ("F150", 1, "NO") in found


def test_a_set_of_map_files_is_read_as_one_and_each_file_is_hashed(tmp_path):
    files = []
    square = [[[0, 0], [0, 4], [4, 4], [4, 0], [0, 0]]]
    for end, content in map_files(
        [square, square], fields=[("家屋番号", "C", 8), ("AREA", "N", 6)], rows=[["髙1", "16.0"], ["2", ""]]
    ).items():
        files.append(tmp_path / f"kaoku{end}")
        files[-1].write_bytes(content)
    sheet = "field,heading,type,length\nGEOM,GEOMETRY,geometry,500\nNO,家屋番号,text,8\nAREA,,number,5.1\n"
    made = job(tmp_path, files, container="shapefile", charset="shift_jis", sheet=sheet, srid="6677")
    read, found, errors = decoded(made, tmp_path)
    assert [(row["NO"], row["AREA"], row["GEOM"][:10]) for row in read] == [
        ("髙1", "16.0", "0103000000"),
        ("2", None, "0103000000"),
    ]
    assert [code for code, _, _ in found if code != "D222"] == ["F159"]
    assert not errors
    with made.reading.open(files, hashed=True) as stream:
        stream.read_to_end()
    assert len(set(stream.sha256)) == len(files)


def test_a_delimited_file_of_several_volumes_has_a_head_in_each(tmp_path):
    files = [tmp_path / "1.csv", tmp_path / "2.csv"]
    files[0].write_text("番号,氏名,面積\n0001,a,1\n", encoding="cp932")
    files[1].write_text("氏名,番号,面積\r\nb,0002,2\r\n", encoding="cp932")
    read, found, _ = decoded(job(tmp_path, files, framing="delimited", charset="shift_jis"), tmp_path)
    assert [(row["NO"], row["NAME"]) for row in read] == [("0001", "a"), ("0002", "b")]
    assert not found


def test_rows_are_no_records_to_be_written_back(tmp_path):
    (tmp_path / "a.csv").write_text("番号\n1\n", encoding="utf-8")
    with pytest.raises(SpecError, match="L126"):
        reader.prove(job(tmp_path, [tmp_path / "a.csv"], framing="delimited"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("番号,氏名,面積\n1,a,2\n", ["framing: delimited"]),
        ("番号\t氏名\t面積\n1\ta\t2\n", ['framing: {name: delimited, separator: "tab"}']),
        ("名簿\n\n氏名,番号\na,1\n", ['framing: {name: delimited, head: "3"}']),
        ("1,a,2\n2,b,3\n", ['framing: {name: delimited, head: "none"}']),
        ("何も\nない\n", []),
    ],
)
def test_diagnosis_finds_how_rows_are_written_by_their_sheet(tmp_path, text, lines):
    (tmp_path / "l.csv").write_text(SHEET, encoding="utf-8")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = reader.diagnose_file(tmp_path / "a.csv", layout=tmp_path / "l.csv")
    best = found.best("framing")
    assert ([*best.lines] if best is not None else []) == lines
    assert bool(lines) != any("no head" in remark for remark in found.remarks)


def test_diagnosis_knows_a_container_of_rows_without_a_sheet(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(workbook({"S": [["A"], ["1"]]}))
    found = reader.diagnose_file(tmp_path / "a.xlsx", layout=None)
    best = {family: found.best(family) for family in ("container", "framing", "charset")}
    assert {family: one and one.choice.name for family, one in best.items()} == {
        "container": "xlsx", "framing": "cells", "charset": "utf_8",
    }  # fmt: skip
