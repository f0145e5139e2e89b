"""Usages: one file a field encoding, each with its decoder and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from extractors.usage import Usage
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
    utf16,
    zoned,
    zoned_ascii,
    zoned_leading,
    zoned_separate,
)

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
    utf16.USAGE,
    zoned.USAGE,
    zoned_ascii.USAGE,
    zoned_leading.USAGE,
    zoned_separate.USAGE,
)
BY_NAME: Mapping[str, Usage] = MappingProxyType({usage.name: usage for usage in USAGES})
