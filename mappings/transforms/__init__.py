"""Transforms: one file a step that a mapping may take."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mappings.transforms import (
    address_key,
    assign,
    at_time,
    concat,
    date,
    digits,
    fallback,
    fiscal_year,
    geometry,
    kana,
    lookup,
    month_of,
    number,
    resolved,
    slot_time,
    split_name,
    time,
    timestamp,
    trim,
    wareki_date,
    wareki_parts,
    wareki_text,
    width,
)
from mappings.transforms.contract import Transform

TRANSFORMS: tuple[Transform, ...] = (
    address_key.TRANSFORM,
    assign.TRANSFORM,
    at_time.TRANSFORM,
    concat.TRANSFORM,
    date.TRANSFORM,
    digits.TRANSFORM,
    fallback.TRANSFORM,
    fiscal_year.TRANSFORM,
    geometry.TRANSFORM,
    kana.TRANSFORM,
    lookup.TRANSFORM,
    month_of.TRANSFORM,
    number.TRANSFORM,
    resolved.TRANSFORM,
    slot_time.TRANSFORM,
    split_name.TRANSFORM,
    time.TRANSFORM,
    timestamp.TRANSFORM,
    trim.TRANSFORM,
    wareki_date.TRANSFORM,
    wareki_parts.TRANSFORM,
    wareki_text.TRANSFORM,
    width.TRANSFORM,
)
BY_NAME: Mapping[str, Transform] = MappingProxyType({transform.name: transform for transform in TRANSFORMS})
