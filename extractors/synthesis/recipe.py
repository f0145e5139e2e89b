"""How a town becomes a dump: a recipe in a municipality's folder of a system, declarative, so that any can have one.

`synthesis.yaml` is that of the only dump; of several each has its own in the folder `synthesis`.

A recipe names entities of the town and their attributes, and fields of a layout; the generator knows none of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from migration_reports.findings import Position, Problem, SpecError
from migration_reports.specs import Located, Spec, checked
from migration_reports.yaml_text import read_yaml

Role = Literal["header", "trailer"]


class FieldRecipe(Spec):
    """What stands in a field: one of a constant, an attribute, a count and a sum."""

    constant: str | None = Field(None, description="the same in every record")
    attribute: str | None = Field(
        None,
        description="an attribute of the kind's entity, or `entity.attribute` of what it belongs to, of what it speaks of, or of what belongs to it alone",
    )
    count: str | None = Field(
        None, description="how many records of a kind were written; how many occurrences of a table are filled"
    )
    sum: str | None = Field(
        None, description="`kind.FIELD`: the total of a field over the records written, as far as it can be read"
    )
    format: str | None = Field(None, description="how a date is written")
    codes: Mapping[str, str] = Field({}, description="the code of this system for each code of the attribute")


class TableRecipe(Spec):
    """A table within a record (OCCURS), filled from what belongs to the record's row."""

    of: str = Field(description="the entity whose rows are its occurrences")
    per: str = Field(description="the entity of the record that holds it")
    fields: Mapping[str, FieldRecipe] = Field(
        description="its fields, without subscripts; where there are more rows than occurrences, the last are written"
    )


class FaultRecipe(Spec):
    """A fault that may befall a record of the kind, and what must find it."""

    field: str = Field(description="the field that is spoilt")
    kind: str = Field(description="what is done to it")
    rate: str | None = Field(
        None,
        pattern=r"^\d+(\.\d+)?%$",
        description="the share of the records that get it; without it, an equal part of what `--faults` says",
    )
    where: Mapping[str, tuple[str, ...]] = Field({}, description="only records with one of these values, by attribute")
    value: str | None = Field(None, description="of `other_value`: what is written")
    than: str | None = Field(None, description="of `later` and `earlier`: the attribute of the other day")
    code: str | None = Field(None, description="the finding that it must give, where the kind does not decide it")
    rule: str | None = Field(None, description="the rule that must find it, for the list beside the dump")


class KindRecipe(Spec):
    """The records of one kind: those of an entity, or a header or trailer."""

    role: Role | None = Field(None, description="header or trailer: one record, before or after all others")
    of: str | None = Field(None, description="the entity; each of its rows is a record")
    per: str | None = Field(
        None, description="the entity of another kind: records stand behind that of the row that they belong to"
    )
    where: Mapping[str, tuple[str, ...]] = Field({}, description="only rows with one of these values, by attribute")
    group: str = Field(description="the group or 01 record of the layout that is written")
    fields: Mapping[str, FieldRecipe] = Field(description="what stands in its fields; the others are blank or zero")
    tables: Mapping[str, TableRecipe] = Field({}, description="its tables (OCCURS)")
    spared: tuple[str, ...] = Field((), description="entities: what one of their rows belongs to gets no fault")
    faults: tuple[FaultRecipe, ...] = Field((), description="what may befall it")


class Recipe(Spec):
    """One dump."""

    dump: str = Field(description="its name in the manifest")
    file: str = Field(pattern=r"^[^/\\.][^/\\]*$", description="the file's name")
    layout: str = Field(description="the copybook, in the municipality's folder or its package's")
    charset: Mapping[str, str] = Field(description="`name` and options of the charset that text is written in")
    framing: Mapping[str, str] = Field(
        {"name": "fixed"}, description="`name` and options of the framing that records are written in"
    )
    dialect: str | None = Field(None, description="the COBOL compiler whose rules the copybook follows")
    options: Mapping[str, str] = Field({}, description="options of the dump itself, as in the manifest")
    kinds: Mapping[str, KindRecipe] = Field(description="its kinds of records, by name, in the order of writing")


ONE, SEVERAL = "synthesis.yaml", "synthesis"
"""The recipe of the only dump of a system; the folder of recipes where there are several."""


def recipes(*roots: Path) -> tuple[Path, ...]:
    """The recipes of a municipality's system, or else of its package, in the order of their names.

    Args:
        roots: its folder of the system, and its package's.

    Raises:
        SpecError: there is none.
    """
    for root in roots:
        found = tuple(sorted((root / SEVERAL).glob("*.yaml"))) or ((root / ONE,) if (root / ONE).is_file() else ())
        if found:
            return found
    shown = "/".join((roots[0] / ONE).parts[-3:])
    hint = f"only systems with a {ONE}, or a folder {SEVERAL} of recipes, can be synthesized"
    raise SpecError([Problem("Y006", Position(shown), "there is no recipe for a synthetic dump", hint=hint)])


def read_recipe(path: Path) -> tuple[Recipe, Located]:
    """Read a recipe.

    Raises:
        SpecError: it cannot be used; with every problem.
    """
    shown = "/".join(path.parts[-4 if path.parent.name == SEVERAL else -3 :])
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        message = f"`{path.name}` is not UTF-8 text"
        raise SpecError([Problem("Y006", Position(shown), message, hint="save it as UTF-8")]) from None
    data, places = read_yaml(text, shown)
    located, problems = Located(shown, places), list[Problem]()
    recipe = checked(Recipe, data, located, problems)
    if recipe is None:
        raise SpecError(problems)
    return recipe, located
