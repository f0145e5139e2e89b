"""What a record looks like: items as the copybook nests them, and fields as the decoder reads them.

`Item` keeps the copybook's own tree (groups, REDEFINES, OCCURS). `Layout.fields` flattens it: one `Field` for each
elementary item and each of its occurrences, named as COBOL would refer to it: `JK-ZOKUGARA(2)`, `A-MONTH(3,1)`.
Offsets and widths are bytes, offsets count from 0 at the start of the record.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
from collections.abc import Iterator, Mapping
from typing import Literal

import pyarrow as pa

from migration_reports.findings import Position

Category = Literal["alphanumeric", "alphabetic", "national", "numeric"]
"""alphanumeric is PICTURE X, alphabetic A, national N or G (two bytes a character), numeric 9 S V."""


class Storage(enum.StrEnum):
    """How COBOL stores an elementary item (its USAGE)."""

    DISPLAY = "DISPLAY"
    DISPLAY_1 = "DISPLAY-1"
    PACKED = "PACKED-DECIMAL"
    BINARY = "BINARY"


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A PICTURE clause: what kind of character, how many, how many of them after the point, and whether signed."""

    text: str
    category: Category
    size: int
    scale: int = 0
    signed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """A level 88 condition name and the literals it stands for (a range is a pair)."""

    name: str
    values: tuple[str | tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One data description entry, placed.

    `offset` is that of its first occurrence; `width` is the bytes of one occurrence; `occurs` is 1 without the clause.
    `redefines` names the item whose bytes this one describes again. `picture` and `storage` are None for a group.
    """

    name: str
    level: int
    offset: int
    width: int
    position: Position
    occurs: int = 1
    occurs_clause: bool = False
    redefines: str | None = None
    picture: Picture | None = None
    storage: Storage | None = None
    value: str | None = None
    conditions: tuple[Condition, ...] = ()
    children: tuple[Item, ...] = ()

    @property
    def filler(self) -> bool:
        """Whether the entry has no name of its own."""
        return self.name == "FILLER"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One elementary item at one place in the record.

    `name` is unique within the layout: the data name, with subscripts where it occurs several times; a FILLER is
    `FILLER@offset`; a data name used in several groups is qualified, `NAME OF GROUP`.
    `within` names the groups from the record down; `subscripts` count from 1, outermost first.
    `usage` is the member of the usages family that reads its bytes.
    """

    name: str
    data_name: str
    offset: int
    width: int
    usage: str
    picture: Picture
    within: tuple[str, ...]
    subscripts: tuple[int, ...]
    position: Position
    conditions: tuple[Condition, ...] = ()

    @property
    def filler(self) -> bool:
        """Whether it is a FILLER."""
        return self.data_name == "FILLER"

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of its values: text is string, whole numbers to 18 digits int64, others decimal128."""
        if self.usage in ("text", "mixed", "national"):
            return pa.string()
        if self.picture.scale == 0 and self.picture.size <= 18:
            return pa.int64()
        return pa.decimal128(max(self.picture.size, self.picture.scale), self.picture.scale)


def usage_of(item: Item) -> str:
    """Name the usage that reads an elementary item's bytes.

    PICTURE X may hold kanji between shift codes, so it is read as mixed; PICTURE A never does.
    """
    assert item.picture is not None
    if item.picture.category == "numeric":
        by_storage = {Storage.DISPLAY: "zoned", Storage.PACKED: "packed", Storage.BINARY: "binary"}
        return by_storage[item.storage or Storage.DISPLAY]
    return {"alphanumeric": "mixed", "alphabetic": "text", "national": "national"}[item.picture.category]


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """A record layout: the items as the copybook nests them, and the bytes of one record."""

    record: Item
    file: str

    @property
    def length(self) -> int:
        """The record's length in bytes."""
        return self.record.width

    def fields(self, group: str | None = None) -> tuple[Field, ...]:
        """Flatten the items into fields, in the order of the copybook.

        Args:
            group: where several groups describe the same bytes (REDEFINES), the one to read; the other members of its
                REDEFINES set are left out. None keeps every view.
        """
        left_out = self._rivals(group) if group is not None else frozenset()
        fields = [field for field in self._walk(self.record, 0, (), ()) if not left_out.intersection(field.within)]
        fields = [f for f in fields if f.data_name not in left_out]
        return _unique(fields)

    def groups(self) -> Mapping[str, Item]:
        """Every named item, groups and elementary, by data name (the first of that name)."""
        found: dict[str, Item] = {}
        for item in _items(self.record):
            found.setdefault(item.name, item)
        return found

    def _rivals(self, group: str) -> frozenset[str]:
        """The other views of the bytes that `group` describes, and of those its ancestors describe."""
        rivals: set[str] = set()
        for parent in _items(self.record):
            sets: dict[str, set[str]] = {}
            origin: dict[str, str] = {}
            for child in parent.children:
                base = origin.get(child.redefines, child.redefines) if child.redefines else child.name
                origin[child.name] = base
                sets.setdefault(base, set()).add(child.name)
            for views in sets.values():
                if len(views) < 2:
                    continue
                chosen = {v for v in views if v == group or _contains(parent, v, group)}
                if chosen:
                    rivals |= views - chosen
        return frozenset(rivals)

    def _walk(self, item: Item, base: int, within: tuple[str, ...], subscripts: tuple[int, ...]) -> Iterator[Field]:
        for number in range(item.occurs):
            here = base + item.offset + number * item.width
            subs = (*subscripts, number + 1) if item.occurs_clause else subscripts
            if item.picture is not None:
                subscript = f"({','.join(map(str, subs))})" if subs else ""
                name = f"FILLER@{here}" if item.filler else f"{item.name}{subscript}"
                yield Field(
                    name=name,
                    data_name=item.name,
                    offset=here,
                    width=item.width,
                    usage=usage_of(item),
                    picture=item.picture,
                    within=within,
                    subscripts=subs,
                    position=item.position,
                    conditions=item.conditions,
                )
            for child in item.children:
                yield from self._walk(child, here - item.offset, (*within, item.name), subs)


def _items(item: Item) -> Iterator[Item]:
    yield item
    for child in item.children:
        yield from _items(child)


def _contains(parent: Item, view: str, name: str) -> bool:
    return any(any(i.name == name for i in _items(c)) for c in parent.children if c.name == view)


def _unique(fields: list[Field]) -> tuple[Field, ...]:
    counts = {name: len(list(group)) for name, group in itertools.groupby(sorted(f.name for f in fields))}
    used: set[str] = set()
    result = []
    for field in fields:
        name = field.name
        if counts[name] > 1:
            name = f"{name} OF {field.within[-1]}" if field.within else name
            while name in used:
                name = f"{name}@{field.offset}"
        used.add(name)
        result.append(dataclasses.replace(field, name=name))
    return tuple(result)
