"""What several entities are made with: days, numbers with check digits, and rows that belong to other rows."""

from __future__ import annotations

import numpy as np
import polars as pl

REFERENCE_DAY = np.datetime64("2026-04-01")
"""The day the registers are drawn up for."""

DAY = "timedelta64[D]"

BORN_HERE = 0.45
"""The share of residents who were born in the town."""


def days(count: np.ndarray) -> np.ndarray:
    """Whole numbers as spans of days."""
    return count.astype(np.int64).astype(DAY)


def dates(values: np.ndarray, *, where: np.ndarray | None = None) -> pl.Series:
    """Days as a column of dates; null where `where` does not hold."""
    made = pl.Series(values.astype("datetime64[D]")).cast(pl.Date)
    return made if where is None else made.set(pl.Series(~where), None)


def since(rng: np.random.Generator, first: np.ndarray) -> np.ndarray:
    """A day for each, from its first one to the reference day."""
    span = (REFERENCE_DAY - first).astype(np.int64)
    return np.asarray(first + days(rng.random(len(first)) * span))


def after(rng: np.random.Generator, first: np.ndarray) -> np.ndarray:
    """The day of processing: within two weeks, and not after the reference day."""
    return np.asarray(np.minimum(first + days(rng.integers(0, 15, len(first))), REFERENCE_DAY))


def ordinals(parents: np.ndarray) -> np.ndarray:
    """The place of each row among those of its parent, from 0; the rows of a parent stand together."""
    starts = np.flatnonzero(np.r_[True, parents[1:] != parents[:-1]]) if len(parents) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(parents)])
    return np.asarray(np.arange(len(parents)) - np.repeat(starts, sizes))


def with_digit_11(numbers: np.ndarray, *, digits: int) -> np.ndarray:
    """Numbers with the check digit of 宛名番号 behind them: modulus 11, weights 2 to 7 from the right, 0 for 10 and 11.

    Args:
        numbers: without their check digit.
        digits: how many digits they have.
    """
    total = sum((numbers // 10**place % 10) * (place % 6 + 2) for place in range(digits))
    digit = 11 - total % 11
    return np.asarray(numbers * 10 + np.where(digit > 9, 0, digit))


def number_of(residents: np.ndarray) -> np.ndarray:
    """The number of each resident, counted from 0 over the whole town: ten digits, the last a check digit."""
    return with_digit_11(100_000_001 + residents, digits=9)


def corporate_numbers(base: np.ndarray) -> np.ndarray:
    """法人番号: the check digit of modulus 9 before twelve digits."""
    total = sum((base // 10**place % 10) * (1 + place % 2) for place in range(12))
    return np.asarray((9 - total % 9) * 10**12 + base)
