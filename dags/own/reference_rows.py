"""Reference tables as rules read them: their lines as rows, typed as a table's columns are."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.columns import arrow_type
from migration_reports.items import heading, item_of
from target_schemas.reference_sheets import ReferenceLine, ReferenceTable


def rows_of(table: ReferenceTable) -> pa.Table:
    """The lines of a table as rows."""
    columns = table.table.columns
    arrays = [pa.array([_value(line, c) for line in table.lines], arrow_type(c)) for c in columns]
    return pa.table(arrays, names=[column.name for column in columns])


def _value(line: ReferenceLine, column: sa.Column[object]) -> str | int | Decimal | None:
    item = item_of(column)
    times = {"valid_from": line.valid_from, "valid_to": line.valid_to}
    text = times.get(item.name, line.cells.get(item.name, ""))
    if not text:
        return None
    if item.kind == "D":
        return "day" if heading(column).part == "precision" else text.replace("-", "")
    if item.kind == "I":
        return int(text)
    return Decimal(text) if item.kind in "MR" else text
