"""Usages: one file a field encoding, each with its decoder and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from extractors.charsets.contract import Charset
from extractors.layout.layout import Field
from extractors.usages import (
    binary,
    binary_little,
    edited,
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

_BY_CHARSET = ("text", "mixed", "national")
"""The usages whose text a charset of Unicode reads its own way."""


def usage_of(field: Field, charset: Charset) -> Usage:
    """How a field is read under a charset: its digits may be ASCII, its text Unicode."""
    if charset.usage is not None and field.usage in _BY_CHARSET:
        return BY_NAME[charset.usage]
    return BY_NAME["zoned_ascii" if field.usage == "zoned" and charset.ascii else field.usage]
