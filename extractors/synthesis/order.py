"""Where each record stands: the rows of a kind one after another, behind each those of the kinds that are nested in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extractors.synthesis.plans import KindPlan
from extractors.synthesis.rows import Rows


def nested(kinds: tuple[KindPlan, ...], rows: Mapping[str, Rows]) -> dict[str, Rows]:
    """The rows of each kind without those that belong to a row which is not written."""
    kept: dict[str, Rows] = {}
    for kind in _outermost_first(kinds):
        own = rows[kind.name]
        if kind.per is not None:
            above = kept[_above(kinds, kind).name]
            written = np.zeros(above.town[above.entity].height, np.bool_)
            written[above.index] = True
            own = Rows(own.town, own.entity, own.index[written[own.parents(kind.per)]])
        kept[kind.name] = own
    return kept


def places(kinds: tuple[KindPlan, ...], rows: Mapping[str, Rows]) -> dict[str, np.ndarray]:
    """The place of each record among those of all kinds, from 0.

    Args:
        kinds: those of rows, in the order of the recipe.
        rows: what each of them writes, as `nested` leaves them.
    """
    above = {kind.name: _parents(kinds, kind, rows) for kind in kinds}
    order = _outermost_first(kinds)
    extents = {kind.name: np.ones(rows[kind.name].count, np.int64) for kind in kinds}
    for kind in reversed(order):
        if kind.per is not None:
            parent = _above(kinds, kind).name
            extents[parent] += _sums(above[kind.name], extents[kind.name], len(extents[parent]))
    found: dict[str, np.ndarray] = {}
    free = {name: np.ones(len(extent), np.int64) for name, extent in extents.items()}
    begin = 0
    for kind in order:
        extent = extents[kind.name]
        before = np.cumsum(extent) - extent
        if kind.per is None:
            found[kind.name] = begin + before
            begin += int(extent.sum())
            continue
        parent, owner = _above(kinds, kind).name, above[kind.name]
        taken = _sums(owner, extent, len(extents[parent]))
        first = np.cumsum(taken) - taken
        found[kind.name] = found[parent][owner] + free[parent][owner] + before - first[owner]
        free[parent] += taken
    return found


def _sums(owner: np.ndarray, extent: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(owner, weights=extent, minlength=count).astype(np.int64)


def _outermost_first(kinds: tuple[KindPlan, ...]) -> list[KindPlan]:
    ordered = [kind for kind in kinds if kind.per is None]
    while len(ordered) < len(kinds):
        written = {kind.of for kind in ordered}
        names = {kind.name for kind in ordered}
        ordered += [kind for kind in kinds if kind.name not in names and kind.per in written]
    return ordered


def _above(kinds: tuple[KindPlan, ...], kind: KindPlan) -> KindPlan:
    return next(other for other in kinds if other.of == kind.per)


def _parents(kinds: tuple[KindPlan, ...], kind: KindPlan, rows: Mapping[str, Rows]) -> np.ndarray:
    """The place of each row's parent among the rows that are written."""
    if kind.per is None:
        return np.zeros(0, np.int64)
    above = rows[_above(kinds, kind).name]
    position = np.zeros(above.town[above.entity].height, np.int64)
    position[above.index] = np.arange(above.count)
    return np.asarray(position[rows[kind.name].parents(kind.per)])
