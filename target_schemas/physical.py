"""Items -> a SQLAlchemy table in the schema of its system: columns with COMMENTs, checks, the municipality, and lineage.

Every table's key begins with the municipality's code, and its rows say which dump, record and run they came from.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from migration_reports.items import (
    HEADING,
    PARTS,
    TABLE,
    CriticalRows,
    Heading,
    Item,
    Period,
    Reference,
    Table,
    form_of,
)
from target_schemas.model import METADATA, PRECISIONS

LINEAGE = ("municipality_code", "source_dump", "source_record", "run_id")
"""The columns of every table that no sheet names."""

AMOUNT_DIGITS = 13
"""The digits of an amount whose sheet says none."""


GEOMETRY: Mapping[str, sa.types.TypeEngine[Any]] = {
    "area": sa.Numeric(24, 4),
    **dict.fromkeys(("west", "south", "east", "north"), sa.Numeric(20, 8)),
    "valid": sa.BigInteger(),
}
"""What is taken of a geometry when it is mapped, in the units of its reference system."""


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """What a table is made of, beside its items."""

    system: str
    name: str
    ja: str
    en: str
    based_on: str
    key: tuple[str, ...]
    critical: bool
    period: Period | None = None
    critical_rows: CriticalRows | None = None


def make_table(
    described: Described, items: Sequence[Item], references: tuple[Reference, ...], union: Sequence[Item]
) -> Table:
    """Make a table.

    Args:
        described: what it is.
        items: its items.
        references: its references; those to tables of its own system name them bare.
        union: the items of every edition, whose columns it has, too.
    """
    d = described
    make = _once(functools.partial(_physical, union=tuple(union)))
    named = tuple(dataclasses.replace(r, table=_qualified(d.system, r.table)) for r in references)
    how = (d.period, d.critical_rows)
    return Table(d.system, d.name, d.ja, d.en, d.based_on, d.key, tuple(items), named, d.critical, make, *how)


def _once(make: Callable[[Table], sa.Table]) -> Callable[[Table], sa.Table]:
    """Make it when it is first asked for, and give the same ever after."""
    made: list[sa.Table] = []

    def once(table: Table) -> sa.Table:
        if not made:
            made.append(make(table))
        return made[0]

    return once


def _physical(table: Table, *, union: Sequence[Item]) -> sa.Table:
    here = {item.name: item for item in table.items}
    own = [column for item in union for column in _columns(item, here.get(item.name), dated=item.name in table.dates)]
    wide = {item.name for item in union if item.name in here and item.length > here[item.name].length}
    checks = [check for item in table.items for check in _checks(item, wider=item.name in wide)]
    return sa.Table(
        table.name,
        sa.MetaData(naming_convention=METADATA.naming_convention),
        _lineage("municipality_code", sa.Text(), "団体コード", "municipality code"),
        *own,
        _lineage("source_dump", sa.Text(), "移行元ファイル", "source dump"),
        _lineage("source_record", sa.BigInteger(), "移行元レコード番号", "source record number"),
        _lineage("run_id", sa.Text(), "移行実行番号", "run"),
        sa.PrimaryKeyConstraint("municipality_code", *table.key),
        *checks,
        comment=table.ja,
        schema=table.system,
        info={TABLE: table},
        postgresql_partition_by="LIST (municipality_code)",
    )


def _qualified(system: str, table: str) -> str:
    return table if "." in table else f"{system}.{table}"


def _columns(widest: Item, item: Item | None, *, dated: bool) -> Iterator[sa.Column[Any]]:
    """The columns of an item; of one that this edition does not have, columns that stay empty and that nothing describes.

    Args:
        widest: as it is in the union, which decides the type.
        item: as it is in this edition; None: it is not.
        dated: whether it is a date of the table's key, of which nothing may be known.
    """
    said = item or widest
    for part, name in zip(PARTS.get(said.kind, ("",)), said.columns, strict=True):
        ja = f"{said.ja} ({PARTS[said.kind][part]})" if part else said.ja
        en = f"{said.en} ({part})" if part else said.en
        unit = f" ({said.unit:,}円単位)" if said.unit > 1 else ""
        # The key of a day of which nothing is said is null, even where something must be said of it; in a table's key
        # it says so, and what stood there may be nothing.
        # What is taken of a geometry need not be known of every one.
        derived = part == "source" if dated else part in ("key", *GEOMETRY)
        null = item is None or not item.must or derived
        info = {} if item is None else {HEADING: Heading(ja, en, item, part)}
        yield sa.Column(name, _type(widest, part), nullable=null, comment=ja + unit, info=info)


def _type(item: Item, part: str) -> sa.types.TypeEngine[Any]:
    if item.kind in ("M", "R"):
        return sa.Numeric(item.length or AMOUNT_DIGITS, item.scale)
    if part in GEOMETRY:
        return GEOMETRY[part]
    return sa.BigInteger() if item.kind == "I" or part in ("srid", "bytes") else sa.Text()


def _checks(item: Item, *, wider: bool) -> Iterator[sa.CheckConstraint]:
    if item.length and item.kind not in ("I", "M", "R"):
        short = sa.func.char_length(sa.column(item.name)) <= item.length
        yield sa.CheckConstraint(short, name=f"{item.name}_length")
    if item.length and (item.kind == "I" or (wider and item.kind in ("M", "R"))):
        yield sa.CheckConstraint(
            sa.text(f'abs("{item.name}") < {10 ** (item.length - item.scale)}'), name=f"{item.name}_digits"
        )
    for part, name in zip(PARTS.get(item.kind, ("",)), item.columns, strict=True):
        form = form_of(item, part)
        if form is not None:
            yield sa.CheckConstraint(sa.text(_formed(f'"{name}"', form)), name=f"{name}_form")
    if item.kind == "D":
        name = f"{item.name}_precision"
        yield sa.CheckConstraint(sa.column(name).in_(PRECISIONS), name=f"{name}_value")
    elif item.kind in PARTS:
        quoted = ", ".join(f'"{column}"' for column in item.whole)
        whole = sa.text(f"num_nulls({quoted}) IN (0, {len(item.whole)})")
        yield sa.CheckConstraint(whole, name=f"{item.name}_whole")


def _formed(column: str, form: str) -> str:
    """That a text has a form; of nothing but so many digits said in a way that costs PostgreSQL half as much."""
    digits = re.fullmatch(r"\^\[0-9\]\{(\d+)\}\$", form)
    if digits is None:
        return f"{column} ~ '{form}'"
    return f"length({column}) = {digits[1]} AND {column} !~ '[^0-9]'"


def _lineage(name: str, kind: sa.types.TypeEngine[Any], ja: str, en: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=ja, info={HEADING: Heading(ja, en)})
