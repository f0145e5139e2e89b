"""Choosing a member of a family by the name a person wrote, and reading the options given to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
T = TypeVar("T")


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


class Options(dict[str, str]):
    """Options as text, read one by one; what is wrong with them is gathered, and the default stands for what cannot be used.

    Whoever makes something of them asks `made`, which tells everything that is wrong at once.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        super().__init__(said)
        self.problems: list[Problem] = []

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number among them, in a range."""
        text = self.get(name, str(default))
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 12 and least <= int(text) <= most:
            return int(text)
        self.refuse(f"{name} `{text[:20]}` does not fit", (f"{least} to {most}",))
        return default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of some words among them."""
        text = self.get(name, default)
        if text in allowed:
            return text
        self.refuse(f"{name} `{text[:20]}` does not fit", allowed, did_you_mean(text, allowed))
        return default

    def refuse(self, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        """Note that something about them cannot be used."""
        self.problems.append(Problem("L904", Position("(options)"), message, allowed, hint))


def made(said: Mapping[str, str], make: Callable[[Options], T], *, known: Iterable[str], what: str = "option") -> T:
    """Make something of options.

    Args:
        said: the options as text.
        make: makes it; what it cannot use it refuses.
        known: the options that there are.
        what: how a message calls one of them.

    Raises:
        SpecError: with everything that is wrong with them.
    """
    options = Options(said)
    names = tuple(known)
    options.problems.extend(_unknown(what, option, names) for option in said if option not in names)
    try:
        result = make(options)
    except SpecError as error:
        raise SpecError([*options.problems, *error.problems]) from None
    if options.problems:
        raise SpecError(options.problems)
    return result


def gathered(problems: list[Problem], make: Callable[[], T]) -> T | None:
    """Make something; where it cannot be made, what is wrong goes to `problems` and there is None."""
    try:
        return make()
    except SpecError as error:
        problems.extend(error.problems)
        return None
