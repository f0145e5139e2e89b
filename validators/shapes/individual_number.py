"""個人番号: the twelfth digit follows from the eleven before it.

Of the n-th digit from the right of the eleven, Q is n + 1 for n up to 6 and n - 5 above; the check digit is 11 less the
remainder of the total by 11, and 0 where that remainder is 0 or 1.

Source: 平成26年総務省令第85号 第5条.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from validators.rules._check_digits import CheckDigit, rules
from validators.rules.contract import Rule, RuleFamily

CHECK = CheckDigit(
    length=12,
    weights=(6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 0),
    modulus=11,
    digits=(0, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1),
    at=11,
)


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give a rule for each column that holds such numbers."""
    return rules("individual_number", tables, lambda _: CHECK)


RULE = RuleFamily("individual_number", __doc__ or "", make, by_column=True)
