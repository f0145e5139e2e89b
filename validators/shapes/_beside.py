"""`beside`: what stands beside a row before its rule looks at it, values that are computed and rows of other tables.

    beside:
      month: year(worked) * 100 + month(worked)                      # a value; rules name it `month`
      rate:                                                          # a row of another table: `rate.unit_price`
        {of: overtime_rates, per: [grade], day: worked}              # of its key, and valid on the row's day
      pay: floor(minutes * rate.unit_price / 60)                     # what stands above may be named below

Where no row is found, its values are missing. Where several are, the row is judged with each of them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from migration_reports.findings import did_you_mean
from validators.shapes._expression import ExpressionError, read, read_value
from validators.shapes._groups import ORDER_SQL, ordered
from validators.shapes._terms import ALWAYS, Column, Term, Type, every, quoted
from validators.shapes._values import Typed
from validators.shapes.contract import KEY, Frames

if TYPE_CHECKING:
    from validators.shapes._given import Given, Rows

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
SAYS = ("of", "per", "where", "unless", "beside", "day", "from", "until", "ends", "if", "last")
"""What is said of rows that stand beside others."""

LINES = "joint."
"""How the keys of reference tables begin, whose lines came in no dump and so have no order."""


@dataclasses.dataclass(frozen=True, slots=True)
class Computed:
    """A value that is computed of each row: its columns as they are stored, and how they may be named."""

    stored: Mapping[str, Term]
    columns: Mapping[str, Column]

    def frame(self, rows: pl.LazyFrame, frames: Frames) -> pl.LazyFrame:  # noqa: ARG002  as every step
        """The rows with the value."""
        return rows.with_columns(term.expr.alias(name) for name, term in self.stored.items())

    def sql(self, source: str) -> str:
        """The same in SQL; joined, so that whatever stands in for the table is named here."""
        made = ", ".join(f"{term.sql} AS {quoted(name)}" for name, term in self.stored.items())
        return f"(SELECT rows.*, made.* FROM {source} AS rows CROSS JOIN LATERAL (SELECT {made}) AS made)"  # noqa: S608


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """Rows of another table.

    Attributes:
        name: what they are called.
        rows: the other table's rows, which have the columns that tie them in `per`.
        mine: the columns of the row that they are tied to.
        columns: what may be named, by `name.column`.
        holds: what else must hold between the two.
        last: of several the one with the greatest value of this column.
    """

    name: str
    rows: Rows
    mine: tuple[Column, ...]
    columns: Mapping[str, Column]
    holds: Term = ALWAYS
    last: Column | None = None

    @property
    def single(self) -> bool:
        """Whether one row at most is found, as far as the declaration can tell."""
        return self.last is not None or self.holds is not ALWAYS or self.rows.keyed

    def frame(self, rows: pl.LazyFrame, frames: Frames) -> pl.LazyFrame:
        """The rows, each beside those that are found; beside nothing where none is."""
        theirs, tied = self._theirs(frames), [f"{self.name}._{n}" for n in range(len(self.mine))]
        own = rows.with_columns(mine.value.expr.alias(name) for mine, name in zip(self.mine, tied, strict=True))
        if self.holds is ALWAYS:
            return own.join(theirs, on=tied, how="left").drop(tied)
        known = (name for name in self.holds.expr.meta.root_names() if not name.startswith(f"{self.name}."))
        asked = list(dict.fromkeys((*tied, *known)))
        some = own.select(asked).unique()
        pairs = some.join(theirs, on=tied) if tied else some.join(theirs, how="cross")
        return own.join(pairs.filter(self.holds.expr), on=asked, how="left", nulls_equal=True).drop(tied)

    def sql(self, source: str) -> str:
        """The same in SQL."""
        stored = [name for column in self.columns.values() for name in _stored(column)]
        tied = " AND ".join(f'{mine.value.sql} = "{self.name}._{n}"' for n, mine in enumerate(self.mine))
        shown = ", ".join(["rows.*", *map(quoted, stored), f'"{self.name}._found"'])
        return (
            f"(SELECT {shown} FROM {source} AS rows LEFT JOIN ({self._theirs_sql()}) AS other "  # noqa: S608
            f"ON {tied or 'true'} AND {self.holds.sql})"
        )

    def _theirs(self, frames: Frames) -> pl.LazyFrame:
        found = self.rows.frame(frames).filter(self._meant.expr)
        keys = [column.value.expr.alias(f"{self.name}._{n}") for n, column in enumerate(self.rows.per)]
        shown = [pl.col(name.partition(".")[2]).alias(name) for c in self.columns.values() for name in _stored(c)]
        shown.append(pl.lit(value=True).alias(f"{self.name}._found"))
        if self.last is None:
            return found.select(*keys, *shown)
        place = ordered(self.last).expr.alias("_last")
        tied = [f"{self.name}._{n}" for n in range(len(keys))]
        newest = found.select(*keys, *shown, place, *KEY).sort("_last", *KEY)
        return newest.unique(tied, keep="last", maintain_order=True).drop("_last", *KEY)

    def _theirs_sql(self) -> str:
        keys = [f'{column.value.sql} AS "{self.name}._{n}"' for n, column in enumerate(self.rows.per)]
        shown = [
            f"{quoted(name.partition('.')[2])} AS {quoted(name)}" for c in self.columns.values() for name in _stored(c)
        ]
        shown.append(f'true AS "{self.name}._found"')
        rest = f"{', '.join([*keys, *shown])} FROM {self.rows.sql} WHERE {self._meant.sql}"
        if self.last is None:
            return f"SELECT {rest}"
        by = ", ".join(str(n + 1) for n in range(len(keys)))
        newest = f"{ordered(self.last).sql} DESC, {', '.join(f'{part} DESC' for part in ORDER_SQL.split(', '))}"
        return f"SELECT DISTINCT ON ({by}) {rest} ORDER BY {by}, {newest}"

    @property
    def _meant(self) -> Term:
        known = [column.value.present() for column in self.rows.per]
        placed = [] if self.last is None else [ordered(self.last).present()]
        return every([self.rows.condition.term, *known, *placed])


Step = Computed | Looked


def step(given: Given, name: str, said: object, columns: Mapping[str, Column], named: str) -> Step | None:
    """What an instance says of one name under `beside`; none, where it cannot be used.

    Args:
        given: the instance.
        name: the name.
        said: a value to be computed, or a mapping that says of rows which they are.
        columns: the columns that may be named so far.
        named: the text of everything that the instance says, in which the columns that it needs are named.
    """
    if not NAME.fullmatch(name) or name in columns:
        given.wrong(
            "R020", f"`{name[:60]}` cannot be a name under `beside`: small letters, digits and _, and no column's name"
        )
        return None
    if isinstance(said, str):
        return _computed(given, name, said, columns)
    if not isinstance(said, Mapping):
        given.wrong("R020", f"`beside` gives `{name}` neither a value to be computed nor rows (of, per, ...)")
        return None
    return looked(given, name, said, columns, named)


def _computed(given: Given, name: str, text: str, columns: Mapping[str, Column]) -> Computed | None:
    try:
        value, _ = read_value(text, columns)
    except ExpressionError as error:
        given.wrong("R006", f"`{text[:60]}`: {error}")
        return None
    if value.type == "date":
        return _computed_day(name, value)
    kind: Type = "text" if value.type == "text" else "number"
    column = Column(name, kind, name, name, value.scale, max(value.digits, 1), made=True)
    return Computed({name: value.term}, {name: column})


def _computed_day(name: str, value: Typed) -> Computed:
    """A day has the columns of a date, so that it can be named like one."""
    day = value.term
    key = Term(day.expr.cast(pl.String).str.zfill(8), f"lpad(CAST({day.sql} AS text), 8, '0')")
    known = Term(
        pl.when(day.expr.is_not_null()).then(pl.lit("day")), f"(CASE WHEN {day.sql} IS NOT NULL THEN 'day' END)"
    )
    return Computed(
        {f"{name}_key": key, f"{name}_precision": known}, {name: Column(name, "date", name, name, made=True)}
    )


def looked(given: Given, name: str, said: object, columns: Mapping[str, Column], named: str) -> Looked:
    """What an instance says of rows of another table, under a name; their columns go by `name.column`."""
    if not isinstance(said, Mapping):
        said = {"of": said}
    for word in said:
        if word not in SAYS:
            given.wrong("R020", f"`{name}` under `beside` has no `{word[:60]}`", SAYS, did_you_mean(word, SAYS))
    per = said.get("per", {})
    ties = per if isinstance(per, Mapping) else {word: word for word in given.words("per", per)}
    rows = given.dated(given.rows_of(name, {**said, "per": list(ties)}))
    mine = tuple(given.named(columns, str(word), f"`{name}` under `beside`") for word in ties.values())
    if [column.type for column in mine] != [column.type for column in rows.per]:
        given.wrong(
            "R020", f"`{name}` under `beside`: a row and those beside it are tied by columns of the same types (`per`)"
        )
    asked = re.findall(rf"\b{name}[.]([a-z][a-z0-9_]*)", named)
    for word in asked if rows.columns else ():
        given.named(rows.columns, word, f"`{rows.table}`")
    wanted = {*asked, *(str(rows.said.get(word)) for word in ("from", "until"))}
    theirs = {
        f"{name}.{c.name}": dataclasses.replace(c, name=f"{name}.{c.name}", made=True)
        for c in rows.columns.values()
        if c.name in wanted
    }
    known = {**columns, **theirs}
    holds = [*_on_its_day(given, name, rows, known)]
    if "if" in said:
        try:
            holds.append(read(str(said["if"]), known)[0])
        except ExpressionError as error:
            given.wrong("R006", f"`{str(said['if'])[:60]}`: {error}")
    if not (rows.per or holds):
        given.wrong("R020", f"`{name}` under `beside` needs `per`, or `day` or `if`: what ties its rows to a row")
    last = given.named(rows.columns, str(said["last"]), f"`{rows.table}`") if "last" in said else None
    if last is not None and (holds or not rows.per):
        given.wrong("R020", f"`{name}` under `beside`: `last` is of rows that `per` ties, without `day` and `if`")
    if last is not None and rows.table.startswith(LINES):
        given.wrong("R020", f"`{name}` under `beside`: the line of a reference table is chosen by `day`, not by `last`")
    return Looked(name, rows, mine, theirs, every(holds) if holds else ALWAYS, last)


def _on_its_day(given: Given, name: str, rows: Rows, known: Mapping[str, Column]) -> list[Term]:
    """That the other row's period holds a day of the row; a bound that is not known to the day is open."""
    said = rows.said.get("day")
    if said is None:
        return []
    day = given.named(known, str(said), "the row", "date").day
    terms = []
    for word in ("from", "until"):
        if word in rows.said:
            bound = given.named(known, f"{name}.{rows.said[word]}", f"`{rows.table}`", "date").day
            before = rows.said.get("ends") == "before" and word == "until"
            within = bound <= day if word == "from" else day < bound if before else day <= bound
            terms.append(~bound.present() | within)
    if not terms:
        given.wrong("R020", f"`{name}` under `beside`: the other table has no period: say `from`, `until` or both")
    return terms


def _stored(column: Column) -> tuple[str, ...]:
    return (f"{column.name}_key", f"{column.name}_precision") if column.type == "date" else (column.name,)
