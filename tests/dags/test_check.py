"""What `hikkoshi check` prints: places that an editor opens, and the forms that programs read."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dags.authoring.check import Checked, check
from dags.authoring.excerpt import excerpt
from dags.authoring.problem_formats import FORMATS, render
from dags.authoring.problems import page_of
from dags.cli import app
from dags.pipeline.folders import municipality_folders
from migration_reports.findings import Definition, Position, Problem, RunError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def towns(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "mappings" / "packages", tmp_path / "specs" / "packages")
    towns = Path(shutil.copytree(ROOT / "mappings" / "municipalities", tmp_path / "specs" / "towns"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(towns))
    monkeypatch.chdir(tmp_path)
    return towns


def change(path, before, after):
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_every_place_is_a_file_that_can_be_opened_from_here(towns):
    change(towns / "990027_mihon" / "resident_records/mapping.yaml", "name: JJ-SHIMEI", "name: JJ-SIMEI")
    change(towns.parent / "packages" / "ibm_setai" / "mapping.yaml", "name: KJ-SHIMEI", "name: KJ-SIMEI")
    (own,) = check(towns / "990027_mihon").problems
    assert own.position.file == "specs/towns/990027_mihon/resident_records/mapping.yaml"
    assert own.hint == "did you mean `JJ-SHIMEI`?"
    (field,) = own.defined
    assert "JJ-SHIMEI" in Path(field.position.file).read_text("utf-8").splitlines()[field.position.line - 1]
    (of_package,) = check(towns / "990035_reiji").problems
    assert of_package.position.file == "specs/packages/ibm_setai/mapping.yaml"
    assert Path(of_package.position.file).is_file()


def test_a_place_outside_of_the_current_folder_is_the_whole_path(towns, monkeypatch):
    change(towns / "990027_mihon" / "resident_records" / "tables" / "extended.csv", "6EA4,9AD9", "B0A1,9AD9")
    monkeypatch.chdir(ROOT)
    (problem,) = check(towns / "990027_mihon").problems
    assert problem.position.file == str(towns / "990027_mihon" / "resident_records" / "tables" / "extended.csv")


def test_a_municipality_is_named_or_given_as_a_path_anywhere(towns, tmp_path):
    assert [f.name for f in municipality_folders(None)] == ["990027_mihon", "990035_reiji", "990051_tehon"]
    assert municipality_folders("mihon") == municipality_folders("990027") == [towns / "990027_mihon"]
    assert municipality_folders("specs/towns") == municipality_folders(None)
    for inner in (
        "",
        "manifest.yaml",
        "resident_records",
        "resident_records/manifest.yaml",
        "resident_records/codes/sex.csv",
    ):
        path = f"specs/towns/990027_mihon/{inner}"
        assert municipality_folders(path) == [towns / "990027_mihon"]
    with pytest.raises(RunError, match="no municipality `nowhere`"):
        municipality_folders("nowhere")
    (problem,) = check(municipality_folders(str(tmp_path))[0]).problems
    assert problem.code == "Y006"


PROBLEM = Problem(
    "Y021",
    Position("a b,c/見.yaml", 3, 5),
    "unknown field `A%`",
    ("A", "B"),
    "did you mean `A`?",
    (Definition("A PIC X", Position("l.cpy", 7, 12)), Definition("column a")),
)
BROKEN = [Checked(Path("990027_mihon"), (PROBLEM,)), Checked(Path("990035_reiji"), (), "1 dump(s)")]


def test_text_is_for_people():
    assert render(BROKEN, "text").splitlines() == [
        "a b,c/見.yaml:3:5: Y021 unknown field `A%`",
        "    allowed here: `A`, `B`",
        "    did you mean `A`?",
        "    l.cpy:7:12: A PIC X",
        "    column a",
        "990035_reiji: ok (1 dump(s))",
    ]


GUESS = Problem("Y026", Position("m.yaml", 2, 1), "nobody has confirmed column `a`")


def test_guesses_stand_behind_the_problems_as_one():
    one = Checked(Path("990060_midori"), (GUESS, PROBLEM, GUESS), name="midori")
    first, *_, last = render([one], "text").splitlines()
    assert "Y021" in first
    assert last == "990060_midori: Y026 2 guesses of draft open: `hikkoshi accept midori`"
    assert len(json.loads(render([one], "json"))) == 3


@pytest.mark.parametrize(
    ("line", "column", "width", "shown"),
    [
        ("a: b", 4, 80, ["    1 | a: b", "      |    ^"]),
        ("氏名: x", 5, 80, ["    1 | 氏名: x", "      |       ^"]),
        ("a\tb\x1b[2J", 3, 80, ["    1 | a→b·[2J", "      |   ^"]),
        ("0123456789" * 3, 1, 20, ["    1 | 01234567890…", "      | ^"]),
        ("0123456789" * 3, 26, 20, ["    1 | …", "      |"]),
        ("氏" * 30, 25, 21, ["    1 | …", "      |"]),
        ("a: b", 4, 10, []),
        ("", 1, 80, []),
    ],
)
def test_the_line_is_shown_with_a_caret_and_fits(line, column, width, shown):
    found = excerpt(Position("f", 1, column), lambda file: (line,), width)
    assert len(found) == len(shown)
    for got, begins in zip(found, shown, strict=True):
        assert got.startswith(begins[:9])
        assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in got) <= width
    if width == 80:
        assert list(found) == shown
    if found and "…" in found[0]:
        # The caret stands below the character that is meant.
        at = found[1].index("^")
        before = itertools.accumulate(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in found[0])
        under = next(c for c, end in zip(found[0], before, strict=True) if end > at)
        assert under == line[column - 1]


def test_only_texts_of_the_specs_are_shown(towns, tmp_path):
    change(towns / "990027_mihon" / "resident_records/mapping.yaml", "name: JJ-SHIMEI", "name: JJ-SIMEI")
    one = check(towns / "990027_mihon")
    assert "   25 |       name: JJ-SIMEI\n      |             ^\n" in render([one], "text")
    (tmp_path / "other.txt").write_text("secret", encoding="utf-8")
    assert one.lines(str(tmp_path / "other.txt")) == ()


def test_examples_are_checked_too(towns):
    change(
        towns / "990027_mihon" / "resident_records/examples.yaml",
        "record: juki_master.resident",
        "record: juki_master.residnt",
    )
    (problem,) = check(towns / "990027_mihon").problems
    assert (problem.code, problem.hint) == ("Y020", "did you mean `juki_master.resident`?")


def test_a_code_is_explained_without_the_docs(monkeypatch):
    said = CliRunner().invoke(app, ["explain", "y022"]).stdout
    page = (ROOT / "docs" / "reference" / "problems.md").read_text("utf-8")
    assert said.strip() == "## Y022" + page.partition("\n## Y022")[2].partition("\n## Y023")[0].rstrip()
    assert "A date after one that it may not be after" in CliRunner().invoke(app, ["explain", "V413"]).stdout
    monkeypatch.setattr("dags.authoring.problems.EXAMPLES", (Path("/nowhere"),))
    from dags.authoring import problems

    problems._examples.cache_clear()
    assert "To mend it: Map the field" in CliRunner().invoke(app, ["explain", "Y022"]).stdout
    problems._examples.cache_clear()


@pytest.mark.parametrize("name", ["manifest", "mapping", "package", "differences"])
def test_a_schema_is_printed_as_the_reference_has_it(name):
    said = CliRunner().invoke(app, ["schema", name]).stdout
    assert json.loads(said) == json.loads((ROOT / "docs" / "reference" / f"{name}.schema.json").read_text("utf-8"))
    assert CliRunner().invoke(app, ["schema", "nothing"]).exit_code == 2


def test_json_is_a_list_of_problems():
    assert json.loads(render(BROKEN, "json")) == [
        {
            "file": "a b,c/見.yaml", "line": 3, "column": 5, "code": "Y021", "message": "unknown field `A%`",
            "allowed": ["A", "B"], "hint": "did you mean `A`?", "page": "docs/reference/problems.md#y021",
            "defined": [{"text": "A PIC X", "file": "l.cpy", "line": 7, "column": 12}, {"text": "column a"}],
        }
    ]  # fmt: skip
    assert json.loads(render(BROKEN[1:], "json")) == []


def test_github_gets_one_escaped_line_a_problem():
    (line,) = render(BROKEN, "github").splitlines()
    assert line.startswith(
        "::error file=a b%2Cc/見.yaml,line=3,col=5,title=Y021::unknown field `A%25`%0Aallowed here: `A`, `B`%0A"
    )
    nasty = Problem("Y001", Position("a:b\r\n::error file=x.yaml", 1, 1), "x\n::error ::y")
    (line,) = render([Checked(Path("t"), (nasty,))], "github").splitlines()
    assert line.startswith("::error file=a%3Ab%0D%0A%3A%3Aerror file=x.yaml,line=1,")


def test_sarif_names_rules_results_and_related_places():
    log = json.loads(render(BROKEN, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "Y021"
    assert rule["shortDescription"]["text"] == "a source field that is not known"
    assert rule["helpUri"] == page_of("Y021") == "docs/reference/problems.md#y021"
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("Y021", 0, "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b%2Cc/%E8%A6%8B.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    assert [r["physicalLocation"]["region"]["startLine"] for r in result["relatedLocations"]] == [7]
    whole = [Checked(Path("t"), (Problem("Y001", Position("/tmp/x y.yaml"), "x"),))]
    (absolute,) = json.loads(render(whole, "sarif"))["runs"][0]["results"]
    assert absolute["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///tmp/x%20y.yaml"


def test_every_code_has_a_section_that_its_address_names():
    from dags.authoring.problems import PROBLEMS

    text = (ROOT / "docs" / "reference" / "problems.md").read_text("utf-8")
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
    assert {page_of(code).partition("#")[2] for code in PROBLEMS} == headings


@pytest.mark.parametrize("form", [f.name for f in FORMATS])
def test_the_command_prints_each_form_and_ends_with_two(towns, form):
    assert CliRunner().invoke(app, ["check", "mihon", "--format", form]).exit_code == 0
    change(towns / "990027_mihon" / "resident_records/manifest.yaml", "framing: fixed", "framing: fixd")
    done = CliRunner().invoke(app, ["check", "specs/towns/990027_mihon", "--format", form])
    assert done.exit_code == 2
    assert "did you mean `fixed`?" in done.stdout
    assert CliRunner().invoke(app, ["check", "--format", "xml"]).exit_code == 2


def test_what_was_noted_of_a_copybook_is_printed_below_a_sound_municipality(towns):
    copybook = towns / "990027_mihon" / "resident_records" / "layouts" / "juki_master.cpy"
    text = copybook.read_text("utf-8")
    copybook.write_text(text + "       77  WORK PIC X(9).\n", encoding="utf-8")
    checked = check(towns / "990027_mihon")
    assert [note.code for note in checked.notes] == ["L016"]
    ok, note = render([checked], "text").splitlines()
    assert ok.startswith("990027_mihon: ok")
    assert "layouts/juki_master.cpy:" in note
    assert note.startswith("note: ")


def test_check_loads_nothing_that_only_runs_need():
    call = "import sys; from dags.commands.check import check; check('mihon'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "990027_mihon: ok" in done.stdout
    needless = {"adbc_driver_postgresql", "great_expectations", "mappings.engine", "pandas", "psycopg", "scipy.linalg"}
    # The last of these Numba imports with the first function that it compiles or fetches.
    needless |= {"numba.np.arraymath"}
    assert not set(done.stdout.split()) & needless
