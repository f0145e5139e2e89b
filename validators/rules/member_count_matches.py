"""The number of members that a household states is the number of residents received for it.

A difference is an alert: the count of a legacy register is often kept by hand.

Source: none; it is a count that registers carry, and so proves that no member was lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import Frames, Query, Rule, RuleFamily, has


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give the rule where households state a count."""
    if not (
        has(tables, "resident_records.households", "household_no", "member_count")
        and has(tables, "resident_records.residents", "household_no")
    ):
        return ()

    def failing(frames: Frames) -> pl.LazyFrame:
        received = frames["resident_records.residents"].group_by("household_no").agg(pl.len().alias("received"))
        stated = frames["resident_records.households"].filter(
            pl.col("member_count").is_not_null() & pl.col("household_no").is_not_null()
        )
        counted = stated.join(received, on="household_no", how="left")
        return counted.filter(pl.col("received").fill_null(0) != pl.col("member_count"))

    sql = (
        "SELECT household.source_record FROM (SELECT * FROM {batch}) AS household LEFT JOIN (SELECT household_no, count(*) AS received "
        "FROM {resident_records.residents} GROUP BY household_no) AS members ON members.household_no = household.household_no "
        "WHERE household.household_no IS NOT NULL AND member_count IS NOT NULL "
        "AND coalesce(members.received, 0) <> member_count"
    )
    return (
        Rule(
            "member_count_matches",
            "V417",
            "世帯人数",
            "number of members",
            "resident_records.households",
            ("member_count", "household_no"),
            failing,
            Query(sql),
        ),
    )


RULE = RuleFamily("member_count_matches", __doc__ or "", make)
