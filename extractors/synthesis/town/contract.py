"""What an entity is: one kind of thing in an invented town, its attributes, and how it hangs together with others.

A town is made of entities, each a table by the column. `per` is what a row belongs to: a resident to a household; rows
stand in the order of what they belong to. `of` is what a row may speak of: a party of a resident. Both are columns
named after the other entity that hold the number of its row, from 0; `of` is null where there is none.

Each entity draws from a generator of its own, keyed by the town's seed and its name: a new entity changes no other.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
import polars as pl

Type = type[pl.DataType] | pl.DataType

PART = 100_000
"""Residents of a town that are made at a time: a larger town is made in parts that do not refer to each other."""


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its name, the Polars type of its values, and what it is. Dates are dates, codes those of the standard."""

    name: str
    type: Type
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class Relation:
    """What a row belongs to (`per`), or speaks of (`of`)."""

    kind: Literal["per", "of"]
    entity: str


@dataclasses.dataclass(frozen=True, slots=True)
class Entity:
    """One kind of thing in a town.

    Attributes:
        name: its name in the family.
        doc: the module's docstring, for the reference.
        attributes: what each of its rows says.
        make: makes its rows, from the town and its own generator.
        relations: to other entities; one `per` at most.
        single: whether what it belongs to has at most one of it.
        once: whether there is one set for the whole town, however large: the same in each of its parts.
    """

    name: str
    doc: str
    attributes: tuple[Attribute, ...]
    make: Callable[[Town, np.random.Generator], pl.DataFrame]
    relations: tuple[Relation, ...] = ()
    single: bool = False
    once: bool = False

    @property
    def per(self) -> str | None:
        """The entity that its rows belong to."""
        return next((relation.entity for relation in self.relations if relation.kind == "per"), None)


@dataclasses.dataclass(frozen=True, slots=True)
class Town:
    """A town, or one part of a large one; its entities are made when they are asked for, once.

    Attributes:
        entities: those that there are, by name.
        seed: the same seed gives the same town.
        first: how many residents the parts before this one have.
        size: how many residents this part has.
    """

    entities: Mapping[str, Entity]
    seed: int
    first: int
    size: int
    _made: dict[str, pl.DataFrame] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The rows of an entity, with a column for each attribute and relation."""
        if name not in self._made:
            entity = self.entities[name]
            self._made[name] = entity.make(self, self.generator(name, once=entity.once))
        return self._made[name]

    def generator(self, *names: str, once: bool = False) -> np.random.Generator:
        """Where chance comes from, for what is called so; the same in every part with `once`."""
        key = "/".join((str(self.seed), "" if once else str(self.first), *names))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big"))


def parts(entities: tuple[Entity, ...], *, residents: int, seed: int) -> Iterator[Town]:
    """A town, in parts of bounded size."""
    by_name = {entity.name: entity for entity in entities}
    for first in range(0, residents, PART):
        yield Town(by_name, seed, first, min(PART, residents - first))
