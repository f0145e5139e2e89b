"""The model of a standard system: its editions, tables, code sets and rules, as its sheets say them.

Items carry the attributes that 中間標準レイアウト仕様 gives them (名称, 型, 桁数, 外字使用, コード); the Japanese name is the
column's COMMENT. We claim no conformance: `based_on` says what a table follows.

A municipality uses one edition of a system. Municipalities are partitions of one table, so the physical table is the
union of all editions; an edition says which items there are, which are mandatory, and how long they may be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import sqlalchemy as sa

from migration_reports.candidates import Candidates
from migration_reports.codes import Code, CodeSet
from migration_reports.items import Item, Orphan, Reference, Table, heading, item_of, table_of
from migration_reports.trouble import Position

__all__ = [
    "CODES",
    "METADATA",
    "PRECISIONS",
    "SCHEMA_VERSION",
    "SHARED",
    "Code",
    "CodeSet",
    "Edition",
    "Item",
    "Orphan",
    "PhysicalTables",
    "Reference",
    "RuleSpec",
    "System",
    "Table",
    "heading",
    "item_of",
    "table_of",
]

SHARED = "joint"
"""The database schema of what all systems share: the codes."""

SCHEMA_VERSION = "3"
"""The form of the database; a database of another form is refused."""

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    },
)

PRECISIONS = ("day", "month", "year", "unknown", "impossible")
"""How much of a date is known; `impossible` is a date that stands in the register but in no calendar."""


@dataclasses.dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a system's specification, and the day from which it is in force (YYYY-MM-DD)."""

    name: str
    since: str


@dataclasses.dataclass(frozen=True, slots=True)
class RuleSpec:
    """One instance of a rule's shape. `validators` proves its parameters against the tables.

    Attributes:
        name: its name, of its own within the system.
        shape: the shape.
        of: the table whose rows it judges.
        parameters: what it sets, the shape's own value under the shape's name: texts, lists and mappings.
        severity: as it says, or empty: the shape's own.
        source: the statute or specification that asks for it.
        position: where it stands.
        places: where each parameter stands.
    """

    name: str
    shape: str
    of: str
    parameters: Mapping[str, Any]
    severity: Literal["", "error", "alert", "note"]
    source: str
    position: Position
    places: Mapping[str, Position] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class System:
    """One standard system, in one of its editions or in the union of all.

    Attributes:
        name: its name, which is its folder's.
        title_ja: its Japanese name.
        title_en: its English name.
        based_on: the published specification that it follows in words and structure.
        editions: in the order of their days.
        tables: in load order.
        code_sets: those that its items use, in the order of their use.
        rules: its instances of shapes.
        refuse: the kinds of secrets that no mapping may move into it.
        edition: the edition that this is; empty: the union.
        candidates: which of its rows may be one person or firm.
        made: by edition, the system in it; the union under no name.
    """

    name: str
    title_ja: str
    title_en: str
    based_on: str
    editions: tuple[Edition, ...]
    tables: tuple[Table, ...]
    code_sets: tuple[CodeSet, ...]
    rules: tuple[RuleSpec, ...] = ()
    refuse: tuple[str, ...] = ()
    edition: str = ""
    candidates: tuple[Candidates, ...] = ()
    made: Mapping[str, System] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def latest(self) -> str:
        """The edition that is in force last."""
        return self.editions[-1].name

    @property
    def whole(self) -> System:
        """The union of its editions, whose tables are the parents of every municipality's."""
        return self.made.get("", self)

    def in_edition(self, name: str) -> System:
        """The system as one edition has it: its items only, and what it says of them.

        Its tables keep the columns of the other editions, which stay empty: every partition has those of the union.

        Raises:
            LookupError: it has no such edition.
        """
        if name == self.edition:
            return self
        if name not in self.made:
            known = ", ".join(edition.name for edition in self.editions)
            raise LookupError(f"{self.name} has no edition {name}; there are: {known}")
        return self.made[name]

    def table(self, name: str) -> Table:
        """A table by its name.

        Raises:
            LookupError: it has no such table.
        """
        found = next((table for table in self.tables if table.name == name), None)
        if found is None:
            raise LookupError(f"{self.name} has no table {name}")
        return found


class PhysicalTables(Mapping[str, sa.Table]):
    """Tables as SQLAlchemy knows them, by system.table; each is made when it is first asked for.

    Args:
        tables: the tables; of two of one name the later stands.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {table.qualified: table for table in tables}

    def __getitem__(self, key: str) -> sa.Table:
        """A table by system.table."""
        return self._tables[key].physical

    def __iter__(self) -> Iterator[str]:
        """The names, none of whose tables is made for it."""
        return iter(self._tables)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tables)


CODES = sa.Table(
    "codes",
    METADATA,
    sa.Column("code_set", sa.Text, nullable=False, comment="コード種別"),
    sa.Column("code", sa.Text, nullable=False, comment="コード"),
    sa.Column("label_ja", sa.Text, nullable=False, comment="名称"),
    sa.Column("label_en", sa.Text, nullable=False, comment="英語名称"),
    sa.PrimaryKeyConstraint("code_set", "code"),
    comment="コード一覧",
    schema=SHARED,
)
"""コード一覧: the codes of every system, the same for all municipalities."""
