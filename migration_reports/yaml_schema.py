"""JSON Schemas of the models of specs, for the values that an editor sees in YAML.

They differ from what Pydantic makes of the models where YAML does: an editor sees `width: 10` as a number and
`on_error: null` as no value, and we read every scalar as text.
"""

from __future__ import annotations

import inspect
from typing import Any

from migration_reports.specs import Spec

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALAR = ["string", "number", "boolean"]


def document(title: str, schema: Schema) -> Schema:
    """A schema as a file."""
    return {"$schema": DRAFT, "title": title, **schema}


def model_schema(model: type[Spec]) -> Schema:
    """The schema of a model."""
    schema: Schema = for_yaml(model.model_json_schema(mode="validation"))
    schema.setdefault("$defs", {})
    return schema


def for_yaml(schema: Any) -> Any:
    """A schema for the values that an editor sees in YAML."""
    if isinstance(schema, list):
        return [for_yaml(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "patternProperties"):
            made[key] = {name: for_yaml(part) for name, part in value.items()}
        elif key in ("anyOf", "items", "additionalProperties", "prefixItems", "propertyNames", "allOf", "oneOf"):
            made[key] = for_yaml(value)
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
