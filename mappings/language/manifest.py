"""What the models of manifests cannot say: check digits, names, paths, limits, and parts that belong together."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mappings.language.attachments import check_objects
from mappings.language.deliveries import check_deliveries
from mappings.language.folder import SystemFolder
from mappings.language.spec import DumpSpec, LimitsSpec, Manifest, SystemManifest
from migration_reports.specs import Located
from migration_reports.trouble import Definition, Position, Problem, did_you_mean

TABLE_OPTIONS = ("table", "gaiji", "mj", "repertoire")
"""Options of a charset that name files."""

SET = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""The files of a set of map files."""

BUILT_IN = ("any", "jis_x_0208", "jis_x_0213")
"""Repertoires that are no files."""


class Files(Protocol):
    """The files of a system's folder, as the reader of its specs knows them."""

    problems: list[Problem]

    def note(self, path: str, place: Position) -> None:
        """Note a file, or the problem."""


def check_head(manifest: Manifest, places: Located, folder: str, problems: list[Problem]) -> None:
    """Check a municipality's manifest.

    Args:
        manifest: as it was read.
        places: of its parts.
        folder: what the municipality's folder is called.
        problems: is added to.
    """
    _check_code(manifest, places, folder, problems)
    _check_limits(manifest.limits, places, problems)
    if manifest.reference_date is not None:
        _check_day(manifest.reference_date, places.at("reference_date"), problems)
    _check_calendar(manifest, places, problems)


def check_system(manifest: SystemManifest, places: Located, files: Files) -> None:
    """Check a system's manifest.

    Args:
        manifest: as it was read.
        places: of its parts.
        files: the system's, whose `problems` are added to.
    """
    _check_limits(manifest.limits, places, files.problems)
    for name, settings in manifest.rules.items():
        if "at_most" in settings and not is_share(settings["at_most"]):
            files.problems.append(no_share(settings["at_most"], places.at("rules", name, "at_most")))
    dumped = {name: dump.file for name, dump in manifest.dumps.items()}
    check_deliveries(manifest.deliveries, dumped, places, files.problems)
    for name, dump in manifest.dumps.items():
        for file in dump.file:
            if Path(file).is_absolute() or ".." in Path(file).parts or not file.strip():
                place = places.at("dumps", name, "file")
                files.problems.append(Problem("Y007", place, f"`{file[:80]}` lies outside the inbox"))
        _check_dump(name, dump, places, files)


def check_dumps(systems: Mapping[str, SystemFolder], problems: list[Problem]) -> None:
    """Check that no two dumps of a municipality have one name, and that none has a file of another: it has one inbox.

    Args:
        systems: by name, what the municipality says of each.
        problems: is added to.
    """
    names: dict[str, tuple[str, Position]] = {}
    expected: dict[str, tuple[str, Position]] = {}
    for system, folder in systems.items():
        places = folder.manifest_places
        for name, dump in folder.manifest.dumps.items():
            here = places.at("dumps", name, "key")
            other, there = names.setdefault(name, (system, here))
            if other != system:
                message, hint = f"dump `{name[:60]}` is one of {other} too", "call it otherwise in one of the two"
                problems.append(Problem("Y012", here, message, (), hint, (Definition("the other dump", there),)))
            here = places.at("dumps", name, "file")
            for file in dump.file:
                other, there = expected.setdefault(file, (name, here))
                if there != here or dump.file.count(file) > 1:
                    defined = (Definition("the other dump", there),) if there != here else ()
                    message = f"`{file[:80]}` is the file of `{other}` too"
                    problems.append(Problem("Y012", here, message, (), "", defined))


def check_digit(code: str) -> str:
    """The check digit of a municipality code's first five digits (JIS X 0402; weights 6 to 2, modulus 11)."""
    total = sum(int(digit) * weight for digit, weight in zip(code[:5], (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def is_share(text: str) -> bool:
    """Whether a text says how many at most: a whole number, or a share such as 0.5%."""
    number = text.removesuffix("%")
    whole, _, decimals = number.partition(".")
    form = number.isascii() and whole.isdigit() and (decimals.isdigit() or number == whole)
    return form and (float(number) <= 100 if text.endswith("%") else number == whole)


def no_share(text: str, place: Position) -> Problem:
    """What is said of a text that does not say how many at most."""
    return Problem("Y012", place, f"`{text[:20]}` is no limit", ("a whole number", "a share such as 0.5%"))


def _check_limits(limits: LimitsSpec, places: Located, problems: list[Problem]) -> None:
    if not is_share(limits.rejects):
        problems.append(no_share(limits.rejects, places.at("limits", "rejects")))


def _check_code(manifest: Manifest, places: Located, folder: str, problems: list[Problem]) -> None:
    code = manifest.municipality.code
    place = places.at("municipality", "code")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        problems.append(Problem("Y012", place, "a municipality code has six digits", ("for example 011002",)))
    elif code[5] != check_digit(code):
        hint = "the sixth digit is a check digit over the first five (JIS X 0402)"
        right = (code[:5] + check_digit(code),)
        problems.append(Problem("Y013", place, f"the check digit of {code} is wrong", right, hint))
    expected = f"{code}_{manifest.municipality.romaji}"
    if folder != expected:
        message = f"the folder is called `{folder[:60]}`"
        problems.append(Problem("Y014", places.at("municipality"), message, (expected,)))


def _check_dump(name: str, dump: DumpSpec, places: Located, files: Files) -> None:
    at = ("dumps", name)
    if dump.volumes is not None and not any(set(file) & set("*?") for file in dump.file):
        message = "volumes: says how many files a name with * or ? stands for"
        files.problems.append(Problem("Y012", places.at(*at, "volumes"), message))
    if dump.container is not None and dump.container.name == "shapefile":
        _check_set(dump, places.at(*at, "file"), files.problems)
    # The reader of copybooks knows their codes (many are Shift_JIS); here only that the file is there.
    files.note(dump.layout, places.at(*at, "layout"))
    for option in TABLE_OPTIONS:
        for path in filter(None, map(str.strip, dump.charset.options.get(option, "").split(","))):
            if path not in BUILT_IN:
                files.note(path, places.at(*at, "charset", option))
    for kind_name, kind in dump.records.items():
        if (kind.field is None) != (not kind.values):
            message = "a record kind has both a field and values, or neither"
            files.problems.append(Problem("Y012", places.at(*at, "records", kind_name), message))
        if kind.objects is not None:
            check_objects(kind.objects, kind.role, places.at(*at, "records", kind_name, "objects"), files.problems)
        if kind.parent is not None and kind.parent not in dump.records:
            message = f"unknown record kind `{kind.parent[:60]}`"
            place = places.at(*at, "records", kind_name, "parent")
            hint = did_you_mean(kind.parent, dump.records)
            files.problems.append(Problem("Y020", place, message, tuple(dump.records), hint))


def _check_set(dump: DumpSpec, place: Position, problems: list[Problem]) -> None:
    """Check that every file of a set of map files is expected: those that nobody names would be read and not proved."""
    ends = {Path(file).suffix.lower() for file in dump.file}
    lacking = [end for end in SET if end not in ends]
    if lacking and ends & set(SET) and not any(set(file) & set("*?") for file in dump.file):
        stem = dump.file[0].rpartition(".")[0][:60]
        message = f"the set's files {', '.join(lacking)} are not named, and would be read without being received"
        problems.append(Problem("Y110", place, message, (f"[{', '.join(stem + end for end in SET)}]", f"{stem}.zip")))
    elif not ends & {*SET, ".zip"} and not any(set(file) & set("*?") for file in dump.file):
        problems.append(
            Problem("Y110", place, "a set of map files ends with .shp, .shx, .dbf, .prj and .cpg, or is a .zip")
        )


def _check_day(day: str, place: Position, problems: list[Problem]) -> bool:
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        problems.append(Problem("Y012", place, f"`{day}` is no day of the calendar", ("YYYY-MM-DD",)))
        return False
    return True


def _check_calendar(manifest: Manifest, places: Located, problems: list[Problem]) -> None:
    calendar = manifest.calendar
    days: list[tuple[tuple[str | int, ...], str]] = [
        (("calendar", "rehearsals", n, "on"), r.on) for n, r in enumerate(calendar.rehearsals)
    ]
    if calendar.cut_over is not None:
        days.append((("calendar", "cut_over"), calendar.cut_over))
    former = ""
    for path, day in days:
        if not _check_day(day, places.at(*path), problems):
            continue
        if day < former:
            problems.append(Problem("Y012", places.at(*path), f"{day} is before {former}, the day planned before it"))
        former = day
    numbers = [r.number for r in calendar.rehearsals]
    for place, number in enumerate(numbers):
        if number in numbers[:place]:
            where = places.at("calendar", "rehearsals", place, "number")
            problems.append(Problem("Y012", where, f"rehearsal {number} is planned twice"))
