"""法人番号: the first of thirteen digits follows from the twelve after it.

9 less the remainder by 9 of the total, in which digits at odd places from the right count once and at even places twice.

Source: 法人番号の指定等に関する省令 (平成26年財務省令第70号) 第2条.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from validators.rules._check_digits import CheckDigit, rules
from validators.rules.contract import Rule, RuleFamily

CHECK = CheckDigit(
    length=13, weights=(0, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1), modulus=9, digits=(9, 8, 7, 6, 5, 4, 3, 2, 1), at=0
)


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give a rule for each column that holds such numbers."""
    return rules("corporate_number", tables, lambda _: CHECK)


RULE = RuleFamily("corporate_number", __doc__ or "", make, by_column=True)
