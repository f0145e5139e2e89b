"""A data description entry while it is read and placed, and how one entry names another."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

from extractors.copybooks.reference_format import Word
from extractors.layout import Condition, Item, Picture
from extractors.layout.storage import Storage
from migration_reports.findings import Position, Problem, did_you_mean

MAX_HINTS = 20
MAX_COMPARED = 1_000
MAX_NAME = 63

UNREADABLE = Picture("", "alphanumeric", 1, 1)
"""Stands for a PICTURE that could not be read: nothing more is said of its entry."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A data name as a clause says it, and the groups that qualify it, the nearest first."""

    word: Word
    of: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The data name."""
        return self.word.upper


@dataclasses.dataclass(slots=True)
class Entry:
    """A data description entry while it is read and placed."""

    level: int
    name: str
    position: Position
    ordinal: int = 0
    picture: Picture | None = None
    storage: Storage | None = None
    inherited: Storage | None = None
    usage_position: Position | None = None
    unsigned: bool = False
    least: int = 1
    occurs: int = 1
    occurs_clause: bool = False
    depending: Reference | None = None
    redefines: Word | None = None
    leading: bool | None = None
    separate: bool = False
    sync: bool = False
    justified: bool = False
    blank_when_zero: bool = False
    value: str | None = None
    conditions: list[Condition] = dataclasses.field(default_factory=list)
    renames: tuple[Reference, Reference] | None = None
    section: str = ""
    children: list[Entry] = dataclasses.field(default_factory=list)

    @property
    def stored(self) -> Storage | None:
        """Its USAGE, or that of its group."""
        return self.storage or self.inherited

    @property
    def elementary(self) -> bool:
        """Whether it has bytes of its own."""
        return self.picture is not None or (self.stored is not None and not self.stored.picture and not self.children)


def qualifies(above: Sequence[Entry | Item], of: Sequence[str]) -> bool:
    """Whether the groups above an item are those that qualify it, the nearest first; some may be left out."""
    names = (group.name for group in reversed(above))
    return all(name in names for name in of)


def meant(word: str, names: Iterable[str], problems: Sequence[Problem]) -> str:
    """A hint of the name that was meant; "" where none is near.

    Comparing names takes long, so that a list of problems has so many hints and no more, each of so many names.
    """
    if len(problems) >= MAX_HINTS:
        return ""
    near = [name for name in itertools.islice(names, MAX_COMPARED) if len(name) <= MAX_NAME and name != word]
    return did_you_mean(word[:MAX_NAME], near)
