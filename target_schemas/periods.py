"""Periods of tables, and references that hold on a day, as rules: what the sheet need not write out.

    period: {from: acquired, until: lost, ends: before, per: [person_no], gaps: no}

gives three rules of one name, `<table>_period`: no row ends before it begins (`order`), no two of a group hold on one day
(`overlap`), and between the first and the last some row of it holds (`gap`). A reference that says `on: drafted` gives
`<table>_<item>_on`: a row of the other table holds on that day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from migration_reports.items import Period
from migration_reports.specs import Located
from migration_reports.trouble import Position, Problem, did_you_mean
from target_schemas.item_sheets import Line, in_edition
from target_schemas.model import RuleSpec
from target_schemas.system_yaml import PeriodSheet, ReferenceSheet, TableSheet

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {"S045": "a period that a table cannot have, or a reference on the day of a row that has none"}
)
"""What each problem code of periods means."""

Severity = Literal["", "error", "alert", "note"]


def period_of(sheet: TableSheet) -> Period | None:
    """From when to when a table's rows hold; None where they have no time."""
    said = sheet.period
    return None if said is None else Period(said.begin, said.until, said.ends)


def period_rules(
    table: str, said: PeriodSheet, lines: Sequence[Line], source: str, place: Position
) -> Iterator[RuleSpec]:
    """The rules that a table's period gives.

    Args:
        table: the table.
        said: its period.
        lines: its items.
        source: what asks for the period.
        place: where it is said.
    """
    dates, per = [said.begin, said.until], list(said.per or _group(lines))

    def rule(name: str, parameters: Mapping[str, Any]) -> RuleSpec:
        shape = next(iter(parameters))
        return RuleSpec(f"{table}_period.{name}", shape, table, MappingProxyType(parameters), "", source, place)

    yield rule("order", {"not_after": dates})
    if said.overlaps == "no":
        yield rule("overlap", {"no_overlap": dates, "ends": said.ends, "per": per})
    if said.gaps == "no":
        yield rule("gap", {"no_gap": dates, "ends": said.ends, "per": per})


def _group(lines: Sequence[Line]) -> tuple[str, ...]:
    """The items of a key without its dates and what tells rows of one key apart."""
    return tuple(dict.fromkeys(n.item.name for n in lines if n.key and n.item.kind != "D" and not n.item.arrival))


def reference_rules(
    table: str, item: str, said: ReferenceSheet, other: str, names: Sequence[str], source: str, place: Position
) -> Iterator[RuleSpec]:
    """The rule that a reference on a row's day gives.

    Args:
        table: the table.
        item: the item that names a row.
        said: the reference.
        other: the table that it names, of another system with it.
        names: the items of it that are named.
        source: what asks for it.
        place: where it is said.
    """
    if said.on is not None:
        of_other = {"of": other, "per": list(names)}
        parameters = {"code_valid_on": [item, *said.beside], "day": said.on, "in": of_other}
        severity: Severity = "error" if said.orphan == "falls" else "alert"
        name = f"{table}_{item}_on"
        yield RuleSpec(name, "code_valid_on", table, MappingProxyType(parameters), severity, source, place)


def check_period(
    table: str,
    said: PeriodSheet,
    lines: Sequence[Line],
    editions: tuple[str, ...],
    at: Located,
    problems: list[Problem],
) -> None:
    """Check that a period names dates of its table that every edition has, and a group of its items."""
    dates = _items(lines, editions, "D")
    for part, name in (("from", said.begin), ("until", said.until)):
        if name not in dates:
            problems.append(_unknown("date item", name, dates, at.at("tables", table, "period", part)))
    items = _items(lines, editions)
    for number, name in enumerate(said.per):
        if name not in items:
            problems.append(_unknown("item", name, items, at.at("tables", table, "period", "per", number)))


def check_day(
    on: str, lines: Sequence[Line], editions: tuple[str, ...], other: PeriodSheet | None, place: Position
) -> Iterator[Problem]:
    """What is wrong with the day of a reference."""
    dates = _items(lines, editions, "D")
    if on not in dates:
        yield _unknown("date item", on, dates, place)
    if other is None:
        yield Problem(
            "S045", place, "the other table has no period", hint="say in its system.yaml: period: {from, until}"
        )


def _items(lines: Sequence[Line], editions: tuple[str, ...], kind: str = "") -> tuple[str, ...]:
    """The items, of a kind, that every edition has which has the table."""
    here = [{n.item.name for n in in_edition(lines, edition, editions)} for edition in editions]
    always = set.intersection(*(names for names in here if names)) if any(here) else set()
    return tuple(dict.fromkeys(n.item.name for n in lines if n.item.name in always and kind in ("", n.item.kind)))


def _unknown(what: str, name: str, known: Collection[str], place: Position) -> Problem:
    message = f"there is no {what} `{name[:40]}` in every edition of the table"
    return Problem("S045", place, message, tuple(known), did_you_mean(name, known))
