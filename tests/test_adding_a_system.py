"""A system is one folder and one line: added in a copy of the project, every stage, tool and page knows it."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.conftest import own_database

ROOT = Path(__file__).parents[1]
NEW = Path(__file__).parent / "cases" / "adding"
NAMES = re.compile(r"^NAMES = \((.*?),?(\n?)\)$", re.M | re.S)
COLUMNS = {
    "card_no", "resident_no", "kind", "issued", "memo", "desk", "loan_no", "lent", "returned", "fee",
}  # fmt: skip


def checkout(folder):
    """The project's own files, with their times, by which what was compiled of them is known."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def add(folder):
    """Add the system as CONTRIBUTING says; gives what changed in files that were there: by file, the lines."""
    shutil.copytree(NEW / "system", folder / "target_schemas" / "systems" / "library")
    shutil.copytree(NEW / "town", folder / "mappings" / "municipalities" / "990027_mihon" / "library")
    codes = folder / "target_schemas" / "codes"
    shutil.copy(NEW / "codes" / "card_kind.csv", codes)
    with (codes / "code_sets.csv").open("a", encoding="utf-8") as sets:
        sets.write((NEW / "codes" / "code_sets.line").read_text("utf-8"))
    registry = folder / "target_schemas" / "systems" / "__init__.py"
    with_it = NAMES.sub(named, registry.read_text("utf-8"))
    registry.write_text(with_it, encoding="utf-8")
    return {str(file.relative_to(folder)): said for file in folder.rglob("*") if (said := changed(folder, file))}


def named(names):
    """The registry's names with one more, in the form that they have."""
    inner, line = names.groups()
    return f'NAMES = ({inner},\n    "library",\n)' if line else f'NAMES = ({inner}, "library")'


def changed(folder, file):
    """The lines of a file that are new in the copy; none of a file that the project does not have."""
    there = ROOT / file.relative_to(folder)
    if not file.is_file() or not there.is_file() or file.read_bytes() == there.read_bytes():
        return []
    before, after = (path.read_text("utf-8").splitlines() for path in (there, file))
    return [line for line in difflib.ndiff(before, after) if line.startswith("+ ")]


@pytest.fixture(scope="module")
def adding(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("adding") / "checkout")
    return folder, add(folder)


@pytest.fixture(scope="module")
def seen(adding, server_url, tmp_path_factory):
    """What `tests.added_system` sees in the copy."""
    folder, _ = adding
    with own_database(server_url) as url:
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "HIKKOSHI_HOME": str(tmp_path_factory.mktemp("adding-home")),
            "HIKKOSHI_DATABASE_URL": url,
        }
        environment.pop("HIKKOSHI_MUNICIPALITIES", None)
        done = subprocess.run(
            [sys.executable, "-m", "tests.added_system"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_one_folder_one_line_and_a_line_for_its_codes(adding):
    _, lines = adding
    assert {name: len(said) for name, said in lines.items()} == {
        "target_schemas/systems/__init__.py": 1,
        "target_schemas/codes/code_sets.csv": 1,
    }


def test_the_schema_of_systems_fits_it(adding):
    folder, _ = adding
    schema = json.loads((folder / "docs" / "reference" / "system.schema.json").read_text("utf-8"))
    sheet = folder / "target_schemas" / "systems" / "library" / "system.yaml"
    jsonschema.Draft202012Validator(schema).validate(yaml.load(sheet.read_text("utf-8"), yaml.BaseLoader))
    said = sheet.read_text("utf-8").splitlines()[0].partition("=")[2]
    assert (sheet.parent / said).resolve() == (folder / "docs" / "reference" / "system.schema.json").resolve()


def its_rows_are_staged_and_promoted_beside_those_of_the_other(seen):
    run = seen["together"]
    assert run["state"] == "promoted", run["why"]
    assert run["systems"] == {"resident_records": ["1.0", "promoted"], "library": ["1.0", "promoted"]}
    assert run["closes"]
    assert run["staged"]["library.cards"] == 7
    assert run["staged"]["library.loans"] == 5
    # Rejected: the second child's card, the unknown kind, the long memo, and the loan with no card.
    assert run["promoted"]["library.cards"] == 4
    assert run["promoted"]["library.loans"] == 4
    assert run["promoted"]["resident_records.residents"] == 60


FINDING = {
    "fee_in_tens", "lent_before_returned", "loans_are_numbered", "one_child_card", "library.cards.kind.codes",
    "library.cards.memo.length", "library.cards.resident_no.reference", "library.loans.card_no.reference",
}  # fmt: skip


def both_engines_find_what_was_seeded_and_nothing_else(seen):
    run = seen["together"]
    assert {name for name, (polars, gx) in run["rules"].items() if polars or gx} == FINDING
    assert all(run["rules"][name] == [1, 1] for name in FINDING)
    assert run["not_checked"] == []


ACROSS = "library.cards.resident_no → resident_records.residents.resident_no"


def the_reference_to_the_other_system_is_followed(seen):
    rows, fell, dangling, dangling_gx = seen["together"]["references"][ACROSS]
    assert (rows, fell, dangling, dangling_gx) == (4, 0, 1, 1)


def reports_and_pages_tell_of_it(seen):
    assert seen["together"]["reports"] == dict.fromkeys(("result.ja.html", "result.en.html", "run.json"), True)
    # `make docs` writes these anew, and no other page names systems.
    assert seen["changed"] == ["rules.md", "systems.md"]
    assert "## 図書館 library" in seen["pages"]["systems.md"]
    assert "| 窓口 | desk | A | 4 |" in seen["pages"]["systems.md"]
    assert "- `one_child_card` (one_at_most of cards, error)" in seen["pages"]["rules.md"]


def the_commands_know_it(seen):
    assert seen["check"]["code"] == 0
    assert "990027_mihon: ok (" in seen["check"]["text"]
    for told in ("TL-KASHIBI", "990027_mihon/library/mapping.yaml", "lent_before_returned V413 alert"):
        assert told in seen["explain"]["text"]
    draft = seen["draft"]["text"]
    assert "11 columns of 2 tables guessed" in draft
    assert set(re.findall(r"^      (\w+):$", draft, re.M)) == COLUMNS
    assert 'guessed: "the name TC-TEBURI says カード区分' in draft


def its_later_edition_asks_for_more_and_has_more_room(seen):
    later = seen["later"]
    assert any("desk" in problem for problem in later["too_early"])
    assert later["in_time"] == []
    assert any("desk" in problem for problem in later["left_out"])
    run = seen["alone"]
    assert run["state"] == "promoted", run["why"]
    assert run["systems"] == {"library": ["1.1", "promoted"]}
    assert run["rules"]["library.cards.memo.length"] == [0, 0]
    assert run["promoted"] == {"library.cards": 5, "library.loans": 4}
    # The residents are those that the run before promoted.
    assert run["references"][ACROSS] == [5, 0, 1, 1]
    assert run["not_checked"] == []


def test_every_stage_command_and_page_knows_it(seen, adding):
    """One test, because what is seen takes half a minute to see, and workers of a test run share no fixture."""
    folder, _ = adding
    assert len(seen["from"]) == 7
    assert all(Path(file).is_relative_to(folder.resolve()) for file in seen["from"])
    its_rows_are_staged_and_promoted_beside_those_of_the_other(seen)
    both_engines_find_what_was_seeded_and_nothing_else(seen)
    the_reference_to_the_other_system_is_followed(seen)
    reports_and_pages_tell_of_it(seen)
    the_commands_know_it(seen)
    its_later_edition_asks_for_more_and_has_more_room(seen)
