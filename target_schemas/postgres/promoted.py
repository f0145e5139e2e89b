"""What a municipality has promoted of a table, for rules that look another system's rows up: as SQL names it, and as Arrow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa

from target_schemas.postgres.areas import Area, quote, six_digits
from target_schemas.postgres.database import adbc_uri
from target_schemas.postgres.ledger import PROMOTIONS, in_force, installed


@dataclasses.dataclass(frozen=True, slots=True)
class PromotedTable:
    """A table of a system that a municipality has in force in an area.

    Attributes:
        key: the table, system.table.
        run_id: the run that promoted it.
        rows: how many rows it promoted.
        municipality: the municipality's code.
        parent: the table, quoted for a statement; it has every municipality's rows.
    """

    key: str
    run_id: str
    rows: int
    municipality: str
    parent: str

    def selection(self, columns: Sequence[str]) -> str:
        """Some columns of the municipality's rows, as a query that stands in parentheses."""
        names = ", ".join(map(quote, columns))
        return f"(SELECT {names} FROM {self.parent} WHERE municipality_code = '{six_digits(self.municipality)}')"  # noqa: S608  quoted names


def promoted_table(engine: sa.Engine, key: str, municipality: str, area: Area) -> PromotedTable | None:
    """What a municipality has promoted of a table; None where nothing of its system is in force.

    Where its system is in force and has no such table, there is nothing to look up either.

    Args:
        engine: the database.
        key: the table, system.table.
        municipality: its code.
        area: where.
    """
    system, _, table = key.partition(".")
    with engine.connect() as connection:
        run_id = in_force(connection, municipality, area).get(system) if installed(connection) else None
        rows = (
            connection.execute(
                sa.select(PROMOTIONS.c.row_count).where(
                    PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.system == system, PROMOTIONS.c.table_name == table
                )
            ).scalar()
            if run_id is not None
            else None
        )
    if run_id is None or rows is None:
        return None
    return PromotedTable(key, run_id, rows, municipality, area.place(key))


def promoted_rows(url: str, table: PromotedTable, columns: Sequence[str]) -> pa.Table:
    """Some columns of what a municipality has promoted of a table, read by ADBC; numbers with digits of their own as text."""
    with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table.selection(columns)} AS promoted")  # noqa: S608  quoted names
        return _plain(cursor.fetch_arrow_table())


def _plain(rows: pa.Table) -> pa.Table:
    """Rows without extension types: ADBC gives `numeric` as one around its exact text."""
    stored = [
        field.with_type(field.type.storage_type) if isinstance(field.type, pa.BaseExtensionType) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(stored))
