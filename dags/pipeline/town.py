"""A municipality's folder, checked through every stage: specs, layouts, charsets, framings, compiled plans."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import sqlalchemy as sa

from dags.fields.wanted import kinds_of
from dags.guarded.secrets import mapped_secrets
from dags.own import lists
from dags.own.lists import OwnLists
from dags.pipeline.candidates.decided import decided
from dags.pipeline.controls.plans import controls_of
from extractors import charsets, containers, framings
from extractors.batches import Kind, arrow_schema
from extractors.charsets.contract import Charset
from extractors.kinds import Chooser, check_cut, check_families
from extractors.layout import Layout
from extractors.reading import (
    Apart,
    Choice,
    Reading,
    Spoken,
    library_of,
    make_layout,
    make_reading,
    read_apart,
    read_text,
    sort_options,
)
from mappings.compiling.compiler import compile_mapping
from mappings.compiling.definitions import field_definition, near_definition
from mappings.control_plan import ControlPlan
from mappings.language.folder import MunicipalityFolder, Root, SystemFolder
from mappings.language.manifest import TABLE_OPTIONS
from mappings.language.problems import at_option, shown
from mappings.language.reader import read_municipality
from mappings.language.spec import ChoiceSpec, DumpSpec
from mappings.plan import Plan
from migration_reports.findings import Definition, Position, Problem, SpecError, did_you_mean
from target_schemas.model import PhysicalTables, System
from target_schemas.reference_tables import REFERENCE_TABLES
from target_schemas.systems import SYSTEMS
from validators import instances
from validators.critical import critical_rows
from validators.shapes.contract import Rule

T = TypeVar("T")

EDITIONS: Mapping[str, tuple[str, ...]] = {s.name: tuple(edition.name for edition in s.editions) for s in SYSTEMS}
"""The editions of each system, the newest last."""


@dataclasses.dataclass(frozen=True, slots=True)
class DumpReader:
    """How one dump is read; `context` are the fields of its headers and trailers that records look at, by kind."""

    spec: DumpSpec
    reading: Reading
    kinds: tuple[Kind, ...]
    control_fields: Mapping[str, tuple[str, ...]]
    context: Mapping[str, Mapping[str, pa.DataType]]
    controls: tuple[ControlPlan, ...] = ()

    @property
    def layout(self) -> Layout:
        """What its records look like."""
        return self.reading.layout


@dataclasses.dataclass(frozen=True, slots=True)
class Municipality:
    """Everything a run of one municipality needs, proved before any data."""

    folder: MunicipalityFolder
    dumps: Mapping[str, DumpReader]
    schemas: Mapping[str, pa.Schema]
    plans: Mapping[str, Plan]
    systems: tuple[System, ...]
    own: OwnLists


def load(folder: Path, *, systems: Collection[str] | None = None) -> Municipality:
    """Read and check a municipality's folder.

    Args:
        folder: the municipality's.
        systems: those that are loaded; all that it has, where not given.

    Raises:
        SpecError: with every problem of its manifests, copybooks, table files, mappings and code tables.
        UsageError: it has no such system.
    """
    spec = read_municipality(folder, systems=EDITIONS, only=systems)
    problems: list[Problem] = []
    made: dict[str, Reading] = {}
    known = tuple(
        system.in_edition(spec.systems[system.name].manifest.edition)
        for system in SYSTEMS
        if system.name in spec.systems
    )
    own = lists.of_municipality(spec, known, problems)
    known = tuple(dataclasses.replace(s, code_sets=lists.joined(s.code_sets, own.codes)) for s in known)
    for system in known:
        of_system = spec.systems[system.name]
        found: list[Problem] = []
        made |= _readings(of_system, found)
        found += _rule_problems(of_system, system)
        _collect(found, functools.partial(critical_rows, [table.physical for table in system.tables]))
        problems.extend(shown(of_system, at_option(of_system, problem)) for problem in found)
    spec = decided(spec, known, problems)
    if problems:
        raise SpecError(problems)
    schemas = {
        f"{name}.{kind_name}": arrow_schema(made[name].layout, kind.group)
        for name, dump in spec.dumps.items()
        for kind_name, kind in dump.records.items()
    }
    plans = {
        system.name: plan
        for system in known
        if (plan := _collect(problems, functools.partial(_compile, spec.systems[system.name], system, schemas)))
        is not None
    }
    controls: dict[str, tuple[ControlPlan, ...]] = {}
    for of_system in spec.systems.values():
        controls |= _collect(problems, functools.partial(controls_of, of_system, made)) or {}
    problems.extend(mapped_secrets(plans, known))
    if problems:
        raise SpecError(problems)
    dumps = {
        name: DumpReader(dump, made[name], *kinds_of(name, dump, plans, schemas, controls[name]), controls[name])
        for name, dump in spec.dumps.items()
    }
    return Municipality(spec, dumps, schemas, plans, known, own)


def _readings(spec: SystemFolder, problems: list[Problem]) -> Mapping[str, Reading]:
    """How each dump of a system is read, without those that have problems."""
    made: dict[str, Reading] = {}
    for name, dump in spec.manifest.dumps.items():
        place = spec.manifest_places.at
        root = root_of(spec, dump.layout)
        spoken = _collect(problems, functools.partial(_spoken, spec, dump), place("policies"))
        if spoken is None:
            continue
        layout = _collect(
            problems,
            functools.partial(_read_layout, spoken, root.path / dump.layout, root.shown(dump.layout)),
            place("dumps", name, "dialect"),
        )
        if layout is None:
            continue
        for field, apart in spoken.fields.items():
            _collect(
                problems, functools.partial(read_apart, layout, {field: apart}), place("dumps", name, "fields", field)
            )
        layout = _collect([], functools.partial(read_apart, layout, spoken.fields))
        if layout is None:
            continue
        # Each part is proved by itself first, so that a problem points to its own line of the manifest.
        parts: Mapping[str, Callable[[], object]] = {
            "framing": functools.partial(framings.load, spoken.framing.name, spoken.framing.options, layout),
            "charset": functools.partial(charsets.load, spoken.charset.name, spoken.charset.options, spec.path),
        }
        if spoken.container is not None:
            box = spoken.container
            parts = {**parts, "container": functools.partial(containers.load, box.name, box.options)}
        proved = [_collect(problems, make, place("dumps", name, key, "name")) for key, make in parts.items()]
        if None not in proved:
            whole = functools.partial(make_reading, spoken, layout, spec.path)
            reading = _collect(problems, whole, place("dumps", name))
            if reading is not None:
                made[name] = reading
        families = [Kind(n, parent=k.parent) for n, k in dump.records.items() if k.parent in (None, *dump.records)]
        _collect(problems, functools.partial(check_families, families, "(options)"), place("dumps", name, "records"))
        wrong = _kind_problems(spec, name, dump, layout)
        problems.extend(wrong or (_value_problems(spec, name, made[name]) if name in made else ()))
    return made


def with_gaiji_table(spec: SystemFolder, dump: str, file: str) -> Charset:
    """The charset of a dump with another gaiji table, a path from the folder of its system.

    Raises:
        SpecError: what the municipality's check would say of the table.
    """
    spoken = _spoken(spec, spec.manifest.dumps[dump])
    return charsets.load(spoken.charset.name, {**spoken.charset.options, "gaiji": file}, spec.path)


def _rule_problems(spec: SystemFolder, system: System) -> list[Problem]:
    """What is wrong with the settings that a manifest gives to rules, and with its system's rules themselves."""
    known = instances.names(system.rules)
    problems: list[Problem] = []
    for name, options in spec.manifest.rules.items():
        place = spec.manifest_places.at("rules", name)
        if name not in known:
            hint = did_you_mean(name, known)
            problems.append(Problem("Y043", place, f"unknown rule `{name[:60]}`", tuple(known), hint))
            continue
        for option, value in options.items():
            at = spec.manifest_places.at("rules", name, option)
            if option not in known[name] and option not in instances.POLICIES:
                allowed = (*known[name], *instances.POLICIES)
                message = f"rule {name} has no setting `{option[:60]}`"
                problems.append(Problem("Y043", at, message, allowed, did_you_mean(option, allowed)))
            elif option == "on_error" and value not in ("reject", "keep"):
                message, allowed = f"rule {name}: on_error is `{value[:20]}`", ("reject", "keep")
                problems.append(Problem("Y043", at, message, allowed, did_you_mean(value, allowed)))
    if not problems:
        _collect(problems, functools.partial(rules_of, system, spec.manifest.rules))
    return [_at_setting(spec, problem) for problem in problems]


def rules_of(system: System, settings: instances.Settings) -> tuple[Rule, ...]:
    """The rules that a system declares, and those that its columns ask for, in the edition that its tables are in.

    Args:
        system: the system.
        settings: what the municipality's manifest sets, by rule or kind of number.

    Raises:
        SpecError: an instance does not fit the tables.
    """
    # Of other systems' tables only those are made that a rule reads.
    shared = (reference.table for reference in REFERENCE_TABLES.values())
    known = PhysicalTables((*shared, *(table for every in (*SYSTEMS, system) for table in every.tables)))
    own = {table.name: table.qualified for table in system.tables}
    return instances.make((*system.rules, *instances.of_columns(known, own)), known, own=own, settings=settings)


def _at_setting(spec: SystemFolder, problem: Problem) -> Problem:
    """A problem of a kind's settings at their place in the manifest."""
    if problem.position.file != "(rules)":
        return problem
    name = next(name for name in spec.manifest.rules if f"rule {name}:" in problem.message)
    return dataclasses.replace(problem, position=spec.manifest_places.at("rules", name))


def root_of(spec: SystemFolder, path: str) -> Root:
    """Where a file stands that a spec names: in the municipality's own folder, or else in its package's."""
    return next((root for root in spec.roots if (root.path / path).exists()), spec.roots[0])


def _spoken(spec: SystemFolder, dump: DumpSpec) -> Spoken:
    """How a dump is read as the manifest says it, its policies for every dump included.

    Raises:
        SpecError: a policy that nothing of the dump knows.
    """
    root = spec.path

    def chosen(choice: ChoiceSpec) -> Choice:
        options = dict(choice.options)
        for option in TABLE_OPTIONS:
            if option in options:
                parts = [part.strip() for part in options[option].split(",")]
                files = [_from(root, root_of(spec, part).path / part, part) for part in parts]
                options[option] = ",".join(files)
        return Choice(choice.name, options)

    container = chosen(dump.container) if dump.container is not None else None
    dialect = chosen(dump.dialect) if dump.dialect is not None else None
    fields = {n: Apart(f.form, chosen(f.charset) if f.charset else None) for n, f in dump.fields.items()}
    spoken = Spoken(
        chosen(dump.framing), chosen(dump.charset), dialect, container, dump.options, dump.replacing, fields
    )
    if not spec.manifest.policies:
        return spoken
    said = (spoken.options, spoken.charset.options, spoken.framing.options, spoken.compiler.options)
    return sort_options(
        spoken, {k: v for k, v in spec.manifest.policies.items() if not any(k in part for part in said)}
    )


def _from(root: Path, file: Path, path: str) -> str:
    """A file of the package as a path from the system's folder; its own as it was written."""
    return path if file == root / path else os.path.relpath(file, root)


def _read_layout(spoken: Spoken, path: Path, shown: str) -> Layout:
    return make_layout(spoken, read_text(path, shown), shown, library_of((path.parent,)))


def _compile(spec: SystemFolder, system: System, schemas: Mapping[str, pa.Schema]) -> Plan:
    return compile_mapping(
        spec,
        schemas={source: s for source, s in schemas.items() if source.partition(".")[0] in spec.manifest.dumps},
        tables={table.name: table.physical for table in system.tables},
        code_sets={code_set.name: code_set.ever for code_set in system.code_sets if not code_set.open},
    )


def _kind_problems(spec: SystemFolder, name: str, dump: DumpSpec, layout: Layout) -> list[Problem]:
    problems = []
    groups = layout.groups()
    for kind_name, kind in dump.records.items():
        at = ("dumps", name, "records", kind_name)
        if kind.group is not None and kind.group not in groups:
            place = spec.manifest_places.at(*at, "group")
            allowed = tuple(g for g in groups if g != "FILLER")
            message, hint = f"the layout has no group `{kind.group[:60]}`", did_you_mean(kind.group, allowed)
            copybook = (Definition("the copybook", Position(layout.file)),)
            problems.append(Problem("Y021", place, message, allowed[:40], hint, copybook))
            continue
        schema = arrow_schema(layout, kind.group)
        for part, field in (("field", kind.field), *(("also", name) for name in kind.also)):
            if field is not None and field not in schema.names:
                place = spec.manifest_places.at(*at, part, *([field] if part == "also" else []), "key")
                hint = did_you_mean(field, schema.names)
                defined = near_definition((schema,), field, schema.names)
                message, allowed = f"the layout has no field `{field[:60]}`", tuple(schema.names)[:40]
                problems.append(Problem("Y021", place, message, allowed, hint, defined))
    return problems


def _value_problems(spec: SystemFolder, name: str, reading: Reading) -> list[Problem]:
    """The values that tell record kinds apart, proved against their fields before there is any dump."""
    problems: list[Problem] = []
    for kind_name, kind in spec.manifest.dumps[name].records.items():
        one = Kind(kind_name, kind.field, kind.values, kind.group, also=kind.also, cut=frozenset(kind.cut))
        try:
            Chooser((one,), reading.layout, reading.charset, reading.layout.dialect)
            check_cut(one, reading.layout)
        except SpecError as error:
            place = spec.manifest_places.at("dumps", name, "records", kind_name)
            schema = arrow_schema(reading.layout, kind.group)
            defined = tuple(d for field in (kind.field, *kind.also) if field for d in field_definition(schema, field))
            codes = {"L905": "Y021"}
            problems.extend(
                dataclasses.replace(p, code=codes.get(p.code, p.code), position=place, defined=defined)
                for p in error.problems
            )
    return problems


def _collect(problems: list[Problem], make: Callable[[], T], place: Position | None = None) -> T | None:
    """Make something, or keep the problems; a problem without a place of its own gets this one."""
    try:
        return make()
    except SpecError as error:
        for problem in error.problems:
            placed = place is not None and problem.position.file in ("(options)", "--option")
            problems.append(dataclasses.replace(problem, position=place) if placed and place else problem)
        return None


def target_tables(municipality: Municipality) -> tuple[sa.Table, ...]:
    """The tables of the municipality's systems, in load order."""
    return tuple(table.physical for system in municipality.systems for table in system.tables)


def one_per_key(municipality: Municipality) -> frozenset[str]:
    """The tables that keep one row a key."""
    return frozenset().union(*(plan.one_row_per_key for plan in municipality.plans.values()))
