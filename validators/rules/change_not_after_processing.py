"""A change is not dated after the day it was processed, but for a move out (異動日 ≤ 処理日、転出を除く).

Source: 住民記録システム標準仕様書 4.0.3. A move out may be notified, and processed, before the day of moving.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import Query, Rule, RuleFamily, has

MOVES_OUT = ("201", "202")
"""異動事由 国内転出 and 国外転出."""


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give the rule where residents have both dates."""
    if not has(tables, "resident_records.residents", "changed_key", "processed_key", "change_reason"):
        return ()
    known = (pl.col("changed_precision") == "day") & (pl.col("processed_precision") == "day")
    stays = ~pl.col("change_reason").is_in(MOVES_OUT).fill_null(value=False)
    sql = (
        "SELECT source_record FROM {batch} WHERE changed_precision = 'day' AND processed_precision = 'day' "
        "AND changed_key > processed_key AND (change_reason IS NULL OR change_reason NOT IN ('201', '202'))"
    )
    return (
        Rule(
            "change_not_after_processing",
            "V413",
            "異動日と処理日",
            "date of change and date of processing",
            "resident_records.residents",
            ("changed", "processed", "change_reason"),
            known & stays & (pl.col("changed_key") > pl.col("processed_key")),
            Query(sql),
        ),
    )


RULE = RuleFamily("change_not_after_processing", __doc__ or "", make)
