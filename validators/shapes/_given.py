"""What an instance says, proved against the tables; every problem is kept, and said at once.

What cannot be used is answered by what stands in its place, so that a shape need not ask: its rule is never used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import polars as pl
import sqlalchemy as sa

from migration_reports.findings import Problem, Severity, did_you_mean
from migration_reports.items import heading, item_of, table_of
from validators.shapes import _beside
from validators.shapes._conditions import Condition, condition
from validators.shapes._groups import divided
from validators.shapes._terms import Column, Term, Type
from validators.shapes.contract import COMMON, Failing, Frames, Instance, Parameter, Query, Rule, Shape, Where

UNDIVIDED: Mapping[str, tuple[pl.Expr, ...]] = MappingProxyType({})

WORDS: Mapping[Type, str] = {"text": "text", "number": "a number", "date": "a date"}


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table, as a rule looks at them: which are meant, and by what they are grouped.

    Attributes:
        table: the table's key.
        condition: which of its rows are meant.
        per: the columns that group them; where one of them is null, a row is in no group.
        title_ja: what the table is called in Japanese.
        title_en: the same in English.
        said: what else the instance says of them.
        columns: the columns that may be named, by their names.
        base: how SQL names the table.
        beside: what stands beside each row.
    """

    table: str
    condition: Condition
    per: tuple[Column, ...]
    title_ja: str
    title_en: str
    said: Mapping[str, object]
    columns: Mapping[str, Column] = dataclasses.field(default_factory=dict)
    base: str = "{batch}"
    beside: tuple[_beside.Step, ...] = ()

    def frame(self, frames: Frames, *, numbered: bool = False) -> pl.LazyFrame:
        """The rows with what stands beside them: one of several, or, where they are numbered in `_row`, each of them."""
        rows = frames[self.table].with_row_index("_row") if numbered else frames[self.table]
        for one in self.beside:
            rows = one.frame(rows, frames, each=numbered)
        return rows

    @property
    def sql(self) -> str:
        """The same, as it is named after FROM where nothing is joined."""
        return self._prepared(self.base) if self.beside else self.base if self.base == "{batch}" else self.named

    @property
    def named(self) -> str:
        """The same where something is joined: Great Expectations puts a name for its table only where nothing is."""
        return self.sql if self.beside else f"{self.base} AS batch"

    @property
    def numbered(self) -> str:
        """The same, with a number for each row in `_row`, and beside each of several."""
        numbered = f'(SELECT *, row_number() OVER () AS "_row" FROM {self.base} AS batch)'  # noqa: S608
        return self._prepared(numbered, each=True)

    def _prepared(self, source: str, *, each: bool = False) -> str:
        for one in self.beside:
            source = one.sql(source, each=each)
        return f"{source} AS prepared"

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables whose rows stand beside them."""
        looked = [one.rows for one in self.beside if isinstance(one, _beside.Looked)]
        return tuple(dict.fromkeys(table for rows in looked for table in (rows.table, *rows.tables)))


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """An instance of a shape.

    Attributes:
        instance: what is declared.
        shape: its shape.
        tables: every table by its key.
        own: the keys of the system's own tables, by the names that its sheet uses.
        settings: what the municipality says of kinds of numbers, by kind.
        problems: what is wrong with it, so far.
        looked: the tables whose rows stand beside others, so far.
    """

    instance: Instance
    shape: Shape
    tables: Mapping[str, sa.Table]
    own: Mapping[str, str]
    settings: Mapping[str, Mapping[str, str]]
    problems: list[Problem] = dataclasses.field(default_factory=list)
    looked: dict[str, None] = dataclasses.field(default_factory=dict)

    def known(self) -> None:
        """Prove that nothing is said that the shape does not know, and nothing is missing."""
        known = [p.name for p in (*self.shape.parameters, *COMMON)]
        for name in self.instance.parameters:
            if name not in known:
                self.wrong("R002", f"{self.shape.name} has no `{name[:60]}`", known, did_you_mean(name, known))
        for parameter in self.incomplete:
            self.wrong("R002", f"{self.shape.name} needs `{parameter.name}`: {parameter.doc}")

    @property
    def incomplete(self) -> tuple[Parameter, ...]:
        """The parameters that are missing."""
        return tuple(p for p in self.shape.parameters if p.required and p.name not in self.instance.parameters)

    def wrong(self, code: str, message: str, allowed: Iterable[str] = (), hint: str = "") -> None:
        """Keep a problem."""
        said = f"rule {self.instance.name[:60]}: {message}"
        problem = Problem(code, self.instance.position, said, tuple(allowed)[:40], hint)
        if problem not in self.problems:
            self.problems.append(problem)

    @property
    def table(self) -> str:
        """The key of the table whose rows fail."""
        return self._table(self.instance.of)

    @property
    def rows(self) -> Rows:
        """The rows that are judged."""
        return self._rows(self.table, self.instance.parameters, base="{batch}")

    def others(self, name: str, *, per: str = "per") -> Rows:
        """The rows of another table, said by its name or by a mapping (of, per, where, unless, and more).

        Where it says no `per`, its columns are called as those of the parameter `per`.
        """
        return self.rows_of(name, self.instance.parameters.get(name, {}), per=per)

    def rows_of(self, name: str, said: object, *, per: str = "per") -> Rows:
        """The same of what is said of them under some name."""
        said = {"of": said} if isinstance(said, str) else said
        if not isinstance(said, Mapping):
            self.wrong("R002", f"`{name}` must be a table or a mapping")
            said = {}
        if not isinstance(of := said.get("of"), str):
            self.wrong("R002", f"`{name}` needs `of`: the other table")
            return self._rows("", {})
        tied = said.get("per", self.instance.parameters.get(per, ()))
        return self._rows(self._table(of), {**said, "per": tied})

    def dated(self, rows: Rows) -> Rows:
        """Rows whose period is said: where the instance says none, it is the one that their table has."""
        table = self.tables.get(rows.table)
        period = None if table is None else table_of(table).period
        if period is None or any(word in rows.said for word in ("from", "until", "ends")):
            return rows
        said = {"from": period.begin, "until": period.end, "ends": period.ends}
        return dataclasses.replace(rows, said={**rows.said, **said})

    def only(self, rows: Rows, name: str, known: Sequence[str]) -> None:
        """Prove that of another table's rows nothing is said but what is known."""
        allowed = ("of", "per", "where", "unless", "beside", *known)
        for word in rows.said:
            if word not in allowed:
                self.wrong("R002", f"`{name}` has no `{word[:60]}`", allowed, did_you_mean(word, allowed))

    def column(self, name: str, type_: Type | None = None, *, of: Rows | None = None) -> Column:
        """A column that a parameter names."""
        columns = self.columns(name, type_, of=of)
        if len(columns) > 1:
            self.wrong("R002", f"`{name}` is one column")
        return columns[0] if columns else Column(name, type_ or "text", name, name)

    def columns(self, name: str, type_: Type | None = None, *, of: Rows | None = None) -> tuple[Column, ...]:
        """The columns that a parameter names; none, where it is left out."""
        rows = self.rows if of is None else of
        said = (self.instance.parameters if of is None else of.said).get(name, ())
        return tuple(self.named(rows.columns, word, f"`{rows.table}`", type_) for word in self.words(name, said))

    def text(self, name: str, default: str = "", *, allowed: Sequence[str] = ()) -> str:
        """A text, one of some where only these are allowed."""
        said = self.instance.parameters.get(name, default)
        if not isinstance(said, str) or (allowed and said not in allowed):
            self.wrong("R002", f"`{name}` cannot be `{str(said)[:60]}`", allowed, did_you_mean(str(said), allowed))
            return default
        return said

    def number(self, name: str, default: Decimal | None = None) -> Decimal | None:
        """A number of at most 18 digits, 9 of them after the point."""
        said = self.instance.parameters.get(name)
        if said is None:
            return default
        try:
            value = Decimal(str(said))
            if value.is_finite() and abs(value) < 10**18 and value == value.quantize(Decimal("1e-9")):
                return value
        except InvalidOperation:
            pass
        self.wrong("R002", f"`{name}` is `{str(said)[:60]}`, and no number of at most 18 digits")
        return default

    def mask(self, columns: Sequence[Column], wrong: Term, ja: str, en: str) -> tuple[Rule, ...]:
        """A rule about one row at a time: it is wrong where the condition is true."""
        term, rows = self.rows.condition.term & wrong, self.rows
        if not rows.beside:
            return (self.rule(columns, term.expr, Where(term.sql), ja, en),)

        def failing(frames: Frames) -> pl.LazyFrame:
            return rows.frame(frames, numbered=True).filter(term.expr).unique("_row")

        sql = f'SELECT source_record FROM (SELECT DISTINCT "_row", source_record FROM {rows.numbered} WHERE {term.sql}) AS fallen'  # noqa: S608
        return (dataclasses.replace(self.rule(columns, failing, Query(sql), ja, en), divided_by=self.apart(rows)),)

    def apart(self, rows: Rows) -> Mapping[str, tuple[pl.Expr, ...]]:
        """By what rows may be divided that are looked at one by one, with the first of those that stand beside them."""
        looked = [one for one in rows.beside if isinstance(one, _beside.Looked)]
        first = looked[0] if looked else None
        if first is None or first.rows.beside or len(set(rows.tables)) < len(looked):
            return {}
        by = divided((rows.table, first.mine), (first.rows.table, first.rows.per))
        return by if not {one.rows.table for one in looked[1:]} & by.keys() else {}

    def rule(
        self,
        columns: Sequence[Column],
        failing: pl.Expr | Failing,
        expectation: Query | Where,
        ja: str,
        en: str,
        others: Sequence[str] = (),
        divided_by: Mapping[str, tuple[pl.Expr, ...]] = UNDIVIDED,
    ) -> Rule:
        """The rule, with its condition's columns and words added."""
        rows = self.rows.condition
        severity = self.instance.severity
        read = tuple(dict.fromkeys((*others, *(table for table in self.looked if table != self.table))))
        return Rule(
            self.instance.name,
            self.shape.code,
            f"{ja} ({rows.ja})" if rows.ja else ja,
            f"{en} ({rows.en})" if rows.en else en,
            self.table,
            tuple(dict.fromkeys(column.name for column in (*columns, *rows.columns))),
            failing,
            expectation,
            family=self.instance.name.partition(".")[0],
            declared=Severity(severity) if severity else None,
            others=read,
            divided_by={} if self.looked.keys() & divided_by.keys() else divided_by,
        )

    def _table(self, name: str) -> str:
        key = self.own.get(name, name)
        if key not in self.tables:
            names = [*self.own, *self.tables]
            self.wrong("R003", f"unknown table `{name[:60]}`", dict.fromkeys(names), did_you_mean(name, names))
        return key

    def _rows(self, table: str, said: Mapping[str, object], *, base: str = "") -> Rows:
        found = self.tables.get(table)
        ja, en = (table, table) if found is None else (table_of(found).ja, table_of(found).en)
        columns = {} if found is None else columns_of(found)
        beside = self._beside(said.get("beside", {}), columns)
        per = tuple(self.named(columns, word, f"`{table}`") for word in self.words("per", said.get("per", ())))
        conditions = [self._condition(columns, table, name, said.get(name, {})) for name in ("where", "unless")]
        try:
            meant = condition(*conditions)
        except ValueError as error:
            self.wrong("R002", f"{error}")
            meant = Condition()
        return Rows(table, meant, per, ja, en, said, columns, base or f"{{{table}}}", beside)

    def _beside(self, said: object, columns: dict[str, Column]) -> tuple[_beside.Step, ...]:
        """What stands beside each row; its columns are added to those that may be named."""
        if not isinstance(said, Mapping):
            self.wrong("R020", "`beside` is a mapping of names to values that are computed, or to rows of other tables")
            return ()
        steps = []
        for name, one in said.items():
            made = _beside.step(self, str(name), one, columns, repr(self.instance.parameters))
            if made is not None:
                steps.append(made)
                columns.update(made.columns)
                tables = (made.rows.table, *made.rows.tables) if isinstance(made, _beside.Looked) else ()
                self.looked.update(dict.fromkeys(tables))
        return tuple(steps)

    def _condition(
        self, columns: Mapping[str, Column], table: str, name: str, said: object
    ) -> dict[Column, tuple[str, ...]]:
        if not isinstance(said, Mapping):
            self.wrong("R002", f"`{name}` is a mapping of columns to values")
            return {}
        values = {
            self.named(columns, str(word), f"`{table}`"): self.words(str(word), value) for word, value in said.items()
        }
        for column, of in values.items():
            if not of:
                self.wrong("R002", f"`{name}` gives `{column.name[:60]}` no value")
        return {column: of for column, of in values.items() if of}

    def words(self, name: str, said: object) -> tuple[str, ...]:
        """A name or several."""
        words = (said,) if isinstance(said, str) else said
        if isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
            return tuple(words)
        self.wrong("R002", f"`{name[:60]}` is a name or a list of names")
        return ()

    def named(self, columns: Mapping[str, Column], name: str, of: str, type_: Type | None = None) -> Column:
        """The column of a name, of a type where one is asked for."""
        if name not in columns:
            # Of a table that there is not nothing more is said.
            if columns:
                self.wrong("R004", f"{of} has no column `{name[:60]}`", columns, did_you_mean(name, columns))
            return Column(name, type_ or "text", name, name)
        column = columns[name]
        if type_ == "number" and column.digits:
            return dataclasses.replace(column, type="number")
        if type_ is not None and column.type != type_:
            self.wrong("R005", f"`{name}` is {WORDS[column.type]}, where {WORDS[type_]} is meant")
        return column if type_ != "text" else dataclasses.replace(column, digits=False)


def columns_of(table: sa.Table) -> dict[str, Column]:
    """The columns of a table that a rule may name: those of its items; a date by its group."""
    found: dict[str, Column] = {}
    for column in table_of(table).columns:
        item, head = item_of(column), heading(column)
        if item.kind == "D":
            found.setdefault(item.name, Column(item.name, "date", item.ja, item.en))
        elif isinstance(column.type, sa.Integer | sa.Numeric):
            scale, precision = (getattr(column.type, part, None) for part in ("scale", "precision"))
            found[column.name] = Column(column.name, "number", head.ja, head.en, scale or 0, precision or 18)
        else:
            found[column.name] = Column(column.name, "text", head.ja, head.en, digits=item.kind == "N")
    return found


def together(columns: Sequence[Column], mark_ja: str = "・", mark_en: str = ", ") -> tuple[str, str]:
    """The columns' names, in Japanese and English."""
    return mark_ja.join(column.ja for column in columns), mark_en.join(column.en for column in columns)
