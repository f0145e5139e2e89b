"""What a dump of a mainframe is after a transfer that took it for text: signs of it in the bytes.

    F0 F1 as Latin-1 saved as UTF-8  ->  C3 B0 C3 B1        packed 12 3C translated to ASCII  ->  12 14

Nothing is undone: what was translated is lost where two codes became one, and the dump has to be sent again.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

import numpy as np

from extractors.layout import Layout

LEAST = 16
"""So many characters, or packed numbers, must be seen before anything is said."""

_EBCDIC = frozenset(b"\x40" + bytes((*range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA), *range(0xF0, 0xFA))))
_REPLACED = "�".encode()


def signs_of_translation(data: bytes, layouts: Mapping[str, Layout]) -> tuple[str, ...]:
    """What the bytes of a dump say of a transfer that changed them, each with what to do.

    Args:
        data: the dump's first bytes.
        layouts: its copybook as each dialect reads it.
    """
    found = (_saved_as_utf_8(data), _replaced(data), _translated(data, next(iter(layouts.values()), None)))
    return tuple(remark for remark in found if remark)


def _saved_as_utf_8(data: bytes) -> str:
    try:
        # The last character may be cut.
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return ""
    above = sum(not c.isascii() for c in text)
    if above < LEAST or above < len(text) / 5 or any(c > "\xff" for c in text):
        return ""
    ebcdic = sum(code in _EBCDIC for code in text.encode("latin-1"))
    if ebcdic < len(text) / 2:
        return ""
    return (
        f"the dump was saved as UTF-8: of its {len(text):,} characters, all below U+0100, {ebcdic / len(text):.0%} are "
        "EBCDIC letters, digits and spaces taken for Latin-1; ask for it again, sent as binary"
    )


def _replaced(data: bytes) -> str:
    count = data.count(_REPLACED)
    if count < LEAST or count * 100 < len(data):
        return ""
    return (
        f"EF BF BD, the UTF-8 of U+FFFD, stands {count:,} times: the dump was translated, and what could not be read was "
        "replaced; ask for it again, sent as binary"
    )


def _translated(data: bytes, layout: Layout | None) -> str:
    if layout is None or layout.variable or len(data) < layout.length or layout.length == 0:
        return ""
    count = len(data) // layout.length
    records = np.frombuffer(data, np.uint8)[: count * layout.length].reshape(count, layout.length)
    fields = [field for field in layout.fields() if not field.asked_only]
    plain = [f for f in fields if f.usage == "zoned" and not f.picture.signed] or [
        f for f in fields if f.usage == "mixed"
    ]
    packed = [field for field in fields if field.usage == "packed"]
    if not plain or count * len(packed) < LEAST:
        return ""
    digits = any(field.usage == "zoned" for field in plain)
    low, high = (0x30, 0x39) if digits else (0x20, 0x7E)
    ascii_ = [_between(records[:, f.offset : f.offset + f.width], low, high) for f in plain]
    numbers = [_packed(records[:, f.offset : f.offset + f.width]) for f in packed]
    wrong = 1 - float(np.mean(numbers))
    if float(np.mean(ascii_)) < 0.9 or wrong < 0.2:
        return ""
    return (
        f"{'digits' if digits else 'texts'} are ASCII, and {wrong:.0%} of the packed numbers are none: the dump was "
        "translated as a whole (FTP in ASCII mode), which ruins packed and binary numbers; ask for it again, sent as binary"
    )


def _between(cells: np.ndarray, low: int, high: int) -> float:
    return float(((cells >= low) & (cells <= high)).mean())


def _packed(cells: np.ndarray) -> float:
    """The share of packed numbers that are some, or are blank: all spaces, or all one byte."""
    halves = np.stack((cells >> 4, cells & 0xF), axis=2).reshape(len(cells), -1)
    numbers = (halves[:, :-1] <= 9).all(axis=1) & (halves[:, -1] >= 10)
    blank = (cells == cells[:, :1]).all(axis=1) & np.isin(cells[:, 0], (0x00, 0x20, 0x40, 0xFF))
    return float((numbers | blank).mean())
