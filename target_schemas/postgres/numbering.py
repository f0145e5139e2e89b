"""Numbers that are given to source keys once and for all, kept in the ledger.

They are stable from run to run, and from system to system they are the cross-reference from old numbers to new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from target_schemas.postgres.ledger import LEDGER, lock

NUMBERS = sa.Table(
    "numbers",
    LEDGER,
    sa.Column("municipality_code", sa.Text, primary_key=True, comment="団体コード"),
    sa.Column("series", sa.Text, primary_key=True, comment="番号系列"),
    sa.Column("source_key", sa.Text, primary_key=True, comment="移行元の番号"),
    sa.Column("number", sa.BigInteger, nullable=False, comment="移行先の番号"),
    sa.Column("run_id", sa.Text, nullable=False, comment="付番した移行実行番号"),
    sa.UniqueConstraint("municipality_code", "series", "number"),
    comment="付番台帳 (新旧番号対応)",
)

AT_ONCE = 20_000

T = TypeVar("T")


def assign(
    engine: sa.Engine, municipality: str, series: str, keys: Sequence[str], *, run_id: str, new: bool
) -> Mapping[str, str]:
    """The numbers of some keys; keys without one get the next, in their order.

    Args:
        engine: the database.
        municipality: its code.
        series: which numbers.
        keys: each once.
        run_id: the run, noted beside new numbers.
        new: whether unknown keys get a number.

    Returns:
        The number of each key that has one.
    """
    mine = sa.and_(NUMBERS.c.municipality_code == municipality, NUMBERS.c.series == series)
    with engine.begin() as connection:
        lock(connection, municipality)
        known: dict[str, str] = {}
        for some in _cut(keys):
            query = sa.select(NUMBERS.c.source_key, NUMBERS.c.number).where(
                mine, NUMBERS.c.source_key == sa.any_(sa.bindparam("keys", some, sa.ARRAY(sa.Text)))
            )
            known.update((row.source_key, str(row.number)) for row in connection.execute(query))
        if new:
            last = connection.execute(
                sa.select(sa.func.coalesce(sa.func.max(NUMBERS.c.number), 0)).where(mine)
            ).scalar_one()
            unknown = [key for key in keys if key not in known]
            rows = [
                {"municipality_code": municipality, "series": series, "source_key": key, "number": n, "run_id": run_id}
                for n, key in enumerate(unknown, last + 1)
            ]
            for part in _cut(rows):
                connection.execute(sa.insert(NUMBERS), part)
            known.update((key, str(number)) for number, key in enumerate(unknown, last + 1))
    return known


def _cut(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some
