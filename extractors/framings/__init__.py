"""Framings: one file a record format."""

from __future__ import annotations

from collections.abc import Mapping

from extractors.framings import blocked, cells, delimited, fixed, length_field, lines, spanned, undefined, variable
from extractors.framings._rows import odd_cells
from extractors.framings.contract import Framing, FramingFamily
from extractors.layout import Layout
from extractors.options import choose, made

__all__ = ["FRAMINGS", "load", "odd_cells"]

FRAMINGS: tuple[FramingFamily, ...] = (
    blocked.FRAMING,
    cells.FRAMING,
    delimited.FRAMING,
    fixed.FRAMING,
    length_field.FRAMING,
    lines.FRAMING,
    spanned.FRAMING,
    undefined.FRAMING,
    variable.FRAMING,
)


def load(name: str, options: Mapping[str, str], layout: Layout) -> Framing:
    """Make a framing by name.

    Args:
        name: its name in the family.
        options: its own options, as text.
        layout: what a record looks like.

    Raises:
        SpecError: the name, an option or its value is not usable; with every problem of its options.
    """
    family = choose("framing", name, FRAMINGS)
    what = f"option of framing {name}"
    return made(options, lambda said: family.make(said, layout), known=family.options, what=what)
