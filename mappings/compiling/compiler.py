"""Specs -> plan: every field, column, type and code proved against the layouts and the target, before any data.

The compiler knows neither extractors nor target_schemas: it gets each record kind's Arrow schema and each target table
as SQLAlchemy describes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa
import sqlalchemy as sa

from mappings.compiling.around import Around, parted
from mappings.compiling.columns import ColumnCompiler, arrow_type, groups_of
from mappings.compiling.complaints import Complaints
from mappings.compiling.conditions import compiled
from mappings.compiling.definitions import column_definition, field_definition, fields_by_name, widths_of
from mappings.compiling.each import compile_each
from mappings.compiling.leaving import compile_leaves
from mappings.compiling.objects import attached, check_fields, naming_field
from mappings.compiling.occurrences import fields_in_rows
from mappings.compiling.uses import Uses, fields_read
from mappings.language.folder import SystemFolder
from mappings.language.spec import JoinSpec, PartSpec
from mappings.plan import (
    DUMP,
    FROM,
    OBJECT_TYPES,
    RECORD,
    ColumnPlan,
    Fate,
    Join,
    Leave,
    Occurrences,
    PartPlan,
    Plan,
)
from migration_reports.findings import Problem, SpecError, nearest
from migration_reports.items import table_of

Path = tuple[str | int, ...]

_QUOTED = re.compile(r'"([^"]+)"')
"""A field in an expression."""


def compile_mapping(
    folder: SystemFolder,
    *,
    schemas: Mapping[str, pa.Schema],
    tables: Mapping[str, sa.Table],
    code_sets: Mapping[str, frozenset[str]],
) -> Plan:
    """Compile one system's mapping.

    Args:
        folder: what the municipality says of the system.
        schemas: by source (dump.kind), the fields of each record kind; headers and trailers are looked at, and not mapped.
        tables: the system's target tables by the names that the mapping gives them; the plan has their keys.
        code_sets: the codes of each of the target's code sets.

    Raises:
        SpecError: with every problem.
    """
    schemas, around = parted(schemas, folder.manifest.dumps)
    work = _Compiler(folder, schemas, tables, code_sets, around)
    parts = work.parts()
    leaves = work.leaves()
    fates = work.fates()
    if work.problems:
        raise SpecError(work.problems)
    keep = frozenset(part.table for part in parts if part.keep != "every_row")
    return Plan(folder.name, tuple(parts), keep, fates, fields_read(parts, leaves, schemas), folder, leaves)


class _Compiler:
    def __init__(
        self,
        folder: SystemFolder,
        schemas: Mapping[str, pa.Schema],
        tables: Mapping[str, sa.Table],
        code_sets: Mapping[str, frozenset[str]],
        around: Around,
    ) -> None:
        self._folder = folder
        self._around = around
        self._spec = folder.mapping
        self._places = folder.mapping_places
        self._schemas = schemas
        self._tables = tables
        self._code_sets = code_sets
        self.problems: list[Problem] = []
        self._complain = Complaints(self.problems, schemas, around=around)
        self._uses = Uses(folder.mapping, folder.mapping_places, schemas, tables, self._complain, around)
        check_fields(folder, schemas, self._complain, self._uses)

    def parts(self) -> list[PartPlan]:
        """Every part of every table."""
        plans = []
        for name, parts in self._spec.tables.items():
            if name not in self._tables:
                self._complain.unknown(
                    "Y030", self._places.at("tables", name, "key"), f"target table `{name}`", self._tables
                )
                for part in parts:
                    # A table with a mistake in its name does not make its fields look forgotten.
                    for field in (field for column in part.columns.values() for field in column.sources.values()):
                        self._uses.note(part, None, field, name)
                continue
            if len({part.keep.how for part in parts}) > 1:
                place = self._places.at("tables", name)
                self._complain.add(
                    "Y042", place, f"the parts of {name} keep different rows", hint="say the same keep: in each"
                )
            for number, part in enumerate(parts):
                at: Path = ("tables", name, number)
                joins = {
                    alias: join.model_copy(update={"source": self._kind((*at, "join", alias), join.source)})
                    for alias, join in part.join.items()
                }
                meant = part.model_copy(update={"source": self._kind(at, part.source), "join": joins})
                if meant.source in self._schemas:
                    plans.append(self._part(name, number, meant))
        return plans

    def _kind(self, at: Path, source: str) -> str:
        """The record kind that a part or a join is meant to take: what is wrong further on is wrong of that one.

        Nothing follows from a misspelt name. Where no name is near, no record kind's fields are called forgotten.
        """
        if source in self._schemas:
            return source
        self._complain.unknown("Y020", self._places.at(*at, "from"), f"record kind `{source}`", self._schemas)
        meant = nearest(source, self._schemas)
        if meant is None:
            self._uses.lose_all()
        return meant or source

    def leaves(self) -> Mapping[str, tuple[Leave, ...]]:
        """Which records of each kind are left, and why."""
        return compile_leaves(self._spec, self._places, self._schemas, self._uses, self._complain)

    def fates(self) -> Mapping[str, Mapping[str, Fate]]:
        """Every field of every source: mapped, or ignored with a reason; anything else is a problem."""
        return self._uses.fates()

    def _part(self, name: str, number: int, spec: PartSpec) -> PartPlan:
        at: Path = ("tables", name, number)
        types, offsets, each = self._frame(at, spec)
        joins = self._joins(at, spec, types, each)
        widths = self._widths(spec, each)
        groups = groups_of(self._tables[name])
        spec = spec.model_copy(update={"columns": attached(spec.columns, groups)})
        compiler = ColumnCompiler(
            self._folder,
            self._places,
            types,
            widths,
            groups,
            self._code_sets,
            self.problems,
            schemas=self._schemas,
            around=self._around,
            source=spec.source,
            table=name,
            at=at,
        )
        lost = tuple(f"{alias}." for alias, join in spec.join.items() if join.source not in self._schemas)
        columns = []
        for column_name, column in spec.columns.items():
            for field in (*column.sources.values(), *_QUOTED.findall(column.expression or "")):
                # By the text of the spec, so that a column with a mistake does not make its fields look forgotten.
                self._uses.note(spec, each, field, f"{name}.{column_name}")
            if column_name not in groups:
                key = self._places.at(*at, "columns", column_name, "key")
                self._complain.no_column(key, self._tables[name], column_name, groups)
                continue
            if lost and any(field.startswith(lost) for field in column.sources.values()):
                continue
            plan = compiler.column(column_name, column)
            if plan is not None:
                columns.append(plan)
                for field in (field for step in plan.steps for field in step.params.context):
                    self._uses.note(spec, each, field, f"{name}.{column_name}")
            if column_name in spec.empty:
                place = self._places.at(*at, "columns", column_name)
                self._complain.add("Y042", place, f"column `{column_name}` is filled here and listed under empty")
        self._unfilled(at, name, spec, groups)
        self._besides(at, columns)
        when = compiled(spec.when, types, widths, self._places, (*at, "when"), self._complain)
        prefer = compiled(spec.prefer, types, widths, self._places, (*at, "prefer"), self._complain)
        for field in (field for condition in when for field in condition.reads):
            self._uses.note(spec, each, field, f"{name} (when)")
        if each is not None and each.runs is not None:
            self._uses.note(spec, each, FROM, f"{name} (each)")
        if spec.prefer and spec.keep.how != "preferred":
            self._complain.add("Y042", self._places.at(*at, "prefer"), "prefer belongs to keep: one_row_per_key")
        self._keep(at, spec, columns)
        fields = [pa.field(column.name, arrow_type(column)) for column in self._tables[name].columns]
        fields += [pa.field("_offset", pa.int64()), pa.field("_rank", pa.int64()), pa.field("_part", pa.int16())]
        place = self._places.at(*at)
        used = {field for column in columns for field in column.reads} | {
            field for condition in (*when, *prefer) for field in condition.reads
        }
        finished = tuple(self._with_fields(join, used) for join in joins)
        return PartPlan(
            self._tables[name].key,
            number,
            spec.source,
            each,
            finished,
            when,
            spec.keep.how,
            spec.keep.by or "",
            (spec.keep.on or "").replace("-", ""),
            prefer,
            tuple(columns),
            pa.schema(fields),
            MappingProxyType(types),
            MappingProxyType(offsets),
            f"{place.file}:{place.line}",
            table_of(self._tables[name]).dates,
            table_of(self._tables[name]).arrival,
            naming_field(self._folder, spec.source),
            self._around.used(spec.source, used),
        )

    def _frame(self, at: Path, spec: PartSpec) -> tuple[dict[str, pa.DataType], dict[str, int], Occurrences | None]:
        """The columns that a part's rows have before it: the source's fields, or those of one occurrence."""
        schema = self._schemas[spec.source]
        types = {field.name: field.type for field in schema}
        offsets = {field.name: int((field.metadata or {}).get(b"offset", b"0")) for field in schema}
        each = None
        if spec.each is not None:
            each = compile_each(spec.each, spec.source, schema, self._complain, self._places.at(*at, "each"))
        if each is not None:
            types = {name: kind for name, kind in types.items() if name not in each.reads} | dict(each.members)
            types |= dict.fromkeys(each.numbers, pa.int64())
            offsets |= {
                name: offsets[fields[0]] for name in types if (fields := each.fields(name)) and fields[0] in offsets
            }
        types[RECORD] = pa.int64()
        types[DUMP] = pa.string()
        types.update(OBJECT_TYPES if naming_field(self._folder, spec.source) else {})
        types.update({name: field.type for name, field in self._around.fields(spec.source).items()})
        return types, offsets, each

    def _widths(self, spec: PartSpec, each: Occurrences | None) -> dict[str, int]:
        """The most characters that a field holds: no byte gives more than one."""
        widths = widths_of(fields_by_name(self._schemas[spec.source])) | widths_of(self._around.fields(spec.source))
        if each is not None:
            widths.update(widths_of(fields_in_rows(each, self._schemas[spec.source])))
        for alias, join in spec.join.items():
            if join.source in self._schemas:
                theirs = widths_of(fields_by_name(self._schemas[join.source]))
                widths.update({f"{alias}.{name}": width for name, width in theirs.items()})
        return widths

    def _joins(self, at: Path, spec: PartSpec, types: dict[str, pa.DataType], each: Occurrences | None) -> list[Join]:
        joins = []
        for alias, join in spec.join.items():
            place = self._places.at(*at, "join", alias)
            if alias in self._around.kinds(spec.source):
                message = f"`{alias}` is a header or trailer of this dump: `{alias}.FIELD` would mean two things"
                self._complain.add("Y070", place, message, hint="give the join another name")
            schema = self._schemas.get(join.source)
            if schema is None:
                continue
            keys = self._keys(at, alias, spec, join, types, schema, each)
            # The fields of a record that may be joined to itself must not hide ours, so all of theirs bear the alias.
            types.update({f"{alias}.{field.name}": field.type for field in schema})
            line = f"{place.file}:{place.line}"
            joins.append(Join(alias, join.source, keys, (), join.missing, join.double, line))
        return joins

    def _keys(
        self,
        at: Path,
        alias: str,
        spec: PartSpec,
        join: JoinSpec,
        types: Mapping[str, pa.DataType],
        schema: pa.Schema,
        each: Occurrences | None,
    ) -> tuple[tuple[str, str], ...]:
        where = self._places.at(*at, "join", alias, "on")
        if join.on == "parent":
            dump, _, kind = spec.source.partition(".")
            parent = self._folder.manifest.dumps[dump].records[kind].parent
            if f"{dump}.{parent}" != join.source:
                allowed = (f"{dump}.{parent}",) if parent else ()
                hint = "" if parent else f"say parent: at the record kind {kind} in the manifest"
                self._complain.add("Y028", where, f"{spec.source} does not belong to {join.source}", allowed, hint)
            return ()
        if not join.on:
            self._complain.add("Y028", where, f"join `{alias}` has no key")
        for ours, theirs in join.on.items():
            place = self._places.at(*at, "join", alias, "on", ours)
            self._uses.note(spec, each, ours, f"join {alias}")
            self._uses.note_key(join.source, theirs, alias)
            if ours not in types:
                self._complain.unknown("Y021", place, f"field `{ours}`", types)
            elif theirs not in schema.names:
                self._complain.unknown("Y021", place, f"field `{theirs}` of {join.source}", schema.names)
            elif _family(types[ours]) != _family(schema.field(theirs).type):
                both = f"{_family(types[ours])} and {_family(schema.field(theirs).type)}"
                defined = (*field_definition(self._schemas[spec.source], ours), *field_definition(schema, theirs))
                self._complain.add(
                    "Y028", place, f"`{ours}` and `{theirs}` are {both}, and never equal", defined=defined
                )
        return tuple(join.on.items())

    def _with_fields(self, join: Join, used: set[str]) -> Join:
        prefix = f"{join.alias}."
        fields = tuple(sorted(name.removeprefix(prefix) for name in used if name.startswith(prefix)))
        return Join(join.alias, join.source, join.keys, fields, join.missing, join.double, join.place)

    def _unfilled(self, at: Path, name: str, spec: PartSpec, groups: Mapping[str, list[sa.Column[object]]]) -> None:
        for group, members in groups.items():
            mandatory = any(not m.nullable and m.server_default is None for m in members)
            if group in spec.columns or (group in spec.empty and not mandatory):
                continue
            hint = "it is mandatory; fill it" if mandatory else "it may be empty; fill it, or list it under empty:"
            where = self._places.at(*at, "columns", "key")
            defined = column_definition(members, self._code_sets)
            self._complain.add("Y032", where, f"column `{group}` of {name} is not filled", hint=hint, defined=defined)
        for number, group in enumerate(spec.empty):
            if group not in groups:
                place = self._places.at(*at, "empty", number)
                self._complain.unknown("Y031", place, f"column `{group}` of {name}", groups)

    def _besides(self, at: Path, columns: list[ColumnPlan]) -> None:
        """A transform that needs another column's day names one that needs none itself."""
        known = {column.name: column for column in columns}
        for column in columns:
            for number, step in enumerate(column.steps):
                if not step.beside:
                    continue
                place = self._places.at(*at, "columns", column.name, "transforms", number)
                other = known.get(step.beside)
                if other is None or other is column or any(s.beside for s in other.steps):
                    allowed = tuple(
                        n for n, c in known.items() if c is not column and not any(s.beside for s in c.steps)
                    )
                    self._complain.unknown("Y031", place, f"column `{step.beside}` for {step.transform.name}", allowed)

    def _keep(self, at: Path, spec: PartSpec, columns: list[ColumnPlan]) -> None:
        keep, place = spec.keep, self._places.at(*at, "keep")
        if keep.by is not None and keep.by not in {column.name for column in columns}:
            self._complain.unknown("Y031", place, f"column `{keep.by}` for keep", spec.columns)
        day = (keep.on or "").replace("-", "")
        if (keep.how == "effective") != bool(day) or (day and not (day.isascii() and day.isdigit() and len(day) == 8)):
            self._complain.add(
                "Y042", place, "keep: effective names a column, and on: a day", ("{effective: changed, on: 20260401}",)
            )


def _family(kind: pa.DataType) -> str:
    return "text" if pa.types.is_string(kind) else "a number"
