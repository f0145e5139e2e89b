"""保険者番号: the eighth digit (of six-digit ones the sixth) follows from the others, modulus 10 with weights 2 and 1.

From the right of the digits before it, weights 2, 1, 2, 1 and so on; of a product the digits are summed; the check digit
makes the total a multiple of 10. National health insurance and 介護保険 use the same rule: a column says by its length which
it holds, 8 or 6.

Source: 厚生労働省, 保険者番号等の設定要領.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from migration_reports.items import Item
from validators.rules._check_digits import CheckDigit, rules
from validators.rules.contract import Rule, RuleFamily


def _check(item: Item) -> CheckDigit:
    length = item.length
    weights = tuple(2 if n % 2 == 0 else 1 for n in range(length - 1))[::-1]
    return CheckDigit(
        length=length,
        weights=(*weights, 0),
        modulus=10,
        digits=(0, 9, 8, 7, 6, 5, 4, 3, 2, 1),
        at=length - 1,
        sums=True,
    )


def make(tables: Mapping[str, sa.Table], options: Mapping[str, str]) -> tuple[Rule, ...]:  # noqa: ARG001
    """Give a rule for each column that holds such numbers."""
    return rules("insurer_number", tables, _check)


RULE = RuleFamily("insurer_number", __doc__ or "", make, by_column=True)
