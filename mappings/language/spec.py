"""Frozen models of what people write: a municipality's manifest, and of each of its systems a manifest and a mapping.

Short forms (`name: JJ-SHIMEI` for `name: {from: JJ-SHIMEI}`) are brought into the long ones here, so that the JSON Schema
made of these models knows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from mappings.language.attachments import ObjectsSpec
from mappings.language.controls import ControlSpec, LeaveSpec
from mappings.language.deliveries import DeliverySpec
from mappings.language.each import Each
from mappings.language.written import Filled, Texts, When, Whole, listed
from migration_reports.specs import Spec


class MunicipalitySpec(Spec):
    """Whose data it is."""

    code: str = Field(description="団体コード: six digits, the last a check digit")
    name: str = Field(description="its name in Japanese")
    romaji: str = Field(description="its name in Latin letters; with the code, the folder's name")


class ChoiceSpec(Spec):
    """A family member by name, with its options."""

    name: str
    options: Mapping[str, str] = {}


def _chosen(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict):
        options = {key: option for key, option in value.items() if key != "name"}
        return {"options": options, **({"name": value["name"]} if "name" in value else {})}
    return value


Choice = Annotated[ChoiceSpec, BeforeValidator(_chosen, json_schema_input_type=str | dict[str, str])]
"""`fixed`, or `{name: fixed, length: "400"}`."""


class KindSpec(Spec):
    """A record kind: which records, which REDEFINES view, the kind they belong to, and what they are for."""

    field: str | None = Field(None, description="the field whose value tells the kind")
    values: tuple[str, ...] = Field((), description="its values; a range is written 10..19, bytes X'C300'")
    group: str | None = Field(None, description="the group of the copybook (REDEFINES) that describes such records")
    also: Mapping[str, tuple[str, ...]] = Field({}, description="more fields that must fit, with their values")
    parent: str | None = Field(None, description="the kind that such a record belongs to: the last one before it")
    cut: tuple[str, ...] = Field(
        (), description="texts to be told of where they fill their field to its last byte, and so may have been cut"
    )
    role: Literal["data", "header", "trailer"] = Field(
        "data", description="headers and trailers are not mapped; records of their file take their fields as KIND.FIELD"
    )
    objects: ObjectsSpec | None = Field(None, description="files beside the dump that such records name")


CONTAINERS_OF_ROWS: Mapping[str, str] = MappingProxyType(
    {"ldif": "utf_8", "shapefile": "shift_jis", "xlsx": "utf_8", "xml": "utf_8"}
)
"""The containers of rows of cells, whose framing need not be said, and their charsets where nothing else is said."""


def _tabular(data: Any) -> Any:
    container = data.get("container") if isinstance(data, dict) else None
    name = container.get("name") if isinstance(container, dict) else container
    charset = CONTAINERS_OF_ROWS.get(name) if isinstance(name, str) else None
    return {"framing": "cells", "charset": charset, **data} if charset is not None else data


def _less_required(schema: dict[str, Any]) -> None:
    schema["required"] = [key for key in schema["required"] if key not in ("framing", "charset")]


class FieldSpec(Spec):
    """How one field is read apart from its picture."""

    form: Literal["text", "bytes"] = Field(alias="as", description="one text, or the bytes as they are")
    charset: Choice | None = Field(None, description="how this text is coded, where it is not the dump's charset")


def _apart(value: Any) -> Any:
    return {"as": value} if isinstance(value, str) else value


FieldForm = Annotated[FieldSpec, BeforeValidator(_apart, json_schema_input_type=Literal["text", "bytes"] | FieldSpec)]
"""`bytes`, or `{as: text, charset: shift_jis}`."""


class DumpSpec(Spec):
    """One expected dump."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_less_required)

    file: Texts = Field(description="its file, or several in order; * and ? stand for any characters")
    volumes: Whole | None = Field(None, description="how many files there must be, where the name has a * or ?")
    title: str = Field(description="what people call it")
    layout: str = Field(
        description="the copybook, or of rows of cells the sheet of columns (.csv), a path inside the folder"
    )
    replacing: Mapping[Filled, str] = Field(
        {}, description="what stands for the tags of a copybook made for COPY REPLACING, such as ':TAG:'"
    )
    framing: Choice = Field(
        description="how records lie in the file: fixed, or {name: fixed, length: 400}; of an xlsx and the like: cells"
    )
    charset: Choice = Field(
        description="how its text is coded, with the tables that belong to it; of an xlsx and the like: utf_8"
    )
    dialect: Choice | None = Field(
        None, description="the COBOL compiler whose rules the copybook follows; that of the charset's maker (or ibm)"
    )
    container: Choice | None = Field(None, description="what the file is wrapped in: gzip, awstape, xlsx and others")
    fields: Mapping[str, FieldForm] = Field(
        {},
        description="fields that are read apart from their pictures: a table of single characters as one text, text of "
        "another charset, or bytes as they are",
    )
    options: Mapping[str, str] = Field({}, description="header, trailer, spaces and other options of the dump itself")
    records: Mapping[str, KindSpec] = Field(description="its record kinds, by a name of your own; the first that fits")
    controls: tuple[ControlSpec, ...] = Field((), description="counts, sums and values that must agree")

    _rows = model_validator(mode="before")(_tabular)

    @property
    def control_files(self) -> tuple[str, ...]:
        """The control files that come with it, each once."""
        return tuple(dict.fromkeys(control.file for control in self.controls if control.file))


class LimitsSpec(Spec):
    """What a run may reject, and when it stops."""

    rejects: str = Field("0", description="records that may be rejected: a number, or a share such as 0.5%")
    stop_after: Whole | None = Field(None, description="errors in one slice of a dump after which reading stops")


class RehearsalSpec(Spec):
    """A planned rehearsal."""

    number: Whole = Field(description="which rehearsal, from 1")
    on: str = Field(description="its day, YYYY-MM-DD", pattern=r"^\d{4}-\d{2}-\d{2}$")
    title: str = Field("", description="what it is about")


class CalendarSpec(Spec):
    """When the rehearsals and the cut-over are planned."""

    rehearsals: tuple[RehearsalSpec, ...] = Field((), description="in the order of their days")
    cut_over: str | None = Field(None, description="its day, YYYY-MM-DD", pattern=r"^\d{4}-\d{2}-\d{2}$")


class Manifest(Spec):
    """Whose data it is, and what holds for all of its systems; each has a folder with a manifest of its own."""

    inherited: ClassVar[tuple[str, ...]] = ("limits", "policies")
    """What a system's manifest need not repeat: what it says itself wins, key by key."""

    municipality: MunicipalitySpec = Field(description="whose data it is")
    reference_date: str | None = Field(
        None, description="基準日: the day as of which the data are taken, YYYY-MM-DD", pattern=r"^\d{4}-\d{2}-\d{2}$"
    )
    limits: LimitsSpec = Field(LimitsSpec(), description="what a run may reject of each system, and when it stops")
    policies: Mapping[str, str] = Field({}, description="options of every dump and charset that knows them")
    calendar: CalendarSpec = Field(CalendarSpec(), description="when the rehearsals and the cut-over are planned")


class SystemManifest(Spec):
    """What is handed over for one system, by a municipality or as a product's package says it."""

    system: str | None = Field(
        None, description="the system that a package is of; a municipality's folder is called so"
    )
    edition: str = Field(description="the edition of the system's sheets that is filled, in quotes")
    based_on: str | None = Field(
        None,
        description="the product's package that this municipality uses, packages/<vendor>_<product>",
        pattern=r"^packages/[a-z0-9_]+$",
    )
    without: tuple[str, ...] = Field(
        (), description="parts of the package's manifest that are left out: keys, with dots"
    )
    dumps: Mapping[str, DumpSpec] = Field(description="the files that are handed over, by a name of your own")
    deliveries: Mapping[str, DeliverySpec] = Field({}, description="files that come together, and which of them must")
    limits: LimitsSpec = Field(LimitsSpec(), description="what a run may reject, and when it stops")
    rules: Mapping[str, Mapping[str, str]] = Field({}, description="settings of rules, by rule")
    policies: Mapping[str, str] = Field({}, description="options of every dump and charset that knows them")


class TransformSpec(Spec):
    """One transform and its parameters."""

    name: str
    params: Mapping[str, Any] = {}


def _step(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1:
        name, params = next(iter(value.items()))
        return {"name": name, "params": params or {}}
    if isinstance(value, dict):
        raise ValueError("a step is one transform; its parameters stand below it, indented further")
    return value


Step = Annotated[TransformSpec, BeforeValidator(_step, json_schema_input_type=str | dict[str, Any])]
"""`trim`, or `{digits: {width: 10}}`."""


def _named(value: Any) -> Any:
    """Give the fields of a column names: `value` to a single one, v1, v2, ... to several, or those that were written."""
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, list):
        return {f"v{n}": field for n, field in enumerate(value, 1)} if len(value) != 1 else {"value": value[0]}
    return value


Fields = Annotated[Mapping[str, str], BeforeValidator(_named, json_schema_input_type=str | list[str] | dict[str, str])]
"""A field, several, or several with the names that an expression calls them by."""

OnError = Literal["reject", "null", "keep", "default"]


class ColumnSpec(Spec):
    """How a target column (or a date's three) is filled."""

    sources: Fields = Field(
        {},
        alias="from",
        description="the field, or several, or several with names; KIND.FIELD is of the header or trailer, ALIAS.FIELD of a join",
    )
    constant: str | None = Field(None, description="what stands in every row, in place of from:")
    expression: str | None = Field(
        None, description="an SQL expression over the names of from:, or fields in double quotes"
    )
    transforms: tuple[Step, ...] = Field((), description="the steps from the field's value to the column's, in order")
    when: When = Field((), description="the column is empty where this does not hold")
    default: str | None = Field(None, description="what stands where there is no value")
    on_error: OnError = Field("reject", description="what becomes of a value that is wrong")
    at_most: str | None = Field(
        None, description="how many may be wrong before the run may not be promoted: 10, or 0.1%"
    )
    stop_after: Whole | None = Field(None, description="how many wrong ones in a slice of a dump stop the run")
    guessed: str | None = Field(
        None, description="why a draft guessed this; check refuses it until the line is removed"
    )


def _column(value: Any) -> Any:
    return {"from": value} if isinstance(value, (str, list)) else value


Column = Annotated[ColumnSpec, BeforeValidator(_column, json_schema_input_type=str | list[str] | ColumnSpec)]


class JoinSpec(Spec):
    """Records of another kind (or dump) whose fields are used, found by a key, as ALIAS.FIELD."""

    source: str = Field(alias="from", description="the record kind, dump.kind")
    on: Mapping[str, str] | Literal["parent"] = Field(
        description="our field: their field; or parent, the record that this one belongs to"
    )
    missing: Literal["reject", "null", "drop"] = Field("reject", description="what becomes of a record without any")
    double: Literal["reject", "first", "last"] = Field("reject", description="which of several is taken")


class KeepSpec(Spec):
    """Which of the rows of one key stand in the table."""

    written: ClassVar[tuple[str, ...]] = ("first", "last", "effective", "on")
    """The keys that people write; those of the model are what they come to."""

    how: Literal["every_row", "preferred", "first", "last", "effective"] = "every_row"
    by: str | None = None
    on: str | None = None


def _keep(value: Any) -> Any:
    if value == "one_row_per_key":
        return {"how": "preferred"}
    if isinstance(value, str):
        return {"how": value}
    if isinstance(value, dict) and (how := next((k for k in ("first", "last", "effective") if k in value), None)):
        return {**{k: v for k, v in value.items() if k != how}, "how": how, "by": value[how]}
    return value


class KeepFirst(Spec):
    """`first: changed`: the row whose date is the earliest."""

    first: str = Field(description="the column whose day decides")


class KeepLast(Spec):
    """`last: changed`: the row whose date is the latest."""

    last: str = Field(description="the column whose day decides")


class KeepEffective(Spec):
    """`effective: changed` with `on`: the latest row that had begun on that day, YYYYMMDD."""

    effective: str = Field(description="the column whose day decides")
    on: str = Field(description="the day, YYYYMMDD or YYYY-MM-DD")


Keep = Annotated[
    KeepSpec,
    BeforeValidator(
        _keep,
        json_schema_input_type=Literal["every_row", "one_row_per_key"] | KeepFirst | KeepLast | KeepEffective,
    ),
]


class PartSpec(Spec):
    """How a target table is filled from one record kind; a table that several kinds fill has several."""

    source: str = Field(alias="from", description="the record kind, dump.kind")
    each: Each | None = Field(
        None, description="a row for each occurrence of this OCCURS, and of those around it; or {runs: TABLE}"
    )
    join: Mapping[str, JoinSpec] = Field({}, description="other records whose fields are used, by alias")
    when: When = Field((), description="which records (or occurrences) give a row")
    keep: Keep = Field(KeepSpec(), description="which of the rows of one key stand in the table")
    prefer: When = Field((), description="with keep: one_row_per_key, the rows that come first")
    columns: Mapping[str, Column] = Field(description="the table's columns; a date is named by its group")
    empty: tuple[str, ...] = Field((), description="columns that are deliberately left empty")


Parts = Annotated[tuple[PartSpec, ...], BeforeValidator(listed, json_schema_input_type=PartSpec | list[PartSpec])]


class IgnoreSpec(Spec):
    """A source field that is deliberately left, and why. `FILLER@*` means every FILLER."""

    field: str = Field(description="the field; FILLER@* means every FILLER")
    reason: str = Field(description="why; a question mark is what draft leaves, and check refuses it")


class MappingSpec(Spec):
    """How one system is filled."""

    system: str = Field(description="the system that is filled")
    without: tuple[str, ...] = Field(
        (), description="parts of the package's mapping that are left out: keys, with dots"
    )
    tables: Mapping[str, Parts] = Field(description="the system's tables, each filled from one record kind or several")
    ignore: Mapping[str, tuple[IgnoreSpec, ...]] = Field({}, description="source fields that are left, by dump.kind")
    leave: Mapping[str, tuple[LeaveSpec, ...]] = Field(
        {}, description="records that are left (deleted in the source, say), by dump.kind"
    )
