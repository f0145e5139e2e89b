"""The head of a file of rows: which cell of a row is of which column."""

from __future__ import annotations

import contextlib
import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from extractors.framings.contract import State, Trouble
from extractors.layout import Layout

ENCODINGS = ("utf-8", "cp932", "euc_jp")
"""In which a head is compared with the sheet's headings."""

SHOWN = 10
"""How many columns a trouble names."""


def known_columns(layout: Layout) -> Mapping[str, Sequence[int]]:
    """The columns of the sheet by what a head may call them."""
    known: dict[str, list[int]] = {}
    for names in (layout.headings, [item.name for item in layout.record.children]):
        for number, name in enumerate(names):
            columns = known.setdefault(_plain(name), [])
            if number not in columns:
                columns.append(number)
    return known


def _plain(name: str) -> str:
    """A heading without spaces, line breaks and the widths of its characters."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def read_head(
    cells: Sequence[bytes], known: Mapping[str, Sequence[int]], layout: Layout
) -> tuple[State, list[Trouble]]:
    """What a head says: the state behind it, () where it is none, and what is wrong with it."""
    order: list[int] = []
    for cell in cells:
        columns = (known.get(_plain(name), ()) for name in _readings(cell))
        free = (column for some in columns for column in some if column not in order)
        order.append(next(free, -1))
    if max(order, default=-1) < 0:
        return (), [Trouble("F147", 0, 0, f"none of its {len(order)} cells is a heading of {layout.file}")]
    troubles = []
    lacking = [name for number, name in enumerate(layout.headings) if number not in order]
    if lacking:
        troubles.append(Trouble("F145", 0, 0, ", ".join(lacking[:SHOWN]) + (" ..." if lacking[SHOWN:] else "")))
    others = [str(number) for number, column in enumerate(order, 1) if column < 0]
    if others:
        troubles.append(
            Trouble("F146", 0, 0, f"column {', '.join(others[:SHOWN])}" + (" ..." if others[SHOWN:] else ""))
        )
    return (1, *order), troubles


def cells_of(row: bytes, separator: str, quote: str) -> list[bytes]:
    """The cells of a row, their quotes taken off; none where they cannot be told."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    try:
        (cells,) = csv.reader([row.decode("latin-1")], delimiter=separator, quotechar=quote or None, quoting=quoting)
    except (csv.Error, ValueError):
        return []
    return [cell.encode("latin-1") for cell in cells]


def _readings(cell: bytes) -> Iterator[str]:
    """What a cell of a head may say; the charset of the cells themselves is the decoder's."""
    for encoding in ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):
            yield cell.decode(encoding)
