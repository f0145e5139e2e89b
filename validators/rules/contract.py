"""What a rule is: the rows of a staged table that fail it, said twice.

Polars evaluates a rule over every staged row, because there a failing row still knows its record and offset. Great
Expectations evaluates it independently on the staged tables in PostgreSQL. Both look at all staged rows, rejected ones
too; the two counts must be equal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Severity

KEY = ("source_dump", "source_record")

Frames = Mapping[str, pl.LazyFrame]
"""The staged rows by target table, whose key is `system.table`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Expectation:
    """One of Great Expectations' own expectations, by class name, with its arguments."""

    kind: str
    arguments: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """SQL that selects the failing rows; `{batch}` is the rule's table, `{system.table}` another staged one."""

    sql: str


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: unique within a run.
        code: the finding's code, which gives its severity and wording.
        subject_ja: what it is about, in Japanese.
        subject_en: the same in English.
        table: whose rows fail.
        columns: the columns it reads; the first is the one that a finding names. A date goes by its group.
        failing: a mask over the table's rows, or a function from all frames to the failing rows.
        expectation: the same for Great Expectations.
        kept: whether the rows that fail are kept, as the manifest or a reference says.
        family: the member of the rules family that gave it; of a derived rule none.
    """

    name: str
    code: str
    subject_ja: str
    subject_en: str
    table: str
    columns: tuple[str, ...]
    failing: pl.Expr | Callable[[Frames], pl.LazyFrame]
    expectation: Expectation | Query
    kept: bool = False
    family: str = ""

    @property
    def severity(self) -> Severity:
        """The code's severity; of a rule whose rows are kept, no more than an alert."""
        severity = CATALOGUE[self.code].severity
        return Severity.ALERT if self.kept and severity is Severity.ERROR else severity


@dataclasses.dataclass(frozen=True, slots=True)
class RuleFamily:
    """One member of the rules family: which rules it gives for some target tables (none, where they do not fit).

    `make` gets the tables and what the manifest sets for the rule; `options` are what it may set. A rule `by_column` is
    about the columns that ask for it by name (`check=` of a target column).
    """

    name: str
    doc: str
    make: Callable[[Mapping[str, sa.Table], Mapping[str, str]], tuple[Rule, ...]]
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    by_column: bool = False


def has(tables: Mapping[str, sa.Table], table: str, *columns: str) -> bool:
    """Whether a table is there with these columns."""
    return table in tables and all(column in tables[table].columns for column in columns)
