"""Where every field goes: noted while columns are compiled, and then told as the fate of each."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.complaints import Complaints
from mappings.compiling.definitions import field_definition
from mappings.language.spec import MappingSpec, PartSpec
from mappings.plan import Fate, Occurrences
from migration_reports.findings import nearest
from migration_reports.specs import Located


class Uses:
    """The uses of the fields of every record kind.

    Args:
        spec: the mapping.
        places: of its parts.
        schemas: by source (dump.kind), the fields of each record kind.
        tables: the system's target tables by the names that the mapping gives them; the fates have their keys.
        complain: where problems are collected.
    """

    def __init__(
        self,
        spec: MappingSpec,
        places: Located,
        schemas: Mapping[str, pa.Schema],
        tables: Mapping[str, sa.Table],
        complain: Complaints,
    ) -> None:
        self._spec = spec
        self._places = places
        self._schemas = schemas
        self._tables = tables
        self._complain = complain
        self._used: dict[str, dict[str, list[str]]] = {}
        self._meant: dict[str, set[str]] = {}
        self._lost: set[str] = set()

    def lose_all(self) -> None:
        """Nothing is known of which record kinds are meant: no field of any is called forgotten."""
        self._lost.update(self._schemas)

    def note_key(self, source: str, field: str, alias: str) -> None:
        """Note that a join finds records by a field of theirs."""
        self._used.setdefault(source, {}).setdefault(field, []).append(f"join {alias}")

    def note_left(self, source: str, field: str) -> None:
        """Note that a field tells which records are left."""
        self._used.setdefault(source, {}).setdefault(field, []).append("leave")

    def note_object(self, source: str, field: str) -> None:
        """Note that a field says something of the files beside the dump."""
        self._used.setdefault(source, {}).setdefault(field, []).append("attachment")

    def note(self, spec: PartSpec, each: Occurrences | None, field: str, column: str) -> None:
        """Note that a field goes somewhere, under the source and name that its layout knows."""
        alias, dot, name = field.partition(".")
        if dot and alias in spec.join:
            self._used.setdefault(spec.join[alias].source, {}).setdefault(name, []).append(column)
            return
        used = self._used.setdefault(spec.source, {})
        if each is not None and field in (*each.members, *each.numbers):
            for name in each.columns(field):
                used.setdefault(name, []).append(column)
            return
        schema = self._schemas.get(spec.source)
        if schema is not None and field not in schema.names and (close := nearest(field, schema.names)):
            self._meant.setdefault(spec.source, set()).add(close)
        used.setdefault(field, []).append(column)

    def fates(self) -> Mapping[str, Mapping[str, Fate]]:
        """Every field of every source: mapped, or ignored with a reason; anything else is a problem."""
        for source in self._spec.ignore:
            if source not in self._schemas:
                place = self._places.at("ignore", source, "key")
                self._complain.unknown("Y020", place, f"record kind `{source}`", self._schemas)
                if close := nearest(source, self._schemas):
                    self._meant.setdefault(close, set()).update(
                        name
                        for ignore in self._spec.ignore[source]
                        for name in fnmatch.filter(self._schemas[close].names, ignore.field)
                    )
        fates: dict[str, dict[str, Fate]] = {}
        for source, schema in self._schemas.items():
            used = self._used.get(source, {})
            targets = {field.name: list(dict.fromkeys(used.get(field.name, ()))) for field in schema}
            reasons = self._ignored(source, schema, targets)
            fates[source] = {
                name: (tuple(map(self._qualified, t)), reasons.get(name, "")) for name, t in targets.items()
            }
            # A field whose name somebody misspelt is not forgotten; its column says so.
            settled = reasons.keys() | self._meant.get(source, set())
            for field in schema if source not in self._lost else ():
                if not targets[field.name] and field.name not in settled:
                    self._complain.add(
                        "Y022",
                        self._places.at("ignore", source),
                        f"field `{field.name}` of {source} is neither mapped nor ignored",
                        hint="map it, or list it under ignore: with a reason",
                        defined=field_definition(schema, field.name),
                    )
        return MappingProxyType(fates)

    def _qualified(self, target: str) -> str:
        """A target as the plan has it: the mapping names the tables of its own system bare."""
        name = re.split(r"[. ]", target, maxsplit=1)[0]
        return self._tables[name].key + target[len(name) :] if name in self._tables else target

    def _ignored(self, source: str, schema: pa.Schema, targets: Mapping[str, list[str]]) -> dict[str, str]:
        reasons: dict[str, str] = {}
        for number, ignore in enumerate(self._spec.ignore.get(source, ())):
            place = self._places.at("ignore", source, number)
            names = fnmatch.filter(schema.names, ignore.field) if "*" in ignore.field else [ignore.field]
            if not ignore.reason.strip():
                self._complain.add("Y011", place, f"`{ignore.field}` is ignored without a reason")
            elif ignore.reason.strip().startswith(("?", "？")):
                hint = "map it, or say why it is left"
                defined = field_definition(schema, ignore.field)
                self._complain.add(
                    "Y025", place, f"nobody has decided about `{ignore.field}`", hint=hint, defined=defined
                )
            if not names or names[0] not in schema.names:
                self._complain.unknown("Y021", place, f"field `{ignore.field}`", schema.names)
                if close := nearest(ignore.field, schema.names):
                    self._meant.setdefault(source, set()).add(close)
                continue
            for name in names:
                if targets[name]:
                    message = f"field `{name}` is mapped to {targets[name][0]} and ignored"
                    self._complain.add("Y023", place, message, defined=field_definition(schema, name))
                reasons[name] = ignore.reason
        return reasons
