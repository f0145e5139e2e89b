"""Results and records as JSON: each with the number of its format, read back through upgrades, a newer one refused.

An upgrade takes the JSON of one format to the next; it is registered by class and the number that it takes. Format 0
is what was written before there were numbers, and under other names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pydantic

from migration_reports.records import counted, steps
from migration_reports.records.run_record import Frozen, RunRecord
from migration_reports.trouble import RunError

T = TypeVar("T", bound=Frozen)

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the JSON of a format to that of the next."""


def name_of(kind: type[Frozen]) -> str:
    """The name of the file (or, where there are several, the folder) of a class: `slice_account` for SliceAccount."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def to_json(value: Frozen) -> bytes:
    """A value as JSON, its format in it."""
    return (value.model_dump_json(indent=1) + "\n").encode()


def from_json(kind: type[T], text: bytes, *, where: str) -> T:
    """Read a value back, whichever format it was written in.

    Args:
        kind: what it is.
        text: the JSON.
        where: the file, for messages.

    Raises:
        RunError: a newer program wrote it, or it is not what any program wrote.
    """
    latest = kind.model_fields["format"].default
    try:
        data = json.loads(text)
        number = data.get("format", 0)
        number = number if isinstance(number, int) else 0
        if number > latest:
            raise RunError(
                f"{where} was written by a newer program: its format is {number}, and this one reads up to {latest}. "
                "Nothing was done. Use the newer program, or a run of this one."
            )
        for old in range(number, latest):
            data = UPGRADES[kind, old](data) if (kind, old) in UPGRADES or old else data
        return kind.model_validate({**data, "format": latest})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        wrong = error.error_count() if isinstance(error, pydantic.ValidationError) else 0
        said = f"{wrong} of its values cannot be right" if wrong else "it is no JSON of that form"
        raise RunError(f"{where} is not the {name_of(kind)} of a run: {said}. Nothing was done; run again.") from None


ONLY_SYSTEM = "resident_records"
"""The one system that there was while tables were called without their system's name."""


def _table(name: str) -> str:
    return name if "." in name else f"{ONLY_SYSTEM}.{name}"


def _of_table(name: str) -> str:
    """A column or a part of a table, as table.column or table.number."""
    return f"{ONLY_SYSTEM}.{name}" if name.count(".") == 1 else name


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A line of a record that names tables."""
    tables = {key: _table(row[key]) for key in ("table", "target_table") if row.get(key)}
    if "rule" in row and tables["table"] != row["table"]:
        table = re.escape(row["table"])
        tables["rule"] = re.sub(rf"^{table}(?=\.)|(?<=\.){table}$", tables["table"], row["rule"])
    return {**row, **tables}


def _qualified(data: dict[str, Any]) -> dict[str, Any]:
    """Tables by their system and name, in whatever names them."""
    lists = ("issues", "changes", "lines", "reconciliations", "amounts", "rules", "references", "unknown_codes")
    named: dict[str, Any] = {name: [_row(row) for row in data[name]] for name in lists if data.get(name)}
    named |= {name: {_table(t): n for t, n in data[name].items()} for name in ("expected", "rows") if data.get(name)}
    if data.get("made"):
        named["made"] = {_of_table(part): made for part, made in data["made"].items()}
    if data.get("coverage"):
        named["coverage"] = [{**row, "targets": list(map(_of_table, row["targets"]))} for row in data["coverage"]]
    if data.get("since"):
        named["since"] = _qualified(data["since"])
    return {**data, **named}


def _counted(data: dict[str, Any]) -> dict[str, Any]:
    names = ("field", "code", "area", "count", "records", "places")
    rest = {name: value for name, value in _qualified(data).items() if name != "account"}
    return {
        **rest,
        "read": data["account"],
        "characters": [dict(zip(names, row, strict=True)) for row in data["characters"]],
    }


UPGRADES: Mapping[tuple[type[Frozen], int], Upgrade] = {
    (steps.Specs, 0): lambda data: {"sha256": data},
    (steps.Cuts, 0): lambda data: {"dumps": data},
    (counted.SliceAccount, 0): _counted,
    (counted.DumpAccount, 0): _counted,
    (counted.Made, 0): lambda data: {"parts": {_of_table(part): made for part, made in data.items()}},
    (steps.Validation, 0): _qualified,
    (steps.Verdict, 0): _qualified,
    (steps.Approval, 0): lambda data: {"decision": data},
    (steps.Promotion, 0): _qualified,
    (steps.Timed, 0): lambda data: {"timing": data},
    (RunRecord, 1): _qualified,
}
"""By class and the number of the format that it takes; a format 0 that is not named here was the same but for the number."""

FORMER_NAMES: Mapping[type[Frozen], str] = {
    steps.Specs: "specs/specs",
    steps.Receipts: "receive",
    steps.Cuts: "slices",
    counted.SliceAccount: "slices",
    counted.DumpAccount: "dumps",
    steps.Validation: "validate",
    steps.Verdict: "reconcile",
    steps.Promotion: "promote",
    steps.Timed: "timings",
}
"""Under which name format 0 was written, where it was another."""
