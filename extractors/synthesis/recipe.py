"""How a population becomes a dump: `synthesis.yaml` in a municipality's folder of a system, declarative, so that any can have one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pydantic
import yaml

from extractors.synthesis.faults import DUPLICATE_KEY, FAULTS
from migration_reports.findings import Position, Problem, SpecError


class Part(pydantic.BaseModel):
    """A part of a recipe."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class FieldRecipe(Part):
    """What stands in a field: a constant, an attribute of the population, or a count or sum of another kind."""

    constant: str | None = None
    attribute: str | None = None
    count: str | None = None
    sum: str | None = None


class FaultRecipe(Part):
    """A fault that may befall a record of the kind."""

    field: str
    kind: str

    @pydantic.field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FAULTS and value != DUPLICATE_KEY:
            raise ValueError(f"no such fault; there are: {', '.join([*FAULTS, DUPLICATE_KEY])}")
        return value


class KindRecipe(Part):
    """The records of one kind."""

    of: Literal["header", "households", "residents", "trailer"]
    group: str
    fields: Mapping[str, FieldRecipe]
    faults: tuple[FaultRecipe, ...] = ()


class Recipe(Part):
    """One dump."""

    dump: str
    file: str
    layout: str
    charset: Mapping[str, str]
    kinds: Mapping[str, KindRecipe]


def read_recipe(*roots: Path) -> Recipe:
    """Read a municipality's recipe, or else its package's.

    Args:
        roots: its folder of the system, and its package's.

    Raises:
        SpecError: there is none, or it cannot be used.
    """
    folder = next((root for root in roots if (root / "synthesis.yaml").is_file()), roots[0])
    path = folder / "synthesis.yaml"
    shown = "/".join(path.parts[-3:])
    if not path.is_file():
        hint = "only municipalities with a synthesis.yaml can be synthesized"
        raise SpecError([Problem("Y006", Position(shown), "there is no recipe for a synthetic dump", hint=hint)])
    try:
        return Recipe.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader))  # noqa: S506  strings only
    except yaml.YAMLError as error:
        raise SpecError([Problem("Y002", Position(shown), f"no YAML: {type(error).__name__}")]) from None
    except pydantic.ValidationError as error:
        raise SpecError(
            Problem("Y012", Position(shown), f"{'.'.join(map(str, e['loc']))}: {e['msg']}")
            for e in error.errors(include_url=False, include_input=False)
        ) from None
