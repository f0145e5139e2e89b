"""A municipality's folder, and in it a folder a system -> specs with places; every problem at once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from mappings.language.code_table import read_code_table
from mappings.language.decisions import FILE, Decision, read_decisions
from mappings.language.files import inside, missing, text_of
from mappings.language.folder import CodeTable, MunicipalityFolder, Reuse, Root, SystemFolder
from mappings.language.manifest import check_dumps, check_head, check_system
from mappings.language.own_lists import OWN, own_lists
from mappings.language.package import Counts, inherit, overlay, packages_of
from mappings.language.spec import Manifest, MappingSpec, SystemManifest
from migration_reports.specs import Located, Spec, checked
from migration_reports.trouble import Position, Problem, SpecError, UsageError, did_you_mean
from migration_reports.yaml_text import Document, Places, read_yaml

MANIFEST, MAPPING = "manifest.yaml", "mapping.yaml"
ANY: Mapping[str, Sequence[str]] = MappingProxyType({})

S = TypeVar("S", bound=Spec)


def read_municipality(
    folder: Path, *, systems: Mapping[str, Sequence[str]] = ANY, only: Collection[str] | None = None
) -> MunicipalityFolder:
    """Read a municipality's manifest, and of each system its manifest, mapping and code tables, laid over its package's.

    Args:
        folder: the municipality's.
        systems: those that there are, each with its editions; any, where none is given.
        only: the systems that are read; all that the municipality has, where not given.

    Raises:
        SpecError: with every problem of every file.
        UsageError: the municipality has no such system.
    """
    found = _Found([], {})
    town = _Reader(Root(folder, folder.name), "", found)
    document = town.document(MANIFEST)
    if document is None:
        raise SpecError(found.problems)
    head = town.made(*document, Manifest)
    if head is not None:
        check_head(head, Located(town.own.shown(MANIFEST), document[1]), folder.name, found.problems)
    read = {
        name: _Reader(Root(folder / name, f"{folder.name}/{name}"), f"{name}/", found).system(
            name, head, document, editions=systems.get(name, ())
        )
        for name in _systems(folder, systems, only, found.problems)
    }
    whole = {name: system for name, system in read.items() if system is not None}
    check_dumps(whole, found.problems)
    own = own_lists(town.own, found.problems, found.sha256)
    if head is None or found.problems:
        # What a system inherits is looked at once with the head and once with each system.
        raise SpecError(dict.fromkeys(found.problems))
    return MunicipalityFolder(folder.name, head, MappingProxyType(whole), MappingProxyType(found.sha256), own)


def _systems(
    folder: Path, known: Mapping[str, Sequence[str]], only: Collection[str] | None, problems: list[Problem]
) -> tuple[str, ...]:
    """The systems of a municipality: its folders, each of a system that there is."""
    there = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name != OWN)
    systems = tuple(name for name in there if name in known or not known)
    if only is not None:
        if missing := sorted(set(only) - set(systems)):
            hint = did_you_mean(missing[0], systems)
            raise UsageError(
                f"{folder.name} has no system `{missing[0][:60]}`; {f'{hint} ' if hint else ''}it has {', '.join(systems)}"
            )
        return tuple(name for name in systems if name in only)
    for name in there:
        if name not in systems:
            message = f"there is no target system `{name[:60]}`"
            hint = did_you_mean(name, known) or "what belongs to a system stands in its folder"
            problems.append(Problem("Y030", Position(f"{folder.name}/{name}"), message, tuple(known), hint))
    if not there:
        hint = "make a folder of the system's name, with a manifest.yaml and a mapping.yaml"
        message = "no system is moved: the municipality has no folder of one"
        problems.append(Problem("Y030", Position(f"{folder.name}/{MANIFEST}"), message, tuple(known), hint))
    return systems


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """What is found while the files of a municipality are read: problems, and SHA-256 by path."""

    problems: list[Problem]
    sha256: dict[str, str]


class _Reader:
    """Reads the files of one folder of specs: its own, or else its package's.

    Args:
        own: the folder.
        prefix: how its files are called in the municipality's.
        found: is added to.
    """

    def __init__(self, own: Root, prefix: str, found: _Found) -> None:
        self.own = own
        self.roots: tuple[Root, ...] = (own,)
        self.problems = found.problems
        self._sha256 = found.sha256
        self._prefix = prefix
        self._package = ""
        self._counts = Counts()

    def system(
        self, name: str, head: Manifest | None, said: Document, *, editions: Sequence[str]
    ) -> SystemFolder | None:
        """Read what a municipality says of a system; None where its manifest or mapping, or the head, has problems.

        Args:
            name: the system.
            head: the municipality's manifest; None where it has problems, and then nothing is inherited.
            said: the same as it was written.
            editions: those that the system has; any, where none is given.
        """
        manifest = self._manifest(name, said if head is not None else ({}, {}), editions)
        if manifest is None:
            return None
        check_system(*manifest, self)
        read = self._read(MAPPING, MappingSpec)
        if read is None:
            return None
        mapping, where = read
        if mapping.system != name:
            self.problems.append(Problem("Y012", where.at("system"), f"system is `{mapping.system[:60]}`", (name,)))
        tables = MappingProxyType(self._code_tables(mapping, where))
        if head is None:
            return None
        decisions = self._decisions()
        return SystemFolder(name, head, *manifest, mapping, where, tables, self.roots, self._reuse(), decisions)

    def document(self, name: str) -> Document | None:
        """Read a file of its own as YAML; None where it cannot be read."""
        return self._yaml(self.own, name)

    def made(
        self, data: Mapping[str, Any], places: Places, model: type[S], *, allowed: Mapping[str, Sequence[str]] = ANY
    ) -> S | None:
        """A document as a model; None where it has problems. `allowed`: by key, what may stand where it is missing."""
        located = Located(places[()].file, places)
        return checked(model, data, located, self.problems, allowed=allowed, hints=_elsewhere(model))

    def note(self, path: str, place: Position) -> None:
        """Note a file that the charsets read by themselves: that it is inside the folder, and its SHA-256."""
        file = self._find(path, place)
        if file is None:
            return
        try:
            with file.open("rb") as content:
                self._noted(file)[path] = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError:
            self.problems.append(missing(path, place, self._folders))

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(root.path for root in self.roots)

    def _manifest(self, name: str, said: Document, editions: Sequence[str]) -> tuple[SystemManifest, Located] | None:
        own = self.document(MANIFEST)
        if own is None or not self._base(*own):
            return None
        laid = self._laid(inherit(*said, *own, keys=Manifest.inherited), MANIFEST)
        if laid is None:
            return None
        data, places = laid
        manifest = self.made(data, places, SystemManifest, allowed={"edition": editions})
        if manifest is None:
            return None
        located = Located(places[()].file, places)
        if self._package and manifest.system is None:
            place = Position(self.roots[1].shown(MANIFEST))
            self.problems.append(Problem("Y011", place, "key `system` is missing: which system is the package of?"))
        elif manifest.system not in (None, name):
            message = f"system is `{str(manifest.system)[:60]}`"
            self.problems.append(Problem("Y012", located.at("system"), message, (name,)))
        if editions and manifest.edition not in editions:
            message, hint = f"{name} has no edition `{manifest.edition[:20]}`", did_you_mean(manifest.edition, editions)
            self.problems.append(Problem("Y012", located.at("edition"), message, tuple(editions), hint))
        return manifest, located

    def _read(self, name: str, model: type[S]) -> tuple[S, Located] | None:
        """Read a spec; None where it has problems. Of what its package says a municipality needs no file of its own."""
        own = self.document(name) if (self.own.path / name).exists() or not self._package else _nothing(self.own, name)
        laid = self._laid(own, name) if own is not None else None
        if laid is None:
            return None
        data, places = laid
        made = self.made(data, places, model)
        return (made, Located(places[()].file, places)) if made is not None else None

    def _laid(self, own: Document, name: str) -> Document | None:
        """A document laid over the package's of the same name; None where neither says anything."""
        data, places = own
        if not self._package:
            if "without" in data:
                self.problems.append(Problem("Y050", places["without", "key"], "without: is for what a package says"))
            return own
        base = self._yaml(self.roots[1], name) if not data or (self.roots[1].path / name).exists() else None
        if base is None:
            return own if data else None
        return overlay(*base, data, places, counts=self._counts, problems=self.problems)

    def _base(self, data: Mapping[str, Any], places: Places) -> bool:
        """Find the package that a manifest is based on; without it a manifest lacks what is not its own mistake."""
        name = data.get("based_on")
        if not isinstance(name, str):
            return True
        known = packages_of(self.own.path.parent)
        folder = inside(known, name.removeprefix("packages/")) if name.startswith("packages/") else None
        if folder is None or not folder.is_dir():
            names = sorted(f"packages/{p.name}" for p in known.iterdir() if p.is_dir()) if known.is_dir() else []
            message = f"there is no package `{name[:80]}`"
            self.problems.append(Problem("Y051", places["based_on",], message, (*names,), did_you_mean(name, names)))
            return False
        self._package = name
        self.roots = (self.own, Root(folder, folder.name))
        return True

    def _reuse(self) -> Reuse | None:
        """How much came from the package."""
        c = self._counts
        return Reuse(self._package, c.inherited, c.changed, c.removed, c.added) if self._package else None

    def _decisions(self) -> tuple[Decision, ...]:
        """What people decided about candidates: of this town alone, whatever its package holds."""
        file = inside(self.own.path, FILE)
        if file is None or not file.exists():
            return ()
        shown = self.own.shown(FILE)
        text = text_of(file, FILE, Position(shown), self.problems, self._noted(file), (self.own.path,))
        return () if text is None else read_decisions(text, shown, self.problems)

    def _code_tables(self, mapping: MappingSpec, where: Located) -> dict[str, CodeTable]:
        tables: dict[str, CodeTable] = {}
        for path, place in _named_tables(mapping, where):
            file = self._find(path, place) if path not in tables else None
            if file is None:
                continue
            text = text_of(file, path, place, self.problems, self._noted(file), self._folders)
            if text is None:
                continue
            root = next((root for root in self.roots if (root.path / path).exists()), self.own)
            table = read_code_table(text, root.shown(path), self.problems)
            if table is not None:
                tables[path] = table
        return tables

    def _find(self, path: str, place: Position) -> Path | None:
        """Where a file stands that a spec names: the first folder that has it, or else the municipality's own."""
        files = [inside(root, path) for root in self._folders]
        if files[0] is None:
            self.problems.append(Problem("Y007", place, f"`{path[:80]}` lies outside the system's folder"))
        return next((file for file in files if file is not None and file.exists()), files[0])

    def _noted(self, file: Path) -> _Noted:
        of_package = any(file.is_relative_to(root.resolve()) for root in self._folders[1:])
        return _Noted(self._sha256, f"{self._package}/" if of_package else self._prefix)

    def _yaml(self, root: Root, name: str) -> Document | None:
        shown = root.shown(name)
        file = inside(root.path, name)
        place = Position(shown)
        if file is None:
            self.problems.append(Problem("Y007", place, f"`{name}` lies outside its folder"))
            return None
        text = text_of(file, name, place, self.problems, self._noted(file), (root.path,))
        if text is None:
            return None
        try:
            data, places = read_yaml(text, shown)
        except SpecError as error:
            self.problems.extend(error.problems)
            return None
        if not isinstance(data, dict):
            self.problems.append(Problem("Y012", place, "the document must be a mapping of keys"))
            return None
        if root != self.own and "based_on" in data:
            self.problems.append(Problem("Y051", places["based_on", "key"], "a package is based on nothing"))
        return data, places


def _nothing(root: Root, name: str) -> Document:
    """What a municipality says that leaves everything to its package."""
    return {}, {(): Position(root.shown(name))}


@dataclasses.dataclass(frozen=True, slots=True)
class _Noted:
    """Where the SHA-256 of a file is noted, under which name."""

    sha256: dict[str, str]
    prefix: str

    def __setitem__(self, path: str, digest: str) -> None:
        self.sha256[self.prefix + path] = digest


def _elsewhere(model: type[Spec]) -> Mapping[str, str]:
    """By key of the other manifest, where it is said."""
    if model is Manifest:
        other = {name: f"`{name}` is said of a system: in <system>/{MANIFEST}" for name in SystemManifest.model_fields}
        return {**other, "systems": "which systems are moved is told by their folders"}
    if model is SystemManifest:
        above = f"is said of the municipality: in its {MANIFEST}, a folder higher"
        return {name: f"`{name}` {above}" for name in Manifest.model_fields}
    return {}


def _named_tables(mapping: MappingSpec, where: Located) -> Iterable[tuple[str, Position]]:
    for name, parts in mapping.tables.items():
        for part, spec in enumerate(parts):
            for column_name, column in spec.columns.items():
                for number, step in enumerate(column.transforms):
                    path = step.params.get("table")
                    if isinstance(path, str):
                        at = ("tables", name, part, "columns", column_name, "transforms", number, step.name, "table")
                        yield path, where.at(*at)
