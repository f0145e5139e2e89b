"""A household has one head at most (続柄 01): the second and later ones fail, in the order of dump and record.

Who has died or moved out (異動事由 2xx) keeps the relationship in the record and is no head any more.

Source: 住民基本台帳法 第7条第4号 (of each resident, whether head of the household or the relationship to the head).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import KEY, Frames, Query, Rule, RuleFamily, has


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give the rule where residents have a household and a relationship."""
    if not has(tables, "resident_records.residents", "household_no", "relationship", "change_reason"):
        return ()

    stays = ~pl.col("change_reason").fill_null("").str.starts_with("2")

    def failing(frames: Frames) -> pl.LazyFrame:
        heads = frames["resident_records.residents"].filter(
            (pl.col("relationship") == "01") & pl.col("household_no").is_not_null() & stays
        )
        return heads.sort(KEY, maintain_order=True).filter(pl.int_range(pl.len()).over("household_no") > 0)

    sql = (
        "SELECT source_record FROM (SELECT source_record, row_number() OVER (PARTITION BY household_no "
        "ORDER BY source_dump, source_record) AS place FROM {batch} "
        "WHERE relationship = '01' AND household_no IS NOT NULL AND coalesce(change_reason, '') NOT LIKE '2%') AS heads "
        "WHERE place > 1"
    )
    return (
        Rule(
            "single_head",
            "V411",
            "世帯主",
            "head of household",
            "resident_records.residents",
            ("relationship", "household_no"),
            failing,
            Query(sql),
        ),
    )


RULE = RuleFamily("single_head", __doc__ or "", make)
