"""What a benchmark says: lines as it goes, and figures beside what was asked of them, for the table at the end."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable

MARK = "asked: "
"""Begins a line that the table at the end repeats."""

HEAD = "| figure | measured | asked | met |\n|---|---|---|---|"


def say(line: str = "") -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def asked(what: str, value: float, *, most: float | None = None, least: float | None = None, unit: str = "") -> None:
    """Print a figure beside its limit.

    Args:
        what: the figure.
        value: as measured.
        most: what it may be at most.
        least: what it must be at least, where not `most` is given.
        unit: of all of them.
    """
    if most is not None:
        limit, met = f"at most {most:,.9g} {unit}".strip(), value <= most
    else:
        assert least is not None
        limit, met = f"at least {least:,.9g} {unit}".strip(), value >= least
    say(f"{MARK}| {what} | {_text(value, unit)} | {limit} | {'yes' if met else '**no**'} |")


def middle(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(list(values))


def spread(values: Iterable[float], form: str = ",.0f") -> str:
    """The median, with the least and the most."""
    each = sorted(values)
    return f"{statistics.median(each):{form}} [{each[0]:{form}}..{each[-1]:{form}}]"


def _text(value: float, unit: str) -> str:
    return f"{value:,.{0 if value >= 100 else 2}f} {unit}".strip()
