"""Character table files: each form as its cases say, and nothing lost between forms that can carry it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from extractors import charsets, table_files
from extractors.charsets import _mojijoho as mojijoho
from extractors.charsets._character_tables import one_way
from extractors.table_files import TABLE_FILES
from extractors.table_files.contract import Direction, Mapped, TableFile
from migration_reports.findings import SpecError
from tests.reading import SHARED

CASES = Path(__file__).parents[1] / "cases" / "table_files"
DIRECTIONS = {"both": Direction.ROUND_TRIP, "to": Direction.TO_UNICODE, "from": Direction.FROM_UNICODE}
JEF4J = SHARED / "peers" / "jef4j"
needs_peers = pytest.mark.skipif(not JEF4J.is_dir(), reason="the peers' tables are not beside this checkout")


def cases():
    for form in TABLE_FILES:
        for case in yaml.safe_load((CASES / f"{form.name}.yaml").read_text("utf-8")):
            yield pytest.param(form.name, case, id=f"{form.name}: {case['name']}")


@pytest.mark.parametrize(("form", "case"), list(cases()))
def test_a_file_reads_as_the_case_says(form, case, tmp_path):
    path = tmp_path / "table.txt"
    path.write_text(case["file"], encoding="utf-8")
    if "problem" in case:
        with pytest.raises(SpecError) as caught:
            table_files.read(path, name="table.txt", form=form, options=case.get("options"))
        assert [(p.code, p.position.line) for p in caught.value.problems] == [(case["problem"], case["line"])]
        return
    recognised = None if form != "csv" and not case.get("options") and case["file"] != "[]" else form
    table = table_files.read(path, name="table.txt", form=recognised, options=case.get("options"))
    assert [(f"{m.code:0{2 * m.length}X}", m.text, m.direction) for m in table.mappings] == [
        (str(code), text, DIRECTIONS[direction]) for code, text, direction in case["mappings"]
    ]


CODES = st.integers(0x4141, 0xFEFE).filter(lambda c: c & 0xFF > 0x40)
TEXTS = st.one_of(
    st.sampled_from(["亜", "髙", "\U0002000b", "か゚", "丈\U000e0103", "\U0001b019゙", "¦"]),
    st.integers(0x4E00, 0x9FFF).map(chr),
)
COMMENTS = st.text(alphabet='abc 亜,"|x', max_size=6).map(str.strip)


@st.composite
def tables(draw, *, comments: bool):
    codes = draw(st.lists(CODES, unique=True, min_size=1, max_size=12))
    rows = [
        Mapped(code, 2, draw(TEXTS), draw(st.sampled_from(Direction)), draw(COMMENTS) if comments else "")
        for code in codes
    ]
    return TableFile("t", tuple(rows))


def told(table):
    return [(m.code, m.length, m.text, m.direction, m.comment) for m in table.mappings]


@given(table=tables(comments=True), form=st.sampled_from(["csv", "ucm"]))
def test_csv_and_ucm_keep_everything(table, form):
    text, lost = table_files.write(table, form=form)
    assert lost == {}
    assert told(table_files.read_text(text, name="t", form=form)) == told(table)


@given(table=tables(comments=False), form=st.sampled_from([f.name for f in TABLE_FILES]))
def test_what_a_form_cannot_carry_is_counted_and_everything_else_kept(table, form):
    text, lost = table_files.write(table, form=form)
    try:
        again = table_files.read_text(text, name="t", form=form)
    except SpecError as error:
        assert "holds no mapping" in str(error)
        assert lost
        return
    if not lost:
        assert sorted(told(again)) == sorted(told(table))
    else:
        assert len(again.mappings) >= len(table.mappings) - sum(lost.values())


@given(data=st.binary(max_size=300), form=st.sampled_from([None, *(f.name for f in TABLE_FILES)]))
def test_any_bytes_are_a_table_or_a_spec_error(data, form, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "table"
    path.write_bytes(data)
    try:
        table_files.read(path, name="table", form=form)
    except SpecError as error:
        assert error.problems


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("code,unicode\n41A1,D800\nB0A1,4E9C\n41A2,FFFD\n41A3,4E00\n41A3,4E01\n", encoding="utf-8")
    taken = {0xB0A1: "standard"}.get
    with pytest.raises(SpecError) as caught:
        table_files.read(path, name="table.csv", taken=lambda code, _: taken(code))
    assert [(p.code, p.position.line) for p in caught.value.problems] == [
        ("L902", 2), ("L912", 3), ("L913", 4), ("L911", 6),
    ]  # fmt: skip


def test_two_files_that_define_one_code_name_both_lines(tmp_path):
    (tmp_path / "a.csv").write_text("code,unicode\n41A1,8FBB\n41A2,4E08\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("41A2,4E08\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"L911 code 41A2 stands already on line 3 of a\.csv") as caught:
        charsets.load("fujitsu", {"table": "a.csv, b.csv"}, tmp_path)
    assert [(p.position.file, p.position.line) for p in caught.value.problems] == [("b.csv", 1)]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("shift_jis", "81,4E08"),  # begins a pair
        ("shift_jis", "4141,4E08"),  # two letters
        ("euc_jp", "8FA1,4E08"),  # begins three bytes
        ("euc_jp", "01A1A1,4E08"),
        ("fujitsu", "8FA1A1,4E08"),
        ("fujitsu", "29A1,4E08"),  # a shift code, then half a pair
        ("fujitsu", "30E2,4E08"),
        ("ibm", "0E,4E08"),
    ],
)
def test_a_code_that_no_text_can_hold_is_refused(name, line, tmp_path):
    (tmp_path / "t.csv").write_text(line, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        charsets.load(name, {"table": "t.csv"}, tmp_path)
    assert [p.code for p in caught.value.problems] == ["L912"]


def test_a_file_of_another_kind_is_given_up_soon(tmp_path):
    path = tmp_path / "junk.json"
    path.write_text("[\n" + ",\n".join(["{}"] * 200_000) + "\n]", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        table_files.read(path, name="junk.json", form="jef4j")
    assert any("is this a table file" in str(problem) for problem in caught.value.problems)
    assert len(caught.value.problems) < 1_010


def test_deep_json_is_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("\n".join("[" * 1000 for _ in range(200)))
    with pytest.raises(SpecError, match="no JSON"):
        table_files.read(path, name="deep.json")


@pytest.mark.skipif(shutil.which("makeconv") is None, reason="the oracle is ICU's makeconv")
@pytest.mark.parametrize("lengths", [(1,), (2,), (1, 2)])
def test_icus_own_compiler_reads_what_is_written(lengths, tmp_path):
    rows = []
    if 1 in lengths:
        rows += [Mapped(0x40, 1, " "), Mapped(0xC1, 1, "A"), Mapped(0x81, 1, "ｱ"), Mapped(0x3F, 1, "\x1a")]
    if 2 in lengths:
        rows += [Mapped(0x4141, 2, "亜"), Mapped(0x4142, 2, "か゚"), Mapped(0x4143, 2, "～", Direction.FROM_UNICODE)]
        rows += [Mapped(0x4144, 2, "丈\U000e0103", Direction.TO_UNICODE), Mapped(0xFEFE, 2, "\ufffd")]
    text, lost = table_files.write(TableFile("t", tuple(rows)), form="ucm")
    assert not lost
    (tmp_path / "t.ucm").write_text(text, encoding="utf-8")
    done = subprocess.run(["makeconv", "-d", str(tmp_path), str(tmp_path / "t.ucm")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "t.cnv").stat().st_size > 0


@pytest.mark.shared
@needs_peers
@pytest.mark.parametrize("file", ["fujitsu_jef", "hitachi_keis78", "hitachi_keis83"])
def test_the_published_tables_are_read_whole(file):
    table = table_files.read(JEF4J / f"{file}_mapping.json", name=file)
    rows = yaml.safe_load((JEF4J / f"{file}_mapping.json").read_text("utf-8").replace("\t", " "))
    unmappable = sum("unmappable" in row["options"] or row["unicode"] == "FFFD" for row in rows)
    assert len(table.mappings) == len(rows) - unmappable


@pytest.mark.shared
@needs_peers
def test_jefs_extended_area_comes_from_the_users_file_and_decodes_reversibly(tmp_path):
    """The issue's own figures: 639 codes merge without variation selectors, 23 remain ambiguous with them."""
    table = table_files.read(JEF4J / "fujitsu_jef_mapping.json", name="jef")
    plain = charsets.load("fujitsu", {}, tmp_path)
    extended = [m for m in table.mappings if m.code < 0x80A1 and m.code > 0x4040]
    text, lost = table_files.write(TableFile("t", tuple(extended)), form="csv")
    assert not lost
    (tmp_path / "jef.csv").write_text(text, encoding="utf-8")
    kept = charsets.load("fujitsu", {"table": "jef.csv"}, tmp_path)
    merged = charsets.load("fujitsu", {"table": "jef.csv", "selectors": "drop"}, tmp_path)
    for row in (row for row in extended if row.direction != Direction.FROM_UNICODE):
        assert kept.text(row.code) == row.text
    assert len(extended) > 4500
    few, many = len(one_way(kept)), len(one_way(merged))
    assert few < 60 < 400 < many
    assert (
        merged.notes[0]
        == kept.notes[0]
        == "70 codes of table files read as a character that another code reads as, too"
    )
    assert merged.notes[1].startswith("623 characters merge")
    assert plain.text(0x41A5) == "\ufffd"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("unihan.txt", "# Unihan\nU+8FBB\tkMojiJoho\tMJ000003:E0101 MJ000002 MJ000002:E0102\nU+9AD9\tkMojiJoho\tMJ000004\n"),
        ("list.csv", "MJ文字図形名,実装したUCS,実装したMoji_JohoコレクションIVS\nMJ000002,U+8FBB,\nMJ000003,,8FBB_E0101\nMJ000004,U+9AD9,\n"),
        ("moji.csv", "mj,kanji,lines\nMJ000002,辻,6\nMJ000003,辻\U000e0101,6\nMJ000004,髙,11\n"),
    ],
)  # fmt: skip
def test_mj_names_are_read_from_the_forms_that_are_published(name, content, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert mojijoho.read_mj(tmp_path / name) == {"MJ000002": "辻", "MJ000003": "辻\U000e0101", "MJ000004": "髙"}


def test_mj_names_are_read_from_a_database(tmp_path):
    with sqlite3.connect(tmp_path / "mojidata.db") as database:
        database.execute('CREATE TABLE mji ("MJ文字図形名" TEXT, "実装したUCS" TEXT)')
        database.execute("INSERT INTO mji VALUES ('MJ000004', 'U+9AD9')")
    assert mojijoho.read_mj(tmp_path / "mojidata.db") == {"MJ000004": "髙"}


@pytest.mark.parametrize("content", [b"", b"no names", b"\xff\xfe\x00", b"SQLite format 3\0broken"])
def test_a_file_without_mj_names_is_refused(content, tmp_path):
    (tmp_path / "mj").write_bytes(content)
    with pytest.raises(SpecError, match="L932"):
        mojijoho.read_mj(tmp_path / "mj")


def test_a_gaiji_decided_as_an_mj_name_reads_as_its_text(tmp_path):
    (tmp_path / "mj.csv").write_text("mj,kanji\nMJ000003,辻\U000e0101\n", encoding="utf-8")
    (tmp_path / "gaiji.csv").write_text(
        "code,decision,mj,reason,decided_by\n80A1,mj,MJ000003,same glyph,Tanaka\n", encoding="utf-8"
    )
    charset = charsets.load("fujitsu", {"gaiji": "gaiji.csv", "mj": "mj.csv"}, tmp_path)
    assert charset.text(0x80A1) == "辻\U000e0101"
