"""The JSON Schemas that editors use, and the first line of a file that names its schema."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from dags.pipeline.run_folder import ROOT
from extractors.charsets import CHARSETS
from extractors.containers import CONTAINERS
from extractors.dialects import DIALECTS
from extractors.framings import FRAMINGS
from extractors.synthesis.faults import FAULTS
from extractors.synthesis.formats import FORMATS
from extractors.synthesis.recipe import Recipe
from extractors.synthesis.town import BY_NAME
from mappings.json_schema import (
    Members,
    differences_schema,
    manifest_schema,
    mapping_schema,
    package_schema,
    system_manifest_schema,
)
from migration_reports.yaml_schema import Schema, document, model_schema
from target_schemas.system_yaml import system_schema

FOLDER = ROOT / "docs" / "reference"


def _members() -> Members:
    """The members of the families that mappings do not know."""
    return {
        "framing": {f.name: (_first(f.doc), f.options) for f in FRAMINGS},
        "charset": {c.name: (c.title, c.options) for c in CHARSETS},
        "dialect": {d.name: (d.title, d.options) for d in DIALECTS},
        "container": {c.name: (_first(c.doc), c.options) for c in CONTAINERS},
    }


def _recipe() -> Schema:
    """The schema of a recipe, with the names of what the town has."""
    schema = document("How the invented town is written as a dump", model_schema(Recipe))
    names = {"of": BY_NAME, "per": BY_NAME, "format": FORMATS}
    for key, of_town in names.items():
        for part in schema["$defs"].values():
            if key in part["properties"]:
                part["properties"][key]["enum"] = list(of_town)
    schema["$defs"]["FaultRecipe"]["properties"]["kind"]["enum"] = list(FAULTS)
    return schema


SCHEMAS: Mapping[str, Callable[[], Schema]] = MappingProxyType(
    {
        "manifest": manifest_schema,
        "system_manifest": lambda: system_manifest_schema(_members()),
        "package": lambda: package_schema(_members()),
        "mapping": mapping_schema,
        "differences": differences_schema,
        "synthesis": _recipe,
        "system": system_schema,
    }
)
"""How each schema is made, by its name."""


def modeline(name: str, folder: Path | None) -> tuple[str, ...]:
    """The first lines of a file: where its editor finds its schema.

    Args:
        name: the schema's.
        folder: where the file will lie; None, where nobody knows yet.

    Returns:
        In a checkout the way to the schema of the reference; elsewhere that of one beside the file, and how it is made.
    """
    file = f"{name}.schema.json"
    if folder is not None and folder.resolve().is_relative_to(ROOT) and (FOLDER / file).is_file():
        way = Path(os.path.relpath(FOLDER / file, folder.resolve())).as_posix()
        return (f"# yaml-language-server: $schema={way}",)
    return (
        f"# yaml-language-server: $schema={file}",
        f"# An editor completes keys and marks mistakes once `hikkoshi schema {name} > {file}` has been called here.",
    )


def _first(doc: str) -> str:
    return doc.strip().partition("\n")[0]
