"""Numeric DISPLAY with SIGN LEADING or TRAILING SEPARATE: the sign is a byte of its own, + or -.

F1 F2 4E  ->  12 (trailing)        60 F1 F2  ->  -12 (leading)        F1 F2 40  ->  no value: the sign is missing
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _signs as signs
from extractors.usages._numbers import number_type


def store(item: Described, dialect: Dialect) -> Stored | None:
    """A number in characters whose sign takes a byte."""
    picture = item.picture
    if item.storage != DISPLAY or picture is None or picture.category != "numeric" or not item.separate:
        return None
    return Stored(picture.size + 1, number_type(picture), picture)


USAGE = signs.usage(
    "zoned_separate", __doc__ or "", over=None, stores=store, empty=b"\x00\x40\xf0\x4e\x60\x20\x30\x2b\x2d"
)
