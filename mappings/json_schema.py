"""JSON Schemas of what vendors write, made of the models, so that an editor completes and documents every key.

They differ from what Pydantic makes of the models where YAML does: an editor sees `width: 10` as a number and
`on_error: null` as no value, and we read every scalar as text. Transforms are listed with their parameters, members of
families with their options. What a package says, or a municipality that is based on one, may lack any key.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from mappings.language.spec import Manifest, MappingSpec
from mappings.transforms import TRANSFORMS
from mappings.transforms.contract import Transform
from migration_reports.specs import Spec

Schema = dict[str, Any]
Members = Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]]
"""By the key of a dump (framing, charset, ...) the members of that family, each with a title and its options."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALAR = ["string", "number", "boolean"]
WHOLE = frozenset(("IgnoreSpec", "ControlSpec", "WhenSpec", "RehearsalSpec", "KeepFirst", "KeepLast", "KeepEffective"))
"""What stands in lists or for one value: replaced whole where a municipality says it otherwise, so never in part."""


def manifest_schema(members: Members) -> Schema:
    """The schema of a municipality's manifest; what its package says may be missing."""
    full, part = _manifest(members), _partial(_manifest(members))
    names = {name: f"Partial{name}" for name in part["$defs"]}
    part = _renamed(part, names)
    alone = {key: value for key, value in full.items() if key != "$defs"}
    of_package = {key: value for key, value in part.items() if key != "$defs"}
    of_package["required"] = ["municipality", "based_on"]
    return _document(
        "A municipality's manifest",
        {
            "type": "object",
            "if": {"required": ["based_on"]},
            "then": of_package,
            "else": alone,
            "$defs": {**full["$defs"], **part["$defs"]},
        },
    )


def package_schema(members: Members) -> Schema:
    """The schema of a package's manifest: any part of a manifest."""
    return _document("A package's manifest", _partial(_manifest(members)))


def mapping_schema() -> Schema:
    """The schema of a mapping."""
    return _document("A mapping", _mapping())


def differences_schema() -> Schema:
    """The schema of a mapping that says what differs from its package's."""
    return _document("What differs from a package's mapping", _partial(_mapping()))


def schema_of(title: str, model: type[Spec]) -> Schema:
    """The schema of any other model that people write."""
    return _document(title, _model(model))


def _document(title: str, schema: Schema) -> Schema:
    return {"$schema": DRAFT, "title": title, **schema}


def _manifest(members: Members) -> Schema:
    schema = _model(Manifest)
    dump = schema["$defs"]["DumpSpec"]["properties"]
    for key, family in members.items():
        dump[key] = {"description": dump[key]["description"], **_member(family)}
    return schema


def _mapping() -> Schema:
    schema = _model(MappingSpec)
    schema["$defs"]["Step"] = _steps()
    schema["$defs"]["ColumnSpec"]["properties"]["transforms"]["items"] = {"$ref": "#/$defs/Step"}
    return schema


def _model(model: type[Spec]) -> Schema:
    schema: Schema = _for_yaml(model.model_json_schema(mode="validation"))
    schema.setdefault("$defs", {})
    return schema


def _member(family: Mapping[str, tuple[str, Mapping[str, str]]]) -> Schema:
    """A member of a family: its name, or its name with its options."""
    plain = [{"const": name, "description": title} for name, (title, _) in family.items()]
    named = [
        {
            "type": "object",
            "description": title,
            "properties": {
                "name": {"const": name, "description": title},
                **{option: {"type": SCALAR, "description": what} for option, what in options.items()},
            },
            "required": ["name"],
            "additionalProperties": False,
        }
        for name, (title, options) in family.items()
    ]
    return {"anyOf": [*plain, *named]}


def _steps() -> Schema:
    """A step: a transform by name, or with its parameters."""
    names: list[Schema] = []
    with_params: Schema = {}
    for transform in TRANSFORMS:
        params = _params(transform)
        doc = {
            "description": transform.doc.strip().partition("\n")[0],
            "markdownDescription": f"```\n{transform.doc.strip()}\n```",
        }
        if not params.get("required"):
            names.append({"const": transform.name, **doc})
            params = {**params, "type": ["object", "null"]}
        with_params[transform.name] = {**params, **doc}
    return {
        "description": "One transform.",
        "if": {"type": "object"},
        "then": {
            "type": "object",
            "properties": with_params,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "else": {"anyOf": names},
    }


def _params(transform: Transform) -> Schema:
    """The schema of a transform's parameters, each with its part of their model's docstring."""
    schema: Schema = _for_yaml(transform.params.model_json_schema(mode="validation"))
    said = {
        name.strip(): text
        for name, _, text in (part.partition(":") for part in re.split(r";\s+", inspect.getdoc(transform.params) or ""))
    }
    for name, of_param in schema.get("properties", {}).items():
        of_param["description"] = " ".join(said.get(name, name).split()).rstrip(".")
    schema.pop("description", None)
    return schema


def _for_yaml(schema: Any) -> Any:
    """A schema for the values that an editor sees in YAML."""
    if isinstance(schema, list):
        return [_for_yaml(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "patternProperties"):
            made[key] = {name: _for_yaml(part) for name, part in value.items()}
        elif key in ("anyOf", "items", "additionalProperties", "prefixItems", "propertyNames", "allOf", "oneOf"):
            made[key] = _for_yaml(value)
        elif key == "description":
            made[key] = " ".join(inspect.cleandoc(value).split())
        elif key not in ("title", "default"):
            made[key] = value
    return _scalars(made)


def _scalars(schema: Schema) -> Schema:
    if "anyOf" in schema:
        # A value is there or is not: YAML's null is a text of ours.
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**choices[0], **rest} if len(choices) == 1 else {**rest, **_told_apart(choices)}
    if "enum" in schema or "const" in schema:
        values = list(schema["enum"]) if "enum" in schema else [schema["const"]]
        # As YAML resolves them when they are not quoted.
        values += [{"null": None, "yes": True, "no": False}[v] for v in ("null", "yes", "no") if v in values]
        return {**{k: v for k, v in schema.items() if k not in ("type", "const")}, "enum": values}
    if schema.get("type") == "string":
        return {**schema, "type": SCALAR}
    if schema.get("type") == "integer":
        limits = {key: schema[key] for key in ("minimum", "maximum") if key in schema}
        rest = {key: value for key, value in schema.items() if key not in ("type", *limits)}
        return {**rest, "anyOf": [{"type": "integer", **limits}, {"type": "string", "pattern": "^[0-9]+$"}]}
    return schema


def _told_apart(choices: list[Schema]) -> Schema:
    """Choices of which at most one is a list and one has keys: which is meant is told by that.

    A mistake further in is then said at its own place, where `anyOf` would say that the whole fits none of its choices.
    """
    lists = [c for c in choices if c.get("type") == "array"]
    keyed = [c for c in choices if "$ref" in c or c.get("type") == "object"]
    rest = [c for c in choices if c not in lists and c not in keyed]
    made: Schema | None = (rest[0] if len(rest) == 1 else {"anyOf": rest}) if rest else None
    for kind, some in (("array", lists), ("object", keyed)):
        if some and made is None:
            made = some[0] if len(some) == 1 else {"anyOf": some}
        elif some and made is not None:
            made = {"if": {"type": kind}, "then": some[0] if len(some) == 1 else {"anyOf": some}, "else": made}
    return made or {}


def _partial(schema: Schema) -> Schema:
    """A schema without required keys, except of what is replaced whole."""
    made = copy.deepcopy(schema)
    made.pop("required", None)
    for name, definition in made["$defs"].items():
        if name not in WHOLE:
            _everywhere(definition, lambda part: part.pop("required", None) if "properties" in part else None)
    if "Step" in made["$defs"]:
        made["$defs"]["Step"] = copy.deepcopy(schema["$defs"]["Step"])
    return made


def _renamed(schema: Schema, names: Mapping[str, str]) -> Schema:
    """A schema whose definitions have other names."""
    made = copy.deepcopy(schema)

    def rename(part: Schema) -> None:
        if isinstance(part.get("$ref"), str):
            part["$ref"] = f"#/$defs/{names[part['$ref'].removeprefix('#/$defs/')]}"

    _everywhere(made, rename)
    made["$defs"] = {names[name]: definition for name, definition in made["$defs"].items()}
    return made


def _everywhere(part: Any, change: Callable[[Schema], object]) -> None:
    """Change every mapping of a schema in place."""
    if isinstance(part, dict):
        change(part)
        for value in part.values():
            _everywhere(value, change)
    elif isinstance(part, list):
        for value in part:
            _everywhere(value, change)
