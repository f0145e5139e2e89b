"""xml: the values of a document as rows of cells: path, number, value; or a row for each element of a path.

    <入札書><金額>1000</金額></入札書>        ->  /入札書/金額 | 1 | 1000

With `row: /入札一覧/入札` each such element is a row, whose columns are what stands in it: `金額`, `業者/番号`, an attribute
as `@id`, a second one as `金額(2)`. Names are without their prefixes, spaces around a value are left out. The bytes stay as
they were received. A document type is refused, and with it every entity; nothing is fetched. A document that is broken
is read to where it is.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._entries import Entry, as_rows, as_values
from extractors.containers._xml import Refused, damaged, parse
from extractors.containers.contract import Container, refuse, sought, stream

LONGEST = 16 * 1024 * 1024
"""Characters of the values of one row that are believed."""


def open_xml(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Give the values.

    Raises:
        SpecError: an option cannot be used.
    """
    row = options.get("row", "")
    if row and not re.fullmatch(r"(/[^/\s@()]{1,200}){1,50}", row):
        raise refuse("row", row, ("a path such as /LIST/ITEM",))
    return stream(_pieces(raw, row))


def _pieces(raw: BinaryIO, row: str) -> Iterator[bytes]:
    file = sought(raw)

    def read() -> Iterator[Entry | bytes]:
        file.seek(0)
        return _entries(file, row)

    if row:
        yield from as_rows("xml", read)
    else:
        yield from as_values(read, ("path", "number", "value"), 0)


def _entries(file: BinaryIO, row: str) -> Iterator[Entry]:
    reader = _Reader(row)
    try:
        for _ in parse(file, start=reader.start, end=reader.end, text=reader.text):
            while reader.entries:
                yield reader.entries.popleft()
    except Refused as refused:
        yield from reader.entries
        raise damaged("xml", "the document", refused) from None


class _Reader:
    """Gathers the values of elements by their paths, below the path of rows where there is one."""

    def __init__(self, row: str) -> None:
        self._row = row
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._values: list[tuple[str, tuple[str | bytes, int]]] = []
        self._size = 0
        self.entries: deque[Entry] = deque()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        self._texts.append([])
        for key, value in attributes.items():
            if not key.startswith("xmlns"):
                self._add(f"@{key.rpartition(':')[2]}", value)

    def text(self, content: str) -> None:
        if self._texts:
            self._texts[-1].append(content)

    def end(self, _: str) -> None:
        value = "".join(self._texts.pop()).strip()
        if value:
            self._add("", value)
        if not self._row or "/" + "/".join(self._path) == self._row:
            if self._values:
                self.entries.append(self._values)
            self._values, self._size = [], 0
        self._path.pop()

    def _add(self, below: str, value: str) -> None:
        path = "/" + "/".join(self._path) + (f"/{below}" if below else "")
        if self._row:
            inside = path.removeprefix(self._row)
            if path != self._row and not (inside != path and inside.startswith("/")):
                return
            path = inside.removeprefix("/") or "."
        self._size += len(value)
        if self._size > LONGEST:
            raise Refused(f"the values of a row are longer than {LONGEST:,} characters")
        self._values.append((path, (value, 0)))


CONTAINER = Container(
    name="xml",
    doc=__doc__ or "",
    options={"row": "the path of the elements that are rows (none: each value is a row)"},
    suffixes=(".xml",),
    recognise=lambda head: head.removeprefix(b"\xef\xbb\xbf").startswith(b"<?xml"),
    open=open_xml,
    rows=True,
)
