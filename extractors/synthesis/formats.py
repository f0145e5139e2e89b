"""How days are written as numbers, and the numbers that are no days in each way of writing them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

ERAS = np.array(["1868-01-25", "1912-07-30", "1926-12-25", "1989-01-08", "2019-05-01"], "datetime64[D]")
BEFORE_FIRST = np.array([1867, 1911, 1925, 1988, 2018])


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """One way of writing days.

    Attributes:
        name: what recipes call it.
        doc: what it is.
        write: days as int64.
        wrong: by the name of a fault, the number that makes it.
    """

    name: str
    doc: str
    write: Callable[[np.ndarray], np.ndarray]
    wrong: Mapping[str, int]


def era(days: np.ndarray) -> np.ndarray:
    """Days as GYYMMDD numbers of the Japanese calendar (1 明治 to 5 令和), int64."""
    number = np.searchsorted(ERAS, days, side="right") - 1
    year, month_and_day = _parts(days)
    return np.asarray((number + 1) * 1_000_000 + (year - BEFORE_FIRST[number]) * 10_000 + month_and_day)


def ymd(days: np.ndarray) -> np.ndarray:
    """Days as YYYYMMDD numbers, int64."""
    year, month_and_day = _parts(days)
    return np.asarray(year * 10_000 + month_and_day)


def _parts(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The year of each day, and its month and day as MMDD."""
    months = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    return year, (months.astype(np.int64) % 12 + 1) * 100 + (days - months).astype(np.int64) + 1


_FORMATS = (
    Format(
        "era",
        "GYYMMDD, the era's number (1 明治 to 5 令和) before the year, month and day",
        era,
        MappingProxyType(
            {
                "bad_era": 9_010_101,
                "impossible_date": 3_630_230,
                "unknown_day": 3_200_100,
                "outside_era": 4_010_107,
                "zero_date": 0,
            }
        ),
    ),
    Format(
        "ymd",
        "YYYYMMDD of the western calendar",
        ymd,
        MappingProxyType({"impossible_date": 19_880_230, "unknown_day": 19_450_100, "zero_date": 0}),
    ),
)

FORMATS: Mapping[str, Format] = MappingProxyType({form.name: form for form in _FORMATS})
