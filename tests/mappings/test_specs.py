"""A wrong manifest or mapping is refused with every problem, its file, line and column, and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dags.municipality import load
from mappings.manifest import check_digit
from migration_reports.findings import SpecError

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.fixture
def town(tmp_path):
    return Path(shutil.copytree(TOWNS / "990027_mihon", tmp_path / "990027_mihon"))


def change(town, file, before, after):
    path = town / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def problems(town):
    with pytest.raises(SpecError) as caught:
        load(town)
    return caught.value.problems


M, R = "manifest.yaml", "resident_records.yaml"

BROKEN = [
    ("check digit", M, 'code: "990027"', 'code: "990028"', "Y013", "the check digit of 990028 is wrong"),
    ("code of five digits", M, 'code: "990027"', 'code: "99002"', "Y012", "six digits"),
    ("folder name", M, "romaji: mihon", "romaji: mihonshi", "Y014", "the folder is called `990027_mihon`"),
    ("unknown key", M, "limits:", "limit:", "Y010", "unknown key `limit`"),
    ("missing key", M, "title: 住民記録マスタ", "", "Y011", "key `title` is missing"),
    ("duplicate key", M, "limits:\n", "systems: [resident_records]\nlimits:\n", "Y005", "key `systems` stands twice"),
    ("path outside the inbox", M, "file: juki_master.dat", "file: ../other.dat", "Y007", "outside the inbox"),
    ("absolute path", M, "file: juki_master.dat", "file: /etc/passwd", "Y007", "outside the inbox"),
    ("layout outside", M, "layouts/juki_master.cpy", "../../../x.cpy", "Y007", "outside the municipality's folder"),
    ("layout missing", M, "layouts/juki_master.cpy", "layouts/none.cpy", "Y006", "`layouts/none.cpy` cannot be read"),
    ("unknown framing", M, "framing: fixed", "framing: fixd", "L903", "unknown framing `fixd`"),
    ("unknown charset", M, "name: fujitsu", "name: fujutsu", "L903", "unknown charset `fujutsu`"),
    ("record length", M, "framing: fixed", "framing: {name: fixed, length: '300'}", "L904", "length `300` does not fit"),
    ("unknown group", M, "group: JM-JUMIN", "group: JM-JUMN", "Y021", "the layout has no group `JM-JUMN`"),
    ("unknown role", M, "role: header", "role: heading", "Y012", "role"),
    ("control on an unknown kind", M, "count: resident", "count: residents", "Y024", "unknown record kind `residents`"),
    ("control on text", M, "sum: resident.JJ-KAZEI", "sum: resident.JJ-KANA", "Y024", "has no number `JJ-KANA`"),
    ("control on an unknown field of the trailer", M, "trailer.JT-KENSU", "trailer.JT-KENS", "Y024", "has no number `JT-KENS`"),
    ("control of two kinds", M, "{count: resident,", "{count: resident, value: header.JH-DANTAI-CD,", "Y024", "a count, a sum or a value"),
    ("limit", M, "rejects: 2%", "rejects: few", "Y012", "is no limit"),
    ("unknown system", M, "[resident_records]", "[resident_records, taxes]", "Y006", "`taxes.yaml` cannot be read"),
    ("anchor", M, "name: 見本市", "name: &a 見本市", "Y003", "anchors and aliases are not allowed"),
    ("tag", M, "name: 見本市", "name: !!python/name:os.system 見本市", "Y003", "tags are not allowed"),
    ("no YAML", M, "systems: [resident_records]", "systems: [resident_records", "Y002", "no YAML"),
    ("unknown table", R, "  tax_amounts:", "  tax_amount:", "Y030", "unknown target table `tax_amount`"),
    ("unknown source", R, "from: juki_master.resident", "from: juki_master.person", "Y020", "record kind `juki_master.person`"),
    ("unknown field", R, "name: JJ-SHIMEI", "name: JJ-SIMEI", "Y021", "unknown field `JJ-SIMEI`"),
    ("unknown column", R, "name_kana:", "kana_name:", "Y031", "unknown column `kana_name`"),
    ("column left unfilled", R, "      name: JJ-SHIMEI\n", "", "Y032", "column `name` of residents is not filled"),
    ("nullable column left unfilled", R, "[member_count, established,", "[established,", "Y032", "`member_count` of households"),
    ("field left over", R, "      remarks: JJ-BIKO\n", "    empty: [remarks]\n", "Y022", "field `JJ-BIKO` of juki_master.resident"),
    ("field mapped and ignored", R, "{field: JM-KUBUN,", "{field: JJ-KANA,", "Y023", "`JJ-KANA` is mapped"),
    ("type", R, "amount: {from: JJ-KAZEI}", "amount: {from: JJ-KANA}", "Y033", "text does not fit column `amount` (課税額)"),
    ("number into text", R, "{from: JJ-JUMIN-NO, transforms: [{digits: {width: 10}}]}", "JJ-JUMIN-NO", "Y033", "integer does not fit"),
    ("constant", R, 'constant: "1"', "constant: one", "Y033", "is no number"),
    ("unknown transform", R, "transforms: [kana]", "transforms: [kanna]", "Y040", "unknown transform `kanna`"),
    ("unknown parameter", R, "{digits: {width: 10}}", "{digits: {widht: 10}}", "Y041", "`widht`"),
    ("wrong parameter", R, "{eras: 1-5}", "{eras: 1-4}", "Y041", "`eras`"),
    ("transform on the wrong type", R, "name_kana: {from: JJ-KANA,", "name_kana: {from: JJ-KAZEI,", "Y033", "does not take integer"),
    ("several values", R, "relationship.csv}}, concat]", "relationship.csv}}]", "Y042", "has 4 values"),
    ("from and constant", R, 'history_no: {constant: "1"}', 'history_no: {constant: "1", from: JJ-KAZEI}', "Y042", "either from or constant"),
    ("on_error", R, 'on_error: "null"', "on_error: skip", "Y012", "on_error"),
    ("keep on a number", R, "amount: {from: JJ-KAZEI}", "amount: {from: JJ-KAZEI, on_error: keep}", "Y033", "keep needs a text column"),
    ("prefer without keep", R, "    keep: one_row_per_key\n", "", "Y042", "prefer belongs to keep: one_row_per_key"),
    ("code table missing", R, "codes/sex.csv", "codes/sexes.csv", "Y006", "`codes/sexes.csv` cannot be read"),
    ("code table outside", R, "codes/sex.csv", "../../x.csv", "Y007", "lies outside"),
    ("code outside the target's set", "codes/sex.csv", "2,2,女", "2,5,女", "Y034", "`2` becomes `5`"),
    ("code table header", "codes/sex.csv", "old,new", "from,to", "Y015", "the first line must be the header"),
    ("code twice", "codes/sex.csv", "2,2,女", "1,2,女", "Y015", "old code `1` stands twice"),
    ("table file", "tables/extended.csv", "6EA4,9AD9", "B0A1,9AD9", "L912", "stands in an area that the charset defines"),
    ("copybook", "layouts/juki_master.cpy", "PIC X(30).", "PIC Q(30).", "L040", "`Q` is no PICTURE symbol"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_mistake_is_named_with_its_place(town, file, before, after, code, says):
    change(town, file, before, after)
    found = problems(town)
    assert any(p.code == code and says in str(p) for p in found), [str(p) for p in found]
    assert all(p.position.line >= 1 and p.position.file.startswith(("990027_mihon/", "tables/")) for p in found)


def test_the_place_is_exact_and_the_nearest_name_is_offered(town):
    change(town, R, "transforms: [kana]", "transforms: [kanna]")
    (problem,) = problems(town)
    line = next(n for n, text in enumerate((town / R).read_text("utf-8").splitlines(), 1) if "kanna" in text)
    assert str(problem.position) == f"990027_mihon/{R}:{line}:47"
    assert problem.hint == "did you mean `kana`?"
    assert "wareki_date" in problem.allowed


def test_all_problems_come_at_once(town):
    change(town, R, "transforms: [kana]", "transforms: [kanna]")
    change(town, R, "name: JJ-SHIMEI", "name: JJ-SIMEI")
    change(town, R, "  tax_amounts:", "  tax_amount:")
    assert {p.code for p in problems(town)} >= {"Y040", "Y021", "Y030"}


def test_a_yaml_bomb_is_refused_before_it_grows(town):
    bomb = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (town / M).write_text(bomb, encoding="utf-8")
    assert {p.code for p in problems(town)} <= {"Y001", "Y003"}
    (town / M).write_text("[" * 5000, encoding="utf-8")
    assert {p.code for p in problems(town)} <= {"Y001", "Y002"}


def test_a_link_out_of_the_folder_is_refused(town, tmp_path):
    outside = tmp_path / "outside.cpy"
    outside.write_text("01 R PIC X.\n")
    (town / "layouts" / "juki_master.cpy").unlink()
    (town / "layouts" / "juki_master.cpy").symlink_to(outside)
    assert {p.code for p in problems(town)} == {"Y007"}


@pytest.mark.parametrize("folder", sorted(p for p in TOWNS.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_the_shipped_municipalities_have_no_problem(folder):
    assert load(folder).plans


@pytest.mark.parametrize("code", ["011002", "131016", "141003", "271004", "401307", "472018", "010006", "130001"])
def test_check_digits_of_real_codes(code):
    assert check_digit(code) == code[5]
