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
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import pyarrow as pa

from extractors.dialects import DEFAULT
from extractors.dialects.contract import AsciiSigns, Dialect
from migration_reports.findings import Position, Problem, SpecError

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
    PROCEDURE = "PROCEDURE-POINTER"
    ONE_BYTE = "BINARY-CHAR"
    TWO_BYTES = "BINARY-SHORT"
    FOUR_BYTES = "BINARY-LONG"
    EIGHT_BYTES = "BINARY-DOUBLE"


SIZES: Mapping[Storage | None, int] = {
    Storage.ONE_BYTE: 1,
    Storage.TWO_BYTES: 2,
    Storage.FOUR_BYTES: 4,
    Storage.EIGHT_BYTES: 8,
}
"""The bytes of the binary numbers of COBOL 2002, whose USAGE gives their size."""
WITHOUT_PICTURE = frozenset((Storage.FLOAT, Storage.DOUBLE, Storage.INDEX, Storage.POINTER, Storage.PROCEDURE, *SIZES))


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
        decimal_comma: whether its decimal point is a comma.
    """

    text: str
    category: Category
    size: int
    positions: int
    scale: int = 0
    signed: bool = False
    symbols: str = ""
    decimal_comma: bool = False


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
    `ordinal` tells entries apart, whatever their names: `counter` is that of the item DEPENDING ON names.
    `ascii_signs` is how a sign over a digit is written in ASCII.
    `redefines` names the item whose bytes this one describes again. `picture` and `usage` are None for a group.
    """

    name: str
    level: int
    offset: int
    width: int
    position: Position
    occurs: int = 1
    ordinal: int = 0
    occurs_clause: bool = False
    least: int = 1
    depending: str | None = None
    counter: int = 0
    redefines: str | None = None
    picture: Picture | None = None
    usage: str | None = None
    leading: bool = False
    ascii_signs: AsciiSigns = "ebcdic"
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
    `ordinal` is that of its entry (`Item`). `renames` and `beside` tell why its bytes have another name already.
    `usage` is the member of the usages family that reads its bytes; `ascii_signs` as in `Item`.
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
    ordinal: int = 0
    conditions: tuple[Condition, ...] = ()
    leading: bool = False
    ascii_signs: AsciiSigns = "ebcdic"
    justified: bool = False
    blank_when_zero: bool = False
    renames: bool = False
    beside: bool = False

    @property
    def filler(self) -> bool:
        """Whether it is a FILLER."""
        return self.data_name == "FILLER"

    @property
    def asked_only(self) -> bool:
        """Whether it is decoded only when it is named: a FILLER, or another name for bytes that have one.

        Such is a level 66 entry, and a counter of a view of the bytes that is not the one read.
        """
        return self.filler or self.renames or self.beside

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

    `name` tells tables apart. `offset` counts from the start of its section. `depending` names the field that tells how
    many there are (None: always `most`), and `counter` is its ordinal. `element` is what one occurrence looks like. `column` is the list's name.
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
        names = _unique([(field.name, field.within, field.offset) for field in fields])
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
        left_out = self.rivals(group) if group is not None else frozenset()
        counters = frozenset(item.counter for item in every_item(self.record, left_out) if item.counter)
        builder = _SegmentBuilder(left_out, counters, lists=lists, fixed_places=fixed_places)
        renames = tuple(r.field for r in self.renames if not left_out.intersection(r.field.within))
        segment = builder.build(self.record, renames)
        problems = [
            Problem(
                "L051", t.position, f"`{t.depending}`, on which `{t.column}` depends, has no fixed place in the view"
            )
            for t in _uncounted(segment, frozenset())
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


def every_item(item: Item, left_out: frozenset[str] = frozenset()) -> Iterator[Item]:
    """The item and all below it, in order, but for views that are left out."""
    if item.name in left_out:
        return
    yield item
    for child in item.children:
        yield from every_item(child, left_out)


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
        ordinal=item.ordinal,
        conditions=item.conditions,
        leading=item.leading,
        ascii_signs=item.ascii_signs,
        justified=item.justified,
        blank_when_zero=item.blank_when_zero,
    )


class _SegmentBuilder:
    """Walks the items once, in the order of the record, and begins a new section after each varying table."""

    def __init__(self, left_out: frozenset[str], counters: frozenset[int], *, lists: bool, fixed_places: bool) -> None:
        self._left_out = left_out
        self._counters = counters
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
        names = iter(_unique(wanted))
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
                end = follow = start if child.redefines is not None else room
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
        if not item.occurs_clause:
            return self._inside(item, at, within, subscripts, parts)
        room = at[0], at[1] + item.extent
        if not (self._lists or item.variable):
            for number in range(item.occurs):
                place = at[0], at[1] + number * item.width
                self._inside(item, place, within, (*subscripts, number + 1), parts)
            return room, room
        one = dataclasses.replace(item, occurs=1, occurs_clause=False, depending=None, offset=0, children=_moved(item))
        table = Table(
            name=f"{item.name}#{item.ordinal}",
            column=item.name if item.name != "FILLER" else f"FILLER@{item.offset}",
            offset=at[1],
            least=item.least,
            most=item.occurs,
            depending=item.depending,
            counter=item.counter,
            element=self.build(one, within=within),
            position=item.position,
            elementary=item.elementary,
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


def _uncounted(segment: Segment, known: frozenset[int]) -> list[Table]:
    """The tables whose counters are none of the fields before them."""
    known |= {field.ordinal for field in segment.fields}
    inside = [t for table in segment.tables for t in _uncounted(table.element, known)]
    return [t for t in segment.tables if t.depending is not None and t.counter not in known] + inside


def _moved(item: Item) -> tuple[Item, ...]:
    """The children of an item, as if it stood at the record's start."""
    return tuple(_move(child, item.offset) for child in item.children)


def _move(item: Item, by: int) -> Item:
    children = tuple(_move(child, by) for child in item.children)
    return dataclasses.replace(item, offset=item.offset - by, children=children)


def _unique(parts: Sequence[tuple[str, tuple[str, ...], int]]) -> list[str]:
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
