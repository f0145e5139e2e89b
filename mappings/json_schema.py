"""JSON Schemas of what vendors write, made of the models, so that an editor completes and documents every key.

Transforms are listed with their parameters, members of families with their options. What a package says, or a system's
folder that is based on one, may lack any key.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from mappings.language.spec import Manifest, MappingSpec, SystemManifest
from mappings.transforms import TRANSFORMS
from mappings.transforms.contract import Transform
from migration_reports.yaml_schema import SCALAR, Schema, document, for_yaml, model_schema

Members = Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]]
"""By the key of a dump (framing, charset, ...) the members of that family, each with a title and its options."""

WHOLE = frozenset(
    (
        "IgnoreSpec",
        "ControlSpec",
        "LeaveSpec",
        "WhenSpec",
        "RehearsalSpec",
        "KeepFirst",
        "KeepLast",
        "KeepEffective",
        "RunsSpec",
    )
)
"""What stands in lists or for one value: replaced whole where a municipality says it otherwise, so never in part."""


def manifest_schema() -> Schema:
    """The schema of a municipality's manifest."""
    return document("A municipality's manifest", model_schema(Manifest))


def system_manifest_schema(members: Members) -> Schema:
    """The schema of a municipality's manifest of a system; what its package says may be missing."""
    full, part = _manifest(members), _partial(_manifest(members))
    names = {name: f"Partial{name}" for name in part["$defs"]}
    part = _renamed(part, names)
    alone = {key: value for key, value in full.items() if key != "$defs"}
    of_package = {key: value for key, value in part.items() if key != "$defs"}
    of_package["required"] = ["based_on"]
    return document(
        "A municipality's manifest of a system",
        {
            "type": "object",
            "if": {"required": ["based_on"]},
            "then": of_package,
            "else": alone,
            "$defs": {**full["$defs"], **part["$defs"]},
        },
    )


def package_schema(members: Members) -> Schema:
    """The schema of a package's manifest: its system, and any part of a manifest of that."""
    return document("A package's manifest", {**_partial(_manifest(members)), "required": ["system"]})


def mapping_schema() -> Schema:
    """The schema of a mapping."""
    return document("A mapping", _mapping())


def differences_schema() -> Schema:
    """The schema of a mapping that says what differs from its package's."""
    return document("What differs from a package's mapping", _partial(_mapping()))


def _manifest(members: Members) -> Schema:
    schema = model_schema(SystemManifest)
    dump = schema["$defs"]["DumpSpec"]["properties"]
    for key, family in members.items():
        dump[key] = {"description": dump[key]["description"], **_member(family)}
    return schema


def _mapping() -> Schema:
    schema = model_schema(MappingSpec)
    schema["$defs"]["Step"] = _steps()
    schema["$defs"]["ColumnSpec"]["properties"]["transforms"]["items"] = {"$ref": "#/$defs/Step"}
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
    schema: Schema = for_yaml(transform.params.model_json_schema(mode="validation"))
    said = {
        name.strip(): text
        for name, _, text in (part.partition(":") for part in re.split(r";\s+", inspect.getdoc(transform.params) or ""))
    }
    for name, of_param in schema.get("properties", {}).items():
        of_param["description"] = " ".join(said.get(name, name).split()).rstrip(".")
    schema.pop("description", None)
    return schema


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
