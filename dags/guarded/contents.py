"""What a run sees in staged columns that look like secrets though nothing is called so: digests of one length, none twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.items import table_of

HEX_DIGESTS = (32, 40, 56, 64, 96, 128)
BASE64_DIGESTS = (24, 28, 40, 44, 64, 88)
"""The characters of an MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512, in both writings."""

HEXADECIMAL, BASE64 = "^([0-9a-f]+|[0-9A-F]+)$", "^[A-Za-z0-9+/]+={0,2}$"
SHARE, DIFFERENT, ENOUGH = 0.95, 0.9, 40
"""How many of the values are of such a form, how many are different, and how many there must be to tell."""


def is_digest(value: pl.Expr, length: pl.Expr) -> pl.Expr:
    """Whether a text is written as digests are; one of digits or of letters alone is none."""
    mixed = value.str.contains("[0-9]") & value.str.contains("[A-Za-z]")
    hexadecimal = length.is_in(HEX_DIGESTS) & value.str.contains(HEXADECIMAL)
    return mixed & (hexadecimal | (length.is_in(BASE64_DIGESTS) & value.str.contains(BASE64)))


def digests(tables: Mapping[str, sa.Table], frames: Mapping[str, pl.LazyFrame]) -> pa.RecordBatch:
    """An alert for each column of half-width text whose values look like digests.

    Args:
        tables: the run's tables.
        frames: their staged rows.
    """
    found = (
        finding("V446", CATALOGUE["V446"].severity, table=key, column=column)
        for key, table in tables.items()
        for column in _looking_so(table, frames[key])
    )
    return join_findings(list(found))


def _looking_so(table: sa.Table, rows: pl.LazyFrame) -> Iterator[str]:
    names = [
        item.name for item in table_of(table).items if item.kind in "AL" and not 0 < item.length < min(BASE64_DIGESTS)
    ]
    if not names:
        return
    counted = rows.select(
        expr
        for name in names
        for value, length in [(pl.col(name), pl.col(name).str.len_chars())]
        for expr in (
            value.count().alias(f"{name} filled"),
            is_digest(value, length).sum().alias(f"{name} digests"),
            value.approx_n_unique().alias(f"{name} different"),
            (length.min() == length.max()).alias(f"{name} even"),
        )
    ).collect(engine="streaming")
    for name in names:
        filled, like, different, even = (
            counted[f"{name} {what}"][0] for what in ("filled", "digests", "different", "even")
        )
        if filled >= ENOUGH and like >= SHARE * filled and different >= DIFFERENT * filled and even:
            yield name
