"""A target column's spec -> its plan: sources, expression, transforms and policies proved against the column's type."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pydantic
import sqlalchemy as sa

from mappings.compiling import definitions
from mappings.compiling.around import Around
from mappings.compiling.complaints import Complaints
from mappings.compiling.conditions import compiled, is_number
from mappings.compiling.definitions import column_definition, field_definition
from mappings.expression import Expression, ExpressionError, compile_expression
from mappings.language.folder import SystemFolder
from mappings.language.manifest import is_share, no_share
from mappings.language.spec import ColumnSpec
from mappings.plan import ColumnPlan, Condition, Step, factor_of
from mappings.transforms import BY_NAME
from mappings.transforms.contract import REFERENCE_DATE, Params, Transform, Type
from migration_reports.findings import Definition, Position, Problem, did_you_mean
from migration_reports.items import filled_as, item_of, table_of
from migration_reports.specs import Located
from migration_reports.wording import refused

Path = tuple[str | int, ...]

GROUPED: Mapping[str, Type] = {"D": "date", "G": "geometry"}
"""The kinds whose several columns are filled as one, and what flows into them."""

HINTS = {
    ("integer", "text"): "write it with digits: {width: n}",
    ("integer", "date"): "read it with wareki_date",
    ("text", "date"): "read it with wareki_text, or with date",
    ("text", "integer"): "read it with number",
    ("text", "decimal"): "read it with number",
    ("text", "geometry"): "read it with geometry: {srid: 6677}",
    ("truth", "text"): "write CASE WHEN ... THEN '1' ELSE '0' END",
}


def arrow_type(column: sa.Column[object]) -> pa.DataType:
    """The Arrow type that a target column is staged as."""
    if isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float):
        return pa.decimal128(column.type.precision or 38, column.type.scale or 0)
    if isinstance(column.type, (sa.BigInteger, sa.Integer)):
        return pa.int64()
    return pa.string()


def groups_of(table: sa.Table) -> dict[str, list[sa.Column[object]]]:
    """The table's own columns by the name that a mapping fills them under: a date's three are one, so a geometry's."""
    groups: dict[str, list[sa.Column[object]]] = {}
    for column in (column for column in table_of(table).columns if not item_of(column).arrival):
        groups.setdefault(filled_as(column), []).append(column)
    return groups


def key_groups(table: sa.Table) -> tuple[str, ...]:
    """The names that a mapping fills the columns of a table's key under."""
    key = (table.columns[name] for name in table_of(table).key)
    return tuple(filled_as(column) for column in key if not item_of(column).arrival)


class ColumnCompiler:
    """Compiles the columns of one part of a table.

    Args:
        folder: what the municipality says of the system.
        places: of the mapping's parts.
        types: the columns that a row has before it, and their types.
        widths: the most characters that a column of text holds, where that is known.
        groups: the target's columns, by the name that a mapping fills them under.
        code_sets: the target's.
        problems: is added to.
        schemas: by record kind, its fields.
        around: the headers and trailers of its dumps.
        source: the part's record kind.
        table: the target table.
        at: where the part stands.
    """

    def __init__(
        self,
        folder: SystemFolder,
        places: Located,
        types: Mapping[str, pa.DataType],
        widths: Mapping[str, int],
        groups: Mapping[str, list[sa.Column[object]]],
        code_sets: Mapping[str, frozenset[str]],
        problems: list[Problem],
        *,
        schemas: Mapping[str, pa.Schema],
        around: Around,
        source: str,
        table: str,
        at: Path,
    ) -> None:
        self._folder = folder
        self._places = places
        self._types = types
        self._widths = widths
        self._groups = groups
        self._code_sets = code_sets
        self._complain = Complaints(problems, schemas, source, around=around)
        self._schema = schemas[source]
        self._table = table
        self._at = at

    def column(self, name: str, spec: ColumnSpec) -> ColumnPlan | None:
        """Compile one column; None where it has a problem that leaves nothing to go on with."""
        path: Path = (*self._at, "columns", name)
        place = self._places.at(*path)
        members = self._groups[name]
        target: Type = GROUPED.get(item_of(members[0]).kind) or type_of(arrow_type(members[0]))
        self._policies(name, spec, target, members, path)
        conditions = self._conditions(spec, path)
        made = self._origin(name, spec, target, path)
        if made is None:
            return None
        flows, sources, expression = made
        steps = self._steps(spec, flows, members, path)
        if steps is None:
            return None
        if len(flows) > 1:
            message = f"column `{name}` has {len(flows)} values"
            self._complain.add(
                "Y042", place, message, hint="join them by concat", defined=self._defined(members, sources)
            )
            return None
        self._fit(name, flows[0], target, members, spec, sources, factor_of(steps), place)
        return ColumnPlan(
            name,
            tuple(member.name for member in members),
            sources,
            tuple(steps),
            spec.constant,
            expression,
            conditions,
            spec.default,
            spec.on_error,
            spec.at_most or "",
            spec.stop_after,
            any(not member.nullable for member in members),
            f"{place.file}:{place.line}",
        )

    def _origin(
        self, name: str, spec: ColumnSpec, target: Type, path: Path
    ) -> tuple[list[Type], tuple[str, ...], Expression | None] | None:
        """What flows into the transforms: a constant, an expression's value, or those of fields."""
        place = self._places.at(*path)
        unknown = [field for field in spec.sources.values() if field not in self._types]
        for field in unknown:
            self._complain.unknown("Y021", self._places.at(*path, "from"), f"field `{field}`", self._types)
        if unknown:
            return None
        sources = tuple(spec.sources.values())
        if spec.constant is not None:
            if sources or spec.expression is not None:
                allowed = ("from", "constant", "expression")
                self._complain.add("Y042", place, f"column `{name}` has either from or constant", allowed)
                return None
            if target in ("integer", "decimal") and not is_number(spec.constant):
                message = f"constant `{spec.constant[:40]}` is no number"
                self._complain.add("Y033", place, message, defined=self._defined(self._groups[name]))
            return [target if target in ("integer", "decimal") else "text"], (), None
        if spec.expression is not None:
            try:
                names = {**{column: column for column in self._types}, **spec.sources}
                made = compile_expression(spec.expression, names, self._types, self._widths)
            except ExpressionError as error:
                where = self._places.at(*path, "expression")
                self._complain.add("Y044", where, f"expression: {error.message}", error.allowed, error.hint)
                return None
            left = [n for n, field in spec.sources.items() if field not in made.reads]
            if left:
                where = self._places.at(*path, "from")
                self._complain.add("Y042", where, f"`{left[0]}` is named in from, and not used by the expression")
            if made.gives == pl.Boolean:
                where = self._places.at(*path, "expression")
                self._complain.add(
                    "Y033", where, f"a condition is no value of column `{name}`", hint=HINTS["truth", "text"]
                )
                return None
            if made.gives.is_float():
                where = self._places.at(*path, "expression")
                self._complain.add("Y033", where, "the expression gives a number that is not exact")
                return None
            flow: Type = "decimal" if made.gives.is_decimal() else "integer" if made.gives.is_integer() else "text"
            return [flow], tuple(dict.fromkeys((*sources, *made.reads))), made
        if not sources:
            allowed = ("from", "constant", "expression")
            defined = self._defined(self._groups[name])
            self._complain.add("Y042", place, f"nothing fills column `{name}`", allowed, defined=defined)
            return None
        unfit = [field for field in sources if is_no_value(self._types[field])]
        for field in unfit:
            hint, what = f"give its occurrences rows of their own with each: {field}", "a table (OCCURS)"
            if not pa.types.is_list(self._types[field]):
                hint, what = "list it under ignore:, or have it read as text (fields: of the dump)", "bytes as they are"
            defined = field_definition(self._schema, field)
            self._complain.add("Y033", self._places.at(*path, "from"), f"`{field}` is {what}", (), hint, defined)
        return None if unfit else ([type_of(self._types[field]) for field in sources], sources, None)

    def _steps(
        self, spec: ColumnSpec, flows: list[Type], members: list[sa.Column[object]], path: Path
    ) -> list[Step] | None:
        """The transforms; `flows` becomes what they give."""
        steps: list[Step] = []
        for number, step in enumerate(spec.transforms):
            at = self._places.at(*path, "transforms", number)
            transform = BY_NAME.get(step.name)
            if transform is None:
                self._complain.unknown("Y040", at, f"transform `{step.name[:60]}`", BY_NAME)
                return None
            numbers = transform.numeric is not None and "text" not in flows
            takes = transform.takes if numbers or transform.numeric is None else frozenset[Type]({"text"})
            wrong = [flow for flow in flows if flow not in takes]
            if wrong:
                allowed = tuple(sorted(takes))
                message = f"transform `{step.name}` does not take {wrong[0]}"
                defined = self._defined(members, tuple(spec.sources.values()))
                self._complain.add("Y033", at, message, allowed, defined=defined)
                return None
            params = self._params(transform, step.params, (*path, "transforms", number))
            if params is None:
                return None
            beside = str(getattr(params, transform.beside) or "") if transform.beside else ""
            self._lookup(step.name, params, members, at)
            if not self._context(step.name, params, (*path, "transforms", number)):
                return None
            steps.append(Step(transform.taking("text" if "text" in flows else flows[0]), params, beside, numbers))
            flows[:] = flows if numbers else [transform.gives] if transform.joins else [transform.gives] * len(flows)
        return steps

    def _policies(
        self, name: str, spec: ColumnSpec, target: Type, members: list[sa.Column[object]], path: Path
    ) -> None:
        place = self._places.at(*path)
        if spec.guessed is not None:
            hint = f"draft guessed it ({spec.guessed[:120]}); remove the line guessed: when it is right"
            self._complain.add(
                "Y026", self._places.at(*path, "guessed"), f"nobody has confirmed column `{name}`", hint=hint
            )
        if spec.on_error == "keep" and target != "text":
            allowed = ("reject", "null", "default")
            self._complain.add(
                "Y033", place, "on_error: keep needs a text column", allowed, defined=self._defined(members)
            )
        if spec.on_error == "default" and spec.default is None:
            self._complain.add("Y042", place, f"column `{name}` has on_error: default, and no default:")
        if spec.on_error == "null" and any(not member.nullable for member in members):
            hint = "a wrong value would be null, which the column refuses: reject it, or give a default"
            defined = self._defined(members)
            self._complain.add("Y033", place, f"column `{name}` is mandatory", ("reject", "default"), hint, defined)
        if spec.default is not None:
            if target in GROUPED.values():
                said = "a date has no default: no day may be invented"
                said = said if target == "date" else "a geometry has no default: no place may be invented"
                self._complain.add("Y033", self._places.at(*path, "default"), said)
            elif target != "text" and not is_number(spec.default):
                message = f"default `{spec.default[:40]}` is no number"
                where = self._places.at(*path, "default")
                self._complain.add("Y033", where, message, defined=self._defined(members))
            else:
                self._code(spec.default, members, self._places.at(*path, "default"))
        if spec.constant is not None:
            self._code(spec.constant, members, place)
        if spec.at_most is not None and not is_share(spec.at_most):
            self._complain.problems.append(no_share(spec.at_most, self._places.at(*path, "at_most")))

    def _code(self, value: str, members: list[sa.Column[object]], place: Position) -> None:
        """A constant or default of a column with a code set is one of its codes."""
        item = item_of(members[0])
        codes = self._code_sets.get(item.code_set)
        if codes is not None and not item.width and value not in codes:
            message = f"`{value[:20]}` is no code of {item.code_set}"
            self._complain.add("Y034", place, message, tuple(sorted(codes)), defined=self._defined(members))

    def _conditions(self, spec: ColumnSpec, path: Path) -> tuple[Condition, ...]:
        return compiled(spec.when, self._types, self._widths, self._places, (*path, "when"), self._complain)

    def _fit(
        self,
        name: str,
        flow: Type,
        target: Type,
        members: list[sa.Column[object]],
        spec: ColumnSpec,
        sources: tuple[str, ...],
        times: int | None,
        place: Position,
    ) -> None:
        fits = flow == target or (flow, target) == ("integer", "decimal")
        if not fits:
            hint = HINTS.get((flow, target), "")
            message = f"{flow} does not fit column `{name}` ({item_of(members[0]).ja}), which is {target}"
            self._complain.add("Y033", place, message, hint=hint, defined=self._defined(members, sources))
            return
        narrow = item_of(members[0]).kind in ("N", "A") and spec.expression is None
        wide = [s for s in sources if narrow and definitions.usage_of(self._schema, s) == "national"]
        if wide and all(step.name in ("trim", "concat") for step in spec.transforms):
            message = f"`{wide[0]}` holds double-byte characters only, column `{name}` half-width ones"
            hint = "write them half-width with width: {to: half}, or is another field meant?"
            self._complain.add("Y033", place, message, hint=hint, defined=self._defined(members, sources))
        if target == "decimal" and len(sources) == 1 and times is not None and spec.expression is None:
            source, wanted = self._types[sources[0]], arrow_type(members[0])
            whole = source.precision - source.scale if pa.types.is_decimal(source) else None
            # Each zero of what it is multiplied by takes a decimal away.
            zeros = len(str(times)) - len(str(times).rstrip("0"))
            scale = source.scale - zeros if pa.types.is_decimal(source) else 0
            if scale > wanted.scale or (whole is not None and whole > wanted.precision - wanted.scale):
                room = f"{wanted.precision} digits, {wanted.scale} decimals"
                message = f"`{sources[0]}` ({source}) does not fit column `{name}`: {room}"
                self._complain.add("Y033", place, message, defined=self._defined(members, sources))

    def _context(self, name: str, params: Params, path: Path) -> bool:
        """Whether the fields that parameters name are there, and hold text or whole numbers."""
        for field in params.context:
            parameter = next((key for key, value in params if value == field), "")
            place, kind = self._places.at(*path, name, *filter(None, [parameter])), self._types.get(field)
            if kind is None:
                self._complain.unknown("Y021", place, f"field `{field[:60]}`", (*params.words, *self._types))
                return False
            if not (pa.types.is_string(kind) or pa.types.is_integer(kind)):
                message = f"`{field[:60]}` is neither text nor a whole number, and {name} reads one of these"
                self._complain.add("Y071", place, message, defined=field_definition(self._schema, field))
        return True

    def _meant(self, transform: Transform, params: Mapping[str, object], path: Path) -> Mapping[str, object]:
        """Parameters with the manifest's day in the place of its name."""
        named = [key for key, value in params.items() if value == REFERENCE_DATE in transform.params.words]
        day = self._folder.head.reference_date
        if named and day is None:
            hint = "say reference_date: in the municipality's manifest, or name a field or a day, YYYY-MM-DD"
            message = "the manifest has no reference_date"
            self._complain.add("Y072", self._places.at(*path, transform.name, named[0]), message, hint=hint)
        return {**params, **dict.fromkeys(named, day or "0001-01-01")}

    def _params(self, transform: Transform, params: Mapping[str, object], path: Path) -> Params | None:
        try:
            return transform.params.model_validate(self._meant(transform, params, path))
        except pydantic.ValidationError as error:
            for e in error.errors(include_url=False):
                name = str(e["loc"][0]) if e["loc"] else ""
                place = self._places.at(*path, transform.name, name)
                says = {"missing": "is missing", "extra_forbidden": "is no parameter of it"}.get(e["type"], "")
                message, allowed, hint = (says, (), "") if says else refused(e)
                known = transform.params.model_fields if e["type"] == "extra_forbidden" else ()
                self._complain.add(
                    "Y041",
                    place,
                    f"transform `{transform.name}`: {f'`{name}` ' if name else ''}{message}",
                    allowed or tuple(transform.params.model_fields) or ("no parameter",),
                    did_you_mean(name, known) or hint or (transform.params.__doc__ or "").strip(),
                )
            return None

    def _lookup(self, name: str, params: Params, members: list[sa.Column[object]], place: Position) -> None:
        """The new codes of a code table are the target's, and a table with times is asked for a day."""
        table = self._folder.code_tables.get(getattr(params, "table", ""))
        if name != "lookup" or table is None:
            return
        if table.dated != (getattr(params, "at", None) is not None):
            hint = "add at: with the column whose day decides" if table.dated else "its lines have no time"
            self._complain.add(
                "Y041", place, f"lookup in {table.file} {'needs' if table.dated else 'takes no'} at:", hint=hint
            )
        code_set = item_of(members[0]).code_set
        allowed = self._code_sets.get(code_set)
        if allowed is None:
            return
        for period in table.periods:
            for old, new in period.codes.items():
                if new not in allowed:
                    message = f"{table.file}: `{old}` becomes `{new}`, which {code_set} does not have"
                    self._complain.add("Y034", place, message, tuple(sorted(allowed)), defined=self._defined(members))

    def _defined(self, members: list[sa.Column[object]], sources: tuple[str, ...] = ()) -> tuple[Definition, ...]:
        """What a column's problem speaks of: the column, and the fields that it is made of."""
        fields = (definition for source in sources for definition in field_definition(self._schema, source))
        return (*column_definition(members, self._code_sets), *fields)


def is_no_value(kind: pa.DataType) -> bool:
    """Whether no column takes it as it is: a list, or bytes."""
    return bool(pa.types.is_list(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind))


def type_of(kind: pa.DataType) -> Type:
    """What a field's values are to a transform."""
    if pa.types.is_integer(kind):
        return "integer"
    return "decimal" if pa.types.is_decimal(kind) else "text"
