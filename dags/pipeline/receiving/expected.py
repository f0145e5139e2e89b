"""Which files an inbox should hold: of dumps, of deliveries, and of attachments; and which there lie under those names."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dags.pipeline.town import Municipality
from mappings.language.deliveries import DAYS, PLACEHOLDER, WIDTHS, as_glob, delivery_of, expanded
from mappings.language.spec import DumpSpec, SystemManifest


@dataclasses.dataclass(frozen=True, slots=True)
class Expected:
    """A file that is expected.

    Attributes:
        name: the name it lies under, or where it does not lie there, is expected under.
        file: the file; None where there is none.
        dump: the dump that it is of; empty where it is of none.
        title: what people call it.
        delivery: what people call the delivery it comes with; empty where it comes alone.
        optional: whether it may be absent.
        superseded: whether one of a later day takes its place.
        there: how many files there are of its dump.
        wanted: how many there must be under a name that stands for several.
        role: whether it is a dump's own, or one that states what the dump must agree with.
    """

    name: str
    file: Path | None
    dump: str
    title: str
    delivery: str
    optional: bool
    superseded: bool = False
    there: int = 0
    wanted: int | None = None
    role: Literal["dump", "control"] = "dump"


def expected_files(municipality: Municipality, inbox: Path) -> Iterator[Expected]:
    """Every file that is expected, those of dumps first; and those that were, until one of a later day came."""
    for name, dump in municipality.folder.dumps.items():
        yield from _of_dump(municipality.folder.of_dump(name).manifest, name, dump, inbox)
    yield from _control_files(municipality, inbox)
    yield from _attachments(municipality, inbox)
    for system in municipality.folder.systems.values():
        for delivery in system.manifest.deliveries.values():
            for key in delivery.files:
                for name in expanded([key], delivery.per) if key not in system.manifest.dumps else ():
                    optional = key in delivery.may
                    for found, file in _lying(inbox, name):
                        yield Expected(found, file, "", delivery.title, delivery.title, optional)
                    for file in superseded(inbox, name):
                        yield Expected(_called(inbox, file), file, "", delivery.title, delivery.title, optional, True)


def _control_files(municipality: Municipality, inbox: Path) -> Iterator[Expected]:
    """The control files, each of the first dump that names it; one may be absent where all dumps that name it are."""
    found: dict[str, Expected] = {}
    for name, dump in municipality.folder.dumps.items():
        title, absent = _beside(municipality, name, inbox)
        for file in dump.control_files:
            there = inbox / file if (inbox / file).is_file() else None
            one = Expected(file, there, name, f"{dump.title} (コントロール)", title, absent, role="control")
            found[file] = _needed(found.get(file), one)
    yield from found.values()


def _attachments(municipality: Municipality, inbox: Path) -> Iterator[Expected]:
    """The folders and archives of attachments; one may be absent where all dumps that name files of it are."""
    found: dict[str, Expected] = {}
    for name, dump in municipality.folder.dumps.items():
        title, absent = _beside(municipality, name, inbox)
        for objects in (kind.objects for kind in dump.records.values() if kind.objects is not None):
            shown, path = objects.received, inbox / objects.received
            there = path.is_file() if objects.zip is not None else path.is_dir()
            one = Expected(shown, path if there else None, "", f"{dump.title} (添付)", title or dump.title, absent)
            found[shown] = _needed(found.get(shown), one)
    yield from found.values()


def _needed(first: Expected | None, one: Expected) -> Expected:
    """What two dumps need: it is called after the first, and may be absent where both are."""
    return one if first is None else dataclasses.replace(first, optional=first.optional and one.optional)


def _beside(municipality: Municipality, name: str, inbox: Path) -> tuple[str, bool]:
    """The delivery that a dump comes with, and whether what belongs beside it may be absent: because it may, and is."""
    found = delivery_of(municipality.folder.of_dump(name).manifest.deliveries, name)
    if found is None:
        return "", False
    absent = all(file is None for _, file in files_of(inbox, municipality.folder.dumps[name]))
    return found[1].title, absent and name in found[1].may


def _of_dump(manifest: SystemManifest, name: str, dump: DumpSpec, inbox: Path) -> Iterator[Expected]:
    found = delivery_of(manifest.deliveries, name)
    title, optional = (found[1].title, name in found[1].may) if found else ("", False)
    files = list(files_of(inbox, dump))
    there = sum(file is not None for _, file in files)
    for shown, file in files:
        yield Expected(shown, file, name, dump.title, title, optional, there=there, wanted=dump.volumes)
    for pattern in dump.file:
        for file in superseded(inbox, pattern):
            yield Expected(
                _called(inbox, file), file, name, dump.title, title, optional, True, there=there, wanted=dump.volumes
            )


def files_of(inbox: Path, spec: DumpSpec) -> Iterator[tuple[str, Path | None]]:
    """The files of a dump in order: the name it is expected under, and the file, or None where there is none."""
    for name in spec.file:
        yield from _lying(inbox, name, spec.volumes or 1)


def _lying(inbox: Path, name: str, least: int = 1) -> Iterator[tuple[str, Path | None]]:
    if not set(as_glob(name)) & set("*?"):
        yield name, inbox / name if (inbox / name).is_file() else None
        return
    found = _latest(inbox, name)
    yield from ((_called(inbox, file), file) for file in found)
    if len(found) < least:
        yield name, None


def superseded(inbox: Path, name: str) -> list[Path]:
    """The files of a name with a day in it in whose place one of a later day stands."""
    latest = set(_latest(inbox, name))
    return [file for file, _, _ in _matching(inbox, name) if file not in latest]


def _latest(inbox: Path, name: str) -> list[Path]:
    """The files of a name: of those that differ in their day alone the last, in the order of their names."""
    last: dict[str, tuple[str, Path]] = {}
    for file, rest, day in _matching(inbox, name):
        last[rest] = max((day, file), last.get(rest, ("", file)))
    return sorted(file for _, file in last.values())


def _matching(inbox: Path, name: str) -> Iterator[tuple[Path, str, str]]:
    """The files of a name, each with what it is called without its day, and its day as digits that sort."""
    form = _form(name)
    for file in sorted(inbox.glob(as_glob(name))) if inbox.is_dir() else ():
        found = form.fullmatch(_called(inbox, file))
        if found is None or not file.is_file():
            continue
        days = found.groupdict()
        if all(_is_day(day, at) for at, day in days.items()):
            spans = [(0, 0), *map(found.span, days), (len(found[0]),) * 2]
            rest = "|".join(found[0][end:start] for (_, end), (start, _) in itertools.pairwise(spans))
            yield file, rest, "".join(days.values())


def _form(name: str) -> re.Pattern[str]:
    """A regular expression for what a name stands for: * and ? within a folder, and days, each a group."""
    made = ""
    for number, part in enumerate(re.split(PLACEHOLDER, name)):
        if number % 2:
            made += f"(?P<{part}_{number}>[0-9]{{{WIDTHS[part]}}})"
        else:
            made += re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(made)


def _is_day(digits: str, group: str) -> bool:
    try:
        datetime.datetime.strptime(digits, DAYS[group.rpartition("_")[0]]).replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return True


def _called(inbox: Path, file: Path) -> str:
    return file.relative_to(inbox).as_posix()
