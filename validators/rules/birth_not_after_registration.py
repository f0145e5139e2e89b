"""Nobody became a resident before being born (生年月日 ≤ 住民となった年月日).

Only dates known to the day are compared: an unknown or impossible date is reported where it is read.

Source: 住民基本台帳法 第7条 (both days stand in the record; that one is before the other is not said, but meant).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import Query, Rule, RuleFamily, has


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give the rule where residents have both dates."""
    if not has(tables, "resident_records.residents", "birth_key", "resident_since_key"):
        return ()
    known = (pl.col("birth_precision") == "day") & (pl.col("resident_since_precision") == "day")
    sql = (
        "SELECT source_record FROM {batch} WHERE birth_precision = 'day' AND resident_since_precision = 'day' "
        "AND birth_key > resident_since_key"
    )
    return (
        Rule(
            "birth_not_after_registration",
            "V414",
            "生年月日と住民となった年月日",
            "date of birth and date of becoming a resident",
            "resident_records.residents",
            ("birth", "resident_since"),
            known & (pl.col("birth_key") > pl.col("resident_since_key")),
            Query(sql),
        ),
    )


RULE = RuleFamily("birth_not_after_registration", __doc__ or "", make)
