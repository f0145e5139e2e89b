"""A municipality's specs of a system laid over those of its product's package: its own lines win, the rest is the package's.

Keys are merged, lists and single values are replaced whole, and `without:` takes parts away by their keys, with dots
(`tables.households.columns.member_count`). One level: a package is based on nothing. Places stay those of the file that
says it, so that a problem points to the package's line or to the municipality's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from migration_reports.trouble import Position, Problem, did_you_mean
from migration_reports.yaml_text import Document, Places
from migration_reports.yaml_text import Path as YamlPath

PACKAGES = Path(__file__).parents[1] / "packages"
"""Where the packages that come with the program lie."""


@dataclasses.dataclass(slots=True)
class Counts:
    """Lines that say something: taken from the package, said otherwise, left out, and added."""

    inherited: int = 0
    changed: int = 0
    removed: int = 0
    added: int = 0


def packages_of(folder: Path) -> Path:
    """Where a municipality's packages lie: beside the folder of the municipalities, or else with the program."""
    beside = folder.resolve().parent.parent / "packages"
    return beside if beside.is_dir() else PACKAGES


def inherit(
    head: Mapping[str, Any],
    head_places: Places,
    own: Mapping[str, Any],
    own_places: Places,
    *,
    keys: Collection[str],
) -> Document:
    """Give a system's manifest what it need not repeat of the municipality's: its own lines win, key by key.

    Args:
        head: the municipality's manifest, as YAML gives it.
        head_places: where its parts stand.
        own: the system's.
        own_places: likewise.
        keys: what is inherited.
    """
    data = {key: _copied(value) for key, value in head.items() if key in keys}
    places = {path: place for path, place in head_places.items() if path[:1] and path[0] in keys}
    _merge(data, own, (), places, own_places, Counts())
    return {key: data[key] for key in dict.fromkeys((*own, *data))}, {**places, (): own_places[()]}


def overlay(
    base: Mapping[str, Any],
    base_places: Places,
    own: Mapping[str, Any],
    own_places: Places,
    *,
    counts: Counts,
    problems: list[Problem],
) -> Document:
    """Lay a municipality's data over its package's.

    Args:
        base: the package's data, as YAML gives it.
        base_places: where its parts stand.
        own: the municipality's.
        own_places: likewise.
        counts: is added to.
        problems: is added to, where `without` names what the package does not have.

    Returns:
        The merged data and the places of its parts.
    """
    places: dict[YamlPath, Position] = dict(base_places)
    places[()] = own_places[()]
    data = _copied(base)
    without = own.get("without", [])
    for number, dotted in enumerate(without if isinstance(without, list) else [without]):
        place = own_places.get(("without", number), own_places[()])
        _remove(data, places, str(dotted), place, counts, problems)
    _merge(data, own, (), places, own_places, counts)
    counts.inherited += _leaves(data) - counts.added - counts.changed
    return data, places


def _merge(
    data: dict[str, Any],
    own: Mapping[str, Any],
    path: YamlPath,
    places: dict[YamlPath, Position],
    own_places: Places,
    counts: Counts,
) -> None:
    for key, value in own.items():
        here = (*path, key)
        there = data.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            # A part that both have keeps the package's place; only what is said here is here.
            _merge(there, value, here, places, own_places, counts)
            continue
        if key in data:
            counts.changed += _leaves(value)
            _forget(places, here)
        else:
            counts.added += _leaves(value)
        data[key] = _copied(value)
        places.update({at: place for at, place in own_places.items() if at[: len(here)] == here})


def _remove(
    data: dict[str, Any],
    places: dict[YamlPath, Position],
    dotted: str,
    place: Position,
    counts: Counts,
    problems: list[Problem],
) -> None:
    *above, last = dotted.split(".")
    where: Any = data
    for key in above:
        where = where.get(key) if isinstance(where, dict) else None
    if not isinstance(where, dict) or last not in where:
        keys = tuple(where) if isinstance(where, dict) else ()
        message, hint = f"the package has no `{dotted[:80]}` to leave out", did_you_mean(last, keys)
        problems.append(Problem("Y050", place, message, keys[:40], hint))
        return
    counts.removed += _leaves(where.pop(last))
    _forget(places, (*above, last))


def _forget(places: dict[YamlPath, Position], path: YamlPath) -> None:
    for at in [at for at in places if at[: len(path)] == path]:
        del places[at]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _leaves(value: Any) -> int:
    """How many texts a part says."""
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1
