"""A row of another table that is valid on a row's own day, and, where bounds are asked for, holds its value."""

from __future__ import annotations

import dataclasses

import polars as pl

from validators.shapes._given import Given, Rows
from validators.shapes._groups import grouped, joined, names
from validators.shapes._terms import ALWAYS, Term, every
from validators.shapes.contract import Failing, Frames, Query

SAID = ("from", "until", "ends")
"""What a dated table's rows may say of their period."""


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """What is looked for: the values of a row, by name, and what a row of the other table must be to them.

    Attributes:
        values: of the row, by name.
        theirs: of the other table's row, by name.
        holds: the condition between them; a value stands there by its name.
    """

    values: dict[str, Term]
    theirs: dict[str, Term]
    holds: Term = ALWAYS


def named(name: str) -> Term:
    """A value that a `Looked` names."""
    return Term(pl.col(name), f'"{name}"')


def on_its_day(given: Given, rows: Rows) -> Looked:
    """That the other row's period holds the row's own day; a bound that is not known to the day is open."""
    if "day" not in given.instance.parameters:
        if any(word in rows.said for word in SAID):
            given.wrong("R002", "`day` names the row's own day, where the other table's rows have a period")
        return Looked({}, {})
    day = given.column("day", "date").day
    rows = given.dated(rows)
    bounds = {word: given.column(word, "date", of=rows).day for word in ("from", "until") if word in rows.said}
    if not bounds:
        given.wrong("R002", "the other table has no period: say `from`, `until` or both")
    begun = ~named("_from").present() | (named("_from") <= named("_day"))
    later = named("_day") < named("_until") if rows.said.get("ends") == "before" else named("_day") <= named("_until")
    lasting = ~named("_until").present() | later
    holds = {"from": begun, "until": lasting}
    theirs = {f"_{word}": term for word, term in bounds.items()}
    return Looked({"_day": day}, theirs, every([holds[word] for word in bounds]))


def without(rows: Rows, others: Rows, looked: Looked) -> tuple[Failing, Query]:
    """The rows that have every value, and beside which no such row of the other table is."""
    present, keys, keys_sql = grouped(rows.per)
    there, their_keys, their_sql = grouped(others.per)
    meant = every([rows.condition.term, present, *(term.present() for term in looked.values.values())])
    by, asked = names(rows.per), [*names(rows.per), *looked.values]

    def failing(frames: Frames) -> pl.LazyFrame:
        values = [term.expr.alias(name) for name, term in looked.values.items()]
        own = rows.frame(frames).filter(meant.expr).with_columns(*keys, *values)
        given = [term.expr.alias(name) for name, term in looked.theirs.items()]
        theirs = others.frame(frames).filter((others.condition.term & there).expr).select(*their_keys, *given).unique()
        pairs = (
            own.select(asked).unique().join(theirs, on=by)
            if by
            else own.select(asked).unique().join(theirs, how="cross")
        )
        return own.join(pairs.filter(looked.holds.expr).select(asked).unique(), on=asked, how="anti")

    values_sql = [f'{term.sql} AS "{name}"' for name, term in looked.values.items()]
    given_sql = [f'{term.sql} AS "{name}"' for name, term in looked.theirs.items()]
    sql = (
        f"SELECT own.source_record FROM (SELECT {', '.join(['source_record', *keys_sql, *values_sql])} FROM {rows.sql} "  # noqa: S608
        f"WHERE {meant.sql}) AS own WHERE NOT EXISTS (SELECT 1 FROM (SELECT {', '.join([*their_sql, *given_sql]) or '1'} "
        f"FROM {others.sql} WHERE {(others.condition.term & there).sql}) AS other "
        f"WHERE {joined(rows.per, 'own', 'other')} AND {looked.holds.sql})"
    )
    return failing, Query(sql)


def also(looked: Looked, values: dict[str, Term], theirs: dict[str, Term], holds: Term) -> Looked:
    """The same, with more that is looked at."""
    return Looked({**looked.values, **values}, {**looked.theirs, **theirs}, looked.holds & holds)
