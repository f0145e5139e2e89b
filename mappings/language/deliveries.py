"""Deliveries: files of different layouts that come together, which of them must come, and for whom there is one each.

A name in braces in a file's name stands for something else: for each value of the delivery's `per:`, a file of its own;
or for a day, `{date}`, `{yymmdd}` or `{month}`, of which the latest counts.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from migration_reports.specs import Located, Spec
from migration_reports.trouble import Position, Problem, did_you_mean

DAYS: Mapping[str, str] = MappingProxyType({"date": "%Y%m%d", "yymmdd": "%y%m%d", "month": "%Y%m"})
"""What stands for a day, and how the day is written in a file's name."""

WIDTHS: Mapping[str, int] = MappingProxyType({"date": 8, "yymmdd": 6, "month": 6})
"""How many digits that are."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

MOST_FILES = 10_000
"""Of one name; more are a mistake in `per:`, and would be asked for one by one."""


class DeliverySpec(Spec):
    """Files that come together: the dumps of the manifest, and files that are received and not read."""

    title: str = Field(description="what people call it")
    must: tuple[str, ...] = Field((), description="what must come: dumps, by name, and other files, by theirs")
    may: tuple[str, ...] = Field((), description="what may be absent; the tables of such a dump are empty then")
    per: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        {}, description="what {NAME} in a file's name stands for: a file for each value, such as each bank"
    )

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that belongs to it."""
        return (*self.must, *self.may)


def expanded(names: Iterable[str], per: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The names of files, a file for each value of what stands in them; days are left as they are."""
    return tuple(dict.fromkeys(one for name in names for one in _each(name, per)))


def _each(name: str, per: Mapping[str, Iterable[str]]) -> Iterator[str]:
    asked = [part for part in dict.fromkeys(PLACEHOLDER.findall(name)) if part in per]
    for values in itertools.product(*(per[part] for part in asked)):
        made = name
        for part, value in zip(asked, values, strict=True):
            made = made.replace(f"{{{part}}}", value)
        yield made


def as_glob(name: str) -> str:
    """The name of a file whose days are question marks: a pattern that finds it, and perhaps others."""
    escaped = name.replace("[", "[[]")
    return PLACEHOLDER.sub(lambda found: "?" * WIDTHS.get(found[1], 0) or found[0], escaped)


def delivery_of(deliveries: Mapping[str, DeliverySpec], dump: str) -> tuple[str, DeliverySpec] | None:
    """The delivery that a dump belongs to, with its name; None where it comes alone."""
    return next(((name, one) for name, one in deliveries.items() if dump in one.files), None)


def check_deliveries(
    deliveries: Mapping[str, DeliverySpec],
    dumps: Mapping[str, tuple[str, ...]],
    places: Located,
    problems: list[Problem],
) -> None:
    """Check a manifest's deliveries, and what stands in braces in the names of its files.

    Args:
        deliveries: by name.
        dumps: by name, the files of each dump.
        places: of the manifest's parts.
        problems: is added to.
    """
    owners: dict[str, str] = {}
    for name, delivery in deliveries.items():
        at = ("deliveries", name)
        if not delivery.files:
            problems.append(Problem("Y090", places.at(*at), f"delivery `{name[:60]}` has no file", ("must", "may")))
        for key in ("must", "may"):
            for number, file in enumerate(getattr(delivery, key)):
                place = places.at(*at, key, number)
                problems.extend(_member(name, file, dumps, owners, place))
                if file not in dumps:
                    problems.extend(_braces(file, delivery.per, place))
        problems.extend(_values(delivery, [n for f in delivery.files for n in dumps.get(f, (f,))], places, at))
    for dump, files in dumps.items():
        found = delivery_of(deliveries, dump)
        for file in files:
            problems.extend(_braces(file, found[1].per if found else {}, places.at("dumps", dump, "file")))


def _member(
    delivery: str, file: str, dumps: Mapping[str, tuple[str, ...]], owners: dict[str, str], place: Position
) -> Iterator[Problem]:
    """What is wrong with one line of must: or may:."""
    if file in owners:
        yield Problem("Y090", place, f"`{file[:60]}` stands in delivery `{owners[file][:60]}` already")
    owners.setdefault(file, delivery)
    if file in dumps:
        return
    if "." not in file and "*" not in file:
        hint = did_you_mean(file, dumps) or "a file that is no dump is named with its ending"
        yield Problem("Y090", place, f"there is no dump `{file[:60]}`", tuple(dumps), hint)
    elif PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        yield Problem("Y007", place, f"`{file[:80]}` lies outside the inbox")


def _braces(file: str, per: Mapping[str, tuple[str, ...]], place: Position) -> Iterator[Problem]:
    """What is wrong with the braces of a file's name."""
    allowed = (*per, *DAYS)
    for part in PLACEHOLDER.findall(file):
        if part not in allowed:
            hint = did_you_mean(part, allowed) or "per: of a delivery says what a name in braces stands for"
            yield Problem("Y091", place, f"nothing says what {{{part[:40]}}} stands for", allowed, hint)
    if set("{}") & set(PLACEHOLDER.sub("", file)):
        yield Problem("Y091", place, f"`{file[:80]}` has a brace without its other half")


def _values(delivery: DeliverySpec, files: Iterable[str], places: Located, at: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with the values of per:."""
    names = list(files)
    for part, values in delivery.per.items():
        place = places.at(*at, "per", part)
        if not any(f"{{{part}}}" in name for name in names):
            yield Problem("Y091", place, f"no file of the delivery has {{{part[:40]}}} in its name")
        for number, value in enumerate(values):
            if not value or set(value) & set("/\\*?{}[]") or value in (".", "..") or value in values[:number]:
                message = f"`{value[:40]}` cannot stand in a file's name, or stands twice"
                yield Problem("Y091", places.at(*at, "per", part, number), message)
    count = max((_count(name, delivery.per) for name in names), default=0)
    if count > MOST_FILES:
        yield Problem("Y091", places.at(*at, "per"), f"per: makes {count:,} files of one name; {MOST_FILES:,} at most")


def _count(name: str, per: Mapping[str, tuple[str, ...]]) -> int:
    total = 1
    for part in set(PLACEHOLDER.findall(name)):
        total *= len(per.get(part, ("",)))
    return total
