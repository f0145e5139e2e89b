"""Controls of a manifest -> what is counted while a dump is read: every kind, field and condition proved before any data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import pyarrow as pa

from mappings.compiling.complaints import Complaints
from mappings.compiling.conditions import compiled, is_number
from mappings.compiling.definitions import field_definition, fields_by_name, near_definition, widths_of
from mappings.control_plan import ControlPlan, Subject
from mappings.language.controls import ControlSpec
from mappings.language.folder import SystemFolder
from mappings.language.spec import DumpSpec
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

COUNTING = ("count", "sum", "hash")

Schemas = Mapping[str, pa.Schema]


def compile_controls(folder: SystemFolder, schemas: Mapping[str, Schemas]) -> Mapping[str, tuple[ControlPlan, ...]]:
    """Compile the controls of a system's dumps.

    Args:
        folder: what the municipality says of the system.
        schemas: by dump and record kind, headers and trailers included, the fields.

    Returns:
        By dump the controls that count or add up; the others have nothing to be counted.

    Raises:
        SpecError: with every problem.
    """
    problems: list[Problem] = []
    plans = {
        name: tuple(
            plan
            for number in range(len(dump.controls))
            if (plan := _Control(folder, name, number, schemas[name], problems).plan()) is not None
        )
        for name, dump in folder.manifest.dumps.items()
    }
    if problems:
        raise SpecError(problems)
    return plans


class _Control:
    """One control that is compiled.

    Args:
        folder: what the municipality says of the system.
        dump: the dump's name.
        number: which of its controls.
        schemas: by record kind its fields.
        problems: is added to.
    """

    def __init__(self, folder: SystemFolder, dump: str, number: int, schemas: Schemas, problems: list[Problem]) -> None:
        self._dump: DumpSpec = folder.manifest.dumps[dump]
        self._spec: ControlSpec = self._dump.controls[number]
        self._number, self._schemas, self._problems = number, schemas, problems
        self._places, self._at = folder.manifest_places, ("dumps", dump, "controls", number)
        self._complain = Complaints(problems, schemas)

    def plan(self) -> ControlPlan | None:
        """What is counted for it; None where nothing is, or it has problems."""
        before = len(self._problems)
        said = [name for name in (*COUNTING, "value") if getattr(self._spec, name) is not None]
        if len(said) != 1:
            self._complain.add(
                "Y024", self._place(), "a control is a count, a sum, a hash or a value", (*COUNTING, "value")
            )
            return None
        self._kinds()
        self._form(said[0])
        if len(self._problems) > before or said[0] == "value":
            return None
        fields: dict[str, list[str]] = {}
        for kind, field in self._spec.subjects:
            fields.setdefault(kind, []).extend([field] if field else [])
        subjects = tuple(self._subject(kind, tuple(of)) for kind, of in fields.items())
        stated, parent = self._parents() if self._spec.per == "parent" else (("", ""), "")
        if len(self._problems) > before:
            return None
        schema = self._schemas[subjects[0].kind]
        numbers = tuple(not pa.types.is_string(schema.field(field).type) for field in self._spec.by)
        return ControlPlan(str(self._number), subjects, numbers, stated, parent, self._spec.per == "file")

    def _place(self, *part: str | int) -> Position:
        return self._places.at(*self._at, *part)

    def _kinds(self) -> None:
        """Every record kind that it names is there, and every field of theirs that must be a number is one."""
        spec = self._spec
        hashed = spec.hash or ()
        stated = () if spec.file else (spec.equals,)
        named = (*(spec.count or ()), *(spec.sum or ()), *hashed, *((spec.value,) if spec.value else ()), *stated)
        for reference in dict.fromkeys(named):
            kind, dot, field = reference.partition(".")
            if kind not in self._dump.records:
                if not is_number(reference):
                    self._complain.unknown("Y024", self._place(), f"record kind `{kind}`", self._dump.records)
            elif dot:
                self._field(kind, field, self._place(), number=reference not in hashed)
        for kind, field in dict.fromkeys((kind, field) for kind, _ in spec.subjects for field in spec.by):
            if kind in self._dump.records:
                self._field(kind, field, self._place("by"), number=False)

    def _field(self, kind: str, field: str, place: Position, *, number: bool) -> None:
        schema = self._schemas[kind]
        known = [
            f.name for f in schema if not pa.types.is_nested(f.type) and not (number and pa.types.is_string(f.type))
        ]
        if field in known:
            return
        what = "number" if number else "field"
        defined = field_definition(schema, field) or near_definition((schema,), field, known)
        message, hint = f"{kind} has no {what} `{field[:60]}`", did_you_mean(field, known)
        self._complain.add("Y024", place, message, tuple(known)[:40], hint, defined)

    def _form(self, what: str) -> None:
        """That what it says belongs together."""
        spec = self._spec
        stating = self._dump.records.get(spec.equals.partition(".")[0])
        trailer = stating is not None and stating.role != "data"
        if spec.file:
            self._file(spec.file, spec.equals.partition("#")[2])
        elif spec.by and not trailer:
            hint = "write FILE.csv#column, or kind.FIELD of a trailer that comes once for each group"
            self._complain.add(
                "Y100", self._place("equals"), "groups are stated by a control file or by trailers", (), hint
            )
        elif spec.by and trailer:
            for column in spec.by.values():
                self._field(spec.equals.partition(".")[0], column, self._place("by"), number=False)
        for kind, _ in spec.subjects if spec.by else ():
            for field in spec.by:
                found = self._schemas[kind].field(field).type if field in self._schemas[kind].names else pa.string()
                if not (pa.types.is_string(found) or pa.types.is_integer(found)):
                    message = f"`{field[:60]}` has decimals, and groups nothing"
                    self._complain.add("Y100", self._place("by"), message)
        if spec.rounding is not None and spec.unit == 1:
            self._complain.add("Y101", self._place("rounding"), "rounding belongs to a unit", ("unit: 1000",))
        if spec.modulus is not None and what != "hash":
            self._complain.add(
                "Y101", self._place("modulus"), "a modulus belongs to a hash total", ("hash: kind.FIELD",)
            )
        if spec.per == "file" and spec.value is None and not trailer:
            message = "what every file must agree with stands in its own trailer"
            self._complain.add("Y024", self._place("equals"), message, ("kind.FIELD of a trailer",))
        if spec.per == "file" and (spec.by or spec.file):
            self._complain.add("Y101", self._place("per"), "each file agrees with its own trailer, as one number")
        if spec.per == "parent" and (spec.rounding is not None or spec.modulus is not None):
            self._complain.add(
                "Y101", self._place("per"), "a parent states exactly: without rounding and without modulus"
            )
        counted = bool(spec.by or spec.when or spec.per or spec.file) or (spec.times, spec.unit) != (1, 1)
        if what == "value" and counted:
            message = "a value is compared as it stands: it is not counted, grouped or converted"
            self._complain.add("Y101", self._place(), message)

    def _file(self, file: str, column: str) -> None:
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts:
            self._complain.add("Y007", self._place("equals"), f"`{file[:80]}` lies outside the inbox")
        elif path.suffix.lower() != ".csv" or not column.strip() or set(file) & set("*?"):
            message = f"`{self._spec.equals[:80]}` names no column of a control file"
            self._complain.add("Y100", self._place("equals"), message, ("FILE.csv#column",))
        elif file in self._dump.file:
            self._complain.add("Y100", self._place("equals"), f"`{file[:80]}` is the dump itself, and proves nothing")

    def _subject(self, kind: str, fields: tuple[str, ...]) -> Subject:
        schema = self._schemas[kind]
        types = {field.name: field.type for field in schema}
        when = compiled(
            self._spec.when, types, widths_of(fields_by_name(schema)), self._places, (*self._at, "when"), self._complain
        )
        return Subject(kind, fields, tuple(self._spec.by), when)

    def _parents(self) -> tuple[tuple[str, str], str]:
        """The kind and field that state what belongs to a parent, and the parent's kind."""
        records = self._dump.records
        kind, _, field = self._spec.equals.partition(".")
        parents = {records[subject].parent for subject, _ in self._spec.subjects}
        parent = parents.pop() if len(parents) == 1 else None
        allowed = tuple(name for name, of in records.items() if parent and parent in (name, of.parent))
        if self._spec.by:
            self._complain.add(
                "Y102", self._place("by"), "per: parent makes the groups; by: makes others", (), "say one of them"
            )
        if parent is None:
            hint = "say the same parent: at each record kind that is counted"
            self._complain.add(
                "Y102", self._place("per"), "what is counted belongs to no parent, or to several", (), hint
            )
        elif kind not in allowed:
            message = f"`{self._spec.equals[:80]}` does not belong to `{parent}`"
            self._complain.add("Y102", self._place("equals"), message, tuple(f"{name}.FIELD" for name in allowed))
        return (kind, field), parent or ""
