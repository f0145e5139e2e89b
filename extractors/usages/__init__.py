"""Usages: one file a field encoding, each with its decoder and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from extractors.charsets.contract import Charset
from extractors.dialects.contract import Dialect
from extractors.layout import Field
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages import (
    binary,
    binary_little,
    edited,
    figures,
    float_ibm,
    float_ieee,
    float_ieee_little,
    mixed,
    national,
    packed,
    packed_unsigned,
    raw,
    text,
    utf8,
    utf16,
    zoned,
    zoned_ascii,
    zoned_leading,
    zoned_separate,
)
from extractors.usages.contract import Usage

USAGES: tuple[Usage, ...] = (
    binary.USAGE,
    binary_little.USAGE,
    raw.USAGE,
    edited.USAGE,
    figures.USAGE,
    float_ibm.USAGE,
    float_ieee.USAGE,
    float_ieee_little.USAGE,
    mixed.USAGE,
    national.USAGE,
    packed.USAGE,
    packed_unsigned.USAGE,
    text.USAGE,
    utf8.USAGE,
    utf16.USAGE,
    zoned.USAGE,
    zoned_ascii.USAGE,
    zoned_leading.USAGE,
    zoned_separate.USAGE,
)
BY_NAME: Mapping[str, Usage] = MappingProxyType({usage.name: usage for usage in USAGES})


def _words() -> Mapping[str, Storage]:
    """Every word of the USAGE clause, COMP spelled out too."""
    words = {word: storage for usage in USAGES for word, storage in usage.words.items()}
    spelled = {word.replace("COMP", "COMPUTATIONAL"): storage for word, storage in words.items() if "COMP" in word}
    return MappingProxyType({**words, **spelled})


WORDS = _words()


def usage_of(field: Field, charset: Charset) -> Usage:
    """How a field is read under a charset: its digits may be ASCII, its text Unicode."""
    usage = BY_NAME[field.usage]
    other = usage.becomes(charset) if usage.becomes is not None else None
    return BY_NAME[other] if other is not None else usage


def stored(item: Described, dialect: Dialect) -> tuple[Usage, Stored] | None:
    """The usage that an item of a copybook is of, and the place it takes; None where no usage has such items."""
    for usage in USAGES:
        place = usage.stores(item, dialect) if usage.stores is not None else None
        if place is not None:
            return usage, place
    return None
