"""What is counted for controls while a dump is read, group by group and parent by parent, and how portions add up."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from migration_reports.records.run_record import Frozen
from migration_reports.records.sums import EXACT, values_by


class Group(NamedTuple):
    """What was counted of the records of one group of a control.

    Attributes:
        values: what stands in the fields that make the groups; None where it cannot be read.
        records: how many records the control means.
        first: the first of them.
        total: their number, or the sum of what is added up.
        read: the same of every record of the group, whether the control means it or not.
        left: the same of those that are left.
    """

    values: tuple[str | None, ...]
    records: int
    first: int
    total: Decimal
    read: Decimal
    left: Decimal

    @classmethod
    def added(cls, some: Sequence[Group]) -> Group:
        """What was counted of the same group apart."""
        return cls(
            some[0].values,
            sum(one.records for one in some),
            min(one.first for one in some),
            *(functools.reduce(EXACT.add, amounts) for amounts in zip(*(one[3:] for one in some), strict=True)),
        )


MOST_GROUPS = 100_000
"""Of a control. One with more groups persons or vouchers, and proves nothing: it says so."""


def groups_of_all(parts: Iterable[Mapping[str, tuple[Group, ...]]]) -> dict[str, tuple[Group, ...]]:
    """The groups of several portions, those of one control in the order of their values; of too many only that they are."""
    found = {}
    for name, some in values_by(parts).items():
        by_values = values_by({group.values: group} for groups in some for group in groups)
        order = sorted(by_values, key=lambda values: [(value is None, value or "") for value in values])
        found[name] = tuple(Group.added(by_values[values]) for values in order[: MOST_GROUPS + 1])
    return found


class Parents(Frozen):
    """Of a control per parent, how many parents there are, and how many of them state another total than is found."""

    parents: int
    differing: int
