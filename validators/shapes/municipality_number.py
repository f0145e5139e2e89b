"""全国地方公共団体コード: the sixth digit follows from the five before it.

Weights 6, 5, 4, 3, 2; the check digit is the last digit of 11 less the remainder of the total by 11.

Sources: JIS X 0402; 総務省, 全国地方公共団体コード.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from validators.rules._check_digits import CheckDigit, rules
from validators.rules.contract import Rule, RuleFamily

CHECK = CheckDigit(length=6, weights=(6, 5, 4, 3, 2, 0), modulus=11, digits=(1, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1), at=5)


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give a rule for each column that holds such codes."""
    return rules("municipality_number", tables, lambda _: CHECK)


RULE = RuleFamily("municipality_number", __doc__ or "", make, by_column=True)
