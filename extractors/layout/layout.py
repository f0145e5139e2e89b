"""The layout of a record: what its copybook says, and the views of it that are read.

`Layout.fields` flattens the items; `Layout.segment` places what stands behind tables of varying size.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.layout.items import Field, Item, every_item, make_field
from extractors.layout.segments import Joined, Segment, SegmentBuilder, uncounted, unique
from migration_reports.findings import Problem, SpecError


@dataclasses.dataclass(frozen=True, slots=True)
class Rename:
    """A level 66 entry: another name for the bytes from `offset`, as it is read."""

    field: Field


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """A record layout: the items as the copybook nests them, the dialect that placed them, and what was noted.

    `joined` names the items that are read apart from their picture, and as what.
    Several records (01 levels) of one copybook are views of the same bytes below a record without a name.
    `headings` are, of rows, what the head of a file calls each column; records that are no rows have none.
    """

    record: Item
    file: str
    dialect: Dialect = DEFAULT
    renames: tuple[Rename, ...] = ()
    notes: tuple[Problem, ...] = ()
    headings: tuple[str, ...] = ()
    joined: Mapping[str, Joined] = dataclasses.field(default_factory=dict)
    # A record of many tables has many places: each view of them is laid out once.
    _segments: dict[tuple[str | None, bool, bool], Segment] = dataclasses.field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def length(self) -> int:
        """The record's length in bytes, at its most."""
        return self.record.width

    @property
    def variable(self) -> bool:
        """Whether a count in the record decides how long it is."""
        return self.record.variable

    def fields(self, group: str | None = None) -> tuple[Field, ...]:
        """Flatten the items into fields, in the order of the copybook.

        A table of a varying number of occurrences is left out: it is a list (`segment`). Fields after it keep the
        offset that they have at its most occurrences.

        Args:
            group: where several groups describe the same bytes (REDEFINES), the one to read; the other members of its
                REDEFINES set are left out. None keeps every view.
        """
        left_out = self.rivals(group) if group is not None else frozenset()
        fields = list(_walk(self.record, 0, (), (), left_out))
        fields.extend(r.field for r in self.renames if not left_out.intersection(r.field.within))
        names = unique([(field.name, field.within, field.offset) for field in fields])
        return tuple(dataclasses.replace(f, name=name) for f, name in zip(fields, names, strict=True))

    def segment(self, group: str | None = None, *, lists: bool = False, fixed_places: bool = False) -> Segment:
        """The record as sections and tables.

        Args:
            group: as in `fields`.
            lists: whether every OCCURS is a list; otherwise only those whose number varies.
            fixed_places: whether a table always takes the room of its most occurrences.

        Raises:
            SpecError: a table's counter has no place of its own in the view.
        """
        view = group, lists, fixed_places
        if view not in self._segments:
            self._segments[view] = self._segment(group, lists=lists, fixed_places=fixed_places)
        return self._segments[view]

    def _segment(self, group: str | None, *, lists: bool, fixed_places: bool) -> Segment:
        left_out = self.rivals(group) if group is not None else frozenset()
        counters = frozenset(item.counter for item in every_item(self.record, left_out) if item.counter)
        builder = SegmentBuilder(left_out, counters, self.joined, lists=lists, fixed_places=fixed_places)
        renames = tuple(r.field for r in self.renames if not left_out.intersection(r.field.within))
        segment = builder.build(self.record, renames)
        problems = [
            Problem(
                "L051", t.position, f"`{t.depending}`, on which `{t.column}` depends, has no fixed place in the view"
            )
            for t in uncounted(segment, frozenset())
        ]
        if problems:
            raise SpecError(problems)
        return segment

    def groups(self) -> Mapping[str, Item]:
        """Every named item, groups and elementary, by data name (the first of that name)."""
        found: dict[str, Item] = {}
        for item in every_item(self.record):
            found.setdefault(item.name, item)
        return found

    def rivals(self, group: str) -> frozenset[str]:
        """The other views of the bytes that `group` describes, and of those its ancestors describe."""
        holding: set[int] = set()
        _holding(self.record, group, holding)
        rivals: set[str] = set()
        for parent in every_item(self.record):
            sets: dict[str, list[Item]] = {}
            origin: dict[str, str] = {}
            for child in parent.children:
                base = origin.get(child.redefines, child.redefines) if child.redefines else child.name
                origin[child.name] = base
                sets.setdefault(base, []).append(child)
            for views in sets.values():
                chosen = {view.name for view in views if id(view) in holding}
                if chosen:
                    rivals.update(view.name for view in views if view.name not in chosen)
        return frozenset(rivals)


def _holding(item: Item, name: str, found: set[int]) -> bool:
    """Find the items that are or hold an item of a name."""
    inside = [_holding(child, name, found) for child in item.children]
    if item.name == name or any(inside):
        found.add(id(item))
        return True
    return False


def _walk(
    item: Item, base: int, within: tuple[str, ...], subscripts: tuple[int, ...], left_out: frozenset[str]
) -> Iterator[Field]:
    if item.name in left_out or (item.variable and item.occurs_clause):
        return
    for number in range(item.occurs):
        here = base + item.offset + number * item.width
        subs = (*subscripts, number + 1) if item.occurs_clause else subscripts
        if item.elementary:
            yield make_field(item, here, within, subs)
        for child in item.children:
            yield from _walk(child, here - item.offset, (*within, item.name), subs, left_out)
