"""What is said of where data land: items, code sets, tables and references, as every stage reads them.

A target system's sheets say it (データ項目一覧表, コード構成表, コード一覧); `target_schemas` makes SQLAlchemy tables of them,
which other stages get. What a sheet says of a column or table comes back by `heading`, `item_of` and `table_of`, with its
types; nobody else reads `Column.info` or `Table.info`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeVar

import sqlalchemy as sa

from migration_reports.trouble import Position

KINDS: Mapping[str, str] = {
    "N": "digits",
    "A": "half-width text",
    "K": "kana",
    "J": "Japanese text",
    "L": "long text",
    "C": "a code",
    "I": "a whole number",
    "M": "an amount",
    "R": "a decimal number",
    "D": "a date",
    "T": "a time, HHMM",
    "S": "a timestamp, YYYYMMDDHHMMSS",
    "G": "a geometry",
    "B": "an attachment",
}
"""The types of items."""

Orphan = Literal["falls", "stays"]
Access = Literal["", "sensitive", "sealed"]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One line of データ項目一覧表, as it holds in one edition.

    Attributes:
        name: the column's name; of an item with several columns what their names begin with.
        ja: データ項目名称.
        en: its English name.
        kind: 型, of `KINDS`.
        length: 桁数: the characters of a text, the digits of a number; 0 where none is said.
        scale: how many of the digits are decimals.
        unit: in which unit of yen an amount stands (1,000: 千円).
        must: 必須: whether it must have a value.
        gaiji: 外字使用: whether it may hold user-defined characters.
        code_set: the set that its codes are of.
        width: where a value joins several codes, the characters of each; 0 where it is one code.
        judged_on: the date item on whose day its code must hold; empty: the reference date (基準日).
        check: the rule of its check digit, by name.
        words: what layouts call it, in Latin letters or Japanese: read by `hikkoshi draft`.
        since: the edition that its line begins with.
        until: the last edition of its line; empty: none yet.
        official: its number in the published sheet.
        access: who sees it: empty, whoever reads the table; `sensitive`, who has grounds of their own (a protective
            measure, a disability); `sealed`, nobody (a price before tenders are opened). Neither is ever in a sample.
        arrival: whether the program gives it: 0 where the dates of the row's key are known to the day, and else the place
            in the order of arrival among the rows of one key.
    """

    name: str
    ja: str
    en: str
    kind: str
    length: int = 0
    scale: int = 0
    unit: int = 1
    must: bool = False
    gaiji: bool = False
    code_set: str = ""
    width: int = 0
    judged_on: str = ""
    check: str = ""
    words: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    official: str = ""
    access: Access = ""
    arrival: bool = False

    @property
    def sensitive(self) -> bool:
        """Whether it needs grounds of its own to be seen, or is sealed."""
        return self.access != ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        parts = PARTS.get(self.kind)
        return (self.name,) if parts is None else tuple(f"{self.name}_{part}" for part in parts)

    @property
    def whole(self) -> tuple[str, ...]:
        """Those of its columns that have a value together or not at all."""
        return self.columns[:2] if self.kind == "G" else self.columns


_SIDES = {"west": "西端", "south": "南端", "east": "東端", "north": "北端"}

PARTS: Mapping[str, Mapping[str, str]] = {
    "D": {"source": "原文", "key": "整列値", "precision": "精度"},
    "G": {"srid": "座標系", "wkb": "図形", "area": "面積", **_SIDES, "valid": "正当性"},
    "B": {"path": "所在", "bytes": "バイト数", "sha256": "SHA-256"},
}
"""The columns of the kinds that have several, in Japanese.

A date is what the register says, a key that sorts and how much of it is known. A geometry is the number of its reference
system (EPSG) and its WKB in hexadecimal, which PostGIS takes as it stands; area, bounds and whether it is valid (1 or 0)
are taken of it when it is mapped, so that rules in plain SQL can ask for them. The area of degrees is none. An attachment is a file beside the dump.
"""


FORMS: Mapping[str, str] = {
    "D.key": "^[0-9]{8}$",
    "T": "^([0-3][0-9]|4[0-7])[0-5][0-9]$",
    "S": "^[0-9]{14}$",
    "G.wkb": "^0[01]([0-9A-F]{2}){4,}$",
    "B.sha256": "^[0-9a-f]{64}$",
}
"""The form of the text of a kind, or of a part of it, as a regular expression that PostgreSQL and Polars read alike.

A time may be of the next day's small hours (up to 47:59, as attendance is kept). A timestamp may be of a day that no
calendar has, as a date may. A geometry is upper-case hexadecimal, byte order and type first.
"""


def form_of(item: Item, part: str) -> str | None:
    """The form that the text of an item, or of a part of it, has; None where any will do."""
    return FORMS.get(f"{item.kind}.{part}" if part else item.kind)


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """Columns that name a row of another table. Kept by a rule, not by a foreign key: legacy registers break them.

    Attributes:
        columns: the columns that name it; where one of them is null, no row is named.
        table: the other table: system.table.
        target: the columns of it that are named; they need not be its whole key.
        orphan: what becomes of a row whose parent is not there or is rejected. It `falls`: an error, its record is
            rejected. Or it `stays`: an alert, it is promoted once a person has approved.
        because: why, in a sentence.
    """

    columns: tuple[str, ...]
    table: str
    target: tuple[str, ...]
    orphan: Orphan
    because: str


@dataclasses.dataclass(frozen=True, slots=True)
class CriticalRows:
    """The rows of a table of which none may be lost, and where that is said.

    Attributes:
        said: by column the values that such a row has (`2*`: what begins so), or a condition in one text.
        place: where it stands.
    """

    said: Mapping[str, tuple[str, ...]] | str
    place: Position


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From when to when a row of a table holds; an end that is empty is open.

    Attributes:
        begin: the date item of its first day.
        end: the date item of its end.
        ends: on: the end is its last day; before: it is the day after.
    """

    begin: str
    end: str
    ends: Literal["on", "before"] = "on"


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """One table of a system, in one edition or in the union of all.

    Attributes:
        system: the system's name.
        name: its own.
        ja: its Japanese name, the COMMENT.
        en: its English name.
        based_on: the published specification that it follows in words and structure.
        key: the key's columns after municipality_code.
        items: its items, in the order of the sheet.
        references: columns that name rows of other tables.
        critical: whether losing a single row endangers somebody, so that no rejection of one can be accepted.
        make: makes `physical`, when it is first asked for: most of what reads a system needs no table of it.
        period: from when to when its rows hold; None where they have no time.
        critical_rows: the rows of which that is so, where it is not so of all.
    """

    system: str
    name: str
    ja: str
    en: str
    based_on: str
    key: tuple[str, ...]
    items: tuple[Item, ...]
    references: tuple[Reference, ...]
    critical: bool
    make: Callable[[Table], sa.Table] = dataclasses.field(repr=False, compare=False)
    period: Period | None = None
    critical_rows: CriticalRows | None = None

    @property
    def qualified(self) -> str:
        """Its name with its system's, which is the key of its physical table."""
        return f"{self.system}.{self.name}"

    @property
    def physical(self) -> sa.Table:
        """The table as SQLAlchemy knows it; it has the columns of every edition."""
        return self.make(self)

    @property
    def dates(self) -> tuple[str, ...]:
        """The date items of its key, of which a row has 00000000 where nothing is known."""
        return tuple(item.name for item in self.items if item.kind == "D" and f"{item.name}_key" in self.key)

    @property
    def arrival(self) -> str:
        """The item of its key by which the program tells apart rows whose dates are not known; empty: none."""
        return next((item.name for item in self.items if item.arrival), "")

    @property
    def columns(self) -> tuple[sa.Column[Any], ...]:
        """The columns of its items; lineage, and columns of other editions, are none."""
        return tuple(column for column in self.physical.columns if heading(column).item is not None)


@dataclasses.dataclass(frozen=True, slots=True)
class Heading:
    """What a column is: its names in both languages, the item that it belongs to, and which part of it.

    Of a column that no sheet describes (lineage, another edition's) there is no item.
    """

    ja: str
    en: str
    item: Item | None = None
    part: str = ""

    @property
    def kind(self) -> str:
        """The item's type; empty where there is none."""
        return "" if self.item is None else self.item.kind


class _Described(Protocol):
    """Whatever carries an `info`."""

    @property
    def info(self) -> Any:
        """What is noted of it."""


HEADING, TABLE = "heading", "table"


def heading(column: sa.Column[Any]) -> Heading:
    """What a column is."""
    return _noted(column, HEADING, Heading) or Heading(column.name, column.name)


def item_of(column: sa.Column[Any]) -> Item:
    """The item that a column belongs to.

    Raises:
        LookupError: no sheet describes it: it is lineage, or this edition does not have it.
    """
    item = heading(column).item
    if item is None:
        raise LookupError(f"no sheet describes column {column.name}")
    return item


def is_text(item: Item) -> bool:
    """Whether its length counts characters."""
    return item.kind in "NAKJLC" and item.length > 0


def filled_as(column: sa.Column[Any]) -> str:
    """The name that a mapping fills a column under: a date's three are one, and a geometry's."""
    item = heading(column).item
    return item.name if item is not None and item.kind in ("D", "G") else column.name


def table_of(table: sa.Table) -> Table:
    """What the sheets say of a table.

    Raises:
        LookupError: no sheet describes it.
    """
    found = _noted(table, TABLE, Table)
    if found is None:
        raise LookupError(f"no sheet describes table {table.name}")
    return found


def _noted(described: _Described, name: str, kind: type[T]) -> T | None:
    found = described.info.get(name)
    return found if isinstance(found, kind) else None
