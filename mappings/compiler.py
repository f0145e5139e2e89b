"""Specs -> plan: every field, column, type and code proved against the layouts and the target, before any data.

The compiler knows neither extractors nor target_schemas: it gets each record kind's Arrow schema and each target table
as SQLAlchemy describes it.
"""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pyarrow as pa
import pydantic
import sqlalchemy as sa

from mappings.spec import ColumnSpec, Located, MappingSpec, MunicipalityFolder, TableSpec, WhenSpec
from mappings.transform import Params, Transform, Type
from mappings.transforms import BY_NAME
from migration_reports.findings import Position, Problem, SpecError

ENGINE_COLUMNS = ("_offset", "_rank")
LINEAGE = ("municipality_code", "source_dump", "source_record", "run_id")


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A transform with its parameters."""

    transform: Transform
    params: Params


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column (or date) is made.

    `targets` are the column, or the three of a date; `mandatory` says whether null is refused.
    """

    name: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    steps: tuple[Step, ...]
    constant: str | None
    when: WhenSpec | None
    on_error: str
    mandatory: bool
    place: str


@dataclasses.dataclass(frozen=True, slots=True)
class TablePlan:
    """How one target table is filled from one source."""

    table: str
    source: str
    when: WhenSpec | None
    prefer: WhenSpec | None
    columns: tuple[ColumnPlan, ...]
    schema: pa.Schema


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """A system's mapping, ready to run.

    Attributes:
        tables: the table plans.
        one_row_per_key: the tables that keep one row a key.
        fates: for each source and field, the columns it goes to (table.column), or why it is ignored.
        offsets: for each source and field, its byte offset in the record.
        code_tables: the code tables, by path.
    """

    tables: tuple[TablePlan, ...]
    one_row_per_key: frozenset[str]
    fates: Mapping[str, Mapping[str, tuple[tuple[str, ...], str]]]
    offsets: Mapping[str, Mapping[str, int]]
    folder: MunicipalityFolder

    def tables_of(self, source: str) -> tuple[TablePlan, ...]:
        """The tables that a source fills."""
        return tuple(table for table in self.tables if table.source == source)

    def fields_used(self, source: str) -> frozenset[str]:
        """The fields of a source that the mapping reads."""
        return frozenset(name for name, (targets, _) in self.fates.get(source, {}).items() if targets) | frozenset(
            when.field
            for table in self.tables_of(source)
            for when in (table.when, table.prefer, *(column.when for column in table.columns))
            if when is not None
        )


def arrow_type(column: sa.Column[object]) -> pa.DataType:
    """The Arrow type that a target column is staged as."""
    if isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float):
        return pa.decimal128(column.type.precision or 38, column.type.scale or 0)
    if isinstance(column.type, (sa.BigInteger, sa.Integer)):
        return pa.int64()
    return pa.string()


def compile_mapping(
    folder: MunicipalityFolder,
    system: str,
    *,
    schemas: Mapping[str, pa.Schema],
    tables: Mapping[str, sa.Table],
    code_sets: Mapping[str, frozenset[str]],
) -> Plan:
    """Compile one system's mapping.

    Args:
        folder: the municipality's specs.
        system: the system's name.
        schemas: by source (dump.kind), the fields of each record kind of role data.
        tables: the system's target tables.
        code_sets: the codes of each of the target's code sets.

    Raises:
        SpecError: with every problem.
    """
    spec, places = folder.mappings[system]
    work = _Compiler(folder, spec, places, schemas, tables, code_sets)
    plans = work.tables()
    fates = work.fates()
    work.controls()
    if work.problems:
        raise SpecError(work.problems)
    keep = frozenset(name for name, table in spec.tables.items() if table.keep == "one_row_per_key")
    offsets = {
        source: {field.name: int((field.metadata or {}).get(b"offset", b"0")) for field in schema}
        for source, schema in schemas.items()
    }
    return Plan(tuple(plans), keep, fates, MappingProxyType(offsets), folder)


class _Compiler:
    def __init__(
        self,
        folder: MunicipalityFolder,
        spec: MappingSpec,
        places: Located,
        schemas: Mapping[str, pa.Schema],
        tables: Mapping[str, sa.Table],
        code_sets: Mapping[str, frozenset[str]],
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._places = places
        self._schemas = schemas
        self._tables = tables
        self._code_sets = code_sets
        self.problems: list[Problem] = []

    def tables(self) -> list[TablePlan]:
        plans = []
        for name, table in self._spec.tables.items():
            if name not in self._tables:
                self._unknown("Y030", self._places.at("tables", name, "key"), f"target table `{name}`", self._tables)
            elif table.source not in self._schemas:
                place = self._places.at("tables", name, "from")
                self._unknown("Y020", place, f"record kind `{table.source}`", self._schemas)
            else:
                plans.append(self._table(name, table))
        return plans

    def fates(self) -> Mapping[str, Mapping[str, tuple[tuple[str, ...], str]]]:
        """Every field of every source: mapped, or ignored with a reason; anything else is a problem."""
        fates: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {}
        for source in self._spec.ignore:
            if source not in self._schemas:
                self._unknown(
                    "Y020", self._places.at("ignore", source, "key"), f"record kind `{source}`", self._schemas
                )
        for source, schema in self._schemas.items():
            targets: dict[str, list[str]] = {field.name: [] for field in schema}
            # By the text of the spec, so that a column with a mistake does not make its fields look forgotten.
            for table_name, table in self._spec.tables.items():
                if table.source == source:
                    for column_name, column in table.columns.items():
                        for field in column.sources:
                            if field in targets:
                                targets[field].append(f"{table_name}.{column_name}")
            reasons = self._ignored(source, schema, targets)
            fates[source] = {name: (tuple(t), reasons.get(name, "")) for name, t in targets.items()}
            for field in schema:
                if not targets[field.name] and field.name not in reasons:
                    line = (field.metadata or {}).get(b"line", b"?").decode()
                    self._problem(
                        "Y022",
                        self._places.at("ignore", source),
                        f"field `{field.name}` of {source} is neither mapped nor ignored",
                        hint=f"it stands on line {line} of the copybook; map it, or list it under ignore: with a reason",
                    )
        return MappingProxyType(fates)

    def controls(self) -> None:
        """The manifest's controls name record kinds that exist; their fields are the layout's business."""
        places = self._folder.manifest_places
        for name, dump in self._folder.manifest.dumps.items():
            for number, control in enumerate(dump.controls):
                place = places.at("dumps", name, "controls", number)
                for reference in (control.count, control.sum, control.value, control.equals):
                    kind = (reference or "").partition(".")[0]
                    if kind and kind not in dump.records and not _is_number(reference or ""):
                        self._unknown("Y024", place, f"record kind `{kind}`", dump.records)

    def _table(self, name: str, spec: TableSpec) -> TablePlan:
        table, schema = self._tables[name], self._schemas[spec.source]
        columns = []
        groups = _groups(table)
        for column_name, column in spec.columns.items():
            place = self._places.at("tables", name, "columns", column_name)
            if column_name not in groups:
                key = self._places.at("tables", name, "columns", column_name, "key")
                self._unknown("Y031", key, f"column `{column_name}` of {name}", groups)
                continue
            plan = self._column(
                column_name, column, groups[column_name], schema, ("tables", name, "columns", column_name)
            )
            if plan is not None:
                columns.append(plan)
            if column_name in spec.empty:
                self._problem("Y042", place, f"column `{column_name}` is filled here and listed under empty")
        for group, members in groups.items():
            mandatory = any(not m.nullable and m.server_default is None for m in members)
            title = members[0].info.get("ja", "")
            if group in spec.columns or (group in spec.empty and not mandatory):
                continue
            if mandatory:
                hint = f"{title} is mandatory; fill it"
            else:
                hint = f"{title} may be empty; fill it, or list it under empty:"
            where = self._places.at("tables", name, "columns", "key")
            self._problem("Y032", where, f"column `{group}` of {name} is not filled", hint=hint)
        for number, group in enumerate(spec.empty):
            if group not in groups:
                place = self._places.at("tables", name, "empty", number)
                self._unknown("Y031", place, f"column `{group}` of {name}", groups)
        for word, when in (("when", spec.when), ("prefer", spec.prefer)):
            self._when(when, schema, ("tables", name, word))
        if spec.prefer is not None and spec.keep != "one_row_per_key":
            self._problem("Y042", self._places.at("tables", name, "prefer"), "prefer belongs to keep: one_row_per_key")
        fields = [pa.field(column.name, arrow_type(column)) for column in table.columns]
        fields += [pa.field("_offset", pa.int64()), pa.field("_rank", pa.int16())]
        return TablePlan(name, spec.source, spec.when, spec.prefer, tuple(columns), pa.schema(fields))

    def _column(
        self,
        name: str,
        spec: ColumnSpec,
        members: list[sa.Column[object]],
        schema: pa.Schema,
        path: tuple[str, ...],
    ) -> ColumnPlan | None:
        place = self._places.at(*path)
        if bool(spec.sources) == (spec.constant is not None):
            self._problem("Y042", place, f"column `{name}` has either from or constant", allowed=("from", "constant"))
            return None
        self._when(spec.when, schema, (*path, "when"))
        unknown = [field for field in spec.sources if field not in schema.names]
        for field in unknown:
            self._unknown("Y021", self._places.at(*path, "from"), f"field `{field}`", schema.names)
        if unknown:
            return None
        target: Type = "date" if "date" in members[0].info else _type_of(arrow_type(members[0]))
        steps: list[Step] = []
        if spec.constant is not None:
            flows: list[Type] = ["text"]
            if target == "integer" and not _is_number(spec.constant):
                self._problem("Y033", place, f"constant `{spec.constant[:40]}` is no number")
            if target in ("integer", "decimal"):
                flows = [target]
        else:
            flows = [_type_of(schema.field(field).type) for field in spec.sources]
            for number, step in enumerate(spec.transforms):
                at = self._places.at(*path, "transforms", number)
                transform = BY_NAME.get(step.name)
                if transform is None:
                    self._unknown("Y040", at, f"transform `{step.name[:60]}`", BY_NAME)
                    return None
                wrong = [flow for flow in flows if flow not in transform.takes]
                if wrong:
                    self._problem(
                        "Y033", at, f"transform `{step.name}` does not take {wrong[0]}", tuple(sorted(transform.takes))
                    )
                    return None
                params = self._params(transform, step.params, at)
                if params is None:
                    return None
                self._lookup(step.name, params, members, at)
                steps.append(Step(transform, params))
                flows = [transform.gives] if transform.joins else [transform.gives] * len(flows)
        if len(flows) > 1:
            self._problem("Y042", place, f"column `{name}` has {len(flows)} values", hint="join them by concat")
            return None
        self._fit(name, flows[0], target, members[0], spec, schema, place)
        mandatory = any(not member.nullable for member in members)
        targets = tuple(member.name for member in members)
        where = f"{place.file}:{place.line}"
        return ColumnPlan(
            name, targets, spec.sources, tuple(steps), spec.constant, spec.when, spec.on_error, mandatory, where
        )

    def _fit(
        self,
        name: str,
        flow: Type,
        target: Type,
        column: sa.Column[object],
        spec: ColumnSpec,
        schema: pa.Schema,
        place: Position,
    ) -> None:
        if spec.on_error == "keep" and target != "text":
            self._problem("Y033", place, "on_error: keep needs a text column", ("reject", "null"))
        fits = flow == target or (flow, target) == ("integer", "decimal")
        if not fits:
            hint = {
                ("integer", "text"): "write it with digits: {width: n}",
                ("integer", "date"): "read it with wareki_date",
                ("text", "integer"): "read it with number",
            }.get((flow, target), "")
            title = column.info.get("ja", "")
            self._problem("Y033", place, f"{flow} does not fit column `{name}` ({title}), which is {target}", hint=hint)
            return
        if target == "decimal" and len(spec.sources) == 1 and not spec.transforms:
            source = schema.field(spec.sources[0])
            picture = (source.metadata or {}).get(b"picture", b"").decode()
            wanted = arrow_type(column)
            whole = source.type.precision - source.type.scale if pa.types.is_decimal(source.type) else None
            scale = source.type.scale if pa.types.is_decimal(source.type) else 0
            if scale > wanted.scale or (whole is not None and whole > wanted.precision - wanted.scale):
                self._problem(
                    "Y033",
                    place,
                    f"PICTURE {picture} does not fit column `{name}`: {wanted.precision} digits, {wanted.scale} decimals",
                )

    def _params(self, transform: Transform, params: Mapping[str, object], place: Position) -> Params | None:
        try:
            return transform.params.model_validate(params)
        except pydantic.ValidationError as error:
            for e in error.errors(include_url=False, include_input=False):
                name = str(e["loc"][0]) if e["loc"] else ""
                self._problem(
                    "Y041",
                    place,
                    f"transform `{transform.name}`: `{name}` {e['msg'].lower()}",
                    tuple(transform.params.model_fields),
                    (transform.params.__doc__ or "").strip(),
                )
            return None

    def _lookup(self, name: str, params: Params, members: list[sa.Column[object]], place: Position) -> None:
        """The new codes of a code table are the target's."""
        code_set = members[0].info.get("code_set")
        if name != "lookup" or not isinstance(code_set, str) or code_set not in self._code_sets:
            return
        table = self._folder.code_tables.get(getattr(params, "table", ""))
        if table is None:
            return
        allowed = self._code_sets[code_set]
        for old, new in table.codes.items():
            if new not in allowed:
                self._problem(
                    "Y034",
                    place,
                    f"{table.file}: `{old}` becomes `{new}`, which {code_set} does not have",
                    tuple(sorted(allowed)),
                )

    def _when(self, when: WhenSpec | None, schema: pa.Schema, path: tuple[str, ...]) -> None:
        if when is not None and when.field not in schema.names:
            self._unknown("Y021", self._places.at(*path, "field"), f"field `{when.field}`", schema.names)
        elif when is not None and _type_of(schema.field(when.field).type) == "integer":
            for value in when.values:
                if not _is_number(value):
                    self._problem("Y033", self._places.at(*path, "values"), f"`{value[:40]}` is no number")

    def _ignored(self, source: str, schema: pa.Schema, targets: Mapping[str, list[str]]) -> dict[str, str]:
        reasons: dict[str, str] = {}
        for number, ignore in enumerate(self._spec.ignore.get(source, ())):
            place = self._places.at("ignore", source, number)
            names = fnmatch.filter(schema.names, ignore.field) if "*" in ignore.field else [ignore.field]
            if not ignore.reason.strip():
                self._problem("Y011", place, f"`{ignore.field}` is ignored without a reason")
            if not names or names[0] not in schema.names:
                self._unknown("Y021", place, f"field `{ignore.field}`", schema.names)
                continue
            for name in names:
                if targets[name]:
                    self._problem("Y023", place, f"field `{name}` is mapped to {targets[name][0]} and ignored")
                reasons[name] = ignore.reason
        return reasons

    def _unknown(self, code: str, place: Position, what: str, allowed: Iterable[str]) -> None:
        names = tuple(allowed)
        word = what.split("`")[1] if "`" in what else what
        close = difflib.get_close_matches(word, names, 1)
        hint = f"did you mean `{close[0]}`?" if close else ""
        self._problem(code, place, f"unknown {what}", names[:40], hint)

    def _problem(self, code: str, place: Position, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        self.problems.append(Problem(code, place, message, allowed, hint))


def _groups(table: sa.Table) -> dict[str, list[sa.Column[object]]]:
    """The table's own columns by the name that a mapping fills them under: a date's three are one."""
    groups: dict[str, list[sa.Column[object]]] = {}
    for column in table.columns:
        if column.name not in LINEAGE:
            groups.setdefault(str(column.info.get("date", column.name)), []).append(column)
    return groups


def _type_of(kind: pa.DataType) -> Type:
    if pa.types.is_integer(kind):
        return "integer"
    return "decimal" if pa.types.is_decimal(kind) else "text"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit() and text.isascii()
