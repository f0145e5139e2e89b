"""Rules as sheets declare them -> rules: every instance proved against the tables, and made by its shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from migration_reports.findings import Position, Problem, SpecError, did_you_mean
from migration_reports.items import table_of
from validators import shapes
from validators.shapes import NUMBERINGS, SHAPES
from validators.shapes._given import Given
from validators.shapes.contract import Instance, Rule

BY_NAME = {shape.name: shape for shape in SHAPES}

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "R001": "a shape of rules that there is not",
        "R002": "a parameter of a rule that is unknown, is missing or cannot be used",
        "R003": "a rule about a table that there is not",
        "R004": "a rule about a column that its table has not",
        "R005": "a rule about a column of another type",
        "R006": "a condition of a rule that cannot be read",
        "R020": "what stands beside a row, under `beside`, that cannot be used",
        "R021": "a list of a rule that is empty, too long or of another form",
    }
)
"""What is wrong with a rule that a sheet declares: every code, and what it means."""

POLICIES = ("on_error", "at_most")
"""What a manifest may set for any rule: whether its rows are rejected or kept, and how many may fail."""

Settings = Mapping[str, Mapping[str, str]]
"""What a municipality says of rules and of kinds of numbers, by name."""


@dataclasses.dataclass(frozen=True, slots=True)
class OfColumn:
    """The instance that a column's `check` asks for."""

    name: str
    of: str
    parameters: Mapping[str, object]
    position: Position
    shape: str = "check_digit"
    severity: str = ""


def of_columns(tables: Mapping[str, sa.Table], own: Mapping[str, str]) -> tuple[OfColumn, ...]:
    """The instances that columns ask for, each named by its kind of number first.

    Args:
        tables: every table by its key.
        own: the keys of a system's own tables, by the names that its sheet uses.
    """
    return tuple(
        OfColumn(
            f"{item.check}.{key}.{item.name}",
            name,
            {"check_digit": item.name, "kind": item.check},
            Position(f"(check of {name}.{item.name})"),
        )
        for name, key in own.items()
        for item in table_of(tables[key]).items
        if item.check
    )


def names(instances: Sequence[Instance]) -> Mapping[str, Mapping[str, str]]:
    """What a manifest may set: each rule, and kind of number, by the first part of its name, with its own options."""
    found = [instance.name.partition(".")[0] for instance in instances]
    return dict(sorted({**{name: {} for name in found}, **{n.name: n.options for n in NUMBERINGS.values()}}.items()))


def make(
    instances: Sequence[Instance], tables: Mapping[str, sa.Table], *, own: Mapping[str, str], settings: Settings
) -> tuple[Rule, ...]:
    """Make the rules of one system.

    Args:
        instances: what its sheet declares, and its columns ask for.
        tables: every table by its key, also of other systems.
        own: the keys of the system's own tables, by the names that its sheet uses.
        settings: what the municipality says, of kinds of numbers, too.

    Raises:
        SpecError: with every problem of every instance.
    """
    rules: list[Rule] = []
    problems: list[Problem] = []
    ways = {name: {k: v for k, v in said.items() if k not in POLICIES} for name, said in settings.items()}
    for instance in instances:
        shape = BY_NAME.get(instance.shape)
        if shape is None:
            said = f"rule {instance.name[:60]}: unknown shape `{instance.shape[:60]}`"
            hint = shapes.hint(instance.shape) or did_you_mean(instance.shape, BY_NAME)
            problems.append(Problem("R001", instance.position, said, tuple(BY_NAME), hint))
            continue
        given = Given(instance, shape, tables, own, ways)
        given.known()
        problems.extend(given.problems)
        if given.incomplete:
            continue
        try:
            rules.extend(shape.make(given))
        except SpecError as error:
            problems.extend(error.problems)
        problems.extend(given.problems)
    if problems:
        raise SpecError(dict.fromkeys(problems))
    return tuple(rules)
