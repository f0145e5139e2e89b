"""What CONTRIBUTING says of adding one thing is true: a file, a line, a cases file, and no other module knows it.

What members share stands in a tool of their family (`_name.py`); what others need of a family, in its registry.
"""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

from target_schemas.systems import NAMES

ROOT = Path(__file__).parents[1]
SOURCE = ("dags", "extractors", "mappings", "validators", "target_schemas", "migration_reports", "docs")
ROW = re.compile(r"^\| (an? [^|]+) \| `([^`]+)/<name>\.py` \| a line in `([^`]+)` \| (.*) \|$", re.M)


def rows():
    """The rows of the table that add a Python file: what, the family's folder, the registry, the proof."""
    return [match.groups() for match in ROW.finditer((ROOT / "CONTRIBUTING.md").read_text("utf-8"))]


def members(folder):
    return sorted(p.stem for p in (ROOT / folder).glob("*.py") if p.stem != "contract" and not p.stem.startswith("_"))


def imports():
    """Every module that a module of ours imports, or imports something from, with the file that does."""
    found = {}
    for file in (file for top in SOURCE for file in (ROOT / top).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                found.setdefault(name, set()).add(str(file.relative_to(ROOT)))
    return found


IMPORTS = imports()


def test_the_table_has_every_family():
    folders = {str(p.parent.relative_to(ROOT)) for top in SOURCE for p in (ROOT / top).rglob("contract.py")}
    assert {folder for _, folder, _, _ in rows()} == folders


@pytest.mark.parametrize(("what", "folder", "registry", "proof"), rows(), ids=lambda value: value)
def test_a_member_is_known_to_its_registry_alone(what, folder, registry, proof):
    assert (ROOT / folder / "__init__.py").is_file()
    assert f"{folder}/__init__.py".endswith(registry), what
    module = folder.replace("/", ".")
    for name in members(folder):
        known = IMPORTS.get(f"{module}.{name}", set())
        assert known <= {f"{folder}/__init__.py"}, f"{name} is imported by {known}"


def registered(folder):
    """What a registry's tuples name: members by their module, or, where they are loaded later, by the name that they are given."""
    tree = ast.parse((ROOT / folder / "__init__.py").read_text("utf-8"))
    for node in ast.walk(tree):
        for one in node.elts if isinstance(node, ast.Tuple) else ():
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                yield one.value.id
            elif isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant):
                yield one.args[0].value


@pytest.mark.parametrize(("what", "folder", "registry", "proof"), rows(), ids=lambda value: value)
def test_the_registry_has_one_line_of_a_member(what, folder, registry, proof):
    assert sorted(registered(folder)) == members(folder)


@pytest.mark.parametrize(("what", "folder", "registry", "proof"), rows(), ids=lambda value: value)
def test_what_proves_a_member_is_there(what, folder, registry, proof):
    for place in re.findall(r"`(tests/[^`]+)`", proof):
        for name in members(folder):
            assert (ROOT / place.replace("<name>", name)).exists(), (what, name)


SHEETS = {
    "a target system": (
        "`target_schemas/systems/<name>/`: `system.yaml`, `items.csv`",
        "a line in `systems/__init__.py`",
    ),
    "a code set": ("`target_schemas/codes/<name>.csv`", "a line in `codes/code_sets.csv`"),
    "a reference table": (
        "`target_schemas/reference_tables/<name>.csv`",
        "a line in `reference_tables.csv`, its columns in `items.csv`",
    ),
}


@pytest.mark.parametrize("what", SHEETS)
def test_the_table_says_where_sheets_are_added(what):
    place, registry = SHEETS[what]
    assert f"| {what} | {place} | {registry} |" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_a_system_is_a_folder_and_a_name():
    folders = {file.parent.name for file in (ROOT / "target_schemas" / "systems").glob("*/system.yaml")}
    assert folders == set(NAMES)
    assert len(NAMES) == len(set(NAMES))
    for name in NAMES:
        assert (ROOT / "tests" / "cases" / "systems" / f"{name}.yaml").is_file()


def test_a_code_set_is_a_file_and_a_line():
    codes = ROOT / "target_schemas" / "codes"
    with (codes / "code_sets.csv").open(encoding="utf-8", newline="") as sets:
        lines = [line["code_set"] for line in csv.DictReader(sets)]
    assert sorted(lines) == sorted(file.stem for file in codes.glob("*.csv") if file.stem != "code_sets")


def test_a_reference_table_is_a_file_and_lines_of_two_sheets():
    folder = ROOT / "target_schemas" / "reference_tables"
    sheets = {}
    for name in ("reference_tables", "items"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            sheets[name] = {line["table"] for line in csv.DictReader(lines)}
    assert sheets["reference_tables"] == sheets["items"] == {f.stem for f in folder.glob("*.csv")} - sheets.keys()


def test_every_row_of_the_table_is_proved_here_or_is_a_folder_of_data():
    """A row of another form would be believed without proof."""
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("| to add |")[2].partition("\n\n")[0]
    whats = re.findall(r"^\| (an? [^|]+) \|", table, re.M)
    data = {"a rule", "a municipality", "a system of a municipality"}
    assert set(whats) == {what for what, *_ in rows()} | set(SHEETS) | data
    assert len(whats) == len(set(whats))
