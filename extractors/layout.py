"""What a record looks like: items as the copybook nests them, and fields as the decoder reads them.

`Item` keeps the copybook's own tree (groups, REDEFINES, OCCURS). `Layout.fields` flattens it: one `Field` for each
elementary item and each of its occurrences, named as COBOL would refer to it: `JK-ZOKUGARA(2)`, `A-MONTH(3,1)`.
Offsets and widths are bytes, offsets count from 0 at the start of the record.

A table whose size the record itself gives (OCCURS DEPENDING ON) has no fixed places after it. `Layout.segment` says so:
sections of fields with fixed places among themselves, each beginning where such a table ends, and the tables with the
segment of one occurrence. `extractors.tables` turns that into byte positions.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from typing import Literal

import pyarrow as pa

from extractors.dialect import Dialect
from extractors.dialects import DEFAULT
from migration_reports.findings import Position, Problem

Category = Literal["alphanumeric", "alphabetic", "national", "numeric", "edited"]
"""alphanumeric is PICTURE X, alphabetic A, national N or G (two bytes a character), numeric 9 S V P, edited Z * + ."""

MAX_INT64_DIGITS = 18
MAX_DECIMAL128_DIGITS = 38

TEXT_USAGES = frozenset(("text", "mixed", "national", "utf16"))


class Storage(enum.StrEnum):
    """How COBOL stores an elementary item (its USAGE)."""

    DISPLAY = "DISPLAY"
    DISPLAY_1 = "DISPLAY-1"
    NATIONAL = "NATIONAL"
    PACKED = "PACKED-DECIMAL"
    PACKED_UNSIGNED = "COMP-6"
    BINARY = "BINARY"
    NATIVE = "COMP-5"
    BYTES = "COMP-X"
    FLOAT = "COMP-1"
    DOUBLE = "COMP-2"
    INDEX = "INDEX"
    POINTER = "POINTER"


WITHOUT_PICTURE = frozenset((Storage.FLOAT, Storage.DOUBLE, Storage.INDEX, Storage.POINTER))


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A PICTURE clause.

    Attributes:
        text: as it stands.
        category: which kind of characters.
        size: how many digits a number has, how many characters a text.
        positions: how many character positions it takes in USAGE DISPLAY, a separate sign left out.
        scale: digits after the point; negative where P stands on the right.
        signed: whether it has a sign.
        symbols: of an edited picture, the symbol of each position (`cr` and `db` for CR and DB).
    """

    text: str
    category: Category
    size: int
    positions: int
    scale: int = 0
    signed: bool = False
    symbols: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """A level 88 condition name and the literals it stands for (a range is a pair)."""

    name: str
    values: tuple[str | tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One data description entry, placed.

    `offset` is that of its first occurrence where every table has its most occurrences; `width` is the bytes of one
    occurrence, likewise. `occurs` is 1 without the clause; with DEPENDING ON it is the most, `least` the fewest.
    `redefines` names the item whose bytes this one describes again. `picture` and `usage` are None for a group.
    """

    name: str
    level: int
    offset: int
    width: int
    position: Position
    occurs: int = 1
    occurs_clause: bool = False
    least: int = 1
    depending: str | None = None
    redefines: str | None = None
    picture: Picture | None = None
    usage: str | None = None
    leading: bool = False
    justified: bool = False
    blank_when_zero: bool = False
    value: str | None = None
    conditions: tuple[Condition, ...] = ()
    children: tuple[Item, ...] = ()

    @property
    def filler(self) -> bool:
        """Whether the entry has no name of its own."""
        return self.name == "FILLER"

    @property
    def elementary(self) -> bool:
        """Whether it has bytes of its own rather than items below it."""
        return self.usage is not None

    @property
    def variable(self) -> bool:
        """Whether its size depends on a count in the record."""
        return self.depending is not None or any(child.variable for child in self.children)

    @property
    def extent(self) -> int:
        """Bytes of all its occurrences, at their most."""
        return self.width * self.occurs


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One elementary item at one place.

    `name` is unique within the layout: the data name, with subscripts where it occurs several times; a FILLER is
    `FILLER@offset`; a data name used in several groups is qualified, `NAME OF GROUP`.
    `offset` counts from the start of the record, or of the section that holds the field.
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
    leading: bool = False
    justified: bool = False
    blank_when_zero: bool = False
    renames: bool = False

    @property
    def filler(self) -> bool:
        """Whether it is a FILLER."""
        return self.data_name == "FILLER"

    @property
    def asked_only(self) -> bool:
        """Whether it is decoded only when it is named: a FILLER, or another name for bytes that have one (level 66)."""
        return self.filler or self.renames

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of its values.

        Text is string; whole numbers to 18 digits int64; others decimal128, above 38 digits decimal256; floating point
        float64 (IEEE COMP-1: float32); bytes without a meaning of their own fixed-size binary.
        """
        if self.usage in TEXT_USAGES:
            return pa.string()
        if self.usage == "raw":
            return pa.binary(self.width)
        if self.usage.startswith("float"):
            return pa.float32() if self.usage.startswith("float_ieee") and self.width == 4 else pa.float64()
        scale = max(self.picture.scale, 0)
        digits = max(self.picture.size - min(self.picture.scale, 0), scale)
        if scale == 0 and digits <= MAX_INT64_DIGITS:
            return pa.int64()
        if digits <= MAX_DECIMAL128_DIGITS:
            # A number with more digits than its PICTURE is kept, so the type has room for all that the bytes can hold.
            return pa.decimal128(min(max(digits, self._capacity), MAX_DECIMAL128_DIGITS), scale)
        return pa.decimal256(max(digits, min(self._capacity, 76)), scale)

    @property
    def _capacity(self) -> int:
        """The digits that the bytes can hold, more perhaps than the PICTURE has."""
        if self.usage == "packed":
            return 2 * self.width - 1
        if self.usage == "packed_unsigned":
            return 2 * self.width
        if self.usage.startswith("binary"):
            return len(str(256**self.width - 1))
        return self.picture.positions if self.usage == "edited" else 0


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """An OCCURS that is read as a list: its occurrences lie one after another.

    `offset` counts from the start of its section. `counter` is the name of the field that tells how many there are
    (None: always `most`). `element` is what one occurrence looks like. `column` is the list's name.
    """

    name: str
    column: str
    offset: int
    least: int
    most: int
    counter: str | None
    element: Segment
    position: Position
    elementary: bool = False


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
    def tables(self) -> tuple[Table, ...]:
        """The tables of all sections."""
        return tuple(table for section in self.sections for table in section.tables)


@dataclasses.dataclass(frozen=True, slots=True)
class Rename:
    """A level 66 entry: another name for the bytes from `offset`, as it is read."""

    field: Field


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """A record layout: the items as the copybook nests them, the dialect that placed them, and what was noted.

    Several records (01 levels) of one copybook are views of the same bytes below a record without a name.
    """

    record: Item
    file: str
    dialect: Dialect = DEFAULT
    renames: tuple[Rename, ...] = ()
    notes: tuple[Problem, ...] = ()

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
        return _unique(fields)

    def segment(self, group: str | None = None, *, lists: bool = False, fixed_places: bool = False) -> Segment:
        """The record as sections and tables.

        Args:
            group: as in `fields`.
            lists: whether every OCCURS is a list; otherwise only those whose number varies.
            fixed_places: whether a table always takes the room of its most occurrences.
        """
        left_out = self.rivals(group) if group is not None else frozenset()
        builder = _SegmentBuilder(left_out, lists=lists, fixed_places=fixed_places)
        renames = tuple(r.field for r in self.renames if not left_out.intersection(r.field.within))
        return builder.build(self.record, renames)

    def groups(self) -> Mapping[str, Item]:
        """Every named item, groups and elementary, by data name (the first of that name)."""
        found: dict[str, Item] = {}
        for item in every_item(self.record):
            found.setdefault(item.name, item)
        return found

    def rivals(self, group: str) -> frozenset[str]:
        """The other views of the bytes that `group` describes, and of those its ancestors describe."""
        rivals: set[str] = set()
        for parent in every_item(self.record):
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


def every_item(item: Item) -> Iterator[Item]:
    """The item and all below it, in order."""
    yield item
    for child in item.children:
        yield from every_item(child)


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


def make_field(item: Item, offset: int, within: tuple[str, ...], subscripts: tuple[int, ...]) -> Field:
    """The field that an elementary item is at one place."""
    assert item.usage is not None
    assert item.picture is not None
    subscript = f"({','.join(map(str, subscripts))})" if subscripts else ""
    return Field(
        name=f"FILLER@{offset}" if item.filler else f"{item.name}{subscript}",
        data_name=item.name,
        offset=offset,
        width=item.width,
        usage=item.usage,
        picture=item.picture,
        within=within,
        subscripts=subscripts,
        position=item.position,
        conditions=item.conditions,
        leading=item.leading,
        justified=item.justified,
        blank_when_zero=item.blank_when_zero,
    )


class _SegmentBuilder:
    """Walks the items once, in the order of the record, and begins a new section after each varying table."""

    def __init__(self, left_out: frozenset[str], *, lists: bool, fixed_places: bool) -> None:
        self._left_out = left_out
        self._lists = lists
        self._fixed_places = fixed_places

    def build(self, item: Item, more: tuple[Field, ...] = ()) -> Segment:
        """The segment of one occurrence of an item."""
        parts: list[tuple[str | None, list[Field], list[Table]]] = [(None, list(more), [])]
        end = self._inside(item, (0, 0), (), (), parts)
        sections = []
        seen: list[Field] = []
        for after, fields, tables in parts:
            # Names are unique over the whole segment, whichever section a field is in.
            seen.extend(fields)
            sections.append((after, len(fields), tuple(tables)))
        unique = iter(_unique(seen))
        made = tuple(Section(after, tuple(next(unique) for _ in range(n)), tables) for after, n, tables in sections)
        return Segment(made, item.width, end)

    def _inside(
        self,
        item: Item,
        at: tuple[int, int],
        within: tuple[str, ...],
        subscripts: tuple[int, ...],
        parts: list[tuple[str | None, list[Field], list[Table]]],
    ) -> tuple[int, int]:
        """Place one occurrence of an item at (section, offset); gives where it ends."""
        if item.elementary:
            parts[at[0]][1].append(make_field(item, at[1], within, subscripts))
            return at[0], at[1] + item.width
        starts: dict[str, tuple[int, int]] = {}
        here, last = at, item.offset
        for child in item.children:
            if child.redefines is not None and child.redefines in starts:
                start = starts[child.redefines]
            else:
                # SYNCHRONIZED may leave bytes between an item and the one before it.
                slack = max(child.offset - last, 0)
                start = here[0], here[1] + slack
            starts[child.name] = start
            if child.name in self._left_out:
                ends = start if child.redefines is not None else (start[0], start[1] + child.extent)
            else:
                ends = self._occurrences(child, start, (*within, item.name), subscripts, parts)
            here = max(here, ends)
            last = max(last, child.offset + child.extent)
        if here[0] == at[0] and not item.variable and not self._left_out:
            here = here[0], max(here[1], at[1] + item.width)
        return here

    def _occurrences(
        self,
        item: Item,
        at: tuple[int, int],
        within: tuple[str, ...],
        subscripts: tuple[int, ...],
        parts: list[tuple[str | None, list[Field], list[Table]]],
    ) -> tuple[int, int]:
        if not item.occurs_clause:
            return self._inside(item, at, within, subscripts, parts)
        if not (self._lists or item.variable):
            for number in range(item.occurs):
                place = at[0], at[1] + number * item.width
                self._inside(item, place, within, (*subscripts, number + 1), parts)
            return at[0], at[1] + item.extent
        one = dataclasses.replace(item, occurs=1, occurs_clause=False, depending=None, offset=0, children=_moved(item))
        element = self.build(one)
        column = item.name if item.name != "FILLER" else f"FILLER@{item.offset}"
        table = Table(
            name=f"{column}@{item.offset}",
            column=column,
            offset=at[1],
            least=item.least,
            most=item.occurs,
            counter=item.depending,
            element=element,
            position=item.position,
            elementary=item.elementary,
        )
        parts[at[0]][2].append(table)
        if not item.variable or self._fixed_places:
            return at[0], at[1] + item.extent
        parts.append((table.name, [], []))
        return len(parts) - 1, 0


def _moved(item: Item) -> tuple[Item, ...]:
    """The children of an item, as if it stood at the record's start."""
    return tuple(_move(child, item.offset) for child in item.children)


def _move(item: Item, by: int) -> Item:
    children = tuple(_move(child, by) for child in item.children)
    return dataclasses.replace(item, offset=item.offset - by, children=children)


def _contains(parent: Item, view: str, name: str) -> bool:
    return any(any(i.name == name for i in every_item(c)) for c in parent.children if c.name == view)


def _unique(fields: list[Field]) -> tuple[Field, ...]:
    counts: dict[str, int] = {}
    for field in fields:
        counts[field.name] = counts.get(field.name, 0) + 1
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
