"""What CONTRIBUTING says of adding one thing is true: a file, a line, a cases file, and no other place knows its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(("what", "folder", "registry", "proof"), rows(), ids=lambda value: value)
def test_the_registry_has_one_line_of_a_member(what, folder, registry, proof):
    text = (ROOT / folder / "__init__.py").read_text("utf-8")
    tuples = list(re.findall(r"= \((.*?)\n?\)", text, re.S))
    for name in members(folder):
        assert sum(len(re.findall(rf"\b{name}\b", part)) for part in tuples) == 1, (what, name)


@pytest.mark.parametrize(("what", "folder", "registry", "proof"), rows(), ids=lambda value: value)
def test_what_proves_a_member_is_there(what, folder, registry, proof):
    for place in re.findall(r"`(tests/[^`]+)`", proof):
        for name in members(folder):
            assert (ROOT / place.replace("<name>", name)).exists(), (what, name)
