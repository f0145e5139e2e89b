"""Dates stand in an order: none is after one that is named later.

Only dates known to the day are compared; an unknown or impossible date is reported where it is read.

    birth_before_move: {not_after: [birth, resident_since], of: residents}

Source: the instance's; that a day cannot lie before what it presupposes.
"""

from __future__ import annotations

import itertools

from validators.shapes._given import Given, together
from validators.shapes._terms import Column, Term
from validators.shapes.contract import Parameter, Rule, Shape


def make(given: Given) -> tuple[Rule, ...]:
    """The row fails where any date is after a later named one."""
    dates = given.columns("not_after", "date")
    if len(dates) < 2:
        given.wrong("R002", "`not_after` names two dates or more, the earlier one first")
        return ()
    after = [_after(former, latter) for former, latter in itertools.combinations(dates, 2)]
    wrong = after[0].surely()
    for pair in after[1:]:
        wrong = wrong | pair.surely()
    return given.mask(dates, wrong, *together(dates, " ≦ ", " ≤ "))


def _after(former: Column, latter: Column) -> Term:
    """Whether the one day is after the other; as texts, which all rows can be asked for without reading numbers."""
    known = former.known & latter.known
    later = Term(former.value.expr > latter.value.expr, f'({former.value.sql} > {latter.value.sql} COLLATE "C")')
    return known & later


SHAPE = Shape(
    "not_after",
    __doc__ or "",
    "V413",
    (Parameter("not_after", "two dates or more, the earlier one first", required=True),),
    make,
)
