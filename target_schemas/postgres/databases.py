"""Which database a municipality's rows lie in: one for all, or several, each for some municipalities.

One server is the limit of what many towns at once can stage and promote. Nothing is shared between municipalities but
the codes, so their rows may lie in databases on servers of their own. A file says which:

    databases:
      east:
        url: postgresql+psycopg://hikkoshi_loader:...@east.example/centre
        municipalities: ["13", "142018"]

A municipality is named by its code, or with its whole prefecture by the two digits that its code begins with; the code
goes before. Whoever is not named lies in the database of HIKKOSHI_DATABASE_URL.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import pydantic
import sqlalchemy as sa

from migration_reports.specs import Located, Spec, checked
from migration_reports.trouble import Problem, SpecError, UsageError
from migration_reports.yaml_text import read_yaml

OTHERS = "HIKKOSHI_DATABASE_URL"
"""The name of the database of whoever is not named."""

URL = "postgresql+psycopg://user:password@host/database"

PREFECTURE, CODE = 2, 6
"""Digits of what names municipalities."""


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """A database of the data centre.

    Attributes:
        name: how people call it.
        url: where it is; its password is never shown.
    """

    name: str
    url: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Databases:
    """The databases of the data centre.

    Attributes:
        named: the database of each code or prefecture that is named.
        others: that of all the others; None where they have none.
    """

    named: Mapping[str, Database]
    others: Database | None

    def of(self, code: str) -> Database:
        """The database of a municipality.

        Args:
            code: its code.

        Raises:
            UsageError: it has none.
        """
        found = self.named.get(code) or self.named.get(code[:PREFECTURE]) or self.others
        if found is None:
            raise UsageError(
                f"no database is named for the municipality {code}. Name its code, or its prefecture {code[:PREFECTURE]}, "
                f"in the file that HIKKOSHI_DATABASES names, or set {OTHERS} for all that are not named there."
            )
        return found

    def __iter__(self) -> Iterator[Database]:
        """Each database once."""
        return iter(dict.fromkeys((*self.named.values(), *((self.others,) if self.others else ()))))


class Group(Spec):
    """A database as it is written: where it is, and whose rows it holds."""

    url: str
    municipalities: tuple[str, ...] = pydantic.Field(min_length=1)


class Groups(Spec):
    """The file as it is written."""

    databases: dict[str, Group] = pydantic.Field(min_length=1)


def read_databases(file: Path, *, others: str | None) -> Databases:
    """Read the file that says which database holds which municipalities.

    Args:
        file: the file; it holds passwords, so nobody but its owner may read it.
        others: the URL of the database of whoever is not named.

    Raises:
        SpecError: every problem of the file, with its place.
        UsageError: it cannot be read, or others than its owner may.
    """
    data, places = read_yaml(_text(file), file.name)
    located, problems = Located(file.name, places), list[Problem]()
    groups = checked(Groups, data, located, problems)
    named: dict[str, Database] = {}
    for name, group in groups.databases.items() if groups is not None else ():
        database = Database(name, group.url)
        if not _is_url(group.url):
            place = located.at("databases", name, "url")
            problems.append(Problem("Y012", place, "`url`: this is no URL of a PostgreSQL database", (URL,)))
        for number, code in enumerate(group.municipalities):
            if trouble := _trouble(code, named):
                place = located.at("databases", name, "municipalities", number)
                problems.append(Problem("Y012", place, f"`municipalities`: {trouble}"))
            named.setdefault(code, database)
    if problems:
        raise SpecError(problems)
    return Databases(named, Database(OTHERS, others) if others else None)


def _text(file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise UsageError(f"{file} holds passwords, and others may read it: chmod 600 {file}")
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"HIKKOSHI_DATABASES is {file}, which cannot be read: {error}") from None


def _is_url(text: str) -> bool:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        return False
    return url.drivername == "postgresql+psycopg" and bool(url.database)


def _trouble(code: str, named: Mapping[str, Database]) -> str:
    """What is wrong with a name of municipalities; nothing, where it can be used."""
    if not (code.isascii() and code.isdigit() and len(code) in (PREFECTURE, CODE)):
        return f"`{code[:20]}` is neither a municipality's six digits nor a prefecture's two"
    if code in named:
        return f"{code} lies in {named[code].name} already"
    return ""
