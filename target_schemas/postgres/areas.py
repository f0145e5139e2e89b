"""Areas of the data centre: what a cut-over promotes lies in production, what a rehearsal promotes in an area of its own.

Both have the same tables, checks and isolation, so that a rehearsal proves what a cut-over will do, and can never take
its place. In each area every system has a schema of its own: `tax` in production, `tax_rehearsal` beside it.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from target_schemas.model import METADATA
from target_schemas.physical import LINEAGE

LONGEST_NAME = 63
"""PostgreSQL cuts what is longer, and two names may then be one. A name is ASCII."""


@dataclasses.dataclass(frozen=True, slots=True)
class Area:
    """One area: where the rows of one kind of run are promoted to.

    `suffix` is what its schemas' names have behind the system's. `role` is the group of those who may read it. `kept`
    says of how many promotions of a municipality's system the rows are kept, the one in force among them; None: of all,
    until a person withdraws one.
    """

    name: str
    suffix: str
    mode: str
    role: str
    kept: int | None

    def schema(self, system: str) -> str:
        """The schema of a system in this area."""
        return fitting(system + self.suffix)

    @property
    def sensitive_role(self) -> str:
        """The role whose members may, of rows that they may read, also see values that need grounds of their own."""
        return f"{self.role}_sensitive"

    def table(self, table: sa.Table) -> sa.Table:
        """A standard system's table as it is installed in this area, with the columns of every edition."""
        return _parent(table, self.schema(str(table.schema)))

    def role_of(self, municipality: str) -> str:
        """The role whose members may read a municipality's rows in this area."""
        return f"{self.role}_{six_digits(municipality)}"

    def place(self, key: str) -> str:
        """A table or partition of this area, given as system.name, quoted for a statement."""
        system, _, name = key.partition(".")
        return f"{quote(self.schema(system))}.{quote(name)}"


PRODUCTION = Area("production", "", "cut-over", "hikkoshi_reader", None)
REHEARSALS = Area("rehearsal", "_rehearsal", "rehearsal", "hikkoshi_checker", 2)

AREAS: tuple[Area, ...] = (PRODUCTION, REHEARSALS)


def area_of(mode: str) -> Area:
    """The area that a run of a mode (cut-over, rehearsal) promotes into.

    Raises:
        ValueError: there is no such mode.
    """
    for area in AREAS:
        if area.mode == mode:
            return area
    raise ValueError(f"a run is a rehearsal or a cut-over, not `{mode}`")


def six_digits(municipality: str) -> str:
    """A municipality's code, once it is known to be one: it becomes part of names and statements.

    Raises:
        ValueError: it is not six digits.
    """
    if not (municipality.isascii() and municipality.isdigit() and len(municipality) == 6):
        raise ValueError("a municipality code has six digits")
    return municipality


def fitting(name: str) -> str:
    """A name, once it is known that PostgreSQL will not cut it.

    Raises:
        ValueError: it is too long.
    """
    if len(name) > LONGEST_NAME:
        raise ValueError(f"`{name}` is longer than the {LONGEST_NAME} characters that PostgreSQL keeps of a name")
    return name


def quote(name: str) -> str:
    """Quote an identifier."""
    return postgresql.dialect().identifier_preparer.quote_identifier(name)  # type: ignore[no-untyped-call]


@functools.cache
def _parent(table: sa.Table, schema: str) -> sa.Table:
    """A table of a schema as the parent of partitions: it has their columns and key, and asks nothing else of them.

    What is mandatory and how long it may be is said by an edition, and stands on each partition: a parent that said it
    would refuse the partition of an edition that asks for less. So a newer edition adds columns, and changes none.
    """
    key = table.primary_key.columns.keys()

    def kind(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
        return sa.Numeric() if isinstance(column.type, sa.Numeric) else column.type

    return sa.Table(
        table.name,
        sa.MetaData(naming_convention=METADATA.naming_convention),
        *(
            sa.Column(c.name, kind(c), nullable=c.name not in (*key, *LINEAGE), comment=c.comment)
            for c in table.columns
        ),
        sa.PrimaryKeyConstraint(*key),
        schema=schema,
        comment=table.comment,
        postgresql_partition_by="LIST (municipality_code)",
    )
