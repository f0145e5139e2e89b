"""Rows of which none may be lost, by what stands in them: a condition that the database evaluates over rejected rows, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from migration_reports.findings import Problem, SpecError, did_you_mean
from migration_reports.items import CriticalRows, table_of
from validators.shapes._conditions import holds_one
from validators.shapes._expression import ExpressionError, read
from validators.shapes._given import columns_of
from validators.shapes._terms import Column, Term, every


def critical_rows(tables: Iterable[sa.Table]) -> Mapping[str, str]:
    """By table the condition, in SQL, that is true of a row of which none may be lost.

    It is true as well of a row that does not say: a column that it reads may be empty because the row is rejected for it.

    Raises:
        SpecError: a condition that cannot be used.
    """
    problems: list[Problem] = []
    found = {}
    for table in tables:
        said = table_of(table)
        if said.critical:
            found[table.key] = "true"
        elif said.critical_rows is not None:
            found[table.key] = f"coalesce({_term(table, said.critical_rows, problems).sql}, true)"
    if problems:
        raise SpecError(problems)
    return found


def _term(table: sa.Table, rows: CriticalRows, problems: list[Problem]) -> Term:
    columns = columns_of(table)
    if not isinstance(rows.said, str):
        return every(list(_terms(rows.said, columns, table.key, rows, problems)))
    try:
        return read(rows.said, columns)[0]
    except ExpressionError as error:
        problems.append(Problem("R006", rows.place, f"critical_when of {table.key}: {error}"))
        return every(())


def _terms(
    said: Mapping[str, tuple[str, ...]],
    columns: Mapping[str, Column],
    table: str,
    rows: CriticalRows,
    problems: list[Problem],
) -> Iterator[Term]:
    for name, values in said.items():
        if name not in columns:
            message = f"critical_when: `{table}` has no column `{name[:60]}`"
            problems.append(Problem("R004", rows.place, message, tuple(columns)[:40], did_you_mean(name, columns)))
            continue
        try:
            yield holds_one(columns[name], values)
        except ValueError as error:
            problems.append(Problem("R002", rows.place, f"critical_when of {table}: {error}"))
