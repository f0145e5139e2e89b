"""ldif: the entries of a directory's export as rows of cells: dn, and a column for each attribute.

    dn: uid=1001,ou=staff              ->  dn | uid | mail | mail(2)
    mail: a@example.jp

A second value of an attribute stands in `mail(2)`, and so on; with `form: values` each value is a row of its own: dn,
attribute, number, value. Folded lines are joined and values in base64 read, those that are no text stay in base64. A
value by reference is not fetched, and comments are counted. Entries that change others (changetype) are no export: the
file is read no further.

Source: RFC 2849.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from extractors.containers._cells import saying
from extractors.containers._entries import Entry, as_rows, as_values
from extractors.containers.contract import Container, Damaged, pick, sought, stream
from extractors.kernels.rows import WRONG, Says

LONGEST = 16 * 1024 * 1024
"""Bytes of the longest line, unfolded, and of the largest entry that are believed."""


def open_ldif(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Give the entries.

    Raises:
        SpecError: an option cannot be used.
    """
    values = pick(options, "form", ("entries", "values"), "entries") == "values"
    return stream(_pieces(raw, values=values))


def _pieces(raw: BinaryIO, *, values: bool) -> Iterator[bytes]:
    file = sought(raw)

    def read() -> Iterator[Entry | bytes]:
        file.seek(0)
        return _entries(file)

    if values:
        yield from as_values(read, ("dn", "attribute", "number", "value"), 1)
    else:
        yield from as_rows("ldif", read, ("dn",))


def _entries(file: BinaryIO) -> Iterator[Entry | bytes]:
    """Entries, which empty lines part."""
    entry: list[tuple[str, tuple[str | bytes, int]]] = []
    comments = size = 0
    any_entry = False
    for number, line in _lines(file):
        size += len(line)
        if line.startswith(b"#"):
            comments += 1
        elif line:
            name, cell = _value(number, line)
            if not entry and name == "version":
                continue
            if not entry and name != "dn":
                yield saying(Says.BROKEN, f"line {number} belongs to no entry")
                continue
            if name == "dn" and not cell[0]:
                raise Damaged(f"ldif: line {number}: an entry without a name", 0)
            if name == "changetype":
                raise Damaged(f"ldif: line {number}: the file changes entries, and is no export of them", 0)
            entry.append((name, cell))
            any_entry = True
            if size > LONGEST:
                raise Damaged(f"ldif: line {number}: an entry of more than {LONGEST:,} bytes", 0)
        else:
            if entry:
                yield entry
            entry, size = [], 0
    if entry:
        yield entry
    if not any_entry:
        raise Damaged("ldif: the file holds no entry", 0)
    if comments:
        yield saying(Says.NOTE, f"{comments:,} comments")


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, folded ones joined."""
    held, begun = b"", 0
    for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
        plain = line.rstrip(b"\r\n")
        if number == 1:
            plain = plain.removeprefix(b"\xef\xbb\xbf")
        if plain.startswith(b" ") and begun:
            held += plain[1:]
            if len(held) > LONGEST:
                raise Damaged(f"ldif: line {number}: a value of more than {LONGEST:,} bytes", 0)
            continue
        if begun:
            yield begun, held
        held, begun = plain, number
    if begun:
        yield begun, held


def _value(number: int, line: bytes) -> tuple[str, tuple[str | bytes, int]]:
    """The attribute of a line, and its value: text as it stands, base64 read."""
    name, colon, rest = line.partition(b":")
    if not colon or not name.strip():
        raise Damaged(f"ldif: line {number} is neither `attribute: value` nor a line that goes on", 0)
    title = name.decode("utf-8", "replace").strip()
    title = title.lower() if title.lower() in ("dn", "version", "changetype") else title
    if rest.startswith(b"<"):
        return title, ("", WRONG)
    if not rest.startswith(b":"):
        return title, (rest.lstrip(b" "), 0)
    coded = rest[1:].strip()
    try:
        content = base64.b64decode(coded, validate=True)
        content.decode("utf-8")
    except (binascii.Error, ValueError):
        # What is no text, such as a picture, stays as it was written.
        return title, (coded, 0)
    return title, (content, 0)


CONTAINER = Container(
    name="ldif",
    doc=__doc__ or "",
    options={"form": "entries, a row each, or values, a row each (entries)"},
    suffixes=(".ldif", ".ldf"),
    recognise=lambda head: head.removeprefix(b"\xef\xbb\xbf").startswith(
        (b"version: 1\n", b"version: 1\r", b"dn: ", b"dn:: ")
    ),
    open=open_ldif,
    rows=True,
)
