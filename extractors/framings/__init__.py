"""Framings: one file a record format."""

from __future__ import annotations

from collections.abc import Mapping

from extractors.framing import Framing, FramingFamily
from extractors.framings import fixed
from extractors.options import choose

FRAMINGS: tuple[FramingFamily, ...] = (fixed.FRAMING,)


def load(name: str, options: Mapping[str, str], layout_length: int) -> Framing:
    """Make a framing by name.

    Args:
        name: its name in the family.
        options: its own options, as text.
        layout_length: bytes of the layout, the shortest record that can be read.

    Raises:
        SpecError: the name or an option is not known or not usable.
    """
    return choose("framing", name, FRAMINGS, options).make(options, layout_length)
