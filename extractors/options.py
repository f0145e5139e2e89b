"""Choosing a member of a family by the name a person wrote, and reading the options given to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from extractors.synonyms import meant
from migration_reports.findings import Position, Problem, SpecError, did_you_mean


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
    message = f"unknown {what} `{name[:60]}`"
    elsewhere = meant(what, name)
    hint = f"did you mean `{elsewhere}`?" if elsewhere in names else did_you_mean(name, names)
    return Problem("L903", Position("(options)"), message, names or ("none",), hint)


def number(options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number among options.

    Raises:
        SpecError: it is none, or out of range.
    """
    text = options.get(name, str(default))
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12 and least <= int(text) <= most):
        raise SpecError(
            [Problem("L904", Position("(options)"), f"{name} `{text[:20]}` does not fit", (f"{least} to {most}",))]
        )
    return int(text)


def choice(options: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of some words among options.

    Raises:
        SpecError: it is none of them.
    """
    text = options.get(name, default)
    if text not in allowed:
        message = f"{name} `{text[:20]}` does not fit"
        raise SpecError([Problem("L904", Position("(options)"), message, allowed, did_you_mean(text, allowed))])
    return text
