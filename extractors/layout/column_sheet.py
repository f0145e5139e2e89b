"""A sheet of columns -> Layout: what the cells of a row are, as a CSV with a line for each column.

    field,heading,type,length
    MEIBO-NO,名簿番号,text,12
    JUSHO,住所,text,60
    MENSEKI,面積,number,9.2

`field` is what mappings call it, `heading` what the head of the file does (empty: the same). The cells of a row are laid
into a record of fixed places, so that everything that reads records reads rows: a text has room for `length` characters
in any charset, a number for its digits with their sign, point and commas, a geometry for the hexadecimal of its bytes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping

import pyarrow as pa

from extractors.dialects import DEFAULT
from extractors.dialects.contract import Dialect
from extractors.layout.items import Item, Picture
from extractors.layout.layout import Layout
from migration_reports.findings import Position, Problem, SpecError, did_you_mean

PROBLEMS: Mapping[str, str] = {
    "L120": "a sheet of columns that cannot be read, or whose head is another",
    "L121": "a column of an unknown type",
    "L122": "a length that does not fit the type",
    "L123": "a column without a name, or with one that cannot be used or is another's",
    "L124": "rows without a sheet of columns, or a sheet of columns for records that are no rows",
    "L125": "a charset in which a separator may be part of a character",
    "L126": "rows of cells where only records of fixed places can be proved",
}
"""What each problem code of a sheet of columns means."""

HEAD = ("field", "heading", "type", "length")
MOST_COLUMNS = 2_000
MOST_CHARACTERS = 1_000_000
MOST_DIGITS = 38
BYTES_OF_A_CHARACTER = 4
"""The most that a character takes in any charset."""

Place = tuple[int, Picture, str, pa.DataType]
"""Bytes, picture, usage and Arrow type of a column."""


def _text(length: int, _: int) -> Place:
    picture = Picture(f"text {length}", "alphanumeric", length, length)
    return length * BYTES_OF_A_CHARACTER, picture, "mixed", pa.string()


def _number(digits: int, scale: int) -> Place:
    said = f"number {digits}.{scale}" if scale else f"number {digits}"
    picture = Picture(said, "numeric", digits, digits, scale, signed=True)
    kind = pa.int64() if not scale and digits <= 18 else pa.decimal128(digits, scale)
    return 2 * digits + 8, picture, "figures", kind


def _geometry(length: int, _: int) -> Place:
    return 2 * length, Picture(f"geometry {length}", "alphanumeric", 2 * length, 2 * length), "mixed", pa.string()


TYPES: Mapping[str, tuple[Callable[[int, int], Place], int, str]] = {
    "text": (_text, MOST_CHARACTERS, "characters, 1 to 1000000"),
    "number": (_number, MOST_DIGITS, "digits, 1 to 38, and decimals among them: 9 or 9.2"),
    "geometry": (_geometry, 4 * MOST_CHARACTERS, "bytes of WKB, 1 to 4000000"),
}
"""By type: what a column of it is, the greatest length, and what a length says."""


def read_columns(text: str, *, file: str, dialect: Dialect = DEFAULT) -> Layout:
    """Read a sheet of columns.

    Args:
        text: the CSV.
        file: how positions call it.
        dialect: that of the copybooks beside it.

    Raises:
        SpecError: with every problem of it.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    sheet = _Sheet(file)
    try:
        head = tuple(cell.strip() for cell in next(lines, []))
        if head != HEAD:
            raise SpecError([Problem("L120", Position(file, 1), "the head of the sheet is another", (",".join(HEAD),))])
        for cells in lines:
            sheet.add(lines.line_num, [cell.strip() for cell in cells])
    except csv.Error as error:
        raise SpecError([Problem("L120", Position(file, lines.line_num), f"no CSV: {error}")]) from None
    return sheet.layout(dialect)


class _Sheet:
    """The columns so far, and what is wrong with them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._items: list[Item] = []
        self._headings: list[str] = []
        self._at = 0

    def add(self, line: int, cells: list[str]) -> None:
        """Add the column of a line."""
        if not any(cells):
            return
        if len(cells) != len(HEAD):
            self._wrong("L120", line, f"the line has {len(cells)} cells", (",".join(HEAD),))
            return
        name, heading, kind, length = cells
        if not re.fullmatch(r"[^\W_][\w-]{0,59}", name):
            self._wrong("L123", line, f"`{name[:60]}` cannot name a column", ("letters, digits, - and _",))
        elif any(item.name == name for item in self._items):
            self._wrong("L123", line, f"column `{name}` stands twice")
        elif kind not in TYPES:
            self._wrong("L121", line, f"unknown type `{kind[:60]}`", tuple(TYPES), did_you_mean(kind, TYPES))
        elif place := self._place(line, kind, length):
            self._put(line, name, heading, place)

    def _place(self, line: int, kind: str, length: str) -> Place | None:
        make, most, said = TYPES[kind]
        whole, point, decimals = length.partition(".")
        fits = re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,2})?", length) is not None and 1 <= int(whole) <= most
        if not fits or (point and (kind != "number" or int(decimals) > int(whole))):
            self._wrong("L122", line, f"`{length[:20]}` is no length of a {kind}", (said,))
            return None
        return make(int(whole), int(decimals or 0))

    def _put(self, line: int, name: str, heading: str, place: Place) -> None:
        width, picture, usage, kind = place
        position = Position(self._file, line, 1)
        number = len(self._items) + 1
        item = Item(name, 5, self._at, width, position, ordinal=number, picture=picture, usage=usage, arrow_type=kind)
        self._items.append(item)
        self._headings.append(heading or name)
        self._at += width

    def layout(self, dialect: Dialect) -> Layout:
        """The layout of all of them.

        Raises:
            SpecError: something is wrong with them.
        """
        if not self._items and not self._problems:
            self._wrong("L120", 1, "the sheet has no columns")
        if len(self._items) > MOST_COLUMNS:
            self._wrong("L120", 1, f"the sheet has {len(self._items):,} columns", (f"{MOST_COLUMNS:,} at most",))
        if self._problems:
            raise SpecError(self._problems)
        record = Item("ROW", 1, 0, self._at, Position(self._file, 1), children=tuple(self._items))
        return Layout(record, self._file, dialect, headings=tuple(self._headings))

    def _wrong(self, code: str, line: int, message: str, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        self._problems.append(Problem(code, Position(self._file, line), message, allowed, hint))
