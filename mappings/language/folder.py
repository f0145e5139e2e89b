"""What was read of a municipality's folder: its head, and of each system manifest, mapping, code tables and where they lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mappings.language.decisions import Decision
from mappings.language.deliveries import delivery_of, expanded
from mappings.language.spec import DumpSpec, Manifest, MappingSpec, SystemManifest
from migration_reports.specs import Located


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """The codes of a code table that were valid from one day to another, YYYYMMDD; empty: without an end."""

    first: str
    last: str
    codes: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class CodeTable:
    """A code table: target code by source code, and where codes were renumbered, by the time they were valid.

    `others` is what becomes of a code that it does not hold.
    """

    periods: tuple[Period, ...]
    file: str
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: Literal["fail", "stay", "are none"] = "fail"

    @property
    def dated(self) -> bool:
        """Whether any code of it has a time of its own."""
        return any(period.first or period.last for period in self.periods)

    @property
    def codes(self) -> Mapping[str, str]:
        """The codes of every time together."""
        return {old: new for period in self.periods for old, new in period.codes.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Reuse:
    """How much of a municipality's specs came from its package: lines that say something.

    Attributes:
        package: its name.
        inherited: taken as they stand there.
        changed: said otherwise by the municipality.
        removed: left out by it.
        added: said by it alone.
    """

    package: str
    inherited: int
    changed: int
    removed: int
    added: int


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """A folder where specs of a system stand, and how positions call it."""

    path: Path
    name: str

    def shown(self, file: str) -> str:
        """How positions call a file of it."""
        return f"{self.name}/{file}"


@dataclasses.dataclass(frozen=True, slots=True)
class SystemFolder:
    """Everything that a municipality says of one system, with its package's part in it.

    Attributes:
        name: the system's, and the folder's.
        head: the municipality's manifest.
        manifest: the system's, with what it inherits from the head and the package.
        manifest_places: where its parts stand.
        mapping: how the system is filled.
        mapping_places: where its parts stand.
        code_tables: those that the mapping names, by path.
        roots: where the files that it names stand: in its own folder, or else in the package's.
        reuse: how much came from the package; None without one.
        decisions: what people decided about candidates, in the municipality's own folder.
    """

    name: str
    head: Manifest
    manifest: SystemManifest
    manifest_places: Located
    mapping: MappingSpec
    mapping_places: Located
    code_tables: Mapping[str, CodeTable]
    roots: tuple[Root, ...]
    reuse: Reuse | None = None
    decisions: tuple[Decision, ...] = ()

    @property
    def path(self) -> Path:
        """Its own folder."""
        return self.roots[0].path


@dataclasses.dataclass(frozen=True, slots=True)
class MunicipalityFolder:
    """Everything that a municipality's folder says.

    Attributes:
        folder: its name.
        manifest: what holds for all systems.
        systems: by name, what it says of each.
        sha256: of every file that was read, by its path inside the folder or from the packages.
        own: the texts of its own lists (`own/codes/*.csv`, `own/tables/*.csv`), by their paths inside the folder.
    """

    folder: str
    manifest: Manifest
    systems: Mapping[str, SystemFolder]
    sha256: Mapping[str, str]
    own: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def dumps(self) -> Mapping[str, DumpSpec]:
        """The expected dumps of all systems, a file's name for each that its delivery is per; no two have one name."""
        return {
            name: dump.model_copy(update={"file": expanded(dump.file, found[1].per)}) if found else dump
            for system in self.systems.values()
            for name, dump in system.manifest.dumps.items()
            for found in (delivery_of(system.manifest.deliveries, name),)
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that are expected: of dumps, controls and attachments, and what deliveries have besides."""
        others = (
            name
            for system in self.systems.values()
            for delivery in system.manifest.deliveries.values()
            for name in expanded((f for f in delivery.files if f not in system.manifest.dumps), delivery.per)
        )
        dumps = self.dumps.values()
        kinds = (kind for dump in dumps for kind in dump.records.values())
        beside = (kind.objects.received for kind in kinds if kind.objects is not None)
        return (*(file for dump in dumps for file in (*dump.file, *dump.control_files)), *beside, *others)

    def of_dump(self, dump: str) -> SystemFolder:
        """The system that a dump belongs to."""
        return next(system for system in self.systems.values() if dump in system.manifest.dumps)
