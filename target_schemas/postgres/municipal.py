"""What a municipality has of its own beside its rows: the reference lines that its rules read, and its codes of open sets.

Both lie in each area's schema of what is shared, isolated like the rows. The lines are those that hold for the
municipality, its own among them, as its last run read them; so SQL reads what that run's other engine reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from migration_reports.codes import CodeSet
from migration_reports.items import Table
from target_schemas.model import METADATA, SHARED
from target_schemas.postgres.areas import Area, quote, six_digits

CODES = sa.Table(
    "own_codes",
    METADATA,
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("code_set", sa.Text, nullable=False, comment="コード種別"),
    sa.Column("code", sa.Text, nullable=False, comment="コード"),
    sa.Column("valid_from", sa.Text, nullable=False, comment="適用開始日"),
    sa.Column("valid_to", sa.Text, nullable=False, comment="適用終了日"),
    sa.Column("label_ja", sa.Text, nullable=False, comment="名称"),
    sa.Column("label_en", sa.Text, nullable=False, comment="英語名称"),
    sa.PrimaryKeyConstraint("municipality_code", "code_set", "code", "valid_from"),
    comment="団体独自コード一覧",
    schema=SHARED,
)
"""The codes that a municipality added to open sets; a day without an end is empty."""

LINES = sa.Table(
    "reference_lines",
    METADATA,
    sa.Column("municipality_code", sa.Text, nullable=False, comment="団体コード"),
    sa.Column("table_name", sa.Text, nullable=False, comment="参照表"),
    sa.Column("line", sa.Integer, nullable=False, comment="行"),
    sa.Column("cells", JSONB, nullable=False, comment="値"),
    sa.PrimaryKeyConstraint("municipality_code", "table_name", "line"),
    comment="参照表の行",
    schema=SHARED,
)
"""The lines of dated reference tables that hold for a municipality."""

MUNICIPAL = (CODES, LINES)


def placed(area: Area, table: sa.Table) -> sa.Table:
    """One of these tables as an area has it."""
    return table.to_metadata(sa.MetaData(), schema=area.schema(SHARED))


def put_codes(connection: sa.Connection, area: Area, municipality: str, own: Iterable[CodeSet]) -> None:
    """Put a municipality's own codes in; one that it no longer lists stays, for rows in force may hold it.

    Args:
        connection: in a transaction.
        area: where.
        municipality: its code.
        own: of each set the codes that are its own.
    """
    rows = [
        {
            "municipality_code": six_digits(municipality),
            "code_set": codes.name,
            "code": line.code,
            "valid_from": line.valid_from,
            "valid_to": line.valid_to,
            "label_ja": line.ja,
            "label_en": line.en,
        }
        for codes in own
        for line in codes.codes
    ]
    if rows:
        table = placed(area, CODES)
        adding = insert(table)
        said = {name: adding.excluded[name] for name in ("valid_to", "label_ja", "label_en")}
        connection.execute(
            adding.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=said), rows
        )


def put_lines(engine: sa.Engine, area: Area, municipality: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    """Put the lines of a reference table in the place of a municipality's former ones; gives the rows as SQL names them.

    Args:
        engine: the database.
        area: where.
        municipality: its code.
        table: the table.
        rows: its lines, by column; there is at least one.
    """
    lines = placed(area, LINES)
    here = (lines.c.municipality_code == six_digits(municipality)) & (lines.c.table_name == table.name)
    said = json.loads(json.dumps(rows, default=str))
    with engine.begin() as connection:
        there = connection.execute(sa.select(lines.c.cells).where(here).order_by(lines.c.line)).scalars().all()
        if there != said:
            connection.execute(sa.delete(lines).where(here))
            made = {"municipality_code": municipality, "table_name": table.name}
            new = [{**made, "line": number, "cells": cells} for number, cells in enumerate(said, 1)]
            connection.execute(sa.insert(lines), new)
    columns = ", ".join(_column(column) for column in table.columns)
    return (
        f"(SELECT {columns} FROM {area.place(LINES.key)} WHERE municipality_code = '{six_digits(municipality)}' "  # noqa: S608
        f"AND table_name = '{table.name}')"
    )


def _column(column: sa.Column[Any]) -> str:
    cell = f"cells ->> '{column.name}'"
    typed = cell if isinstance(column.type, sa.Text) else f"CAST({cell} AS numeric)"
    return f"{typed} AS {quote(column.name)}"
