"""Amounts of households: what the members of each are assessed at, together and on average."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:  # noqa: ARG001  nothing of it is left to chance
    """Sum the amounts of the members."""
    homes = town["households"]
    household, amounts = town["residents"]["households"].to_numpy(), town["taxable_amounts"]["amount"].to_numpy()
    total = np.bincount(household, weights=amounts, minlength=homes.height).astype(np.int64)
    average = np.round(total * 100 / homes["members"].to_numpy()).astype(np.int64)
    hundredths = pl.Series(average).cast(pl.Decimal(15, 2)) / 100
    return pl.DataFrame(
        {
            "households": np.arange(homes.height),
            "total": total,
            "average": hundredths.cast(pl.Decimal(13, 2)),
        }
    )


ENTITY = Entity(
    "household_amounts",
    __doc__ or "",
    (
        Attribute("total", pl.Int64, "課税額計 yen"),
        Attribute("average", pl.Decimal(13, 2), "平均額 yen, to the hundredth"),
    ),
    make,
    (Relation("per", "households"),),
    single=True,
)
