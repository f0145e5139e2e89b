"""The rules that systems declare, read from their sheets, and made over their tables as a municipality sets them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import target_schemas.systems
from mappings.language.yaml_text import Places, read_yaml
from migration_reports.findings import Position, Problem, SpecError, did_you_mean
from target_schemas.conventions import RuleSpec, System
from target_schemas.systems import SYSTEMS
from validators import instances
from validators.shapes.check_digit import NUMBERINGS
from validators.shapes.contract import Rule

FOLDER = Path(target_schemas.systems.__file__).parent
SEVERITIES = ("error", "alert", "note")
GENERIC = ("of", "severity", "source")
"""What an instance says whatever its shape is."""


@functools.cache
def declared(system: str) -> tuple[RuleSpec, ...]:
    """The rules that a system's sheet declares; none, where it has no such sheet.

    Raises:
        SpecError: what is wrong with their form.
    """
    path = FOLDER / f"{system}_rules.yaml"
    return read_rules(path.read_text("utf-8"), path.name) if path.exists() else ()


def read_rules(text: str, file: str) -> tuple[RuleSpec, ...]:
    """Read the rules of a sheet: a name, and its shape before everything else.

    Raises:
        SpecError: what is wrong with their form.
    """
    data, places = read_yaml(text, file)
    problems: list[Problem] = []
    rules = data.get("rules") if isinstance(data, dict) else None
    if not isinstance(rules, dict):
        raise SpecError([Problem("Y011", Position(file), "`rules` is missing: a name for each, and what it is")])
    made = tuple(_rule(name, said, places, problems) for name, said in rules.items())
    if problems:
        raise SpecError(problems)
    return made


def _rule(name: str, said: Any, places: Places, problems: list[Problem]) -> RuleSpec:
    place = places[("rules", name, "key")]
    said = said if isinstance(said, dict) else {}
    shape = next(iter(said), "")
    if not shape or shape in GENERIC:
        problems.append(Problem("Y011", place, f"rule {name[:60]}: its shape stands first"))
    for key in ("of", "source"):
        if not isinstance(said.get(key), str):
            problems.append(Problem("Y011", place, f"rule {name[:60]}: `{key}` is missing"))
    severity = said.get("severity", "")
    if severity not in ("", *SEVERITIES):
        at, hint = places[("rules", name, "severity")], did_you_mean(str(severity), SEVERITIES)
        problems.append(Problem("Y012", at, f"rule {name[:60]}: severity is `{str(severity)[:20]}`", SEVERITIES, hint))
    parameters = {key: value for key, value in said.items() if key not in GENERIC}
    return RuleSpec(name, shape, str(said.get("of")), parameters, severity, str(said.get("source")), place)


def names(systems: tuple[System, ...]) -> Mapping[str, Mapping[str, str]]:
    """What a manifest may set: each rule, and kind of number, by the first part of its name, with its own options."""
    found = [rule.name.partition(".")[0] for system in systems for rule in declared(system.name)]
    return dict(sorted({**{name: {} for name in found}, **{n.name: n.options for n in NUMBERINGS.values()}}.items()))


def made(systems: tuple[System, ...], settings: instances.Settings) -> tuple[Rule, ...]:
    """The rules of some systems, those that their columns ask for among them.

    Args:
        systems: whose they are.
        settings: what the municipality says of kinds of numbers.

    Raises:
        SpecError: an instance does not fit the tables.
    """
    return tuple(rule for system in systems for rule in made_of(system, declared(system.name), settings))


def made_of(system: System, rules: tuple[RuleSpec, ...], settings: instances.Settings) -> tuple[Rule, ...]:
    """Some rules of one system, and those that its columns ask for.

    Raises:
        SpecError: an instance does not fit the tables.
    """
    tables = {table.name: table for every in SYSTEMS for table in every.tables}
    own = {table.name: table.name for table in system.tables}
    return instances.make((*rules, *instances.of_columns(tables, own)), tables, own=own, settings=settings)
