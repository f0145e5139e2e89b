"""Candidates: pairs of rows that may be one person or firm under two numbers, as every stage speaks of them.

A system's sheet declares how they are found; `validators` proposes pairs, people decide, `mappings` follows the decisions.
Nothing is ever merged by the program.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Literal

Form = Literal["exact", "text", "kana", "address", "day"]
"""As what two values are compared; the values themselves stay as they are.

exact: as they stand, without spaces at the ends. text: whatever width, variant of a name's kanji and spaces they are written
with. kana: so too, small kana and long marks folded. address: numbers and 丁目番地号 in any writing. day: a date whose day is
known; any other says nothing.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """An item that is compared.

    Attributes:
        name: the item.
        ja: what it is called.
        en: the same in English.
        own: the item in the table whose rows are compared.
        other: the item in the other table; the same, where rows of one table are compared with one another.
        form: as what.
        sensitive: whether no sample of it may be shown, masked or not.
    """

    name: str
    ja: str
    en: str
    own: str
    other: str
    form: Form
    sensitive: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """Items that speak for one person where all of them are equal, and whether they do so strongly."""

    name: str
    equal: tuple[str, ...]
    strong: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Candidates:
    """One declaration.

    Attributes:
        name: its own, within its system.
        ja: what it looks for.
        en: the same in English.
        of: the table whose rows are compared: system.table.
        other: the table that they are compared with; the same, where they are compared with one another.
        number: the columns of a row's number.
        other_number: the columns of a row's number in the other table.
        compared: the items.
        evidence: what makes a pair.
        where: which rows of `of` are compared: column and values.
        most: how many rows may share one evidence; where more do, it tells nothing.
        severity: what an open candidate is in a cut-over: error holds it.
        source: the statute or specification that asks for it.
    """

    name: str
    ja: str
    en: str
    of: str
    other: str
    number: tuple[str, ...]
    other_number: tuple[str, ...]
    compared: tuple[Compared, ...]
    evidence: tuple[Evidence, ...]
    where: Mapping[str, tuple[str, ...]]
    most: int
    severity: Literal["error", "alert", "note"]
    source: str

    @property
    def system(self) -> str:
        """The system that declares it."""
        return self.of.partition(".")[0]

    @property
    def qualified(self) -> str:
        """Its name with its system's."""
        return f"{self.system}.{self.name}"

    @property
    def between(self) -> bool:
        """Whether rows of two tables are compared."""
        return self.of != self.other


def pair_id(municipality: str, candidates: str, a: str, b: str) -> str:
    """How a pair is called in every rehearsal: twelve hexadecimal digits of a hash over the municipality, name and numbers."""
    return hashlib.sha256("\x1f".join((municipality, candidates, a, b)).encode()).hexdigest()[:12]
