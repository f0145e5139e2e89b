"""A wrong manifest or mapping is refused with every problem, its file, line and column, and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dags.authoring.problems import MEND, NO_EXAMPLE, PROBLEMS
from dags.pipeline.town import load
from mappings.language.manifest import check_digit
from migration_reports.findings import SpecError
from tests import broken_mappings, broken_sheets

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
M, R = "resident_records/manifest.yaml", "resident_records/mapping.yaml"


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


M, R = "resident_records/manifest.yaml", "resident_records/mapping.yaml"

BROKEN, BROKEN_RULES = broken_mappings.cases(), broken_mappings.rule_cases()
SECTIONS = dict(
    zip(
        (case.name for case in (*BROKEN, *BROKEN_RULES)),
        (f"\n## {text}" for text in broken_mappings.GOLDEN.read_text("utf-8").split("\n## ")[1:]),
        strict=True,
    )
)


@pytest.mark.parametrize("case", BROKEN, ids=[case.name for case in BROKEN])
def test_a_mistake_is_named_with_its_place_exactly_as_the_page_of_them_says(case, tmp_path):
    found = broken_mappings.problems(case, tmp_path)
    assert any(p.code == case.code and case.message in str(p) for p in found), [str(p) for p in found]
    folders = (f"{case.town}/", "ibm_setai/")
    assert all(p.position.line >= 1 and p.position.file.startswith(folders) for p in found)
    assert broken_mappings.section(case, found).rstrip() == SECTIONS[case.name].rstrip(), (
        "tests/golden/broken_mappings.md says otherwise; if the new message is better, accept it: "
        "python -m tests.broken_mappings, look at git diff, then make docs"
    )


@pytest.mark.parametrize("case", BROKEN_RULES, ids=[case.name for case in BROKEN_RULES])
def test_a_mistake_in_a_rule_is_named_exactly_as_the_page_of_them_says(case):
    found = case.problems()
    assert any(p.code == case.code and case.message in str(p) for p in found), [str(p) for p in found]
    assert all(str(p.position) == "system.yaml:2:3" for p in found)
    assert case.section().rstrip() == SECTIONS[case.name].rstrip()


def test_at_least_forty_kinds_of_mistake_have_distinct_names():
    assert len({case.name for case in BROKEN}) == len(BROKEN) >= 40


def test_every_code_has_a_broken_example_or_a_reason_for_none():
    shown = {case.code for case in (*BROKEN, *BROKEN_RULES, *broken_sheets.cases())}
    assert shown | set(NO_EXAMPLE) == set(PROBLEMS)
    assert not shown & set(NO_EXAMPLE)
    assert set(MEND) == set(PROBLEMS)


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


@pytest.mark.parametrize("name", [case.name for case in BROKEN if case.code == "Y020" and "record kind" in case.name])
def test_nothing_follows_from_a_misspelt_record_kind(name, tmp_path):
    case = next(case for case in BROKEN if case.name == name)
    assert [p.code for p in broken_mappings.problems(case, tmp_path)] == ["Y020"]


def test_double_byte_text_does_not_fit_a_column_of_digits(town):
    change(
        town,
        "resident_records/layouts/juki_master.cpy",
        "JJ-BIKO             PIC X(60)",
        "JJ-BIKO             PIC N(30)",
    )
    change(
        town,
        R,
        "postal_code: {from: JJ-YUBIN, transforms: [{digits: {width: 7}}]",
        "postal_code: {from: JJ-BIKO, transforms: [trim]",
    )
    found = [p for p in problems(town) if p.code == "Y033"]
    assert any("double-byte characters only, column `postal_code`" in p.message for p in found), found


def test_a_yaml_bomb_is_refused_before_it_grows(town):
    bomb = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (town / M).write_text(bomb, encoding="utf-8")
    assert {p.code for p in problems(town)} <= {"Y001", "Y003"}
    (town / M).write_text("[" * 5000, encoding="utf-8")
    assert {p.code for p in problems(town)} <= {"Y001", "Y002"}


def test_a_link_out_of_the_folder_is_refused(town, tmp_path):
    outside = tmp_path / "outside.cpy"
    outside.write_text("01 R PIC X.\n")
    (town / "resident_records" / "layouts" / "juki_master.cpy").unlink()
    (town / "resident_records" / "layouts" / "juki_master.cpy").symlink_to(outside)
    assert {p.code for p in problems(town)} == {"Y007"}


def test_the_manifest_says_what_stands_for_the_tags_of_a_copybook(town):
    copybook = town / "resident_records" / "layouts" / "juki_master.cpy"
    copybook.write_text(copybook.read_text("utf-8").replace("JJ-", ":JJ:-"), encoding="utf-8")
    assert {p.code for p in problems(town)} == {"L020"}
    change(
        town,
        M,
        "    layout: layouts/juki_master.cpy\n",
        "    layout: layouts/juki_master.cpy\n    replacing: {':JJ:': JJ}\n",
    )
    assert load(town).plans


@pytest.mark.parametrize("folder", sorted(p for p in TOWNS.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_the_shipped_municipalities_have_no_problem(folder):
    assert load(folder).plans


@pytest.mark.parametrize("code", ["011002", "131016", "141003", "271004", "401307", "472018", "010006", "130001"])
def test_check_digits_of_real_codes(code):
    assert check_digit(code) == code[5]
