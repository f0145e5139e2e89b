"""Which records get which fault: at stated rates, from the seed alone, and so far apart that none hides another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from extractors.synthesis.columns import chosen, there
from extractors.synthesis.plans import FaultPlan, KindPlan
from extractors.synthesis.rows import Rows, top_of
from extractors.synthesis.town.contract import Town


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A fault, and the records of the kind that get it, in order."""

    fault: FaultPlan
    at: np.ndarray
    rng: np.random.Generator


@dataclasses.dataclass(frozen=True, slots=True)
class Apart:
    """What has a fault already: of the rows that hang together (a household, its residents, what is theirs) one may."""

    _touched: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def of(self, town: Town, entity: str) -> np.ndarray:
        """By the row of what belongs to nothing, whether something that hangs together with it has a fault."""
        return self._touched.setdefault(entity, np.zeros(town[entity].height, np.bool_))


def draw(kind: KindPlan, rows: Rows, share: float, apart: Apart) -> Iterator[Hit]:
    """Draw the faults of a kind's records.

    Args:
        kind: the kind.
        rows: what its records are of.
        share: what faults without a rate of their own share among them, of all records of the kind.
        apart: what has a fault already; what gets one is noted.
    """
    if not share or not rows.count:
        return
    way = top_of(rows.town.entities, rows.entity)
    top, touched = rows.reach(way).to_numpy(), apart.of(rows.town, way.end)
    spared = np.zeros(rows.count, np.bool_)
    for other in kind.spared:
        spared |= there(other, rows)
    for number, fault in enumerate(kind.faults):
        rng = rows.town.generator("fault", kind.name, str(number))
        fits = chosen(fault.where, rows) & ~spared & ~touched[top]
        if fault.kind.before:
            fits[0] = False
            fits[1:] &= ~touched[top[:-1]]
        at = np.flatnonzero((rng.random(rows.count) < _rate(fault, kind, share)) & fits)
        at = at[np.sort(np.unique(top[at], return_index=True)[1])]
        if fault.kind.before:
            at = at[~np.isin(at - 1, at)]
            touched[top[at - 1]] = True
        touched[top[at]] = True
        yield Hit(fault, at, rng)


def draw_alone(kind: KindPlan, town: Town, share: float) -> Iterator[Hit]:
    """Draw the faults of the one record that is of no entity."""
    for number, fault in enumerate(kind.faults if share else ()):
        rng = town.generator("fault", kind.name, str(number))
        if rng.random() < _rate(fault, kind, share):
            yield Hit(fault, np.zeros(1, np.int64), rng)
            return


def _rate(fault: FaultPlan, kind: KindPlan, share: float) -> float:
    if fault.rate is not None:
        return fault.rate
    return share / sum(other.rate is None for other in kind.faults)
