"""Towns enough to move at once: copies of those that are shipped, under codes and with dumps of their own."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from dags.inspection.synthesis import synthesize
from dags.pipeline.run_folder import ROOT
from mappings.language.manifest import check_digit
from migration_reports.findings import UsageError

SHIPPED = ("990027_mihon", "990035_reiji", "990051_tehon")
_FIRST = 99100
"""Five digits from which on no shipped town and no prefecture has a code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Town:
    """A town with its dump in its inbox.

    Attributes:
        folder: its name, from which its DAG has its.
        residents: how many people.
        size: bytes of its dump.
    """

    folder: str
    residents: int
    size: int

    @property
    def code(self) -> str:
        """Its code."""
        return self.folder[:6]

    @property
    def dag(self) -> str:
        """Its DAG."""
        return f"migrate_{self.folder}"


def copies(into: Path, count: int) -> list[str]:
    """Copy the shipped towns in turns until there are so many; gives the names of their folders.

    Args:
        into: the folder of the municipalities.
        count: how many.

    Raises:
        UsageError: there are no codes for so many.
    """
    if count > 99_999 - _FIRST:
        raise UsageError(f"at most {99_999 - _FIRST} towns have codes of their own")
    return [_copy(SHIPPED[number % len(SHIPPED)], number, into) for number in range(count)]


def _copy(shipped: str, number: int, into: Path) -> str:
    old, five, romaji = shipped[:6], str(_FIRST + number), shipped[7:]
    code = five + check_digit(five)
    folder = into / f"{code}_{romaji}{number}"
    shutil.copytree(ROOT / "mappings" / "municipalities" / shipped, folder)
    for file in folder.rglob("*.yaml"):
        text = file.read_text("utf-8").replace(old, code).replace(f"romaji: {romaji}", f"romaji: {romaji}{number}")
        file.write_text(text, encoding="utf-8")
    return folder.name


def with_dumps(municipalities: Path, inboxes: Path, residents: Sequence[tuple[str, int]]) -> list[Town]:
    """Synthesize the dumps of towns.

    Args:
        municipalities: the folder of the municipalities.
        inboxes: the folder of their inboxes.
        residents: the towns' folders, each with its number of people.
    """
    towns = []
    for seed, (folder, people) in enumerate(residents, 1):
        made = synthesize(municipalities / folder, residents=people, seed=seed, faults=0.001, out=inboxes / folder)
        towns.append(Town(folder, people, sum(one.dump.stat().st_size for one in made)))
    return towns
