"""A compiled control: what is counted of which records, group by group or parent by parent."""

from __future__ import annotations

import dataclasses

from mappings.plan import Condition


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """What a control counts of one record kind.

    Attributes:
        kind: the record kind.
        fields: the fields that are added up; none: records are counted.
        by: the fields that group the records.
        when: which records are meant.
    """

    kind: str
    fields: tuple[str, ...]
    by: tuple[str, ...]
    when: tuple[Condition, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """Every field that it needs."""
        return tuple(dict.fromkeys((*self.fields, *self.by, *(name for c in self.when for name in c.reads))))


@dataclasses.dataclass(frozen=True, slots=True)
class ControlPlan:
    """A control that counts or adds up.

    Attributes:
        name: its number in the manifest, as what was counted bears it.
        subjects: what is counted, a record kind each.
        numbers: of each field that groups, whether it is a number.
        stated: for `per: parent` the kind and field that states what belongs to a parent; empty otherwise.
        parent: the parent's kind, there.
        per_file: whether each file of the dump states what it holds.
    """

    name: str
    subjects: tuple[Subject, ...]
    numbers: tuple[bool, ...] = ()
    stated: tuple[str, str] = ("", "")
    parent: str = ""
    per_file: bool = False

    @property
    def per_parent(self) -> bool:
        """Whether each parent states what belongs to it."""
        return bool(self.parent)

    @property
    def by_sibling(self) -> bool:
        """Whether not the parent itself states it, but another record that belongs to it."""
        return self.stated[0] != self.parent
