"""Zoned decimal with SIGN LEADING: the sign is the zone of the first byte.

    C1 F2 F3  ->  123        D1 F2 F3  ->  -123        F1 F2 F3  ->  123        F1 F2 D3  ->  no value

Signs as in `zoned`.
"""

from __future__ import annotations

from extractors.dialects.contract import Dialect
from extractors.layout.storage import DISPLAY, Described, Stored
from extractors.usages import _signs as signs
from extractors.usages._numbers import number_type


def store(item: Described, dialect: Dialect) -> Stored | None:
    """A number in characters with its sign over the first digit."""
    picture = item.picture
    if item.storage != DISPLAY or picture is None or picture.category != "numeric" or item.separate:
        return None
    if not (item.leading and picture.signed):
        return None
    return Stored(picture.size, number_type(picture), picture)


USAGE = signs.usage(
    "zoned_leading", __doc__ or "", over=signs.LEADING, stores=store, empty=b"\x00\x40\xf0\xc0\xd0\x20\x30"
)
