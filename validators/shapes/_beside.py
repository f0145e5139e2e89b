"""`beside`: what stands beside a row before its rule looks at it, values that are computed and rows of other tables.

    beside:
      month: year(worked) * 100 + month(worked)                      # a value; rules name it `month`
      rate:                                                          # a row of another table: `rate.unit_price`
        {of: overtime_rates, per: [grade], day: worked}              # of its key, and valid on the row's day
      pay: floor(minutes * rate.unit_price / 60)                     # what stands above may be named below

Where no row is found, its values are missing. Where several are, shapes that look at one row judge it with each of them;
others, which count, add or compare with the row before, take the one whose values come first, unless `last` says which.
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

    def frame(self, rows: pl.LazyFrame, frames: Frames, *, each: bool) -> pl.LazyFrame:  # noqa: ARG002  as every step
        """The rows with the value."""
        return rows.with_columns(term.expr.alias(name) for name, term in self.stored.items())

    def sql(self, source: str, *, each: bool) -> str:  # noqa: ARG002
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

    def frame(self, rows: pl.LazyFrame, frames: Frames, *, each: bool) -> pl.LazyFrame:
        """The rows, each beside those that are found, or beside one of them; beside nothing where none is."""
        theirs, tied = self._theirs(frames, each=each), self._tied
        own = rows.with_columns(mine.value.expr.alias(name) for mine, name in zip(self.mine, tied, strict=True))
        if self.holds is ALWAYS:
            return own.join(theirs, on=tied, how="left").drop(tied)
        known = (name for name in self.holds.expr.meta.root_names() if not name.startswith(f"{self.name}."))
        asked = list(dict.fromkeys((*tied, *known)))
        some = own.select(asked).unique()
        pairs = (some.join(theirs, on=tied) if tied else some.join(theirs, how="cross")).filter(self.holds.expr)
        found = pairs if each else _first(pairs, asked, self._stored)
        return own.join(found, on=asked, how="left", nulls_equal=True).drop(tied)

    def sql(self, source: str, *, each: bool) -> str:
        """The same in SQL."""
        chosen = not each and self.holds is not ALWAYS
        row = quoted(f"{self.name}._row")
        own = f"(SELECT *, row_number() OVER () AS {row} FROM {source} AS own)" if chosen else source  # noqa: S608
        tied = " AND ".join(f"{mine.value.sql} = {quoted(n)}" for mine, n in zip(self.mine, self._tied, strict=True))
        shown = ", ".join(["rows.*", *map(quoted, self._stored), quoted(f"{self.name}._found")])
        joined = f"FROM {own} AS rows LEFT JOIN ({self._theirs_sql(each=each)}) AS other ON {tied or 'true'} AND {self.holds.sql}"
        if chosen:
            return f"(SELECT DISTINCT ON ({row}) {shown} {joined} ORDER BY {', '.join([row, *self._order])})"
        return f"(SELECT {shown} {joined})"

    @property
    def _tied(self) -> list[str]:
        return [f"{self.name}._{n}" for n in range(len(self.mine))]

    @property
    def _stored(self) -> list[str]:
        """The columns that may be named, as they are stored."""
        return [name for column in self.columns.values() for name in _stored(column)]

    @property
    def _order(self) -> list[str]:
        """The order of their values in SQL, as Polars sorts."""
        texts = [(name, column.type != "number") for column in self.columns.values() for name in _stored(column)]
        return [f'{quoted(name)} COLLATE "C"' if text else quoted(name) for name, text in texts]

    def _theirs(self, frames: Frames, *, each: bool) -> pl.LazyFrame:
        """The other rows, as they may be named; one of a key, where only one is asked for and nothing else decides."""
        found = self.rows.frame(frames).filter(self._meant.expr)
        keys = [column.value.expr.alias(name) for column, name in zip(self.rows.per, self._tied, strict=False)]
        shown = [pl.col(name.partition(".")[2]).alias(name) for name in self._stored]
        shown.append(pl.lit(value=True).alias(f"{self.name}._found"))
        if self.last is not None:
            place = ordered(self.last).expr.alias("_last")
            newest = found.select(*keys, *shown, place, *KEY).sort("_last", *KEY)
            return newest.unique(self._tied, keep="last", maintain_order=True).drop("_last", *KEY)
        named = found.select(*keys, *shown)
        return named if each or self.holds is not ALWAYS else _first(named, self._tied, self._stored)

    def _theirs_sql(self, *, each: bool) -> str:
        keys = [f"{c.value.sql} AS {quoted(name)}" for c, name in zip(self.rows.per, self._tied, strict=False)]
        shown = [f"{quoted(name.partition('.')[2])} AS {quoted(name)}" for name in self._stored]
        shown.append(f"true AS {quoted(f'{self.name}._found')}")
        rest = f"{', '.join([*keys, *shown])} FROM {self.rows.sql} WHERE {self._meant.sql}"
        by = ", ".join(str(n + 1) for n in range(len(keys)))
        if self.last is not None:
            newest = f"{ordered(self.last).sql} DESC, {', '.join(f'{part} DESC' for part in ORDER_SQL.split(', '))}"
            return f"SELECT DISTINCT ON ({by}) {rest} ORDER BY {by}, {newest}"
        if each or self.holds is not ALWAYS:
            return f"SELECT {rest}"
        return f"SELECT DISTINCT ON ({by}) * FROM (SELECT {rest}) AS named ORDER BY {', '.join([by, *self._order])}"  # noqa: S608

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


def _first(rows: pl.LazyFrame, of: list[str], values: list[str]) -> pl.LazyFrame:
    """Of several the one whose values come first."""
    placed = rows.sort(values, nulls_last=True) if values else rows
    return placed.unique(of, keep="first", maintain_order=True)


def _stored(column: Column) -> tuple[str, ...]:
    return (f"{column.name}_key", f"{column.name}_precision") if column.type == "date" else (column.name,)
