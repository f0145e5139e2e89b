"""Protective measures (支援措置): who must not be told of. Two of a thousand residents; at least one in a town of 500 or more."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._tools import dates, since
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town

SHARE = 0.002


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Draw who is protected, and since when."""
    people = town["residents"]
    protected = np.flatnonzero(rng.random(people.height) < SHARE)
    if not len(protected) and people.height * SHARE >= 1:
        protected = rng.integers(0, people.height, 1)
    begun = since(rng, people["resident_since"].to_numpy()[protected])
    return pl.DataFrame(
        {
            "residents": protected,
            "measure_kind": pl.repeat("01", len(protected), dtype=pl.String, eager=True),
            "decided": dates(begun),
        }
    )


ENTITY = Entity(
    "protective_measures",
    __doc__ or "",
    (
        Attribute("measure_kind", pl.String, "抑止種別 code of measure_kind"),
        Attribute("decided", pl.Date, "決定日 not before the resident came"),
    ),
    make,
    (Relation("per", "residents"),),
    single=True,
)
