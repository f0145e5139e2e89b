"""Rows of cells as containers of tables write them, for the framing `cells`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractors.kernels.rows import CONTROL, END, MARK, NUMBER, SEPARATOR, Says

Cell = tuple[str | bytes, int]
"""What a cell holds, text or the bytes of a charset, and its bits."""

EMPTY: Cell = ("", 0)
_REPLACED = str.maketrans(dict.fromkeys((MARK, SEPARATOR, END), "\ufffd"))
_IN_BYTES = bytes.maketrans(bytes((MARK, SEPARATOR, END)), b"???")


def head_of(names: Iterable[str | bytes]) -> bytes:
    """The head of the rows that follow."""
    return bytes((MARK, Says.HEAD)) + bytes((SEPARATOR,)).join(_written((name, 0)) for name in names) + bytes((END,))


def row_of(cells: Sequence[Cell], *, hidden: bool = False) -> bytes:
    """A row; `hidden` where the file does not show it."""
    mark = bytes((MARK, Says.ROW_HIDDEN)) if hidden else b""
    return mark + bytes((SEPARATOR,)).join(map(_written, cells)) + bytes((END,))


def saying(what: Says, detail: str) -> bytes:
    """Something that is no row: a finding, with what is to be said of it."""
    return bytes((MARK, what)) + detail.translate(_REPLACED).encode("utf-8", "replace") + bytes((END,))


def _written(cell: Cell) -> bytes:
    content, bits = cell
    if isinstance(content, str):
        plain: bytes = content.translate(_REPLACED).encode("utf-8", "replace")
        bits |= CONTROL if content.translate(_REPLACED) != content else 0
    else:
        plain = content.translate(_IN_BYTES)
        bits |= CONTROL if plain != content else 0
    return (bytes((MARK, 0x40 | bits // NUMBER)) if bits else b"") + plain
