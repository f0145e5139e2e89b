"""Transforms: one file a step that a mapping may take."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mappings.transform import Transform
from mappings.transforms import concat, digits, fallback, kana, lookup, number, split_name, trim, wareki_date, width

TRANSFORMS: tuple[Transform, ...] = (
    concat.TRANSFORM,
    digits.TRANSFORM,
    fallback.TRANSFORM,
    kana.TRANSFORM,
    lookup.TRANSFORM,
    number.TRANSFORM,
    split_name.TRANSFORM,
    trim.TRANSFORM,
    wareki_date.TRANSFORM,
    width.TRANSFORM,
)
BY_NAME: Mapping[str, Transform] = MappingProxyType({transform.name: transform for transform in TRANSFORMS})
