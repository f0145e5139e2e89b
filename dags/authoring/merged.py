"""The manifests and mappings of a municipality as they hold, package and all, each line with the place that says it."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dags.authoring.draft_text import text
from dags.pipeline.town import Municipality
from mappings.language.folder import Reuse, Root, SystemFolder
from mappings.language.package import Counts, inherit, overlay
from mappings.language.reader import MANIFEST, MAPPING
from mappings.language.spec import Manifest
from migration_reports.findings import Position
from migration_reports.yaml_text import Document, Places, read_yaml
from migration_reports.yaml_text import Path as YamlPath

WIDTH = 78


def merged(municipality: Municipality) -> Iterator[str]:
    """The manifests and mappings of a municipality as they hold, each line with the place that says it."""
    systems = municipality.folder.systems.values()
    path = next(iter(systems)).path.parent
    head = _read(Root(path, path.name), MANIFEST)
    yield f"# ---- {MANIFEST}"
    yield from _placed(*head, str)
    for folder in systems:
        for name in (MANIFEST, MAPPING):
            yield f"# ---- {folder.name}/{name}"
            said = inherit(*head, *_read(folder.roots[0], name), keys=Manifest.inherited if name == MANIFEST else ())
            for root in folder.roots[1:]:
                said = overlay(*_read(root, name), *said, counts=Counts(), problems=[])
            said[0].pop("without", None)
            yield from _placed(*said, functools.partial(place_in, folder))
        if folder.reuse is not None:
            yield from _reused(folder.name, folder.reuse)


def _reused(system: str, reuse: Reuse) -> Iterator[str]:
    total = reuse.inherited + reuse.changed + reuse.added
    yield f"# ---- reuse: {system}"
    yield (
        f"# {reuse.inherited:,} of {total:,} values ({100 * reuse.inherited // max(total, 1)}%) are those of {reuse.package}; "
        f"{reuse.changed:,} say it otherwise, {reuse.added:,} are added, {reuse.removed:,} of the package's are left out"
    )


def _placed(data: Mapping[str, Any], places: Places, said: Callable[[str], str]) -> Iterator[str]:
    for line, place in _lines(data, (), places, 0):
        # Kanji and kana take two columns of a screen.
        width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        yield f"{line}{' ' * max(WIDTH - width, 0)}  # {said(place)}"


def _read(root: Root, name: str) -> Document:
    """What a file says; nothing where there is none, for then its package says it."""
    file = root.path / name
    if not file.is_file():
        return {}, {(): Position(root.shown(name))}
    return read_yaml(file.read_text("utf-8-sig"), root.shown(name))


def _lines(data: Any, path: YamlPath, places: Places, depth: int) -> Iterator[tuple[str, str]]:
    """YAML lines, each with its place; what one file says and is short stands on one line."""
    pairs: Iterable[tuple[str | int, Any]] = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        here = (*path, key)
        head = "  " * depth + (f"{text(key)}:" if isinstance(key, str) else "-")
        at = _at(places, here)
        flow = _flow(value)
        files = {place.file for p, place in places.items() if p[: len(here)] == here}
        if not isinstance(value, (dict, list)) or (
            len(head) + len(flow) < WIDTH and len(files) < 2 and (depth > 1 or isinstance(value, list))
        ):
            yield f"{head} {flow}", at
        else:
            yield head, at
            yield from _lines(value, here, places, depth + 1)


def _at(places: Places, path: YamlPath) -> str:
    found = places.get((*path, "key")) or places.get(path)
    while found is None:
        path = path[:-1]
        found = places.get(path)
    return f"{found.file}:{found.line}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return text(str(value))


def place_in(folder: SystemFolder, place: str) -> str:
    """A line of a spec, and whose it is."""
    if folder.reuse is None:
        return place
    own = not place.startswith(folder.roots[1].shown(""))
    return f"{place} ({'its own' if own else f'of {folder.reuse.package}'})"
