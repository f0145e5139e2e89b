"""The files of a municipality's own lists, `own/codes/*.csv` and `own/tables/*.csv`, which hold for all its systems."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType

from mappings.language.files import Noted, inside, text_of
from mappings.language.folder import Root
from migration_reports.trouble import Position, Problem

OWN = "own"
MOST_LISTS = 2_000


def own_lists(town: Root, problems: list[Problem], noted: Noted) -> Mapping[str, str]:
    """The texts of the files below `own`, by their paths inside the municipality's folder; empty of what is no CSV.

    Args:
        town: the municipality's folder.
        problems: is added to.
        noted: takes the SHA-256 of each.
    """
    texts = {}
    folder = town.path / OWN
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    there = sorted(itertools.islice(files, MOST_LISTS + 1))
    if len(there) > MOST_LISTS:
        message = f"the folder holds more than {MOST_LISTS:,} files"
        problems.append(Problem("Y001", Position(town.shown(OWN)), message))
    for file in there[:MOST_LISTS]:
        path = file.relative_to(town.path).as_posix()
        place = Position(town.shown(path))
        found = inside(town.path, path)
        if found is None:
            problems.append(Problem("Y007", place, f"`{path[:80]}` lies outside the municipality's folder"))
        elif file.suffix != ".csv":
            texts[path] = ""
        elif (text := text_of(found, path, place, problems, noted, (folder,))) is not None:
            texts[path] = text
    return MappingProxyType(texts)
