"""The rows of an entity as a kind of records writes them, and the ways from them to what hangs together with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl

from extractors.synthesis.town.contract import Entity, Town

Hop = tuple[Literal["up", "down"], str]
"""To what a row belongs to or speaks of, or to the one row that belongs to it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How the rows of one entity reach one row of another."""

    start: str
    hops: tuple[Hop, ...] = ()

    @property
    def end(self) -> str:
        """The entity that is reached."""
        return self.hops[-1][1] if self.hops else self.start


def ways(entities: Mapping[str, Entity], start: str) -> Mapping[str, Way]:
    """The entities of which each row of one has one at the most, with the shortest way to each; itself too."""
    found = {start: Way(start)}
    front = [start]
    while front:
        ahead = []
        for name in front:
            up: list[Hop] = [("up", relation.entity) for relation in entities[name].relations]
            down: list[Hop] = [("down", e.name) for e in entities.values() if e.single and e.per == name]
            for hop in (*up, *down):
                if hop[1] not in found:
                    found[hop[1]] = Way(start, (*found[name].hops, hop))
                    ahead.append(hop[1])
        front = ahead
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of an entity of a town, in order.

    Attributes:
        town: the town, or the part of it.
        entity: which entity.
        index: their numbers among all of it.
    """

    town: Town
    entity: str
    index: np.ndarray
    _reached: dict[Way, pl.Series] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.index)

    def reach(self, way: Way) -> pl.Series:
        """The number of the row that each reaches; null where there is none."""
        if way not in self._reached:
            self._reached[way] = self._walk(way)
        return self._reached[way]

    def values(self, way: Way, attribute: str) -> pl.Series:
        """An attribute of what each row reaches."""
        column = self.town[way.end][attribute]
        if not way.hops and self.count == len(column):
            return column
        return column.gather(self.reach(way))

    def parents(self, parent: str) -> np.ndarray:
        """The number of the row that each belongs to."""
        return np.asarray(self.town[self.entity][parent].to_numpy()[self.index])

    def _walk(self, way: Way) -> pl.Series:
        numbers = pl.Series(self.index, dtype=pl.Int64)
        at = way.start
        for direction, name in way.hops:
            if direction == "up":
                numbers = self.town[at][name].gather(numbers)
            else:
                children = self.town[name][at].to_numpy()
                inverse = np.full(self.town[at].height, -1)
                inverse[children] = np.arange(len(children))
                found = pl.Series(inverse).gather(numbers)
                numbers = found.set(found < 0, None)
            at = name
        return numbers


def whole(town: Town, entity: str) -> Rows:
    """All rows of an entity; those that a town has once stand in its first part only."""
    once = town.entities[entity].once
    return Rows(town, entity, np.arange(0 if once and town.first else town[entity].height))


def top_of(entities: Mapping[str, Entity], entity: str) -> Way:
    """The way up to what rows belong to at last: what hangs together has one of these."""
    hops: tuple[Hop, ...] = ()
    at = entity
    while (parent := entities[at].per) is not None:
        hops, at = (*hops, ("up", parent)), parent
    return Way(entity, hops)
