"""The deliberately broken sheets of tests/cases/sheets.yaml, and the page of what is said of each.

`python -m tests.broken_sheets` writes the page anew, tests/golden/broken_sheets.md; look at its difference before you commit
it, then run `make docs`, because docs/reference/problems.md quotes it.
"""

from __future__ import annotations

import dataclasses
import difflib
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from dags.own.lists import OwnLists, read_own
from migration_reports.findings import Problem, SpecError
from target_schemas.model import System
from target_schemas.reference_sheets import ReferenceTable
from target_schemas.reference_tables import read
from target_schemas.sheets import read_systems

ROOT = Path(__file__).parents[1]
SYSTEMS = ROOT / "tests" / "systems"
CASES = ROOT / "tests" / "cases" / "sheets.yaml"
GOLDEN = ROOT / "tests" / "golden" / "broken_sheets.md"
HEAD = """# Broken sheets

Every mistake of `tests/cases/sheets.yaml`, and what is said of it before anything is made of the sheets.
Written by `python -m tests.broken_sheets`.
"""


@dataclasses.dataclass(frozen=True)
class Broken:
    """One mistake, as an edit of the tests' own system."""

    name: str
    code: str
    file: str
    message: str
    before: str = ""
    after: str = ""
    encoding: str = "utf-8"
    remove: str = ""

    def problems(self, root: Path) -> tuple[Problem, ...]:
        """What is said of it, made in an empty folder."""
        shutil.copytree(SYSTEMS, root, dirs_exist_ok=True)
        path = root / self.file
        text = path.read_text("utf-8") if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.before in text, f"{self.name}: {self.file} does not hold {self.before!r}"
        if self.remove:
            path.unlink()
        else:
            path.write_text(self._edited(text), encoding=self.encoding)
        try:
            (system,) = read_systems(root, ["library"], root / "codes")
            own_lists(root, system, read(root / "reference_tables"))
        except SpecError as error:
            return error.problems
        return ()

    def _edited(self, text: str) -> str:
        return text.replace(self.before, self.after, 1) if self.before else self.after

    def edit(self) -> str:
        """The edit, as a difference of lines."""
        if self.remove:
            return "(the file is removed)"
        path = SYSTEMS / self.file
        text = path.read_text("utf-8") if path.exists() else ""
        new = self._edited(text).splitlines()
        lines = difflib.unified_diff(text.splitlines(), new, lineterm="", n=0)
        shown = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return "\n".join(shown if self.before else [f"+{line}" for line in new])


def own_lists(root: Path, system: System, tables: Mapping[str, ReferenceTable]) -> OwnLists:
    """The lists of the tests' own town.

    Raises:
        SpecError: with every problem of them.
    """
    problems: list[Problem] = []
    texts = {
        f.relative_to(root / "town").as_posix(): f.read_text("utf-8")
        for f in sorted(root.glob("town/own/**/*"))
        if f.is_file()
    }
    code_sets = {codes.name: codes for codes in system.code_sets}
    items = [item for table in system.tables for item in table.items]
    own = read_own("town", texts, tables, code_sets, items, problems)
    if problems:
        raise SpecError(problems)
    return own


def cases() -> list[Broken]:
    """Every case."""
    return [Broken(**row) for row in yaml.load(CASES.read_text("utf-8"), Loader=yaml.BaseLoader)]


def section(case: Broken, found: tuple[Problem, ...]) -> str:
    """A case as the page shows it."""
    said = "\n".join(map(str, found)) or "nothing"
    return f"\n## {case.code} {case.name}\n\n`{case.file}`\n\n```diff\n{case.edit()}\n```\n\n```\n{said}\n```\n"


def main() -> int:
    """Write the page."""
    sections = []
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            sections.append(section(case, case.problems(Path(folder))))
    GOLDEN.write_text(HEAD + "".join(sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
