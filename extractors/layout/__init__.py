"""What a record looks like, whoever described it: items as they are nested, fields as they are read, places that vary."""

from __future__ import annotations

from extractors.layout.items import Category, Condition, Field, Item, Picture, every_item, make_field
from extractors.layout.layout import Layout, Rename
from extractors.layout.segments import Joined, Section, Segment, Table

__all__ = [
    "Category",
    "Condition",
    "Field",
    "Item",
    "Joined",
    "Layout",
    "Picture",
    "Rename",
    "Section",
    "Segment",
    "Table",
    "every_item",
    "make_field",
]
