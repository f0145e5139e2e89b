"""Choosing a member of a family by the name a person wrote, and checking the options given to it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from migration_reports.findings import Position, Problem, SpecError


class Member(Protocol):
    """What every family's member has."""

    @property
    def name(self) -> str:
        """Its name: file stem, registry name and YAML spelling."""
        ...

    @property
    def options(self) -> Mapping[str, str]:
        """Its options, each with a line of explanation."""
        ...


M = TypeVar("M", bound=Member)


def choose(family: str, name: str, members: Sequence[M], options: Iterable[str] = ()) -> M:
    """Find a member and check that it takes these options.

    Raises:
        SpecError: no member of that name, or options it does not take.
    """
    by_name = {member.name: member for member in members}
    if name not in by_name:
        raise SpecError([_unknown(family, name, by_name)])
    member = by_name[name]
    unknown = [option for option in options if option not in member.options]
    if unknown:
        raise SpecError(_unknown(f"option of {family} {name}", option, member.options) for option in unknown)
    return member


def _unknown(what: str, name: str, allowed: Iterable[str]) -> Problem:
    names = tuple(allowed)
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean `{close[0]}`?" if close else ""
    return Problem("L903", Position("(options)"), f"unknown {what} `{name[:60]}`", names or ("none",), hint)
