"""The deliberately broken specs of tests/cases/problems.yaml and broken_rules.yaml, and the page of what is said of each.

`python -m tests.broken_mappings` writes the page anew, tests/golden/broken_mappings.md; look at its difference before you
commit it, then run `make docs`, because docs/reference/problems.md quotes it.
"""

from __future__ import annotations

import dataclasses
import difflib
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from dags.pipeline.town import load, rules_of
from migration_reports.findings import Problem, SpecError
from tests.resident_records import SYSTEM
from tests.sheets import rule_of

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases" / "problems.yaml"
GOLDEN = ROOT / "tests" / "golden" / "broken_mappings.md"
RULES = ROOT / "tests" / "cases" / "broken_rules.yaml"
HEAD = """# Broken mappings

Every mistake of `tests/cases/problems.yaml`, and what `hikkoshi check` says of it; then those of
`tests/cases/broken_rules.yaml`, in the rules of a system's sheet.
Written by `python -m tests.broken_mappings`.
"""


@dataclasses.dataclass(frozen=True)
class Broken:
    """One mistake, as an edit of a shipped municipality."""

    name: str
    code: str
    file: str
    after: str
    message: str
    before: str = ""
    town: str = "990027_mihon"
    encoding: str = "utf-8"
    beside: dict[str, str] = dataclasses.field(default_factory=dict)

    def path(self, root: Path) -> Path:
        """Where the edited file lies."""
        return (
            root / self.file if self.file.startswith("packages/") else root / "municipalities" / self.town / self.file
        )

    def make(self, root: Path) -> Path:
        """Lay out the municipality and its package with the mistake; gives the municipality's folder."""
        shutil.copytree(ROOT / "mappings" / "packages", root / "packages")
        town = Path(
            shutil.copytree(ROOT / "mappings" / "municipalities" / self.town, root / "municipalities" / self.town)
        )
        path = self.path(root)
        path.parent.mkdir(exist_ok=True)
        text = path.read_text("utf-8") if path.exists() else ""
        assert self.before in text, f"{self.name}: {self.file} does not hold {self.before!r}"
        path.write_text(text.replace(self.before, self.after, 1) if self.before else self.after, encoding=self.encoding)
        for name, content in self.beside.items():
            (town / name).write_text(content, encoding="utf-8")
        return town

    def edit(self) -> str:
        """The edit, as a difference of lines; the whole file, where it is replaced."""
        with tempfile.TemporaryDirectory() as folder:
            path = self.path(Path(folder))
            self.make(Path(folder))
            new = path.read_text(self.encoding).splitlines()
            source = ROOT / "mappings" / path.relative_to(folder)
        if not self.before:
            return "\n".join(f"+{line}" for line in new)
        lines = difflib.unified_diff(source.read_text("utf-8").splitlines(), new, lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


@dataclasses.dataclass(frozen=True)
class BrokenRule:
    """One mistake in a rule of resident_records."""

    name: str
    code: str
    rule: str
    message: str

    def problems(self) -> tuple[Problem, ...]:
        """What is said of it."""
        try:
            rules_of(dataclasses.replace(SYSTEM, rules=(rule_of(self.rule),)), {})
        except SpecError as error:
            return error.problems
        return ()

    def section(self) -> str:
        """The case as the page shows it."""
        said = "\n".join(map(str, self.problems())) or "nothing"
        return f"\n## {self.code} {self.name}\n\n```yaml\n{self.rule}\n```\n\n```\n{said}\n```\n"


def rule_cases() -> list[BrokenRule]:
    """Every mistake in a rule."""
    return [BrokenRule(**row) for row in yaml.safe_load(RULES.read_text("utf-8"))]


def cases() -> list[Broken]:
    """Every case."""
    return [Broken(**row) for row in yaml.safe_load(CASES.read_text("utf-8"))]


def problems(case: Broken, root: Path) -> tuple[Problem, ...]:
    """What is said of a case."""
    try:
        load(case.make(root))
    except SpecError as error:
        return error.problems
    return ()


def section(case: Broken, found: tuple[Problem, ...]) -> str:
    """A case as the page shows it."""
    said = "\n".join(map(str, found)) or "nothing"
    where = case.file if case.file.startswith("packages/") else f"{case.town}/{case.file}"
    return f"\n## {case.code} {case.name}\n\n`{where}`\n\n```diff\n{case.edit()}\n```\n\n```\n{said}\n```\n"


def main() -> int:
    """Write the page."""
    sections = []
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            sections.append(section(case, problems(case, Path(folder))))
    sections += [case.section() for case in rule_cases()]
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(HEAD + "".join(sections), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
