"""A municipality's folder -> specs with places; every problem at once."""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import itertools
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeVar

from mappings.language.code_table import read_code_table
from mappings.language.manifest import check_manifest
from mappings.language.package import Counts, overlay, packages_of
from mappings.language.spec import CodeTable, Manifest, MappingSpec, MunicipalityFolder, Reuse
from migration_reports.findings import Position, Problem, SpecError, did_you_mean, nearest
from migration_reports.specs import Located, Spec, checked
from migration_reports.yaml_text import Places, read_yaml

MAX_FILE = 4_000_000
MOST_FILES = 2_000
"""So many files of a folder are compared with the name of one that is missing."""

MOST_SHOWN = 12
S = TypeVar("S", bound=Spec)

PROBLEMS: Mapping[str, str] = {
    "Y001": "a file that is too large or too deep",
    "Y002": "a file that is no YAML",
    "Y003": "anchors, aliases or tags",
    "Y004": "a key that is no text",
    "Y005": "a key that stands twice",
    "Y006": "a file that is missing or cannot be read",
    "Y007": "a path that leaves its folder",
    "Y010": "an unknown key",
    "Y011": "a key that is missing",
    "Y012": "a value that is not allowed",
    "Y013": "a municipality code whose check digit is wrong",
    "Y014": "a folder name that does not fit its manifest",
    "Y015": "a code table that cannot be used",
    "Y020": "a record kind or dump that is not known",
    "Y021": "a source field that is not known",
    "Y022": "a source field that is neither mapped nor ignored",
    "Y023": "a source field that is mapped and ignored",
    "Y024": "a control that cannot be computed",
    "Y025": "a field that nobody has decided about",
    "Y026": "a guess of draft that nobody has confirmed",
    "Y027": "a table (OCCURS) that is not known",
    "Y028": "a join that cannot be made",
    "Y030": "a target table or system that is not known",
    "Y031": "a target column that is not known",
    "Y032": "a target column that is not filled",
    "Y033": "a type that cannot fit",
    "Y034": "a code outside the target's code set",
    "Y040": "a transform that is not known",
    "Y041": "a transform's parameter that is not allowed",
    "Y042": "a column that is filled in two ways, or in none",
    "Y044": "a condition or expression that cannot be used",
    "Y050": "something to leave out that the package does not have",
    "Y051": "a package that is not known",
    "Y043": "a rule or a setting of it that is not known or cannot be used",
}
"""What each problem code of a manifest or mapping means."""


def read_municipality(folder: Path, *, systems: Collection[str] = ()) -> MunicipalityFolder:
    """Read a municipality's manifest, mappings and code tables, laid over its package's.

    Args:
        folder: the municipality's.
        systems: those that there are, so that another is no missing file; any, where none is given.

    Raises:
        SpecError: with every problem of every file.
    """
    work = _Reader(folder)
    manifest = work.read("manifest.yaml", Manifest)
    if manifest is None:
        raise SpecError(work.problems)
    spec, places = manifest
    check_manifest(spec, places, work)
    mappings: dict[str, tuple[MappingSpec, Located]] = {}
    tables: dict[str, CodeTable] = {}
    for number, system in enumerate(spec.systems):
        if systems and system not in systems:
            message = f"there is no target system `{system[:60]}`"
            hint = did_you_mean(system, systems)
            work.problems.append(Problem("Y030", places.at("systems", number), message, tuple(systems), hint))
            continue
        read = work.read(f"{system}.yaml", MappingSpec)
        if read is None:
            continue
        mapping, where = read
        if mapping.system != system:
            work.problems.append(Problem("Y012", where.at("system"), f"system is `{mapping.system[:60]}`", (system,)))
        mappings[system] = (mapping, where)
        for path, place in _code_tables(mapping, where):
            text = work.text(path, place) if path not in tables else None
            if text is not None:
                table = read_code_table(text, work.shown(path), work.problems)
                if table is not None:
                    tables[path] = table
    if work.problems:
        raise SpecError(work.problems)
    return MunicipalityFolder(
        folder.name,
        spec,
        places,
        MappingProxyType(mappings),
        MappingProxyType(tables),
        MappingProxyType(work.sha256),
        work.roots,
        work.reuse(),
    )


class _Reader:
    """Reads the files of one municipality: its own, or else its package's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots: tuple[Path, ...] = (folder,)
        self.problems: list[Problem] = []
        self.sha256: dict[str, str] = {}
        self._package = ""
        self._counts = Counts()

    def reuse(self) -> Reuse | None:
        """How much came from the package."""
        c = self._counts
        return Reuse(self._package, c.inherited, c.changed, c.removed, c.added) if self._package else None

    def read(self, name: str, model: type[S]) -> tuple[S, Located] | None:
        """Read a spec; None where it has problems."""
        own = self._yaml(self.folder, name, required=not self._package)
        if own is None and (not self._package or (self.folder / name).exists()):
            return None
        data, places = own if own is not None else ({}, {(): Position(f"{self.folder.name}/{name}")})
        if name == "manifest.yaml":
            before = len(self.problems)
            self._base(data, places)
            if len(self.problems) > before:
                # Without its package a manifest lacks what the package says, which is not its mistake.
                return None
        if len(self.roots) > 1:
            base = self._yaml(self.roots[1], name, required=own is None)
            if base is not None:
                data, places = overlay(*base, data, places, counts=self._counts, problems=self.problems)
            elif own is None:
                return None
        elif "without" in data:
            self.problems.append(Problem("Y050", places["without", "key"], "without: is for what a package says"))
        located = Located(places[()].file, places)
        made = checked(model, data, located, self.problems)
        return None if made is None else (made, located)

    def text(self, path: str, place: Position) -> str | None:
        """Read a text file that a spec names."""
        file = self.find(path, place)
        if file is None:
            return None
        return _text(file, path, place, self.problems, self._noted(file), self.roots)

    def note(self, path: str, place: Position) -> None:
        """Note a file that the charsets read by themselves: that it is inside the folder, and its SHA-256."""
        file = self.find(path, place)
        if file is None:
            return
        try:
            with file.open("rb") as content:
                self._noted(file)[path] = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError:
            self.problems.append(_missing(path, place, self.roots))

    def find(self, path: str, place: Position) -> Path | None:
        """Where a file stands that a spec names: the first folder that has it, or else the municipality's own."""
        files = [inside(root, path) for root in self.roots]
        if files[0] is None:
            self.problems.append(Problem("Y007", place, f"`{path[:80]}` lies outside the municipality's folder"))
        return next((file for file in files if file is not None and file.exists()), files[0])

    def shown(self, path: str) -> str:
        """How positions call a file."""
        root = next((root for root in self.roots if (root / path).exists()), self.folder)
        return f"{root.name}/{path}"

    def _noted(self, file: Path) -> _Noted:
        root = next((r for r in self.roots[1:] if file.is_relative_to(r.resolve())), None)
        return _Noted(self.sha256, f"{self._package}/" if root is not None else "")

    def _base(self, data: dict[str, Any], places: Places) -> None:
        name = data.get("based_on")
        if not isinstance(name, str):
            return
        known = packages_of(self.folder)
        folder = inside(known, name.removeprefix("packages/")) if name.startswith("packages/") else None
        if folder is None or not folder.is_dir():
            names = sorted(f"packages/{p.name}" for p in known.iterdir() if p.is_dir()) if known.is_dir() else []
            message = f"there is no package `{name[:80]}`"
            self.problems.append(Problem("Y051", places["based_on",], message, (*names,), did_you_mean(name, names)))
            return
        self._package = name
        self.roots = (self.folder, folder)

    def _yaml(self, folder: Path, name: str, *, required: bool) -> tuple[dict[str, Any], Places] | None:
        shown = f"{folder.name}/{name}"
        if not required and not (folder / name).exists():
            return None
        file = inside(folder, name)
        place = Position(shown)
        if file is None:
            self.problems.append(Problem("Y007", place, f"`{name}` lies outside its folder"))
            return None
        text = _text(file, name, place, self.problems, self._noted(file), (folder,))
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
        if folder != self.folder and "based_on" in data:
            self.problems.append(Problem("Y051", places["based_on", "key"], "a package is based on nothing"))
        return data, places


@dataclasses.dataclass(frozen=True, slots=True)
class _Noted:
    """Where the SHA-256 of a file is noted, under which name."""

    sha256: dict[str, str]
    prefix: str

    def __setitem__(self, path: str, digest: str) -> None:
        self.sha256[self.prefix + path] = digest


def inside(folder: Path, path: str) -> Path | None:
    """The file at a path relative to a folder; None where it lies outside, by its name or through a link."""
    whole = (folder / path).resolve()
    return whole if whole.is_relative_to(folder.resolve()) and not Path(path).is_absolute() else None


def _text(
    file: Path, path: str, place: Position, problems: list[Problem], noted: _Noted, roots: Iterable[Path]
) -> str | None:
    try:
        if file.stat().st_size > MAX_FILE:
            problems.append(Problem("Y001", place, f"`{path}` is larger than {MAX_FILE:,} bytes"))
            return None
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError:
        problems.append(_missing(path, place, roots))
        return None
    except UnicodeDecodeError:
        problems.append(Problem("Y006", place, f"`{path}` is not UTF-8 text", hint=_encoding(data)))
        return None
    noted[path] = hashlib.sha256(data).hexdigest()
    return text


def _encoding(data: bytes) -> str:
    """What a text looks like that is no UTF-8, and what to do."""
    for encoding, name in (("utf-16", "UTF-16"), ("cp932", "Shift_JIS"), ("euc_jp", "EUC-JP")):
        if encoding == "utf-16" and data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            continue
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return f"it looks like {name}: save it as UTF-8"
    return "save it as UTF-8"


def _missing(path: str, place: Position, roots: Iterable[Path]) -> Problem:
    """The problem of a file that cannot be read: which files of its kind there are, and which of them is nearest."""
    wanted = PurePosixPath(path)
    there = [
        PurePosixPath(file.relative_to(root).as_posix())
        for root in roots
        for file in itertools.islice(root.rglob(f"*{wanted.suffix}"), MOST_FILES)
        if file.is_file()
    ]
    near = nearest(str(wanted.with_suffix("")), [str(name.with_suffix("")) for name in sorted(there)])
    hint = f"did you mean `{near}{wanted.suffix}`?" if near else "does the file exist?"
    # In the folder itself stand manifest and mappings, which nobody means who names a file.
    beside = sorted({str(name) for name in there if name.parent == wanted.parent and len(name.parts) > 1})
    return Problem("Y006", place, f"`{path[:80]}` cannot be read", tuple(beside[:MOST_SHOWN]), hint)


def _code_tables(mapping: MappingSpec, where: Located) -> Iterable[tuple[str, Position]]:
    for name, parts in mapping.tables.items():
        for part, spec in enumerate(parts):
            for column_name, column in spec.columns.items():
                for number, step in enumerate(column.transforms):
                    path = step.params.get("table")
                    if isinstance(path, str):
                        at = ("tables", name, part, "columns", column_name, "transforms", number, step.name, "table")
                        yield path, where.at(*at)
