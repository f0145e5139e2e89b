"""Collecting what is wrong with a mapping, each problem with the definitions that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.around import Around
from mappings.compiling.definitions import field_definition, near_definition
from mappings.compiling.occurrences import tables_around
from mappings.plan import FROM, OCCURRENCE, TO, VALUE
from migration_reports.findings import Definition, Position, Problem, did_you_mean
from migration_reports.items import table_of

MOST_ALLOWED = 40


class Complaints:
    """The problems of a mapping, or of a part of it.

    Args:
        problems: where they are collected.
        schemas: by record kind, the fields that a misspelt or misplaced name may mean.
        own: the record kind that is spoken of; any, where None.
        around: the headers and trailers of its dump.
    """

    def __init__(
        self,
        problems: list[Problem],
        schemas: Mapping[str, pa.Schema],
        own: str | None = None,
        *,
        around: Around | None = None,
    ) -> None:
        self.problems = problems
        self._schemas = schemas
        self._own = own
        self._around = around

    def add(
        self,
        code: str,
        place: Position,
        message: str,
        allowed: tuple[str, ...] = (),
        hint: str = "",
        defined: tuple[Definition, ...] = (),
    ) -> None:
        """Add a problem."""
        self.problems.append(Problem(code, place, message, allowed, hint, defined))

    def no_column(self, place: Position, table: sa.Table, column: str, groups: Iterable[str]) -> None:
        """Add that a mapping fills no such column of a table."""
        if column == table_of(table).arrival:
            self.add("Y081", place, f"column `{column}` of {table.name} is given by the program")
        else:
            self.unknown("Y031", place, f"column `{column}` of {table.name}", groups)

    def unknown(self, code: str, place: Position, what: str, allowed: Iterable[str]) -> None:
        """Add that a name is not known, with the nearest of those that are; `what` has the name in backquotes."""
        names = tuple(allowed)
        word = what.split("`")[1]
        if code == "Y021" and word.startswith((OCCURRENCE[:4], FROM, TO, VALUE)):
            self._no_number(place, word, tuple(name for name in names if name.startswith("$")))
            return
        near = did_you_mean(word, names), near_definition(self._near(), word, names) if code == "Y021" else ()
        hint, defined = (self._field(word) if code == "Y021" else None) or near
        self.add(code, place, f"unknown {what}", names[:MOST_ALLOWED], hint, defined)

    def _no_number(self, place: Position, word: str, names: tuple[str, ...]) -> None:
        """Add that a row has no such thing besides its fields."""
        hint = did_you_mean(word, names)
        if word.startswith(OCCURRENCE) and FROM in names:
            hint = f"a row is a run here: its first and last occurrence are {FROM} and {TO}"
        elif word.startswith((OCCURRENCE, FROM, TO, VALUE)) and OCCURRENCE not in names:
            hint = "only rows of occurrences have it: each: TABLE, or each: {runs: TABLE} for $from, $to and $value"
        self.add("Y060", place, f"unknown `{word[:60]}`", names, hint)

    def _near(self) -> tuple[pa.Schema, ...]:
        """The record kinds whose fields are meant: the one that is spoken of, or all."""
        own = self._schemas.get(self._own) if self._own is not None else None
        return tuple(self._schemas.values()) if own is None else (own,)

    def _field(self, name: str) -> tuple[str, tuple[Definition, ...]] | None:
        """The hint for a field that is there, though not under this name or not in this record kind."""
        for schema in self._near():
            if tables := tables_around(schema, name):
                first = f"{name}({','.join('1' for _ in tables)})"
                one = f", or take one of them, `{first}`" if first in schema.names else ""
                hint = f"it occurs several times: give each a row of its own with `each: {tables[-1]}`{one}"
                return hint, field_definition(schema, first)
        beside = self._around.kinds(self._own) if self._around is not None and self._own is not None else {}
        for kind, schema in beside.items():
            if name in schema.names:
                return f"it is a field of this dump's {kind}: write `{kind}.{name}`", field_definition(schema, name)
        for kind, schema in self._schemas.items():
            if kind != self._own and name in schema.names:
                hint = f"it is a field of `{kind}`: join that record (`join:`), or fill the table `from: {kind}`"
                return hint, field_definition(schema, name)
        return None
