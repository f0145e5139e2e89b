"""UTF-16, two bytes a code unit: USAGE NATIONAL, its byte order by the dialect, and all text of the charset utf_16.

    6F 22 5B 57 00 20  ->  "漢字"        D8 42 DF B7  ->  "𠮷", two code units        D8 42 00 20  ->  U+FFFD: half a pair

Trailing spaces, U+0020 and U+3000, are padding and are left out, as is a byte order mark at the beginning. A surrogate
without its partner reads as U+FFFD, and so do an odd byte at the end (unless the record ends there and it begins a space)
and a noncharacter, such as U+FFFE, the mark of the other byte order, and U+FFFF, which is HIGH-VALUES; a private-use
character is a gaiji.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import REPLACEMENT, Charset
from extractors.dialects.contract import Dialect
from extractors.kernels import plan as p
from extractors.kernels.memory import be16, byte_at, inner, int_at, kernel, le32, put32, put64
from extractors.kernels.plan import argument, end_of
from extractors.layout.storage import Described, Stored
from extractors.usages import _unicode
from extractors.usages._characters import PLAIN, flag_of, put_character, trimmed
from extractors.usages.contract import HALF, Rules


@inner
def _unit(i, little):
    """The code unit at i."""
    unit = np.int64(be16(i))
    return unit >> 8 | (unit & 0xFF) << 8 if little else unit


@kernel
def decode(plan, first, last, found):
    """Write UTF-16 fields as UTF-8 into the arena."""
    pos, out, listed, ends = (
        argument(plan, p.POS),
        argument(plan, p.OUT),
        argument(plan, p.LIST),
        argument(plan, p.ENDS),
    )
    width, little = argument(plan, p.WIDTH), argument(plan, p.LITTLE) != 0
    scalars, sequences = argument(plan, p.DOUBLE), argument(plan, p.SEQUENCES)
    trims_wide = argument(plan, p.KEEP_WIDE) == 0
    data, limits = argument(plan, p.DATA), argument(plan, p.LIMITS)
    base = data + argument(plan, p.OFFSET)
    first_of_blank = np.uint64(0x20 if little else 0)
    at = out + argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        stop = end_of(i, width, data, limits, r)
        cut = stop < i + width
        start = at
        flag = np.uint64(0)
        if i + 1 < stop and _unit(i, little) == 0xFEFF:
            i += 2
        while i + 1 < stop:
            point = _unit(i, little)
            i += 2
            if point & 0xF800 == 0xD800:
                low = _unit(i, little) if point < 0xDC00 and i + 1 < stop else np.int64(0)
                if low & 0xFC00 == 0xDC00:
                    point = 0x10000 + ((point & 0x3FF) << 10 | low & 0x3FF)
                    i += 2
                else:
                    point = np.int64(REPLACEMENT)
            entry = le32(scalars + 4 * point)
            if entry < PLAIN:
                put32(at, np.int64(entry))
                at += np.int64(entry >> np.uint64(24))
                continue
            at = put_character(at, entry, np.int64((entry >> np.uint64(24)) & np.uint64(7)), sequences)
            flag |= flag_of(entry)
        if i < stop and not (cut and byte_at(i) == first_of_blank):
            put32(at, 0xBDBFEF)
            at += 3
            flag |= np.uint64(HALF)
        at = trimmed(at, start, trims_wide)
        put32(ends + 4 * (r + 1), at - out)
        put64(listed + 8 * found, np.int64(flag) << 32 | r)
        found += np.int64(flag != np.uint64(0))
    put64(plan + 8 * p.AT, at - out)
    return found


def store(item: Described, dialect: Dialect) -> Stored | None:
    """NATIONAL, where the dialect has that as Unicode."""
    if not (_unicode.is_double(item) and _unicode.is_utf16(item, dialect)):
        return None
    assert item.picture is not None
    return Stored(2 * item.picture.positions, pa.string(), item.picture)


def _codec(charset: Charset) -> str:
    """Big-endian, but for a charset utf_16 that is little-endian."""
    return "utf-16-le" if charset.policies.get("order") == "little" else "utf-16-be"


def _little(rules: Rules) -> bool:
    """By the charset where that is UTF-16 itself, by the dialect beside another."""
    return (rules.charset.policies.get("order") or rules.dialect.national_order) == "little"


USAGE = _unicode.usage("utf16", __doc__ or "", kernel=decode, codec=_codec, little=_little, stores=store, unit=2)
