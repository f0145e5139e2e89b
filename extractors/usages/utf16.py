"""UTF-16, two bytes a code unit: USAGE NATIONAL, its byte order by the dialect, and all text of the charset utf_16.

    6F 22 5B 57 00 20  ->  "漢字"        D8 42 DF B7  ->  "𠮷", two code units        D8 42 00 20  ->  U+FFFD: half a pair

Trailing spaces, U+0020 and U+3000, are padding and are left out, as is a byte order mark at the beginning. A surrogate
without its partner reads as U+FFFD, and so does an odd byte at the end; a private-use character is a gaiji.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors import plan as p
from extractors.characters import Charset
from extractors.layout import Field
from extractors.memory import be16, int_at, kernel, put32, put64
from extractors.plan import argument
from extractors.usage import CONTROL, HALF, LOW_VALUES, TEXT, TEXT_FLAGS, UNDEFINED, USER_DEFINED, Usage
from extractors.usages.utf8 import encode_as


@kernel
def decode(plan, first, last, found):
    """Write UTF-16 fields as UTF-8 into the arena."""
    pos, out, listed, ends = (
        argument(plan, p.POS),
        argument(plan, p.OUT),
        argument(plan, p.LIST),
        argument(plan, p.ENDS),
    )
    width, little = argument(plan, p.WIDTH), argument(plan, p.MODE) != 0
    keeps_wide = argument(plan, p.KEEP_WIDE) != 0
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    at = argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        stop = i + width
        start = at
        kept = at
        flag = np.int64(0)
        if width >= 2 and be16(i) == (np.uint64(0xFFFE) if little else np.uint64(0xFEFF)):
            i += 2
        while i + 1 < stop:
            unit = np.int64(be16(i))
            if little:
                unit = unit >> 8 | (unit & 0xFF) << 8
            i += 2
            point = unit
            if unit & 0xF800 == 0xD800:
                point = np.int64(0xFFFD)
                if unit < 0xDC00 and i + 1 < stop:
                    low = np.int64(be16(i))
                    if little:
                        low = low >> 8 | (low & 0xFF) << 8
                    if low & 0xFC00 == 0xDC00:
                        point = 0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF)
                        i += 2
                if point == 0xFFFD:
                    flag |= UNDEFINED
            elif unit == 0:
                point = np.int64(0x20)
                flag |= LOW_VALUES
            elif unit < 0x20 or (unit >= 0x7F and unit < 0xA0):
                flag |= CONTROL
            elif (unit >= 0xE000 and unit < 0xF900) or point >= 0xF0000:
                flag |= USER_DEFINED
            if point < 0x80:
                put32(out + at, point)
                at += 1
            elif point < 0x800:
                put32(out + at, 0xC0 | point >> 6 | (0x80 | point & 0x3F) << 8)
                at += 2
            elif point < 0x10000:
                put32(out + at, 0xE0 | point >> 12 | (0x80 | point >> 6 & 0x3F) << 8 | (0x80 | point & 0x3F) << 16)
                at += 3
            else:
                word = 0xF0 | point >> 18 | (0x80 | point >> 12 & 0x3F) << 8
                put32(out + at, word | (0x80 | point >> 6 & 0x3F) << 16 | (0x80 | point & 0x3F) << 24)
                at += 4
            if point != 0x20 and (point != 0x3000 or keeps_wide):
                kept = at
        if i < stop:
            put32(out + at, 0xBDBFEF)
            at += 3
            kept = at
            flag |= HALF
        at = max(kept, start)
        put32(ends + 4 * (r + 1), at)
        put64(listed + 8 * found, flag << 32 | r)
        found += np.int64(flag != 0)
    put64(plan + 8 * p.AT, at)
    return found


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of text, padded with spaces; a text that is too long does not fit.

    Big-endian, but for a charset utf_16 that is little-endian.
    """
    return encode_as("utf-16-le" if charset.policies.get("order") == "little" else "utf-16-be", column, cells)


_FLAGS = {flag: TEXT_FLAGS[flag] for flag in (UNDEFINED, USER_DEFINED, LOW_VALUES, CONTROL, HALF)}

USAGE = Usage(
    name="utf16",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: decode,
    flags=_FLAGS,
    empty=b"\x00\x20",
    encode=encode,
)
