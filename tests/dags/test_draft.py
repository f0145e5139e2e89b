"""Drafts: the obvious columns are found, nothing passes check before a person has decided, and then everything does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dags.authoring import draft, draft_text
from dags.authoring.field_words import common_prefix, likeness, said_by
from dags.cli import app
from dags.inspection import reader
from dags.pipeline.town import load
from extractors.batches import Kind
from extractors.reading import Choice, Spoken
from migration_reports.findings import RunError, SpecError
from target_schemas.systems import SYSTEMS
from tests.reading import SHARED

RESIDENTS = next(system for system in SYSTEMS if system.name == "resident_records")
PACKAGES = Path(__file__).parents[2] / "mappings"
SPOKEN = {
    "b_town_resident": Spoken(Choice("blocked"), Choice("hitachi"), Choice("hitachi")),
    "c_village_resident": Spoken(Choice("fixed"), Choice("nec"), Choice("nec")),
}
OBVIOUS = {
    "b_town_resident": {
        "resident_no": "BJ-KOJIN-NO", "household_no": "BJ-SETAI-NO", "name_kana": "BJ-KANA", "name": "BJ-KANJI",
        "sex": "BJ-SEX", "birth": "BJ-BIRTH", "relationship": "BJ-REL", "postal_code": "BJ-ZIP", "address": "BJ-ADDR",
    },
    "c_village_resident": {
        "resident_no": "CJ-JUMIN", "household_no": "CJ-SETAI", "name_kana": "CJ-KANA", "name": "CJ-KANJI",
        "sex": "CJ-SEI", "birth": "CJ-SEINEN", "relationship": "CJ-ZOKU", "address": "CJ-JUSHO", "remarks": "CJ-BIKO",
    },
}  # fmt: skip
AMOUNT = {"b_town_resident": "BJ-ZEIGAKU", "c_village_resident": "CJ-GAKU"}


def of_town(town, *, dump):
    folder = SHARED / "dumps" / town
    if not folder.is_dir():
        pytest.skip("the shared dumps are not beside this checkout (../shared)")
    copybook = folder / f"{town}.cpy"
    if not dump:
        return copybook, draft.draft_of_copybook(copybook, RESIDENTS, spoken=SPOKEN[town], options={})
    files = [folder / f"{town}.dat"]
    job = reader.make_job(files, layout=copybook, spoken=SPOKEN[town], options={}, kinds=[])
    return copybook, draft.draft_of_dump(job, copybook, RESIDENTS, spoken=SPOKEN[town], options={})


def of_text(tmp_path, text, *kinds):
    copybook = tmp_path / "juki.cpy"
    copybook.write_text("       01  R.\n" + text, encoding="utf-8")
    kinds = [reader.parse_kind(kind) for kind in kinds] or [Kind("record")]
    return draft.draft_of_copybook(copybook, RESIDENTS, spoken=Spoken(), options={}, kinds=kinds)


def columns(made, table):
    part = next((part for part in made.parts if part.filled.table.name == table), None)
    return {} if part is None else {name: guess.sources for name, guess in part.filled.guesses.items()}


def problems(folder):
    try:
        load(folder)
    except SpecError as error:
        return [problem.code for problem in error.problems]
    return []


@pytest.mark.parametrize("dump", [False, True], ids=["copybook", "dump"])
@pytest.mark.parametrize("town", SPOKEN)
def test_a_draft_finds_the_obvious_and_passes_once_it_is_decided(town, dump, tmp_path):
    copybook, made = of_town(town, dump=dump)
    found = columns(made, "residents")
    assert {name: found.get(name) for name in OBVIOUS[town]} == {n: (f,) for n, f in OBVIOUS[town].items()}
    assert columns(made, "tax_amounts")["amount"] == (AMOUNT[town],)
    assert {"protective_measures", "established"}.isdisjoint({p.filled.table.name for p in made.parts} | set(found))
    folder = tmp_path / "990060_midori"
    draft_text.write(made, folder, copybook)
    mapping = folder / "resident_records/mapping.yaml"
    text = mapping.read_text("utf-8")
    codes = set(problems(folder))
    # Without a dump nobody can tell how a day is written, so the type of the birth date is left open too.
    expected = {"Y025", "Y026"} if dump else {"Y025", "Y026", "Y033"}
    if dump and town == "c_village_resident":
        expected = {"Y026"}
    reasons = folder / "resident_records" / "codes" / "change_reason.csv"
    if reasons.exists():
        # What an old code means that the target has no label for, nobody but the town can say.
        expected |= {"Y034"}
        reasons.write_text(re.sub(r",[?][^,]*,", ",301,", reasons.read_text("utf-8")), encoding="utf-8")
    assert codes == expected
    assert text.count("guessed:") - 1 == sum(len(part.filled.guesses) for part in made.parts)
    text = re.sub(r"\n +guessed: .*", "", text).replace('reason: "?"', "reason: 移行しない")
    if not dump:
        text = re.sub(r"(\n +birth:\n +from: .*)", r"\1\n        transforms: [{wareki_date: {eras: 1-5}}]", text)
    mapping.write_text(text, encoding="utf-8")
    assert problems(folder) == []


@pytest.mark.parametrize("town", SPOKEN)
def test_a_draft_is_the_same_every_time(town):
    copybook, made = of_town(town, dump=True)
    again = draft_text.files_of(of_town(town, dump=True)[1], "990060_midori", copybook)
    assert draft_text.files_of(made, "990060_midori", copybook) == again


def test_contents_say_the_family_of_era_digits_and_the_codes(tmp_path):
    copybook, made = of_town("b_town_resident", dump=True)
    texts = draft_text.files_of(made, draft_text.STUB, copybook)
    columns_of = yaml.safe_load(texts["resident_records/mapping.yaml"])["tables"]["residents"]["columns"]
    assert columns_of["birth"]["transforms"] == [{"wareki_date": {"eras": "1-5"}}]
    assert "years 1915" in columns_of["birth"]["guessed"]
    assert texts["resident_records/codes/sex.csv"] == "old,new,label\n1,1,男\n2,2,女\n"
    assert '# prefer: {field: BJ-REL, values: ["01"]}' in texts["resident_records/mapping.yaml"]
    # The number and the name of a resident whom the copybook's README names stand nowhere.
    assert not re.search("10000000070|木村", "".join(texts.values()))


def test_repeated_items_make_one_column_where_its_codes_are_joined(tmp_path):
    made = of_text(tmp_path, """\
           05  R-NO     PIC 9(10).
           05  R-JUMIN-NO PIC 9(10).
           05  R-SETAI-NO PIC 9(9).
           05  R-SHIMEI PIC X(40).
           05  R-ZOKUGARA PIC XX OCCURS 4.
           05  R-HENKO OCCURS 3.
               10 R-HENKO-A PIC X.
               10 R-HENKO-B PIC X.
           05  R-SEIBETSU PIC X.
               88 OTOKO VALUE 'M'.
               88 ONNA VALUE 'F'.
           05  R-SEINENGAPPI PIC 9(8).
""")  # fmt: skip
    found = columns(made, "residents")
    assert found["relationship"] == tuple(f"R-ZOKUGARA({n})" for n in range(1, 5))
    assert dict(made.codes["sex"]) == {"M": "OTOKO", "F": "ONNA"}
    texts = draft_text.files_of(made, draft_text.STUB, tmp_path / "juki.cpy")
    assert texts["resident_records/codes/sex.csv"] == "old,new,label\nF,?,ONNA\nM,?,OTOKO\n"
    assert "transforms: [date]" in texts["resident_records/mapping.yaml"]
    assert [(left.field, left.reason) for left in made.left["record"]] == [
        ("R-NO", "?"), ("R-HENKO-A(*)", "?"), ("R-HENKO-B(*)", "?")
    ]  # fmt: skip


def test_occurrences_fill_a_child_table(tmp_path):
    made = of_text(tmp_path, """\
           05  R-JUMIN-NO PIC 9(10).
           05  R-YOKUSHI OCCURS 3.
               10 R-YOKUSHI-SHUBETSU PIC XX.
""")  # fmt: skip
    (part,) = made.parts
    assert (part.filled.table.name, part.each, part.when) == ("protective_measures", "R-YOKUSHI", "R-YOKUSHI-SHUBETSU")
    folder = tmp_path / "990060_midori"
    draft_text.write(made, folder, tmp_path / "juki.cpy")
    assert set(problems(folder)) == {"Y026"}


@pytest.mark.parametrize("occurs", ["OCCURS 2", "OCCURS 0 TO 5 DEPENDING ON R-SU"])
def test_a_table_inside_a_table_fills_a_child_table(occurs, tmp_path):
    made = of_text(tmp_path, f"""\
           05  R-JUMIN-NO PIC 9(10).
           05  R-SU PIC 9.
           05  R-NEN {occurs}.
               10 R-IDO-YMD PIC 9(8).
               10 R-YOBI PIC X.
               10 R-RIREKI OCCURS 3.
                  15 R-IDO-JIYU PIC 9(3).
""")  # fmt: skip
    (part,) = made.parts
    assert (part.filled.table.name, part.each) == ("resident_changes", "R-RIREKI")
    sources = {name: guess.sources for name, guess in part.filled.guesses.items()}
    assert sources["change_no"] == ("$occurrence",)
    assert (sources["changed"][0].partition("(")[0], sources["change_reason"][0].partition("(")[0]) == ("R-IDO-YMD", "R-IDO-JIYU")  # fmt: skip
    folder = tmp_path / "990060_midori"
    draft_text.write(made, folder, tmp_path / "juki.cpy")
    # What nobody has decided about, and no name that the mapping would not know.
    assert set(problems(folder)) <= {"Y025", "Y026", "Y034"}


def test_a_drafted_file_names_its_schema(tmp_path):
    made = of_text(tmp_path, "           05  R-JUMIN-NO PIC 9(10).\n")
    for beside, way in (
        (None, "mapping.schema.json"),
        (tmp_path / "990060_midori", "mapping.schema.json"),
        (PACKAGES / "municipalities" / "990060_midori", "../../../../docs/reference/mapping.schema.json"),
    ):
        files = draft_text.files_of(made, "990060_midori", tmp_path / "juki.cpy", beside=beside)
        assert files["resident_records/mapping.yaml"].splitlines()[0] == f"# yaml-language-server: $schema={way}"
        assert files["resident_records/manifest.yaml"].splitlines()[0].endswith("system_manifest.schema.json")
        assert files["manifest.yaml"].splitlines()[0].endswith("manifest.schema.json")
        assert ("hikkoshi schema mapping >" in files["resident_records/mapping.yaml"]) == (way == "mapping.schema.json")


@pytest.mark.parametrize(
    ("dialect", "line"),
    [(None, None), (Choice("fujitsu"), None), (Choice("ibm"), "ibm"), (Choice("nec"), "nec")],
)
def test_a_draft_names_no_dialect_but_one_that_is_not_the_charsets_makers(dialect, line, tmp_path):
    copybook = tmp_path / "juki.cpy"
    copybook.write_text("       01  R.\n           05  R-JUMIN-NO PIC 9(10).\n")
    spoken = Spoken(charset=Choice("fujitsu"), dialect=dialect)
    made = draft.draft_of_copybook(copybook, RESIDENTS, spoken=spoken, options={})
    manifest = yaml.safe_load(draft_text.files_of(made, "990060_midori", copybook)["resident_records/manifest.yaml"])
    assert manifest["dumps"]["juki"].get("dialect") == line


def test_kinds_and_comments_are_heeded(tmp_path):
    made = of_text(tmp_path, """\
           05  R-KBN    PIC X.
           05  R-A.
      *    世帯番号
               10  A1   PIC 9(9).
               10  A2   PIC 9(4).  *> 世帯人数
               10  FILLER PIC X(8).
           05  R-B REDEFINES R-A.
               10  B1   PIC 9(9).
               10  FILLER PIC X(12).
""", "household=R-KBN:S:R-A", "trailer=R-KBN:T:R-B")  # fmt: skip
    assert columns(made, "households") == {"household_no": ("A1",), "member_count": ("A2",)}
    assert list(made.left) == ["household"]
    assert [(left.field, left.reason[:1]) for left in made.left["household"]] == [("R-KBN", "レ"), ("FILLER@*", "?")]
    manifest = draft_text.files_of(made, "990060_midori", tmp_path / "juki.cpy")["resident_records/manifest.yaml"]
    assert yaml.safe_load(manifest)["dumps"]["juki"]["records"]["trailer"]["role"] == "trailer"


@pytest.mark.parametrize(
    ("title", "name", "best"),
    [
        ("宛名番号", "JUMIN-NO", 1), ("宛名番号", "KOJINNO", 1), ("世帯番号", "SETAI_NO", 1), ("フリガナ", "ｶﾅ", 1),
        ("続柄", "ZOKUGARA", 1), ("世帯主宛名番号", "NUSHI-NO", 0.7), ("住所", "ADDR", 1), ("住所", "KATAGAKI", 0),
        ("異動事由", "IDO-JIYU", 1), ("氏名", "KANA-SHIMEI", 0.34), ("フリガナ", "KANA-SHIMEI", 0.66), ("住所", "QX", 0),
    ],
)  # fmt: skip
def test_names_are_read_as_the_field_writes_them(title, name, best):
    assert likeness(said_by(title), said_by(name)) == pytest.approx(best, abs=0.05)


def test_what_every_name_begins_with_says_nothing():
    assert common_prefix(["BJ-NO", "BJ-KANA", "X"]) == "BJ-"
    assert common_prefix(["SETAI", "KANA"]) == ""


def test_the_command_writes_a_folder_and_overwrites_nothing(tmp_path):
    copybook = tmp_path / "juki.cpy"
    copybook.write_text(
        "       01 R.\n          05 R-JUMIN-NO PIC 9(9).\n          05 R-GAKU PIC 9(7).\n", encoding="utf-8"
    )
    words = ["draft", str(copybook), "--system", "resident_records"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert "# ---- resident_records/mapping.yaml" in shown.stdout
    assert "guessed:" in shown.stdout
    made = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "990060_midori")])
    assert made.exit_code == 0
    assert set(problems(tmp_path / "990060_midori")) == {"Y026"}
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "990060_midori")])
    assert isinstance(again.exception, RunError)
    assert CliRunner().invoke(app, [*words, "--out", str(tmp_path / "midori")]).exit_code == 2
    assert CliRunner().invoke(app, [*words[:3], "nothing"]).exit_code == 2
