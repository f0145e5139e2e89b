"""Taxable amounts: what each resident is assessed at; nothing for most, and less than nothing for some."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._tools import REFERENCE_DAY
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Draw an amount for six of ten who are twenty or older."""
    birth = town["residents"]["birth"].to_numpy()
    count = len(birth)
    of_age = (REFERENCE_DAY - birth).astype(np.int64) >= 20 * 365.25
    losses, earned = -rng.integers(1, 9_000, count), rng.integers(0, 900_000, count)
    amount = np.where(rng.random(count) < 0.05, losses, earned)
    return pl.DataFrame(
        {"residents": np.arange(count), "amount": np.where(of_age & (rng.random(count) < 0.6), amount, 0)}
    )


ENTITY = Entity(
    "taxable_amounts",
    __doc__ or "",
    (Attribute("amount", pl.Int64, "課税額 yen"),),
    make,
    (Relation("per", "residents"),),
    single=True,
)
