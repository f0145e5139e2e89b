"""Items as a copybook nests them, and fields as the decoder reads them.

An `Item` stands in the tree of groups, REDEFINES and OCCURS; a `Field` is an elementary item at one place, named as COBOL
would refer to it: `JK-ZOKUGARA(2)`, `A-MONTH(3,1)`. Offsets and widths are bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa

from extractors.dialects.contract import AsciiSigns
from migration_reports.findings import Position

Category = Literal["alphanumeric", "alphabetic", "national", "numeric", "edited"]
"""alphanumeric is PICTURE X, alphabetic A, national N or G (two bytes a character), numeric 9 S V P, edited Z * + ."""


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
    `redefines` names the item whose bytes this one describes again. `picture`, `usage` and `arrow_type` are None for a
    group.
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
    arrow_type: pa.DataType | None = None
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
    `usage` is the member of the usages family that reads its bytes, and `arrow_type` what it makes of them: text is
    string; whole numbers to 18 digits int64; others decimal128, above 38 digits decimal256; floating point float64 (IEEE
    COMP-1: float32); bytes without a meaning of their own fixed-size binary. `ascii_signs` is as in `Item`.
    """

    name: str
    data_name: str
    offset: int
    width: int
    usage: str
    picture: Picture
    arrow_type: pa.DataType
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
    def is_text(self) -> bool:
        """Whether its values are text, of which a part may be read where the record ends before it."""
        return bool(pa.types.is_string(self.arrow_type))


def every_item(item: Item, left_out: frozenset[str] = frozenset()) -> Iterator[Item]:
    """The item and all below it, in order, but for views that are left out."""
    if item.name in left_out:
        return
    yield item
    for child in item.children:
        yield from every_item(child, left_out)


def make_field(item: Item, offset: int, within: tuple[str, ...], subscripts: tuple[int, ...]) -> Field:
    """The field that an elementary item is at one place."""
    assert item.usage is not None
    assert item.picture is not None
    assert item.arrow_type is not None
    subscript = f"({','.join(map(str, subscripts))})" if subscripts else ""
    return Field(
        name=f"FILLER@{offset}" if item.filler else f"{item.name}{subscript}",
        data_name=item.name,
        offset=offset,
        width=item.width,
        usage=item.usage,
        picture=item.picture,
        arrow_type=item.arrow_type,
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
