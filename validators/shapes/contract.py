"""What a rule and what a shape of rules is: the rows of a staged table that fail, said twice.

Polars evaluates a rule over every staged row, because there a failing row still knows its record and offset. Great
Expectations evaluates it independently on the staged tables in PostgreSQL. Both look at all staged rows, rejected ones
too; the two counts must be equal.

A shape says once, for both engines, what many rules have in common; a system's sheet declares its rules as instances.
Tables go by keys that are never taken apart here: whoever loads them says how a system calls its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Position, Severity

if TYPE_CHECKING:
    from validators.shapes._given import Given

KEY = ("source_dump", "source_record")

DIFFERENCE = "_difference"
"""Where failing rows have it: by how much a stated number is more than what was found."""

Frames = Mapping[str, pl.LazyFrame]
"""The staged rows by target table."""

Failing = Callable[[Frames], pl.LazyFrame]
"""From all frames to the rows that fail."""

_PLACE = re.compile(r"(?<!\{)\{([a-z][a-z0-9_.]*)\}")


@dataclasses.dataclass(frozen=True, slots=True)
class Expectation:
    """One of Great Expectations' own expectations, by class name, with its arguments."""

    kind: str
    arguments: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """SQL that selects the failing rows; `{batch}` is the rule's table, `{key}` another staged one; braces are doubled."""

    sql: str

    def placed(self, place: Callable[[str], str]) -> str:
        """The SQL with every table but `{batch}` named as it is in the database; braces stay doubled."""
        return _PLACE.sub(lambda m: m[0] if m[1] == "batch" else place(m[1]), self.sql)

    def whole(self, batch: str, place: Callable[[str], str]) -> str:
        """The SQL as the database takes it."""
        return self.placed(place).replace("{batch}", batch).replace("{{", "{").replace("}}", "}")


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """SQL over one row of the rule's table, true of a row that fails; braces are doubled, as in a `Query`."""

    sql: str

    @property
    def plain(self) -> str:
        """The condition as the database takes it."""
        return self.sql.replace("{{", "{").replace("}}", "}")

    def whole(self, batch: str, place: Callable[[str], str]) -> str:
        """The failing rows, as a `Query` would select them."""
        return Query(f"SELECT source_record FROM {{batch}} WHERE {self.sql}").whole(batch, place)  # noqa: S608


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: unique within a run.
        code: the finding's code, which gives its wording.
        subject_ja: what it is about, in Japanese.
        subject_en: the same in English.
        table: whose rows fail.
        columns: the columns it reads; the first is the one that a finding names. A date goes by its group.
        failing: a mask over the table's rows, or a function from all frames to the failing rows.
        expectation: the same for Great Expectations.
        kept: whether the rows that fail are kept, as the manifest or a reference says.
        family: under which name a manifest sets it: its instance's, or its kind of number; of a derived rule none.
        declared: the severity that its instance declares; the code's own where it declares none.
        others: the other tables that it reads.
        divided_by: for tables of which it groups or joins rows, by what these may be divided so that no group is cut:
            rows that belong together have equal values there. Of no table where some groups would be.
        tells: what is told of a failing row beside its place: `DIFFERENCE`, or nothing.
    """

    name: str
    code: str
    subject_ja: str
    subject_en: str
    table: str
    columns: tuple[str, ...]
    failing: pl.Expr | Failing
    expectation: Expectation | Query | Where
    kept: bool = False
    family: str = ""
    declared: Severity | None = None
    others: tuple[str, ...] = ()
    divided_by: Mapping[str, tuple[pl.Expr, ...]] = dataclasses.field(default_factory=dict)
    tells: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """What it declares; of a rule whose rows are kept, no more than an alert."""
        severity = self.declared or CATALOGUE[self.code].severity
        return Severity.ALERT if self.kept and severity is Severity.ERROR else severity

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables that it reads, its own first."""
        return tuple(dict.fromkeys((self.table, *self.others)))


class Instance(Protocol):
    """A rule as a system's sheet declares it."""

    @property
    def name(self) -> str:
        """Unique in its system; what stands before the first dot is what a manifest calls it."""

    @property
    def shape(self) -> str:
        """The shape's name."""

    @property
    def of(self) -> str:
        """The table whose rows fail."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """Everything else that it says, the shape's own value under the shape's name."""

    @property
    def severity(self) -> str:
        """error, alert or note; empty where the shape's own is meant."""

    @property
    def position(self) -> Position:
        """Where it is declared."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """What an instance may, or must, say."""

    name: str
    doc: str
    required: bool = False


COMMON = (
    Parameter("where", "column: value, a list of values, or a beginning (`2*`); only rows that have it are judged"),
    Parameter("unless", "the same of rows that are not judged; a row without a value is"),
    Parameter("beside", "what stands beside each row: values that are computed, and rows of other tables (below)"),
)
"""What every shape takes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """One member of the family.

    Attributes:
        name: how an instance names it.
        doc: what it says, and an example.
        code: the code of its findings.
        parameters: what an instance says beside `where` and `unless`; the first is the shape's own.
        make: the rules of an instance; none, where a municipality has yet to say how (a kind of number).
    """

    name: str
    doc: str
    code: str
    parameters: tuple[Parameter, ...]
    make: Callable[[Given], tuple[Rule, ...]]
