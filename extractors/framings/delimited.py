"""Rows of cells between separators, as spreadsheets and databases write them: CSV, TSV.

    No,氏名<CR LF> 1,"山田, 太郎"<CR LF>        one row, of a number and a text with a comma in it

The layout is a sheet of columns, and the head of the file says which cells are whose: columns in another order are no
finding, one that is missing is. A cell in quotes may hold separators, line breaks and, written twice, quotes. A row ends
with LF or CR LF, the last one without, too; an empty line is no row. A row of fewer or more cells than the head is a
finding and is kept as it stands. A quote that nothing closes ends with its line, and the next row is a row again.
"""

from __future__ import annotations

from extractors.framings._rows import Form, framing
from extractors.framings.contract import MAX_LENGTH, Framing, FramingFamily
from extractors.layout import Layout
from extractors.options import Options

_SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";"}
_QUOTES = {"double": '"', "single": "'", "none": ""}


def make(options: Options, layout: Layout) -> Framing:
    """Make the framing."""
    separator = _SEPARATORS[options.choice("separator", "comma", tuple(_SEPARATORS))]
    quote = _QUOTES[options.choice("quote", "double", tuple(_QUOTES))]
    head = 0 if options.get("head") == "none" else options.number("head", 1, 1, 1_000)
    longest = options.number("longest", min(max(1 << 20, 2 * layout.length), MAX_LENGTH), 1, MAX_LENGTH)
    columns = tuple(filter(None, (name.strip() for name in options.get("columns", "").split(","))))
    if columns and head:
        options.refuse("columns says what no head does", ("head: none",))
    form = Form(ord(separator), ord(quote) if quote else -1, 10, head, longest, columns=columns)
    return framing("delimited", form, layout, options)


FRAMING = FramingFamily(
    name="delimited",
    doc=__doc__ or "",
    options={
        "separator": "comma, tab or semicolon (comma)",
        "quote": "double, single or none: what a cell with a separator in it stands between (double)",
        "head": "the row with the names of the columns, 1 the first, or none: they stand as in the sheet (1)",
        "columns": "without a head, the columns in their order, separated by commas (those of the sheet)",
        "longest": "bytes of the longest row that is believed (1,048,576, or twice the layout's if that is more)",
    },
    make=make,
)
