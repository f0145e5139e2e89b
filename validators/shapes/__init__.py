"""Shapes of rules: what many rules have in common, written once in Polars and once in SQL; one file a shape."""

from __future__ import annotations

from validators.shapes import (
    _beside,
    age_on_day,
    at_least_one,
    chain,
    check_digit,
    code_valid_on,
    count_matches,
    counterpart,
    equal_totals,
    exactly_one,
    form,
    holds,
    multiple_of,
    no_gap,
    no_overlap,
    not_after,
    one_at_most,
    recompute,
    required_with,
    sum_matches,
    sum_of_columns,
    text_repertoire,
    transitions,
    tree,
    within_range,
)
from validators.shapes._expression import FUNCTIONS
from validators.shapes._numbering import MUNICIPALITY, NUMBERINGS
from validators.shapes._written_as import WRITTEN_AS, hint
from validators.shapes.contract import Shape

__all__ = ["BESIDE", "FUNCTIONS", "MUNICIPALITY", "NUMBERINGS", "SHAPES", "WRITTEN_AS", "hint"]

BESIDE = _beside.__doc__ or ""
"""What `beside` says."""

SHAPES: tuple[Shape, ...] = (
    not_after.SHAPE,
    age_on_day.SHAPE,
    one_at_most.SHAPE,
    exactly_one.SHAPE,
    at_least_one.SHAPE,
    count_matches.SHAPE,
    sum_matches.SHAPE,
    sum_of_columns.SHAPE,
    chain.SHAPE,
    equal_totals.SHAPE,
    no_overlap.SHAPE,
    no_gap.SHAPE,
    multiple_of.SHAPE,
    within_range.SHAPE,
    code_valid_on.SHAPE,
    form.SHAPE,
    check_digit.SHAPE,
    required_with.SHAPE,
    holds.SHAPE,
    counterpart.SHAPE,
    recompute.SHAPE,
    transitions.SHAPE,
    tree.SHAPE,
    text_repertoire.SHAPE,
)
