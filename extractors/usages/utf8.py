"""UTF-8 text, where the charset is utf_8: one to four bytes a character, RFC 3629.

    E6 BC A2 E5 AD 97 20  ->  "漢字"        E6 BC  ->  U+FFFD: half a character        C0 80  ->  U+FFFD twice: never UTF-8

Trailing spaces, U+0020 and U+3000, are padding and are left out, as is a byte order mark at the beginning. A byte that
belongs to no character reads as U+FFFD, and so does a noncharacter; X'00' as a space; a private-use character is a gaiji.
"""

from __future__ import annotations

import numpy as np

from extractors.charsets.contract import REPLACEMENT
from extractors.kernels import plan as p
from extractors.kernels.memory import be16, byte_at, inner, int_at, kernel, le32, put32, put64
from extractors.kernels.plan import argument, end_of
from extractors.usages import _unicode
from extractors.usages._characters import PLAIN, flag_of, put_character, trimmed
from extractors.usages.contract import HALF

_LOST = np.int64(REPLACEMENT)


@inner
def _scalar(i, end):
    """The scalar of two bytes or more that begins at i, and how many they are: U+FFFD and one byte where it is none.

    Where it is cut by the field's end, as many as it would have.
    """
    byte = np.int64(byte_at(i))
    # Kana and kanji are of three bytes: those without a loop.
    after = np.int64(be16(i + 1))
    if byte & 0xF0 == 0xE0 and after & 0xC0C0 == 0x8080 and i + 3 <= end:
        point = (byte & 0xF) << 12 | (after >> 8 & 0x3F) << 6 | after & 0x3F
        if point >= 0x800 and point & 0xF800 != 0xD800:
            return point, 3
    size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    if not 0xC2 <= byte <= 0xF4:
        return _LOST, 1
    point = byte & (0x7F >> size)
    for k in range(1, size):
        if i + k >= end:
            return _LOST, size
        more = np.int64(byte_at(i + k))
        if more & 0xC0 != 0x80:
            return _LOST, 1
        point = point << 6 | (more & 0x3F)
    smallest = 0x80 if size == 2 else 0x800 if size == 3 else 0x10000
    if not smallest <= point <= 0x10FFFF or point & 0x1FF800 == 0xD800:
        return _LOST, 1
    return point, size


@kernel
def decode(plan, first, last, found):
    """Copy UTF-8 fields into the arena, what is none replaced."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, ends = argument(plan, p.WIDTH), argument(plan, p.ENDS)
    scalars, sequences = argument(plan, p.DOUBLE), argument(plan, p.SEQUENCES)
    trims_wide = argument(plan, p.KEEP_WIDE) == 0
    data, limits = argument(plan, p.DATA), argument(plan, p.LIMITS)
    base = data + argument(plan, p.OFFSET)
    at = out + argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        end = end_of(i, width, data, limits, r)
        while end > i and byte_at(end - 1) == np.uint64(0x20):
            end -= 1
        start = at
        flag = np.uint64(0)
        if end - i >= 3 and be16(i) == np.uint64(0xEFBB) and byte_at(i + 2) == np.uint64(0xBF):
            i += 3
        while i < end:
            point = np.int64(byte_at(i))
            size = 1
            if point >= 0x80:
                point, size = _scalar(i, end)
            if i + size > end:
                put32(at, 0xBDBFEF)
                at += 3
                flag |= np.uint64(HALF)
                break
            entry = le32(scalars + 4 * point)
            i += size
            if entry < PLAIN:
                put32(at, np.int64(entry))
                at += np.int64(entry >> np.uint64(24))
                continue
            at = put_character(at, entry, np.int64((entry >> np.uint64(24)) & np.uint64(7)), sequences)
            flag |= flag_of(entry)
        at = trimmed(at, start, trims_wide)
        put32(ends + 4 * (r + 1), at - out)
        put64(listed + 8 * found, np.int64(flag) << 32 | r)
        found += np.int64(flag != np.uint64(0))
    put64(plan + 8 * p.AT, at - out)
    return found


USAGE = _unicode.usage("utf8", __doc__ or "", kernel=decode, codec=lambda _: "utf-8")
