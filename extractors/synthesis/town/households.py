"""Households: one row a household, with the head that it is named after and the place where it lives."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._names import places
from extractors.synthesis.town._tools import BORN_HERE, REFERENCE_DAY, dates, days, number_of, since
from extractors.synthesis.town.contract import Attribute, Entity, Town

SIZES = (0.38, 0.28, 0.16, 0.12, 0.04, 0.02)
"""The shares of households of one to six."""


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Divide the residents into households, and give each a head and a home."""
    sizes = _sizes(town.size, rng)
    count = len(sizes)
    age = np.clip(rng.normal(55, 17, count), 20, 97).astype(np.int64)
    age = np.where(sizes > 2, np.clip(age, 27, 78), age)
    birth = REFERENCE_DAY - days(age * 365.25 + rng.integers(1, 360, count))
    born_here = rng.random(count) < BORN_HERE
    return pl.DataFrame(
        {
            "household_no": town.first + 1 + np.arange(count),
            "members": sizes,
            "head_no": number_of(town.first + np.cumsum(sizes) - sizes),
            "head_male": rng.random(count) < 0.74,
            "head_birth": dates(birth),
            "head_born_here": born_here,
            "couple": rng.random(count) < 0.85,
            "established": dates(np.where(born_here, birth, since(rng, birth))),
        }
    ).hstack(places(rng, count))


def _sizes(residents: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.choice(np.arange(1, 7), size=residents, p=SIZES)
    ends = np.cumsum(drawn)
    sizes = drawn[: int(np.searchsorted(ends, residents)) + 1].copy()
    sizes[-1] -= sizes.sum() - residents
    return sizes


ENTITY = Entity(
    "households",
    __doc__ or "",
    (
        Attribute("household_no", pl.Int64, "世帯番号 household number"),
        Attribute("members", pl.Int64, "世帯人数 how many residents it has"),
        Attribute("head_no", pl.Int64, "世帯主宛名番号 resident number of the head"),
        Attribute("head_male", pl.Boolean, "whether the head is a man"),
        Attribute("head_birth", pl.Date, "生年月日 the head's date of birth"),
        Attribute("head_born_here", pl.Boolean, "whether the head was born here"),
        Attribute("couple", pl.Boolean, "whether the second of it is the head's spouse"),
        Attribute("established", pl.Date, "世帯設定日 since when the head lives here"),
        Attribute("postal_code", pl.String, "郵便番号 seven digits of an area that is given out to nobody"),
        Attribute("address", pl.String, "住所 in full-width characters"),
        Attribute("building", pl.String, "方書 building and room; mostly empty"),
    ),
    make,
)
