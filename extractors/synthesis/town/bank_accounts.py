"""Bank accounts (口座): from none to two of a party; holders are written in the characters that banks exchange (全銀)."""

from __future__ import annotations

import numpy as np
import polars as pl

from extractors.synthesis.town._tools import dates, since
from extractors.synthesis.town.contract import Attribute, Entity, Relation, Town

SMALL = dict(zip("ｧｨｩｪｫｬｭｮｯｰ", "ｱｲｳｴｵﾔﾕﾖﾂ-", strict=True))
"""Banks know no small kana, and the minus for the long vowel."""

BANKS = 5
BRANCHES = 30


def make(town: Town, rng: np.random.Generator) -> pl.DataFrame:
    """Open accounts with banks that there are not."""
    parties = town["parties"]
    owned = rng.choice(3, size=parties.height, p=(0.4, 0.55, 0.05))
    party = np.repeat(np.arange(parties.height), owned)
    count = len(party)
    corporate = (parties["entity_kind"] == "3").to_numpy()[party]
    holder = parties["kana"].gather(party).str.replace_many(list(SMALL), list(SMALL.values()))
    opened = since(rng, np.maximum(parties["valid_from"].to_numpy()[party], np.datetime64("2000-04-01")))
    return pl.DataFrame(
        {
            "parties": party,
            "bank_code": (9_900 + pl.Series(rng.integers(0, BANKS, count))).cast(pl.String),
            "branch_code": (101 + pl.Series(rng.integers(0, BRANCHES, count))).cast(pl.String),
            "account_type": pl.Series(["1", "2"]).gather((corporate & (rng.random(count) < 0.7)).astype(np.int64)),
            "account_no": pl.Series(1_000_000 + (town.first * 3 + np.arange(count)) % 9_000_000).cast(pl.String),
            "holder": holder,
            "transfer_from": dates(opened),
        }
    )


ENTITY = Entity(
    "bank_accounts",
    __doc__ or "",
    (
        Attribute("bank_code", pl.String, "金融機関コード four digits of no bank"),
        Attribute("branch_code", pl.String, "支店コード three digits"),
        Attribute("account_type", pl.String, "預金種目 1 普通 2 当座, the latter of corporations only"),
        Attribute("account_no", pl.String, "口座番号 seven digits"),
        Attribute("holder", pl.String, "口座名義 in kana without small ones, and no long vowel sign"),
        Attribute("transfer_from", pl.Date, "振替開始日"),
    ),
    make,
    (Relation("per", "parties"),),
)
