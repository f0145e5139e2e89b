"""Where a record's fields lie when a count in it decides: sections, and the tables between them.

A table whose size the record itself gives (OCCURS DEPENDING ON) has no fixed places after it. So a record, or one
occurrence of a table, is a row of sections, each of fields with fixed places among themselves and beginning where such a
table ends. `extractors.structure` turns that into byte positions.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from extractors.layout.items import Field, Item, make_field
from migration_reports.findings import Position

Joined = Literal["text", "bytes"]
"""What becomes of bytes that are read apart from their picture: one text, or the bytes as they are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """An OCCURS that is read as a list: its occurrences lie one after another.

    `name` tells tables apart. `offset` counts from the start of its section. `depending` names the field that tells how
    many there are (None: always `most`), and `counter` is its ordinal. `element` is what one occurrence looks like. `column` is the list's name.
    `joined` says that its occurrences are one value: text, or bytes as they are; empty: they are a list.
    """

    name: str
    column: str
    offset: int
    least: int
    most: int
    depending: str | None
    counter: int
    element: Segment
    position: Position
    elementary: bool = False
    joined: Joined | Literal[""] = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Fields and tables whose places are fixed relative to the section's start.

    `after` is the table at whose end the section begins (None: it begins where the segment does).
    """

    after: str | None
    fields: tuple[Field, ...]
    tables: tuple[Table, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A record, or one occurrence of a table: its sections in order, and its bytes at the most.

    `end` is where it ends: a section's number and the offset from that section's start. `fixed` tells whether every
    occurrence has `width` bytes.
    """

    sections: tuple[Section, ...]
    width: int
    end: tuple[int, int]

    @property
    def fixed(self) -> bool:
        """Whether its size never varies."""
        return len(self.sections) == 1

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of all sections."""
        return tuple(field for section in self.sections for field in section.fields)

    @property
    def deep_tables(self) -> tuple[Table, ...]:
        """The tables, and those within them."""
        return tuple(t for table in self.tables for t in (table, *table.element.deep_tables))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of all sections."""
        return tuple(table for section in self.sections for table in section.tables)


class SegmentBuilder:
    """Walks the items once, in the order of the record, and begins a new section after each varying table."""

    def __init__(
        self,
        left_out: frozenset[str],
        counters: frozenset[int],
        joined: Mapping[str, Joined],
        *,
        lists: bool,
        fixed_places: bool,
    ) -> None:
        self._left_out = left_out
        self._counters = counters
        self._joined = joined
        self._lists = lists
        self._fixed_places = fixed_places

    def build(self, item: Item, more: tuple[Field, ...] = (), within: tuple[str, ...] = ()) -> Segment:
        """The segment of one occurrence of an item, which the groups `within` hold."""
        parts: list[_Part] = [_Part(None, list(more), [])]
        end, _ = self._inside(item, (0, 0), within, (), parts)
        # Names are unique over the whole segment, whichever section a field or table is in.
        wanted = [
            *((f.name, f.within, f.offset) for part in parts for f in part.fields),
            *((t.column, groups, t.offset) for part in parts for t, groups in part.tables),
        ]
        names = iter(unique(wanted))
        fields = [tuple(dataclasses.replace(f, name=next(names)) for f in part.fields) for part in parts]
        tables = [tuple(dataclasses.replace(t, column=next(names)) for t, _ in part.tables) for part in parts]
        sections = zip(parts, fields, tables, strict=True)
        return Segment(tuple(Section(part.after, some, lists) for part, some, lists in sections), item.width, end)

    def _inside(
        self, item: Item, at: _Place, within: tuple[str, ...], subscripts: tuple[int, ...], parts: list[_Part]
    ) -> tuple[_Place, _Place]:
        """Place one occurrence of an item; gives where it ends, and where what follows it begins.

        The two differ behind a REDEFINES: a view's bytes end where it does, shorter perhaps than the others or of varying
        size; but what follows the views stands behind the room of the largest.
        """
        if item.elementary:
            parts[at[0]].fields.append(make_field(item, at[1], within, subscripts))
            return (at[0], at[1] + item.width), (at[0], at[1] + item.width)
        starts: dict[str, _Place] = {}
        redefined = {child.redefines for child in item.children}
        ends = follows = at
        last = item.offset
        for child in item.children:
            if child.redefines is not None and child.redefines in starts:
                start = starts[child.redefines]
            else:
                # SYNCHRONIZED may leave bytes between an item and the one before it.
                slack = max(child.offset - last, 0)
                start = follows[0], follows[1] + slack
                ends = start
            starts[child.name] = start
            room = start[0], start[1] + child.extent
            if child.name in self._left_out:
                self._beside(child, start, (*within, item.name), parts)
                end = follow = start
            else:
                end, follow = self._occurrences(child, start, (*within, item.name), subscripts, parts)
            if child.redefines is not None or child.name in redefined:
                follow = room
            ends, follows = max(ends, end), max(follows, follow)
            last = max(last, child.offset + child.extent)
        if follows[0] == at[0] and not item.variable and not self._left_out:
            ends = follows = at[0], max(follows[1], at[1] + item.width)
        return ends, follows

    def _beside(self, item: Item, at: _Place, within: tuple[str, ...], parts: list[_Part]) -> None:
        """Place the counters of a view that is not read, up to its first varying table: tables of the view may need them."""
        if item.occurs_clause:
            return
        if item.ordinal in self._counters:
            field = make_field(item, at[1], within, ())
            parts[at[0]].fields.append(dataclasses.replace(field, name=f"{item.name} OF {within[-1]}", beside=True))
        for child in item.children:
            self._beside(child, (at[0], at[1] + child.offset - item.offset), (*within, item.name), parts)
            if child.variable:
                break

    def _occurrences(
        self, item: Item, at: _Place, within: tuple[str, ...], subscripts: tuple[int, ...], parts: list[_Part]
    ) -> tuple[_Place, _Place]:
        joined: Joined | Literal[""] = self._joined.get(item.name, "")
        if not (item.occurs_clause or joined):
            return self._inside(item, at, within, subscripts, parts)
        room = at[0], at[1] + item.extent
        if not (self._lists or item.variable or joined):
            for number in range(item.occurs):
                place = at[0], at[1] + number * item.width
                self._inside(item, place, within, (*subscripts, number + 1), parts)
            return room, room
        subscript = f"({','.join(map(str, subscripts))})" if subscripts else ""
        one = dataclasses.replace(item, occurs=1, occurs_clause=False, depending=None, offset=0, children=_moved(item))
        table = Table(
            name=f"{item.name}#{item.ordinal}{subscript}",
            column=f"{item.name}{subscript}" if item.name != "FILLER" else f"FILLER@{item.offset}",
            offset=at[1],
            least=item.least,
            most=item.occurs,
            depending=item.depending,
            counter=item.counter,
            element=self.build(one, within=within),
            position=item.position,
            elementary=item.elementary,
            joined=joined,
        )
        parts[at[0]].tables.append((table, within))
        if not item.variable or self._fixed_places:
            return room, room
        parts.append(_Part(table.name, [], []))
        return (len(parts) - 1, 0), (len(parts) - 1, 0)


_Place = tuple[int, int]
"""A section's number and an offset in it."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """A section while it is built: the table it begins after, its fields, and its tables with the groups they are in."""

    after: str | None
    fields: list[Field]
    tables: list[tuple[Table, tuple[str, ...]]]


def uncounted(segment: Segment, known: frozenset[int]) -> list[Table]:
    """The tables whose counters are none of the fields before them."""
    known |= {field.ordinal for field in segment.fields}
    inside = [t for table in segment.tables for t in uncounted(table.element, known)]
    return [t for t in segment.tables if t.depending is not None and t.counter not in known] + inside


def _moved(item: Item) -> tuple[Item, ...]:
    """The children of an item, as if it stood at the record's start."""
    return tuple(_move(child, item.offset) for child in item.children)


def _move(item: Item, by: int) -> Item:
    children = tuple(_move(child, by) for child in item.children)
    return dataclasses.replace(item, offset=item.offset - by, children=children)


def unique(parts: Sequence[tuple[str, tuple[str, ...], int]]) -> list[str]:
    """Names that differ: of several parts of one name, each is qualified by its group, by its offset, by a number."""
    counts = Counter(name for name, _, _ in parts)
    used: Counter[str] = Counter()
    names = []
    for wanted, within, offset in parts:
        name = wanted
        if counts[wanted] > 1:
            name = f"{wanted} OF {within[-1]}" if within else wanted
            if name in used:
                name = f"{name}@{offset}"
            if name in used:
                used[name] += 1
                name = f"{name}.{used[name]}"
        used[name] += 1
        names.append(name)
    return names
