"""One family, one shape: every file of a family is registered, has cases, one of which finds something, and a docstring."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dags.commands import COMMANDS
from extractors.charsets import CHARSETS
from extractors.containers import CONTAINERS
from extractors.dialects import DIALECTS
from extractors.framings import FRAMINGS
from extractors.synthesis.town import ENTITIES
from extractors.table_files import TABLE_FILES
from extractors.usages import USAGES
from mappings.transforms import TRANSFORMS
from migration_reports.reports import REPORTS
from target_schemas.systems import SYSTEMS
from validators.shapes import NUMBERINGS, SHAPES

ROOT = Path(__file__).parents[1]
FAMILIES = {
    "dags/commands": (COMMANDS, None),
    "extractors/charsets": (CHARSETS, ("class", "problem")),
    "extractors/containers": (CONTAINERS, ("damaged", "problem")),
    "extractors/dialects": (DIALECTS, ("problem",)),
    "extractors/framings": (FRAMINGS, ("left_over", "problem")),
    "extractors/synthesis/town": (ENTITIES, ("some",)),
    "extractors/table_files": (TABLE_FILES, ("problem",)),
    "extractors/usages": (USAGES, ("finding",)),
    "mappings/transforms": (TRANSFORMS, ("codes",)),
    "validators/shapes": (SHAPES, ("failing",)),
    "target_schemas/systems": (SYSTEMS, ("failing",)),
    "migration_reports/reports": (REPORTS, None),
}
HARMLESS = {"address_key", "width", "trim", "concat", "resolved"}
"""Transforms that change text and cannot fail."""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_is_registered_under_its_name(family):
    members, _ = FAMILIES[family]
    files = sorted(p.stem for p in (ROOT / family).glob("*.py") if p.stem != "contract" and not p.stem.startswith("_"))
    folders = sorted(p.parent.name for p in (ROOT / family).glob("*/system.yaml"))
    assert sorted(m.name for m in members) == files + folders
    for name in files:
        assert importlib.import_module(f"{family.replace('/', '.')}.{name}").__doc__


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "target_schemas/systems"])
def test_a_family_says_what_a_member_is(family):
    assert (ROOT / family / "contract.py").is_file()


FLOORS = ["dags", "extractors", "mappings", "validators", "target_schemas", "migration_reports", "docs/generate"]
MOST_MODULES = 16


def test_a_folder_is_held_in_the_head():
    folders = [p for top in FLOORS for p in [ROOT / top, *(ROOT / top).rglob("*")] if p.is_dir()]
    rooms = {str(p.relative_to(ROOT)): [m for m in p.glob("*.py") if m.stem != "__init__"] for p in folders}
    assert {room: len(modules) for room, modules in rooms.items() if len(modules) > MOST_MODULES} == {
        # Families grow by their members.
        room: len(rooms[room])
        for room in FAMILIES
        if len(rooms[room]) > MOST_MODULES
    }


MOST_LINES = 400


def test_a_module_is_short_or_says_why_not():
    """What has grown has a second job, or a reason that its first comment gives."""
    for path in (module for top in FLOORS for module in (ROOT / top).rglob("*.py")):
        text = path.read_text("utf-8")
        first = re.search(r"^ *#.*$", text, re.M)
        says = first is not None and re.fullmatch(rf"# Above {MOST_LINES} lines: \w.{{20,}}", first.group())
        assert says or len(text.splitlines()) <= MOST_LINES, path.relative_to(ROOT)


@pytest.mark.parametrize("family", [f for f, (_, keys) in FAMILIES.items() if keys])
def test_every_member_has_cases_and_one_that_finds_something(family):
    members, keys = FAMILIES[family]
    for member in members:
        path = ROOT / "tests" / "cases" / family.rpartition("/")[2] / f"{member.name}.yaml"
        assert path.exists(), f"missing cases for {member.name}: {path}"
        rows = yaml.safe_load(path.read_text("utf-8"))
        assert member.name in HARMLESS or any(row.get(key) for row in rows for key in keys), member.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_shows_in_its_help_what_may_be_typed(command):
    from docs.generate.reference import helps

    said = dict(helps(command))
    groups = {called for called in said if any(other.startswith(f"{called} ") for other in said)}
    for called, text in said.items():
        assert called in groups or re.search(rf"Examples?:\n    {called}\b", text), called


HEAVY = {"adbc_driver_postgresql", "airflow", "numba", "numpy", "pandas", "polars", "psycopg", "pyarrow", "sqlalchemy"}


def test_help_needs_nothing_heavy():
    """Whoever asks what there is, or completes a word, does not wait for what commands work with."""

    def imported(*words):
        call = f"import sys\nimport dags.cli\nsys.argv = ['hikkoshi', {', '.join(map(repr, words))}]\n"
        told = "try:\n    dags.cli.main()\nfinally:\n    print(*sys.modules, file=sys.stderr)\n"
        done = subprocess.run([sys.executable, "-c", call + told], cwd=ROOT, capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    help_ = imported("--help")
    assert not help_ & {*HEAVY, "pydantic", "rich"}
    assert {name for name in help_ if name.startswith("dags.commands.")} == {"dags.commands.contract"}
    asked = imported("check", "--help")
    assert not asked & HEAVY
    members = {f"dags.commands.{command.name}" for command in COMMANDS}
    assert asked & members == {"dags.commands.check"}


def test_the_help_of_no_command_needs_what_it_works_with():
    load = "import sys\nfrom dags.commands import COMMANDS\nfor command in COMMANDS:\n    command.load()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_what_asks_the_ledger_alone_needs_no_engine_of_columns():
    load = "import sys\nimport dags.known_runs\nimport target_schemas.postgres.server\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == {"psycopg", "sqlalchemy"}


@pytest.mark.parametrize("member", [*TRANSFORMS, *SHAPES, *NUMBERINGS.values()], ids=lambda member: member.name)
def test_every_transform_shape_and_kind_of_number_names_its_source(member):
    assert re.search(r"\b[Ss]ources?\b", member.doc), member.name


def test_an_item_asks_only_for_kinds_of_numbers_that_there_are():
    """A name that no kind has would be a check that never runs."""
    asked = {item.check for s in SYSTEMS for t in s.tables for item in t.items if item.check}
    assert asked <= set(NUMBERINGS)


@pytest.mark.parametrize(
    "package", ["dags", "extractors", "mappings", "validators", "target_schemas", "migration_reports"]
)
def test_our_packages_are_ours_alone(package):
    module = importlib.import_module(package)
    assert Path(module.__file__).resolve().is_relative_to(ROOT)
    assert set(importlib.metadata.packages_distributions().get(package, ["hikkoshi"])) == {"hikkoshi"}


def test_the_readme_shows_the_commands_and_names_files_that_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text
    for command in COMMANDS:
        assert re.search(rf"^ *hikkoshi {command.name}\b", text, re.M), command.name
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / path).exists(), path


def test_the_locks_hold_no_address_and_pin_by_hash():
    for name in ("requirements.lock", "requirements-uv.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==")


def test_every_claim_of_the_reader_names_a_file_that_exists():
    from docs.generate.features import FEATURES

    for _, features in FEATURES:
        for what, proof in features:
            assert (ROOT / proof).is_file(), what


def test_the_reference_is_what_the_code_says():
    from docs.generate.reference import FOLDER, pages

    for name, text in pages().items():
        assert (FOLDER / name).read_text("utf-8") == text, f"docs/reference/{name} is out of step: run make docs"
