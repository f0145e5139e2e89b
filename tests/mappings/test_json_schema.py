"""The schemas that editors use: they accept what is shipped, as editors and as we read it, and refuse mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from docs.generate.reference import pages
from mappings.transforms import TRANSFORMS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SHIPPED = sorted(
    path
    for folder in ("municipalities", "packages")
    for path in (ROOT / "mappings" / folder).rglob("*.yaml")
    if path.name != "examples.yaml"
) + sorted((ROOT / "target_schemas" / "systems").glob("*/system.yaml"))


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 as an editor's language server resolves it: numbers, true and false, null; no dates, no yes and no."""


EditorLoader.yaml_implicit_resolvers = {
    letter: [(tag, form) for tag, form in resolvers if tag.rpartition(":")[2] in ("int", "float", "null")]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def schema_of(path):
    line = path.read_text("utf-8").splitlines()[0]
    assert line.startswith("# yaml-language-server: $schema="), f"{path} names no schema in its first line"
    file = (path.parent / line.partition("=")[2]).resolve()
    assert file.parent == REFERENCE
    return json.loads(file.read_text("utf-8"))


def errors(schema, data):
    return [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(data)]


@pytest.mark.parametrize("loader", [EditorLoader, yaml.BaseLoader], ids=["editor", "text"])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: f"{p.parent.parent.name}/{p.parent.name}/{p.name}")
def test_what_is_shipped_fits_its_schema(path, loader):
    assert errors(schema_of(path), yaml.load(path.read_text("utf-8"), Loader=loader)) == []


def replaced(path, before, after):
    text = path.read_text("utf-8")
    assert before in text
    return yaml.load(text.replace(before, after, 1), Loader=EditorLoader)


TOWNS = ROOT / "mappings" / "municipalities"
WRONG = [
    ("990027_mihon/resident_records/manifest.yaml", "limits:", "limit:"),
    ("990027_mihon/resident_records/manifest.yaml", "    title: 住民記録マスタ\n", ""),
    ("990027_mihon/resident_records/manifest.yaml", "role: header", "role: heading"),
    ("990027_mihon/resident_records/manifest.yaml", "framing: fixed", "framing: fixd"),
    ("990027_mihon/resident_records/manifest.yaml", "gaiji: gaiji", "gaji: gaiji"),
    ("990027_mihon/resident_records/manifest.yaml", "group: JM-HEADER, role", "grup: JM-HEADER, role"),
    ("990035_reiji/resident_records/manifest.yaml", "limits:", "limit:"),
    ("990035_reiji/resident_records/manifest.yaml", "based_on: packages/ibm_setai\n", ""),
    ("990051_tehon/manifest.yaml", "number: 1", "number: one"),
    ("990027_mihon/manifest.yaml", "municipality:", "systems: [resident_records]\nmunicipality:"),
    ("990027_mihon/manifest.yaml", "2026-04-01", "1.4.2026"),
    ("990051_tehon/resident_records/mapping.yaml", "on_error: keep", "on_eror: keep"),
    ("990051_tehon/resident_records/mapping.yaml", "on_error: keep", "on_error: skip"),
    ("990027_mihon/resident_records/mapping.yaml", "transforms: [kana]", "transforms: [kanna]"),
    ("990027_mihon/resident_records/mapping.yaml", "transforms: [kana]", "transforms: [digits]"),
    ("990027_mihon/resident_records/mapping.yaml", "{width: 10}", "{widht: 10}"),
    ("990027_mihon/resident_records/mapping.yaml", "{width: 10}", "{width: 100}"),
    ("990027_mihon/resident_records/mapping.yaml", "{eras: 1-5}", "{eras: 1-4}"),
    ("990027_mihon/resident_records/mapping.yaml", "amount: {from: JJ-KAZEI}", "amount: {form: JJ-KAZEI}"),
    ("990027_mihon/resident_records/mapping.yaml", "keep: one_row_per_key", "keep: one_row"),
    (
        "990027_mihon/resident_records/mapping.yaml",
        "  tax_amounts:\n    from: juki_master.resident\n",
        "  tax_amounts:\n",
    ),
    ("990027_mihon/resident_records/synthesis.yaml", "of: residents", "of: resident"),
    ("990027_mihon/resident_records/synthesis.yaml", "role: trailer", "role: tailer"),
    ("990027_mihon/resident_records/synthesis.yaml", "kind: gaiji", "kind: gaji"),
    ("990027_mihon/resident_records/synthesis.yaml", "format: era", "format: eras"),
    ("990027_mihon/resident_records/synthesis.yaml", "kind: gaiji}", "kind: gaiji, rate: rarely}"),
    ("990027_mihon/resident_records/synthesis.yaml", "{sum: resident.JJ-KAZEI}", "{som: resident.JJ-KAZEI}"),
]


@pytest.mark.parametrize(("file", "before", "after"), WRONG, ids=[f"{w[0][7:]}:{w[2].strip() or w[1]}" for w in WRONG])
def test_a_mistake_is_refused(file, before, after):
    assert errors(schema_of(TOWNS / file), replaced(TOWNS / file, before, after))


RIGHT = [
    ("transforms: [kana]", "transforms: [{kana: {small: fold}}]"),
    ("transforms: [kana]", "transforms: [{kana: }]"),
    ("transforms: [kana]", "transforms: [{assign: {series: resident, new: no}}]"),
    ('on_error: "null"', "on_error: null"),
    ("keep: one_row_per_key", "keep: {effective: address, on: 20260401}"),
    ("amount: {from: JJ-KAZEI}", "amount: {from: {a: JJ-KAZEI}, expression: a // 2, default: 0, at_most: 0.1%, stop_after: 10}"),
    ("when: {field: JJ-SHIEN}", "when: [{field: JJ-SHIEN, values: [1, true]}, '\"JJ-KAZEI\" > 0']"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), RIGHT, ids=[after for _, after in RIGHT])
def test_what_is_allowed_is_accepted_in_every_form(before, after):
    path = TOWNS / "990027_mihon" / "resident_records/mapping.yaml"
    assert errors(schema_of(path), replaced(path, before, after)) == []


@pytest.mark.parametrize("name", [name for name in pages() if name.endswith(".json")])
def test_every_key_is_described_and_no_reference_is_open(name):
    schema = json.loads((REFERENCE / name).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    undescribed, open_references = [], []

    def walk(part, at):
        if isinstance(part, list):
            for number, one in enumerate(part):
                walk(one, (*at, number))
        elif isinstance(part, dict):
            if at[-1:] == ("properties",):
                undescribed.extend((*at, key) for key, one in part.items() if not one.get("description"))
            if isinstance(reference := part.get("$ref"), str) and reference[8:] not in schema["$defs"]:
                open_references.append(reference)
            for key, one in part.items():
                walk(one, (*at, key))

    walk(schema, ())
    assert undescribed == []
    assert open_references == []


def test_every_transform_is_offered_with_its_parameters():
    schema = json.loads((REFERENCE / "mapping.schema.json").read_text("utf-8"))
    with_parameters = schema["$defs"]["Step"]["then"]["properties"]
    assert set(with_parameters) == {t.name for t in TRANSFORMS}
    for transform in TRANSFORMS:
        step = with_parameters[transform.name]
        assert set(step.get("properties", {})) == set(transform.params.model_fields)
        assert step["description"] == transform.doc.strip().partition("\n")[0]


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("amount: {from: JJ-KAZEI}", "amount: {form: JJ-KAZEI}", "tables/tax_amounts/columns/amount"),
        ("transforms: [kana]", "transforms: [kanna]", "tables/residents/columns/name_kana/transforms/0"),
        ("{width: 10}", "{widht: 10}", "tables/households/columns/head_resident_no/transforms/0/digits"),
        ("    keep: one_row_per_key", "    kep: one_row_per_key", "tables/households"),
    ],
)
def test_a_mistake_is_said_at_its_own_place(before, after, path):
    schema = json.loads((REFERENCE / "mapping.schema.json").read_text("utf-8"))
    data = replaced(TOWNS / "990027_mihon" / "resident_records/mapping.yaml", before, after)
    found = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
    places = ["/".join(map(str, error.absolute_path)) for error in found]
    assert set(places) == {path}
