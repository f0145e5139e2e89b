"""Areas of the data centre: what a cut-over promotes lies in production, what a rehearsal promotes in an area of its own.

Both have the same tables, checks and isolation, so that a rehearsal proves what a cut-over will do, and can never take
its place.
"""

from __future__ import annotations

import dataclasses
import functools

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from target_schemas.model import METADATA, SCHEMA


@dataclasses.dataclass(frozen=True, slots=True)
class Area:
    """One area: where the rows of one kind of run are promoted to.

    `role` is the group of those who may read it. `kept` says of how many promotions of a municipality the rows are
    kept, the one in force among them; None: of all, until a person withdraws one.
    """

    name: str
    schema: str
    mode: str
    role: str
    kept: int | None

    def table(self, table: sa.Table) -> sa.Table:
        """A standard system's table as it stands in this area."""
        return table if self.schema == table.schema else _copied(table, self.schema)

    def role_of(self, municipality: str) -> str:
        """The role whose members may read a municipality's rows in this area."""
        return f"{self.role}_{six_digits(municipality)}"

    def place(self, name: str) -> str:
        """A table or partition of this area, quoted for a statement."""
        return f"{quote(self.schema)}.{quote(name)}"


PRODUCTION = Area("production", SCHEMA, "cut-over", "hikkoshi_reader", None)
REHEARSALS = Area("rehearsal", f"{SCHEMA}_rehearsal", "rehearsal", "hikkoshi_checker", 2)

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


def quote(name: str) -> str:
    """Quote an identifier."""
    return postgresql.dialect().identifier_preparer.quote_identifier(name)  # type: ignore[no-untyped-call]


@functools.cache
def _copied(table: sa.Table, schema: str) -> sa.Table:
    return table.to_metadata(sa.MetaData(naming_convention=METADATA.naming_convention), schema=schema)
