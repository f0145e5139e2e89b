"""Rows of cells as containers of tables give them (xlsx, ldif, shapefile, xml): what a person never writes by hand.

    <1A>0No<1F>氏名<1E> 1<1F>山田<1E>        a head, and a row of two cells

Cells are separated by 1F and rows end with 1E, so that a cell may hold anything else. A row that begins with 1A and a
digit is a head (0) or something that the container has to say; a row of 1A 9 was hidden. A cell that begins with 1A and
a byte over 40 is marked: a number, a formula, an error, a day, of a merged area, or with a control character replaced.
"""

from __future__ import annotations

from extractors.framings._rows import Form, framing
from extractors.framings.contract import MAX_LENGTH, Framing, FramingFamily
from extractors.kernels.rows import END, SEPARATOR
from extractors.layout import Layout
from extractors.options import Options


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    return framing("cells", Form(SEPARATOR, -1, END, 0, MAX_LENGTH, marked=True), layout, options)


FRAMING = FramingFamily(name="cells", doc=__doc__ or "", options={}, make=make)
