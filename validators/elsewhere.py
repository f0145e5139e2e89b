"""Rules that read another system's rows: those that can be judged in this run, and those that cannot, which are told."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from validators.shapes.contract import Rule


@dataclasses.dataclass(frozen=True, slots=True)
class Elsewhere:
    """Rows of a table that are not this run's.

    Attributes:
        rows: the rows, read when they are asked for, and no more of them than a rule needs.
        place: the same rows as SQL names them.
    """

    rows: pl.LazyFrame
    place: str


def read_elsewhere(rules: Iterable[Rule], here: Collection[str]) -> tuple[str, ...]:
    """The tables that some rules read and that are not the run's."""
    return tuple(dict.fromkeys(table for rule in rules for table in rule.reads if table not in here))


def divided(
    rules: Iterable[Rule], *, here: Collection[str], elsewhere: Collection[str]
) -> tuple[tuple[Rule, ...], tuple[tuple[Rule, tuple[str, ...]], ...]]:
    """Divide rules by whether their tables are there.

    Args:
        rules: the rules.
        here: the run's own tables; the rows that a rule judges are among these.
        elsewhere: the tables whose rows are known all the same.

    Returns:
        Those that can be judged; and the others, each with the tables that are missing.
    """
    judged: list[Rule] = []
    left: list[tuple[Rule, tuple[str, ...]]] = []
    for rule in rules:
        missing = tuple(t for t in rule.reads if t not in here and (t == rule.table or t not in elsewhere))
        if missing:
            left.append((rule, missing))
        else:
            judged.append(rule)
    return tuple(judged), tuple(left)


def frames_of(elsewhere: Mapping[str, Elsewhere]) -> Mapping[str, pl.LazyFrame]:
    """The rows by table."""
    return {key: one.rows for key, one in elsewhere.items()}
