"""Residents: household by household, the head first; nobody of them is real, and nobody has an individual number.

Ages fit (children are younger than their parents, spouses near), each household has one head, people become residents
at birth or after, and the change that a record names is the last one of the resident's history.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._names import people
from extractors.synthesis.town._tools import BORN_HERE, REFERENCE_DAY, after, dates, days, number_of, ordinals, since
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town

REMARKS = ("転出予定〜確認", "漢字氏名の確認済", "ABC 照会 XYZ", "住所地番確認−要")
MOVED = 0.1
"""The share of residents who have moved within the town."""


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Fill the households."""
    homes, count = town["households"], town.size
    household = np.repeat(np.arange(homes.height), homes["members"].to_numpy())
    place = ordinals(household)
    head_birth = homes["head_birth"].to_numpy()[household]
    head_male = homes["head_male"].to_numpy()[household]
    head_age = (REFERENCE_DAY - head_birth).astype(np.int64) / 365.25

    head = place == 0
    spouse = (place == 1) & homes["couple"].to_numpy()[household]
    parent = (place >= 2) & (rng.random(count) < 0.08) & (head_age < 65)
    child = ~(head | spouse | parent)
    male = np.where(head, head_male, np.where(spouse, ~head_male, rng.random(count) < 0.5))
    years = np.select(
        [head, spouse, parent],
        [
            head_age,
            np.maximum(18, head_age + rng.integers(-6, 7, count)),
            np.minimum(104, head_age + rng.integers(20, 33, count)),
        ],
        np.maximum(0, head_age - rng.integers(20, 40, count)),
    )
    birth = np.where(
        head, head_birth, REFERENCE_DAY - days(years.astype(np.int64) * 365.25 + rng.integers(1, 360, count))
    )
    born_here = np.where(head, homes["head_born_here"].to_numpy()[household], rng.random(count) < BORN_HERE)
    arrived = np.where(head, homes["established"].to_numpy()[household], np.where(born_here, birth, since(rng, birth)))
    moved = (rng.random(count) < MOVED) & (arrived < REFERENCE_DAY - days(np.array(60)))
    changed = np.where(moved, since(rng, arrived + days(np.array(30))), arrived)
    relationship = np.select(
        [head, spouse & male, spouse, parent & male, parent, child], ["01", "02", "03", "21", "22", "11"], "41"
    )
    name, kana = people(rng, male, household)
    remarks = pl.Series(["", *REMARKS]).gather(
        np.where(rng.random(count) < 0.03, rng.integers(1, len(REMARKS) + 1, count), 0)
    )
    return pl.DataFrame(
        {
            "households": household,
            "resident_no": number_of(town.first + np.arange(count)),
            "name": name,
            "kana": kana,
            "sex": pl.Series(["1", "2"]).gather((~male).astype(np.int64)),
            "relationship": relationship,
            "birth": dates(birth),
            "resident_since": dates(arrived),
            "entry_reason": pl.Series(["101", "103"]).gather(born_here.astype(np.int64)),
            "change_reason": pl.Series(["101", "103", "301"]).gather(np.where(moved, 2, born_here.astype(np.int64))),
            "changed": dates(changed),
            "processed": dates(after(rng, changed)),
            "remarks": remarks,
        }
    )


ENTITY = Entity(
    "residents",
    __doc__ or "",
    (
        Attribute(
            "resident_no", pl.Int64, "宛名番号 resident number: ten digits, the last a check digit of modulus 11"
        ),
        Attribute("name", pl.String, "氏名 surname, ideographic space, given name"),
        Attribute("kana", pl.String, "フリガナ in half-width kana"),
        Attribute("sex", pl.String, "性別 code of sex"),
        Attribute("relationship", pl.String, "続柄 code of relationship"),
        Attribute("birth", pl.Date, "生年月日 date of birth"),
        Attribute("resident_since", pl.Date, "住民となった年月日"),
        Attribute("entry_reason", pl.String, "code of change_reason: how the resident came, by birth or by moving in"),
        Attribute("change_reason", pl.String, "異動事由 code of change_reason: that of the last change"),
        Attribute("changed", pl.Date, "異動日 day of the last change"),
        Attribute("processed", pl.Date, "処理日 day on which it was processed, not before it"),
        Attribute("remarks", pl.String, "備考 mostly empty"),
    ),
    make,
    (Relation("per", "households"),),
)
