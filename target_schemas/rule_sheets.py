"""The rules of a system's head: instances of shapes in their generic form, the shape as the first key, whatever it is called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from migration_reports.specs import Located
from migration_reports.trouble import Problem, did_you_mean
from target_schemas.item_sheets import NAME
from target_schemas.model import RuleSpec
from target_schemas.system_yaml import SystemSheet

PROBLEMS: Mapping[str, str] = MappingProxyType({"S033": "a rule whose form cannot be read"})
"""What each problem code of rules means."""

SEVERITIES = ("error", "alert", "note")


def read_rules(sheet: SystemSheet, located: Located, problems: list[Problem]) -> Iterator[RuleSpec]:
    """Read the rules of a head.

    Args:
        sheet: the head.
        located: with the places of its parts.
        problems: is added to.
    """
    for name, written in sheet.rules.items():
        at = ("rules", name)
        place = located.at(*at, "key")
        shape = next(iter(written), "")
        wrong = _wrong(sheet.tables, name, shape, written)
        for part, message, allowed, hint in wrong:
            where = located.at(*at, part) if part in written else place
            problems.append(Problem("S033", where, message, allowed, hint))
        if wrong:
            continue
        rest = {key: value for key, value in written.items() if key not in ("of", "severity", "source")}
        places = {key: located.at(*at, key) for key in rest}
        severity = written.get("severity", "")
        yield RuleSpec(name, shape, written["of"], MappingProxyType(rest), severity, written["source"], place, places)


def _wrong(
    tables: Collection[str], name: str, shape: str, written: Mapping[str, Any]
) -> list[tuple[str, str, tuple[str, ...], str]]:
    """What is wrong with a rule: the key, the message, what is allowed, a hint."""
    found: list[tuple[str, str, tuple[str, ...], str]] = []
    if not all(NAME.fullmatch(part) for part in name.split(".")):
        found.append(("", f"`{name[:60]}` is no name of a rule", (), ""))
    if shape in ("", "of", "severity", "source"):
        hint = "write it as the first key, such as not_after: [birth, moved]"
        found.append((shape, "a rule begins with its shape", (), hint))
    for key in ("of", "source"):
        if not isinstance(written.get(key), str) or not written[key]:
            found.append((key, f"rule `{name[:40]}` needs `{key}`", (), "as a single text"))
    of = written.get("of")
    if isinstance(of, str) and of and of not in tables:
        found.append(("of", f"there is no table `{of[:40]}`", tuple(tables), did_you_mean(of, tables)))
    severity = written.get("severity", "error")
    if severity not in SEVERITIES:
        hint = did_you_mean(str(severity), SEVERITIES)
        found.append(("severity", f"`{str(severity)[:20]}` is no severity", SEVERITIES, hint))
    return found
