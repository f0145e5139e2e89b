"""RECFM V: each record after a descriptor word (RDW) that holds its length.

    00 06 00 00 C1 C2        the word counts itself: two bytes, "AB"
    00 00 02 00 C1 C2        record_at 2, record_order little, record_inclusive no: the same as other systems write it

A word that cannot be right (shorter than itself, longer than `longest`) is a finding. What follows it is left over, or,
with `resynchronise: yes`, bytes are skipped and counted up to the next place from which words follow one another.
"""

from __future__ import annotations

from extractors.framings._walks import WALK_OPTIONS, bounds, walker
from extractors.framings._words import options_of, read_word
from extractors.framings._writing import worded
from extractors.framings.contract import Framing, FramingFamily
from extractors.layout import Layout
from extractors.options import Options


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    word = read_word(options, "record")
    trailing = options.number("trailing", 0, 0, 64)
    shortest, longest, again = bounds(options, layout)
    return Framing("variable", longest, walker(word, trailing, shortest, longest, again), worded(word, trailing))


FRAMING = FramingFamily(
    name="variable",
    doc=__doc__ or "",
    options={
        **options_of("record", "record descriptor word"),
        "trailing": "bytes after each record, for example a length repeated (0)",
        **WALK_OPTIONS,
    },
    make=make,
)
