"""UTF-8 text, where the charset is utf_8: one to four bytes a character, RFC 3629.

    E6 BC A2 E5 AD 97 20  ->  "漢字"        E6 BC  ->  U+FFFD: half a character        C0 80  ->  U+FFFD twice: never UTF-8

Trailing spaces, U+0020 and U+3000, are padding and are left out, as is a byte order mark at the beginning. A byte that
belongs to no character reads as U+FFFD, X'00' as a space; a private-use character is a gaiji.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors import plan as p
from extractors.characters import Charset
from extractors.layout import Field
from extractors.memory import be16, byte_at, int_at, kernel, put32, put64
from extractors.plan import argument
from extractors.usage import CONTROL, HALF, LOW_VALUES, TEXT, TEXT_FLAGS, UNDEFINED, USER_DEFINED, Usage
from extractors.usages.mixed import trimmed


@kernel
def decode(plan, first, last, found):
    """Copy UTF-8 fields into the arena, what is none replaced."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, ends = argument(plan, p.WIDTH), argument(plan, p.ENDS)
    trims_wide = argument(plan, p.KEEP_WIDE) == 0
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    at = out + argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        end = i + width
        while end > i and byte_at(end - 1) == np.uint64(0x20):
            end -= 1
        start = at
        flag = np.int64(0)
        if end - i >= 3 and be16(i) == np.uint64(0xEFBB) and byte_at(i + 2) == np.uint64(0xBF):
            i += 3
        while i < end:
            byte = np.int64(byte_at(i))
            if byte < 0x80:
                if byte < 0x20 or byte == 0x7F:
                    flag |= LOW_VALUES if byte == 0 else CONTROL
                put32(at, byte if byte != 0 else 0x20)
                at += 1
                i += 1
                continue
            size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            point = byte & (0x7F >> size)
            good = 0xC2 <= byte <= 0xF4
            for k in range(1, size):
                if not good or i + k >= end:
                    break
                more = np.int64(byte_at(i + k))
                if more & 0xC0 != 0x80:
                    good = False
                    break
                point = point << 6 | (more & 0x3F)
            if good and i + size > end:
                put32(at, 0xBDBFEF)
                at += 3
                flag |= HALF
                break
            if good:
                smallest = 0x80 if size == 2 else 0x800 if size == 3 else 0x10000
                good = smallest <= point <= 0x10FFFF and point & 0x1FF800 != 0xD800
            if not good:
                put32(at, 0xBDBFEF)
                at += 3
                i += 1
                flag |= UNDEFINED
                continue
            if (0xE000 <= point < 0xF900) or point >= 0xF0000:
                flag |= USER_DEFINED
            for k in range(size):
                put32(at + k, np.int64(byte_at(i + k)))
            at += size
            i += size
        at = trimmed(at, start, trims_wide)
        put32(ends + 4 * (r + 1), at - out)
        put64(listed + 8 * found, flag << 32 | r)
        found += np.int64(flag != 0)
    put64(plan + 8 * p.AT, at - out)
    return found


def codes(texts: pa.Array, flag: int) -> tuple[np.ndarray, np.ndarray]:
    """The characters behind a flag of a Unicode text: (index into texts, code point), in order."""
    points = np.frombuffer("".join(texts.fill_null("").to_pylist()).encode("utf-32-le"), np.uint32).astype(np.int64)
    rows = np.repeat(np.arange(len(texts)), pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False))
    wanted = points == 0xFFFD
    if flag == USER_DEFINED:
        wanted = (points >= 0xE000) & (points < 0xF900) | (points >= 0xF0000)
    return rows[wanted], points[wanted]


def encode_as(codec: str, column: pa.Array | np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Write a column of text by one of Python's codecs, padded with its spaces; what is too long does not fit."""
    texts = pa.array(column, pa.string()).fill_null("")
    misfit = np.zeros(len(texts), bool)
    width = cells.shape[1]
    padding = (" " * width).encode(codec)
    for row, text in enumerate(texts.to_pylist()):
        data = text.encode(codec, "replace")
        misfit[row] = len(data) > width
        cells[row] = np.frombuffer((data + padding)[:width], np.uint8)
    return misfit


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of text, padded with spaces; a text that is too long does not fit."""
    return encode_as("utf-8", column, cells)


_FLAGS = {flag: TEXT_FLAGS[flag] for flag in (UNDEFINED, USER_DEFINED, LOW_VALUES, CONTROL, HALF)}

USAGE = Usage(
    name="utf8",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: decode,
    flags=_FLAGS,
    empty=b"\x00\x20",
    encode=encode,
)
