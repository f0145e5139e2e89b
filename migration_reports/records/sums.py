"""Sums of what was counted apart: by key, by key within key, and exact."""

from __future__ import annotations

import collections
import decimal
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

EXACT = decimal.Context(prec=76)
"""Sums of 38 digits over any number of records; Python's own context would round at 28."""


def added(parts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    """Counts by name, added; a name stands where it was first met."""
    total: dict[K, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total


def added_within(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Counts by two names, added."""
    return {name: added(some) for name, some in values_by(parts).items()}


def values_by(parts: Iterable[Mapping[K, V]]) -> dict[K, list[V]]:
    """The values of each name; names stand where they were first met."""
    gathered: dict[K, list[V]] = collections.defaultdict(list)
    for part in parts:
        for name, value in part.items():
            gathered[name].append(value)
    return gathered


def keys_of(parts: Iterable[Mapping[K, V]]) -> dict[K, None]:
    """The names of all, each once, in the order in which they were first met."""
    return dict.fromkeys(name for part in parts for name in part)


def sums(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Exact sums by name."""
    total: dict[str, Decimal] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = EXACT.add(total.get(name, Decimal(0)), amount)
    return total
