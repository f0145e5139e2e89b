"""Collecting what is wrong with a mapping, each problem with the definitions that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from mappings.definitions import near_definition
from migration_reports.findings import Definition, Position, Problem, did_you_mean

MOST_ALLOWED = 40


class Complaints:
    """The problems of a mapping, or of a part of it.

    Args:
        problems: where they are collected.
        schemas: the record kinds whose fields a misspelt name may mean.
    """

    def __init__(self, problems: list[Problem], schemas: Iterable[pa.Schema]) -> None:
        self.problems = problems
        self._schemas = tuple(schemas)

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

    def unknown(self, code: str, place: Position, what: str, allowed: Iterable[str]) -> None:
        """Add that a name is not known, with the nearest of those that are; `what` has the name in backquotes."""
        names = tuple(allowed)
        word = what.split("`")[1]
        defined = near_definition(self._schemas, word, names) if code == "Y021" else ()
        self.add(code, place, f"unknown {what}", names[:MOST_ALLOWED], did_you_mean(word, names), defined)
