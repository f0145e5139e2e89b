"""Changes: the history of each resident, from moving in or birth to the last change, in order."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._tools import after, dates, days, ordinals
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town

MOST = 4
"""A resident who has moved within the town has so many changes at the most."""


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Give everyone a first change, and one to three more to those who have moved."""
    people = town["residents"]
    moves = np.where((people["change_reason"] == "301").to_numpy(), rng.integers(1, MOST, people.height), 0)
    resident = np.repeat(np.arange(people.height), moves + 1)
    number = ordinals(resident)
    most = moves[resident]
    arrived, changed = (people[name].to_numpy()[resident] for name in ("resident_since", "changed"))
    way = (changed - arrived).astype(np.int64)
    day = arrived + days(np.where(most > 0, way * number // np.maximum(most, 1), 0))
    last = number == most
    processed = np.where(last, people["processed"].to_numpy()[resident], after(rng, day))
    first = people["entry_reason"].gather(resident)
    return pl.DataFrame(
        {
            "residents": resident,
            "change_no": number + 1,
            "change_reason": pl.select(
                pl.when(pl.Series(number == 0)).then(first).otherwise(pl.lit("301"))
            ).to_series(),
            "changed": dates(day),
            "processed": dates(processed),
        }
    )


ENTITY = Entity(
    "changes",
    __doc__ or "",
    (
        Attribute("change_no", pl.Int64, "異動連番 from 1, without gaps"),
        Attribute("change_reason", pl.String, "異動事由 code of change_reason"),
        Attribute("changed", pl.Date, "異動日 not before that of the change before it"),
        Attribute("processed", pl.Date, "処理日 not before the day of the change"),
    ),
    make,
    (Relation("per", "residents"),),
)
