"""Examples beside a mapping: a record in, rows or findings out, written by whoever knows the old system.

    - name: a head of household
      record: juki_master.resident
      fields: {JJ-JUMIN-NO: 10, JJ-SETAI-NO: 1, JJ-SEIBETSU: 2}
      rows:
        residents: [{resident_no: "0000000010", sex: "2"}]

A field that is not given is blank (of a number: without a value). What its header or trailer says is given by `context`, by
kind: `context: {header: {JM-NENDO: 7}}`; one that is not given is not there. Of a row only the columns that are given are
compared; an empty value is null. Errors and alerts must be those that `findings` lists, and none where it is left out.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from mappings.language.folder import Root
from migration_reports.catalogue import CATALOGUE
from migration_reports.specs import Located, Spec, checked
from migration_reports.trouble import Position, Problem, SpecError
from migration_reports.yaml_text import Path as YamlPath
from migration_reports.yaml_text import read_yaml

FILE = "examples.yaml"
NULL = ("", "null", "~")
"""How a value that is null is written."""


class RecordSpec(Spec):
    """A record."""

    record: str = Field(description="the record kind, dump.kind")
    fields: Mapping[str, Any] = Field(
        {}, description="values by field; of a varying table a list, an entry an occurrence"
    )


class FindingSpec(Spec):
    """A finding that must come."""

    code: str
    column: str | None = None


class ExampleSpec(RecordSpec):
    """A record in, rows or findings out."""

    name: str
    context: Mapping[str, Mapping[str, Any]] = Field(
        {}, description="what the header or trailer of its file says: by kind, values by field"
    )
    others: tuple[RecordSpec, ...] = Field((), alias="with", description="the records that it is joined with")
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = Field({}, description="by table, the rows that it must give")
    findings: tuple[FindingSpec, ...] = ()


class ExamplesSpec(Spec):
    """The examples of a folder."""

    examples: tuple[ExampleSpec, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A checked example: values of the fields' types, and where its parts stand.

    Attributes:
        name: its name.
        place: where it stands.
        source: the record's kind, dump.kind.
        values: the record's.
        context: by the kind of a header or trailer of its dump that is there, its values.
        others: the records that it is joined with: kind and values.
        rows: by table, the expected rows; None stands for null.
        findings: the expected findings: code, and the column where that is told.
        left_out: tables of a package's example that this municipality does not fill; they are not compared.
    """

    name: str
    place: Position
    source: str
    values: Mapping[str, Any]
    context: Mapping[str, Mapping[str, Any]]
    others: tuple[tuple[str, Mapping[str, Any]], ...]
    rows: Mapping[str, tuple[Mapping[str, str | None], ...]]
    findings: tuple[tuple[str, str | None], ...]
    left_out: tuple[str, ...] = ()


def read_examples(
    roots: Iterable[Root],
    *,
    schemas: Mapping[str, pa.Schema],
    around: Mapping[str, pa.Schema],
    columns: Mapping[str, pa.Schema],
    left_out: frozenset[str] = frozenset(),
) -> tuple[Example, ...]:
    """Read the examples of a municipality's folder of a system and its package's; of two of one name the first stands.

    Args:
        roots: the municipality's folder of the system, and its package's.
        schemas: the fields of each record kind, by dump.kind.
        around: those of each kind of header and trailer.
        columns: the columns of each table that is filled, by system.table; an example may leave the system out where
            one system alone has such a table.
        left_out: the tables of the system that are not; a package's examples may name them.

    Raises:
        SpecError: with every problem of every file.
    """
    problems: list[Problem] = []
    found: dict[str, Example] = {}
    for place, root in enumerate(roots):
        file = root.path / FILE
        if not file.is_file():
            continue
        read = _read(file, root.shown(FILE), problems)
        if read is None:
            continue
        spec, places = read
        checker = _Checker(places, schemas, around, columns, problems, left_out if place else frozenset())
        seen: set[str] = set()
        for number, example in enumerate(spec.examples):
            if example.name in seen:
                where = places.at("examples", number, "name")
                problems.append(Problem("Y012", where, f"two examples are called `{example.name[:60]}`"))
            seen.add(example.name)
            # What the municipality says of an example stands in the place of its package's, which is not checked then.
            if example.name not in found:
                found[example.name] = checker.example(number, example)
    if problems:
        raise SpecError(problems)
    return tuple(found.values())


def _read(file: Path, shown: str, problems: list[Problem]) -> tuple[ExamplesSpec, Located] | None:
    try:
        data, places = read_yaml(file.read_text("utf-8-sig"), shown)
    except SpecError as error:
        problems.extend(error.problems)
        return None
    except (OSError, UnicodeDecodeError):
        problems.append(Problem("Y006", Position(shown), f"`{FILE}` cannot be read", hint="is it UTF-8 text?"))
        return None
    if not isinstance(data, list):
        problems.append(Problem("Y012", Position(shown), "the document must be a list of examples"))
        return None
    moved: dict[YamlPath, Position] = {("examples", *path): place for path, place in places.items()}
    located = Located(shown, {(): Position(shown), **moved})
    made = checked(ExamplesSpec, {"examples": data}, located, problems)
    return None if made is None else (made, located)


def _meant(table: str, keys: Iterable[str]) -> str:
    """The key of the table that an example names, with its system or, where one system alone has it, without."""
    found = [key for key in keys if key.rpartition(".")[2] == table]
    return found[0] if len(found) == 1 else table


class _Checker:
    def __init__(
        self,
        places: Located,
        schemas: Mapping[str, pa.Schema],
        around: Mapping[str, pa.Schema],
        columns: Mapping[str, pa.Schema],
        problems: list[Problem],
        left_out: frozenset[str],
    ) -> None:
        self._left_out = left_out
        self._places = places
        self._schemas = schemas
        self._around = around
        self._columns = columns
        self._problems = problems

    def example(self, number: int, spec: ExampleSpec) -> Example:
        at: YamlPath = ("examples", number)
        others = tuple((other.record, self._record((*at, "with", n), other)) for n, other in enumerate(spec.others))
        keys = {table: _meant(table, (*self._columns, *self._left_out)) for table in spec.rows}
        rows = {
            keys[table]: self._rows((*at, "rows", table), table, keys[table], wanted)
            for table, wanted in spec.rows.items()
            if keys[table] not in self._left_out
        }
        left_out = tuple(table for table in spec.rows if keys[table] in self._left_out)
        for n, finding in enumerate(spec.findings):
            if finding.code not in CATALOGUE:
                place = self._places.at(*at, "findings", n, "code")
                self._unknown("Y012", place, f"finding `{finding.code[:20]}`", CATALOGUE)
        findings = tuple((finding.code, finding.column) for finding in spec.findings)
        values, context = self._record(at, spec), self._context((*at, "context"), spec)
        return Example(spec.name, self._places.at(*at), spec.record, values, context, others, rows, findings, left_out)

    def _record(self, at: YamlPath, spec: RecordSpec) -> Mapping[str, Any]:
        schema = self._schemas.get(spec.record)
        if schema is None:
            self._unknown("Y020", self._places.at(*at, "record"), f"record kind `{spec.record[:60]}`", self._schemas)
            return {}
        return self._fields((*at, "fields"), schema, spec.fields)

    def _context(self, at: YamlPath, spec: ExampleSpec) -> Mapping[str, Mapping[str, Any]]:
        """What headers and trailers say, each of the dump of the example's record."""
        dump = spec.record.partition(".")[0]
        known = {name.partition(".")[2]: s for name, s in self._around.items() if name.partition(".")[0] == dump}
        for kind in spec.context:
            if kind not in known:
                self._unknown("Y020", self._places.at(*at, kind, "key"), f"header or trailer `{kind[:60]}`", known)
        return {k: self._fields((*at, k), known[k], values) for k, values in spec.context.items() if k in known}

    def _fields(self, at: YamlPath, schema: pa.Schema, given: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in given:
            if name not in schema.names:
                self._unknown("Y021", self._places.at(*at, name, "key"), f"field `{name[:60]}`", schema.names)
        return {
            field.name: self._value((*at, field.name), field.name, field.type, given.get(field.name))
            for field in schema
        }

    def _value(self, at: YamlPath, name: str, kind: pa.DataType, given: Any) -> Any:
        place = self._places.at(*at)
        if pa.types.is_list(kind):
            entries = given if isinstance(given, list) else [] if given is None else None
            if entries is None:
                self._problems.append(
                    Problem("Y012", place, f"`{name}` is a table (OCCURS)", ("a list of occurrences",))
                )
                return []
            return [self._entry((*at, n), name, kind.value_type, entry) for n, entry in enumerate(entries)]
        if given is None:
            return "" if pa.types.is_string(kind) else None
        if not isinstance(given, str):
            self._problems.append(Problem("Y012", place, f"`{name}` holds one value"))
            return None
        if pa.types.is_string(kind):
            return given
        if given in NULL:
            return None
        try:
            number = Decimal(given)
            exact = number == number.to_integral_value() if pa.types.is_integer(kind) else number.is_finite()
            if not exact:
                raise InvalidOperation
        except InvalidOperation:
            self._problems.append(Problem("Y033", place, f"`{name}` is a number, and `{given[:40]}` is none"))
            return None
        return int(number) if pa.types.is_integer(kind) else number

    def _entry(self, at: YamlPath, name: str, kind: pa.DataType, given: Any) -> Any:
        if not pa.types.is_struct(kind):
            return self._value(at, name, kind, given)
        members = {member.name: member.type for member in kind}
        entry = given if isinstance(given, dict) else {}
        if not isinstance(given, dict):
            allowed = tuple(members)
            self._problems.append(
                Problem("Y012", self._places.at(*at), f"an occurrence of `{name}` has members", allowed)
            )
        for member in entry:
            if member not in members:
                self._unknown("Y021", self._places.at(*at, member, "key"), f"field `{member[:60]}`", members)
        return {member: self._value((*at, member), member, kind, entry.get(member)) for member, kind in members.items()}

    def _rows(
        self, at: YamlPath, table: str, key: str, rows: tuple[Mapping[str, str], ...]
    ) -> tuple[Mapping[str, str | None], ...]:
        schema = self._columns.get(key)
        if schema is None:
            names = [
                known if _meant(bare := known.rpartition(".")[2], self._columns) != known else bare
                for known in self._columns
            ]
            self._unknown("Y030", self._places.at(*at, "key"), f"target table `{table[:60]}`", names)
            return ()
        for number, row in enumerate(rows):
            for column in row:
                if column in schema.names:
                    continue
                hint = f"a date has {column}_source, {column}_key and {column}_precision"
                place = self._places.at(*at, number, column, "key")
                dated = hint if f"{column}_key" in schema.names else ""
                self._unknown("Y031", place, f"column `{column[:60]}` of {table}", schema.names, dated)
        return tuple({name: None if value in NULL else value for name, value in row.items()} for row in rows)

    def _unknown(self, code: str, place: Position, what: str, allowed: Iterable[str], hint: str = "") -> None:
        names = tuple(allowed)
        close = difflib.get_close_matches(what.split("`")[1], names, 1)
        hint = hint or (f"did you mean `{close[0]}`?" if close else "")
        self._problems.append(Problem(code, place, f"unknown {what}", names[:40], hint))
