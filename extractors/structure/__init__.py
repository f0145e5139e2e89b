"""Records of any structure: sections where their counts place them, tables as lists, what is odd by its place."""

from __future__ import annotations

from extractors.structure.odd import Odd
from extractors.structure.seen import Observer, Seen
from extractors.structure.structure import Structure

__all__ = ["Observer", "Odd", "Seen", "Structure"]
