"""Where every field goes: noted while columns are compiled, and then told as the fate of each."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.around import Around
from mappings.compiling.complaints import Complaints
from mappings.compiling.definitions import field_definition
from mappings.compiling.occurrences import members_of
from mappings.language.spec import MappingSpec, PartSpec
from mappings.plan import FROM, Fate, Leave, Occurrences, PartPlan
from migration_reports.findings import nearest
from migration_reports.specs import Located


def _keys(each: Occurrences, name: str) -> tuple[str, ...]:
    """What a name in a row is called among all fields of its source, where it lies in a list: LIST.FIELD."""
    return tuple(f"{column}.{field}" for column in each.lists[:1] for field in each.fields(name))


class Uses:
    """The uses of the fields of every record kind.

    Args:
        spec: the mapping.
        places: of its parts.
        schemas: by source (dump.kind), the fields of each record kind.
        tables: the system's target tables by the names that the mapping gives them; the fates have their keys.
        complain: where problems are collected.
        around: the headers and trailers of every dump.
    """

    def __init__(
        self,
        spec: MappingSpec,
        places: Located,
        schemas: Mapping[str, pa.Schema],
        tables: Mapping[str, sa.Table],
        complain: Complaints,
        around: Around,
    ) -> None:
        self._around = around
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
        if (header := self._around.source_of(spec.source, field)) is not None:
            self._used.setdefault(header, {}).setdefault(name, []).append(column)
            return
        used = self._used.setdefault(spec.source, {})
        if each is not None and field in (*each.members, *each.numbers):
            for name in dict.fromkeys((*each.columns(field), *_keys(each, field))):
                used.setdefault(name, []).append(column)
            return
        schema = self._schemas.get(spec.source)
        names = (*(schema.names if schema is not None else ()), *(each.members if each is not None else ()))
        if field not in names and (close := nearest(field, names)):
            meant = (*each.columns(close), *_keys(each, close)) if each is not None else (close,)
            self._meant.setdefault(spec.source, set()).update(meant)
        used.setdefault(field, []).append(column)

    def fates(self) -> Mapping[str, Mapping[str, Fate]]:
        """Every field of every source: mapped, or ignored with a reason; anything else is a problem.

        Where a list is read, its members are fields too, LIST.FIELD.
        """
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
            used, meant = self._used.get(source, {}), self._meant.setdefault(source, set())
            # A list of which something is read is no longer one thing: each of its members has a fate.
            read = [field for field in schema if field.name in used or field.name in meant]
            inside = {f"{field.name}.{one.name}": one for field in read for one in members_of(field)}
            fields = {**{field.name: field for field in schema}, **inside}
            targets = {name: list(dict.fromkeys(used.get(name, ()))) for name in fields}
            reasons = self._ignored(source, fields, targets)
            fates[source] = {
                name: (tuple(map(self._qualified, targets[name])), reasons.get(name, "")) for name in fields
            }
            # A field whose name somebody misspelt is not forgotten; its column says so.
            settled = reasons.keys() | meant
            for name in fields if source not in self._lost else ():
                if not targets[name] and name not in settled:
                    table, _, bare = name.rpartition(".")
                    self._complain.add(
                        "Y022",
                        self._places.at("ignore", source),
                        f"field `{bare}` of {table or source} is neither mapped nor ignored",
                        hint="map it, or list it under ignore: with a reason",
                        defined=field_definition(pa.schema([fields[name]]), bare),
                    )
        # Of a header or trailer only what is used has a fate: it says what holds for records, and is none.
        for source in self._around.schemas:
            used = self._used.get(source, {})
            fates[source] = {
                name: (tuple(map(self._qualified, dict.fromkeys(targets))), "") for name, targets in used.items()
            }
        return MappingProxyType(fates)

    def _qualified(self, target: str) -> str:
        """A target as the plan has it: the mapping names the tables of its own system bare."""
        name = re.split(r"[. ]", target, maxsplit=1)[0]
        return self._tables[name].key + target[len(name) :] if name in self._tables else target

    def _ignored(self, source: str, fields: Mapping[str, pa.Field], targets: Mapping[str, list[str]]) -> dict[str, str]:
        reasons: dict[str, str] = {}
        schema = pa.schema({field.name: field for field in fields.values()}.values())
        for number, ignore in enumerate(self._spec.ignore.get(source, ())):
            place = self._places.at("ignore", source, number)
            called = set(fnmatch.filter(schema.names, ignore.field)) if "*" in ignore.field else {ignore.field}
            names = [name for name, field in fields.items() if field.name in called]
            if not ignore.reason.strip():
                self._complain.add("Y011", place, f"`{ignore.field}` is ignored without a reason")
            elif ignore.reason.strip().startswith(("?", "？")):
                hint = "map it, or say why it is left"
                defined = field_definition(schema, ignore.field)
                self._complain.add(
                    "Y025", place, f"nobody has decided about `{ignore.field}`", hint=hint, defined=defined
                )
            if not names:
                self._complain.unknown("Y021", place, f"field `{ignore.field}`", schema.names)
                if close := nearest(ignore.field, schema.names):
                    self._meant.setdefault(source, set()).add(close)
                continue
            for name in names:
                if targets[name]:
                    message = f"field `{fields[name].name}` is mapped to {targets[name][0]} and ignored"
                    defined = field_definition(pa.schema([fields[name]]), fields[name].name)
                    self._complain.add("Y023", place, message, defined=defined)
                reasons[name] = ignore.reason
        return reasons


def fields_read(
    parts: Iterable[PartPlan], leaves: Mapping[str, Iterable[Leave]], schemas: Mapping[str, pa.Schema]
) -> Mapping[str, frozenset[str]]:
    """The fields of each source that anything reads."""
    read: dict[str, set[str]] = {source: set() for source in schemas}
    for source, some in leaves.items():
        read[source].update(name for leave in some for condition in leave.when for name in condition.reads)
    for part in parts:
        names = part.reads
        if part.each is not None:
            of_runs = (FROM,) if part.each.runs is not None else ()
            names = (*part.each.lists[:1], *(field for n in (*names, *of_runs) for field in part.each.columns(n)))
        read[part.source].update(name for name in names if name in schemas[part.source].names)
        for join in part.joins:
            read[join.source].update((*(theirs for _, theirs in join.keys), *join.fields))
        for name in part.reads:
            kind, _, field = name.partition(".")
            if kind in part.around:
                read.setdefault(f"{part.dump}.{kind}", set()).add(field)
    return MappingProxyType({source: frozenset(names) for source, names in read.items()})
