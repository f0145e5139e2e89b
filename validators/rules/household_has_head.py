"""A household has a head (続柄 01). None is an alert only: the standard permits it (世帯主未設定を許容).

Who has died or moved out (異動事由 2xx) is no head. Of a household that several records name, the preferred row fails.

Source: 住民記録システム標準仕様書 1.1.10.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import Frames, Query, Rule, RuleFamily, has


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give the rule where there are households and residents."""
    if not (
        has(tables, "resident_records.households", "household_no")
        and has(tables, "resident_records.residents", "household_no", "relationship", "change_reason")
    ):
        return ()

    def failing(frames: Frames) -> pl.LazyFrame:
        heads = (
            frames["resident_records.residents"]
            .filter((pl.col("relationship") == "01") & ~pl.col("change_reason").fill_null("").str.starts_with("2"))
            .select("household_no")
            .unique()
        )
        households = frames["resident_records.households"].filter(pl.col("household_no").is_not_null())
        first = households.sort("_rank", "source_dump", "source_record").unique("household_no", keep="first")
        return first.join(heads, on="household_no", how="anti")

    sql = (
        "SELECT source_record FROM (SELECT household_no, source_record, row_number() OVER (PARTITION BY household_no "
        "ORDER BY _rank, source_dump, source_record) AS place FROM {batch} WHERE household_no IS NOT NULL) AS household "
        "WHERE place = 1 AND NOT EXISTS (SELECT 1 FROM {resident_records.residents} AS resident "
        "WHERE resident.household_no = household.household_no AND resident.relationship = '01' "
        "AND coalesce(resident.change_reason, '') NOT LIKE '2%')"
    )
    return (
        Rule(
            "household_has_head",
            "V412",
            "世帯主",
            "head of household",
            "resident_records.households",
            ("household_no",),
            failing,
            Query(sql),
        ),
    )


RULE = RuleFamily("household_has_head", __doc__ or "", make)
