"""Usages: one file a field encoding, each with its compiled decoder and its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from extractors.usage import Usage
from extractors.usages import binary, mixed, national, packed, text, zoned

USAGES: tuple[Usage, ...] = (binary.USAGE, mixed.USAGE, national.USAGE, packed.USAGE, text.USAGE, zoned.USAGE)
BY_NAME: Mapping[str, Usage] = MappingProxyType({usage.name: usage for usage in USAGES})
