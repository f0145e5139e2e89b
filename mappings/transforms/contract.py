"""What a transform is: one step from a source value towards a column, as Polars expressions.

A transform is a pure function from expressions and its own frozen parameters to an `Outcome`: the value, and masks of
the rows where it failed or where something is to be said. Nothing runs a row at a time; null passes through as null
without a remark, because what made it null has been reported already.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import polars as pl
import pydantic

from mappings.language.folder import CodeTable

Type = Literal["text", "integer", "decimal", "date", "geometry"]
"""What flows between transforms. A date is a struct of source (text), key (YYYYMMDD, text) and precision (text).

A geometry is one of the columns of its kind (`items.PARTS`)."""


REFERENCE_DATE = "reference_date"
"""What stands for the manifest's 基準日 in a parameter."""


class Params(pydantic.BaseModel):
    """A transform's parameters."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    words: ClassVar[tuple[str, ...]] = ()
    """What may be said in place of a field where a parameter names one."""

    @property
    def context(self) -> tuple[str, ...]:
        """The fields whose values are needed besides, numbers of occurrences, or fields of a header or trailer (kind.FIELD)."""
        return ()


_NAMES = itertools.count()


class Workings:
    """What an outcome is worked out from: columns that are made once, however many expressions use them.

    Polars computes an expression again wherever it stands. `keep` gives an expression a name of its own and is used in
    its place; the engine makes the columns, in order, before it makes the outcome.
    """

    def __init__(self) -> None:
        self.made: list[tuple[str, pl.Expr]] = []

    def keep(self, expr: pl.Expr) -> pl.Expr:
        """The column that an expression will be made as."""
        name = f"~{next(_NAMES)}"
        self.made.append((name, expr))
        return pl.col(name)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a transform makes of a value.

    Attributes:
        value: the new value; null where it failed.
        failed: finding code and mask of the rows for which there is no value.
        remarks: finding code and mask of the rows for which there is one, and something is to be said.
        workings: the columns that these are worked out from, in order; see `Workings`.
    """

    value: pl.Expr
    failed: tuple[tuple[str, pl.Expr], ...] = ()
    remarks: tuple[tuple[str, pl.Expr], ...] = ()
    workings: Sequence[tuple[str, pl.Expr]] = ()


Apply = Callable[[Sequence[pl.Expr], Any, Mapping[str, CodeTable]], Outcome]
"""What a transform makes of values by its parameters and the code tables."""


@dataclasses.dataclass(frozen=True, slots=True)
class Transform:
    """One member of the family.

    Attributes:
        name: its name.
        doc: the module's docstring, for the reference.
        params: the model of its parameters.
        takes: the types it accepts.
        gives: the type it makes.
        apply: the function; of a transform that joins, it gets every value, of another exactly one, and after it what
            `beside` and the parameters' `context` ask for.
        joins: whether it makes one value of several.
        assigns: whether it numbers keys, for which all of a run's keys must be known.
        beside: the parameter that names another column of the table, whose value (of a date, its key) is needed too.
        numeric: the function where numbers flow in, which it gives as they come: a whole one whole, a decimal as one.
        factor: the parameter that a number is multiplied by, where it does nothing else: sums can be followed through it.
        cheap: whether it takes no longer than finding out what it made of the same value before.
        of_text: the function for texts, where they are read in another way.
    """

    name: str
    doc: str
    params: type[Params]
    takes: frozenset[Type]
    gives: Type
    apply: Apply
    joins: bool = False
    beside: str = ""
    numeric: Apply | None = None
    factor: str = ""
    assigns: bool = False
    cheap: bool = False
    of_text: Apply | None = None

    def taking(self, flow: Type) -> Transform:
        """The transform as it takes a type."""
        return self if flow != "text" or self.of_text is None else dataclasses.replace(self, apply=self.of_text)
