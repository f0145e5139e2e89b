"""A postal code is seven digits (郵便番号).

Source: 郵便番号 of seven digits, in force since 2 February 1998; registers may still have those of three or five.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import sqlalchemy as sa

from validators.rules.contract import Expectation, Rule, RuleFamily, has

PATTERN = "^[0-9]{7}$"


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give a rule for each table with a postal code."""
    return tuple(
        Rule(
            f"postal_code_form.{name}",
            "V415",
            "郵便番号",
            "postal code",
            name,
            ("postal_code",),
            ~pl.col("postal_code").str.contains(PATTERN),
            Expectation("ExpectColumnValuesToMatchRegex", {"column": "postal_code", "regex": PATTERN}),
        )
        for name in tables
        if has(tables, name, "postal_code")
    )


RULE = RuleFamily("postal_code_form", __doc__ or "", make)
