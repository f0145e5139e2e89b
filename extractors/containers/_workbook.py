"""What a workbook says of its cells: sheets, shared texts, which numbers are days; and the cells of a sheet, row by row."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from extractors.containers._cells import Cell
from extractors.containers._xml import Refused, damaged, parse
from extractors.containers.contract import Damaged
from extractors.kernels.rows import DAY, FORMULA, NUMBER, WRONG

MOST_COLUMNS = 16_384
MOST_TEXTS = 256 * 1024 * 1024
"""Characters of all texts that the sheets share: they are kept while the sheets are read."""
MOST_MERGED = 65_536

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    LookupError,
)
"""What zipfile raises at an archive that is broken, encrypted or of a kind that it does not know."""

_DAYS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""The built-in formats of days and times, those of Japanese workbooks among them."""

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NO_DAY = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]|General|G/標準|[Ee][+-]', re.IGNORECASE)
"""What of a format says nothing of a day: texts, escapes, colours and locales, the general format, exponents."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, its part of the file, and whether it is shown."""

    name: str
    part: str
    shown: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Area:
    """Cells that are merged: rows and columns, the last ones included, counted from 1 and 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A row with its filled cells by column, from 0; its number is from 1."""

    number: int
    cells: Mapping[int, Cell]
    hidden: bool


class Workbook:
    """A workbook whose sheets can be read, one after another."""

    def __init__(self, raw: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(raw)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Damaged("xlsx: no workbook (one with a password is none either, nor an .xls)", 0) from None
        self._names = set(self._zip.namelist())
        self._since_1904 = False
        self.sheets = self._read_sheets()
        self._texts = self._read_texts()
        self._days = self._read_formats()

    @property
    def beside(self) -> int:
        """How many parts hold something that is no cell: comments, pictures, drawn texts."""
        return sum(
            bool(re.match(r"xl/(comments|threadedComments|media|drawings)[^/]*(/[^_]|\d*\.xml)", name))
            for name in self._names
        )

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """The rows of a sheet that hold anything."""
        reader = _Rows(self._texts, self._days, since_1904=self._since_1904)
        for _ in self._parse(sheet.part, reader):
            while reader.rows:
                yield reader.rows.popleft()

    def merged(self, sheet: Sheet) -> tuple[Area, ...]:
        """The areas of a sheet that are merged."""
        reader = _Merged()
        for _ in self._parse(sheet.part, reader):
            if len(reader.areas) > MOST_MERGED:
                raise Damaged(f"xlsx: more than {MOST_MERGED:,} merged areas", 0)
        return tuple(reader.areas)

    def _parse(self, part: str, reader: _Reader) -> Iterator[None]:
        if part not in self._names:
            raise Damaged(f"xlsx: its part {part} is missing", 0)
        try:
            with self._zip.open(part) as file:
                yield from parse(file, start=reader.start, end=reader.end, text=reader.text)
        except Refused as refused:
            raise damaged("xlsx", part, refused) from None
        except _BROKEN as error:
            raise Damaged(f"xlsx: {part}: {type(error).__name__}", 0) from None

    def _whole(self, part: str, reader: _Reader) -> None:
        for _ in self._parse(part, reader):
            pass

    def _read_sheets(self) -> tuple[Sheet, ...]:
        book, links = _Sheets(), _Links()
        self._whole("xl/workbook.xml", book)
        self._whole("xl/_rels/workbook.xml.rels", links)
        self._since_1904 = book.since_1904
        return tuple(
            Sheet(name, _within(links.targets.get(link, "")), shown)
            for name, link, shown in book.sheets
            if "worksheet" in links.kinds.get(link, "")
        )

    def _read_texts(self) -> Sequence[str]:
        texts = _Texts()
        if "xl/sharedStrings.xml" in self._names:
            self._whole("xl/sharedStrings.xml", texts)
        return texts.texts

    def _read_formats(self) -> Sequence[bool]:
        formats = _Formats()
        if "xl/styles.xml" in self._names:
            self._whole("xl/styles.xml", formats)
        return formats.days


def _within(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


class _Reader:
    """Is told the elements of a part."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, content: str) -> None:
        """Text stands there."""


class _Sheets(_Reader):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            link = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), link, attributes.get("state", "visible") == "visible"))
        elif name == "workbookPr":
            self.since_1904 = attributes.get("date1904", "0") in ("1", "true")


class _Links(_Reader):
    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")
            self.kinds[attributes.get("Id", "")] = attributes.get("Type", "")


class _Gathering(_Reader):
    """Gathers the text of elements `t`, but for how it is read aloud (rPh)."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open = self._aloud = False

    def start(self, name: str, _: Mapping[str, str]) -> None:
        self._aloud |= name == "rPh"
        self._open = name in ("t", "v") and not self._aloud

    def end(self, name: str) -> None:
        self._open = False
        self._aloud &= name != "rPh"

    def text(self, content: str) -> None:
        if self._open:
            self._parts.append(content)

    def gathered(self) -> str:
        """What was gathered since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Texts(_Gathering):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._size = 0

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self.texts.append(self.gathered())
            self._size += len(self.texts[-1])
            if self._size > MOST_TEXTS:
                raise Refused(f"its texts are longer than {MOST_TEXTS:,} characters")


class _Formats(_Reader):
    """By style, whether its numbers are days."""

    def __init__(self) -> None:
        self.days: list[bool] = []
        self._own: dict[str, bool] = {}
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            code = _NO_DAY.sub("", attributes.get("formatCode", ""))
            self._own[attributes.get("numFmtId", "")] = re.search("[ymdhseg]", code, re.IGNORECASE) is not None
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            number = attributes.get("numFmtId", "0")
            self.days.append(self._own.get(number, number.isdigit() and int(number) in _DAYS))

    def end(self, name: str) -> None:
        self._in_cells &= name != "cellXfs"


class _Merged(_Reader):
    def __init__(self) -> None:
        self.areas: list[Area] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            (top, left), (bottom, right) = _place(first, 0, 0), _place(last or first, 0, 0)
            self.areas.append(Area(top, left, bottom, right))


class _Rows(_Gathering):
    """Gathers the cells of rows."""

    def __init__(self, texts: Sequence[str], days: Sequence[bool], *, since_1904: bool) -> None:
        super().__init__()
        self.rows: deque[Row] = deque()
        self._texts = texts
        self._days = days
        self._since_1904 = since_1904
        self._number = 0
        self._column = -1
        self._cells: dict[int, Cell] = {}
        self._hidden = False
        self._kind = self._style = ""
        self._formula = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        super().start(name, attributes)
        if name == "row":
            self._number = _whole(attributes.get("r"), self._number + 1)
            self._hidden = attributes.get("hidden", "0") in ("1", "true")
            self._cells, self._column = {}, -1
        elif name == "c":
            self._number, self._column = _place(attributes.get("r", ""), self._number, self._column + 1)
            if self._column >= MOST_COLUMNS:
                raise Refused(f"row {self._number} has more than {MOST_COLUMNS:,} columns")
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._formula = False
        elif name == "f":
            self._formula = True

    def end(self, name: str) -> None:
        super().end(name)
        if name == "c":
            text = self.gathered()
            if text or self._formula:
                self._cells[self._column] = self._cell(text)
        elif name == "row" and self._cells:
            self.rows.append(Row(self._number, self._cells, self._hidden))

    def _cell(self, text: str) -> Cell:
        content: str | bytes = text
        bits = WRONG if self._kind == "e" or not text else 0
        if self._kind == "s":
            number = _whole(text, -1)
            known = 0 <= number < len(self._texts)
            content, bits = (self._texts[number], 0) if known else ("", WRONG)
        elif self._kind == "b":
            content = "TRUE" if text == "1" else "FALSE"
        elif self._kind == "n" and text:
            style = _whole(self._style, -1)
            day = 0 <= style < len(self._days) and self._days[style]
            content, bits = _day(text, since_1904=self._since_1904) if day else _figures(text)
        return content, bits | (FORMULA if self._formula else 0)


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 7 else otherwise


def _place(reference: str, row: int, column: int) -> tuple[int, int]:
    """Row, from 1, and column, from 0, of a cell's name such as AB12; those given where it has none."""
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if found is None:
        return row, column
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - 64
    return int(found[2]), number - 1


def _figures(text: str) -> Cell:
    """A number without exponent, and without what its binary form adds: 0.1 and not 0.10000000000000001."""
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        return text, NUMBER
    try:
        number = decimal.Decimal(repr(float(text)))
        return f"{number.normalize() if number % 1 else number.to_integral_value():f}", NUMBER
    except (ValueError, ArithmeticError):
        return text, NUMBER | WRONG


def _day(text: str, *, since_1904: bool) -> Cell:
    """A day as YYYY-MM-DD, with its time where it has one; a time alone as HH:MM:SS."""
    try:
        serial = round(float(text) * 86_400) if re.fullmatch(r"[0-9.eE+-]{1,30}", text) else -1
    except (ValueError, OverflowError):
        serial = -1
    days, seconds = divmod(serial, 86_400)
    if not 0 <= days <= 2_958_465:
        return text, DAY | WRONG
    clock = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if not days and not since_1904:
        return clock, DAY
    if days == 60 and not since_1904:
        # Spreadsheets count a 29 February 1900 that never was.
        day = "1900-02-29"
    else:
        begin = datetime.date(1904, 1, 1) if since_1904 else datetime.date(1899, 12, 30 if days > 60 else 31)
        day = (begin + datetime.timedelta(days)).isoformat()
    return f"{day} {clock}" if seconds else day, DAY
