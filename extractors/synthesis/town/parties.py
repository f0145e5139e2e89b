"""Parties (宛名): everyone who can be billed: the residents, people registered elsewhere (住登外), and corporations."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._names import firms, people, places
from extractors.synthesis.town._tools import REFERENCE_DAY, corporate_numbers, dates, days, since, with_digit_11
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town

OUTSIDERS, CORPORATIONS = 0.06, 0.02
"""How many there are for each resident; at least one of each."""

FIRST_CORPORATION = 990_000_000_000
"""Numbers from here on are given out to nobody."""


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """List the residents, then outsiders, then corporations."""
    parts = (_residents(town), _outsiders(town, rng), _corporations(town, rng))
    listed = pl.concat(parts, how="diagonal")
    number = with_digit_11(200_000_001 + town.first * 2 + np.arange(listed.height), digits=9)
    return listed.with_columns(party_no=pl.Series(number)).select(
        "residents", *(attribute.name for attribute in ENTITY.attributes)
    )


def _residents(town: Town) -> pl.DataFrame:
    residents, homes = town["residents"], town["households"]
    home = homes.select("postal_code", "address", "building")[residents["households"]]
    return residents.select(
        pl.lit("1").alias("entity_kind"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("residents"),
        "resident_no",
        "name",
        "kana",
        "birth",
        "sex",
        pl.col("resident_since").alias("valid_from"),
    ).hstack(home)


def _outsiders(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    count = max(1, round(town.size * OUTSIDERS))
    male = rng.random(count) < 0.5
    name, kana = people(rng, male, np.arange(count))
    birth = REFERENCE_DAY - days(rng.integers(20, 95, count) * 365.25 + rng.integers(1, 360, count))
    return pl.DataFrame(
        {
            "entity_kind": pl.repeat("2", count, eager=True),
            "name": name,
            "kana": kana,
            "birth": dates(birth),
            "sex": pl.Series(["1", "2"]).gather((~male).astype(np.int64)),
            "valid_from": dates(since(rng, birth)),
        }
    ).hstack(places(rng, count))


def _corporations(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    count = max(1, round(town.size * CORPORATIONS))
    name, kana = firms(rng, count)
    founded = since(rng, np.full(count, np.datetime64("1990-04-01")))
    return pl.DataFrame(
        {
            "entity_kind": pl.repeat("3", count, eager=True),
            "corporate_no": corporate_numbers(FIRST_CORPORATION + town.first + np.arange(count)),
            "name": name,
            "kana": kana,
            "valid_from": dates(founded),
        }
    ).hstack(places(rng, count))


ENTITY = Entity(
    "parties",
    __doc__ or "",
    (
        Attribute("party_no", pl.Int64, "統合宛名番号 ten digits, the last a check digit of modulus 11"),
        Attribute("entity_kind", pl.String, "宛名区分 1 住民 2 住登外 3 法人"),
        Attribute("resident_no", pl.Int64, "宛名番号 of a resident"),
        Attribute("corporate_no", pl.Int64, "法人番号 of a corporation, with its check digit; given out to nobody"),
        Attribute("name", pl.String, "氏名・名称"),
        Attribute("kana", pl.String, "フリガナ in half-width kana, that of a corporation in the characters of banks"),
        Attribute("birth", pl.Date, "生年月日 of a person"),
        Attribute("sex", pl.String, "性別 of a person"),
        Attribute("postal_code", pl.String, "郵便番号"),
        Attribute("address", pl.String, "住所 a resident's is that of the household"),
        Attribute("building", pl.String, "方書"),
        Attribute("valid_from", pl.Date, "有効開始日"),
    ),
    make,
    (Relation("of", "residents"),),
)
