"""Text of single bytes and pairs, between shift codes or without: the kernel, and the usages that are read by it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from extractors.charsets._character_tables import HALF_PAIR, PAIR, TO_DOUBLE, decode_tables
from extractors.charsets.contract import SECOND_PLANE, SINGLE, THIRD, Charset
from extractors.kernels import plan as p
from extractors.kernels.memory import be16, be64, byte_at, int_at, jit, kernel, le32, put32, put64
from extractors.kernels.plan import argument, end_of
from extractors.layout import Field
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages._characters import (
    LEAD,
    PLAIN,
    flag_of,
    is_cut,
    odd_before_shift,
    prepare_text,
    put_character,
    put_four,
    shift_of,
    trimmed,
)
from extractors.usages._written import BOTH, DOUBLE_ONLY, encode_text
from extractors.usages.contract import HALF, NOT_CLOSED, STRAY, TEXT, TEXT_FLAGS, Prepared, Rules, Stores, Texts, Usage


@kernel
def decode(plan, first, last, found):
    """Write the texts of one column as UTF-8 into the arena; list what is odd."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, ends = argument(plan, p.WIDTH), argument(plan, p.ENDS)
    single, pairs_of_all = argument(plan, p.SINGLE), argument(plan, p.DOUBLE)
    shifts, sequences = argument(plan, p.SHIFTS), argument(plan, p.SEQUENCES)
    starts_double = argument(plan, p.STARTS_DOUBLE) != 0
    trims_wide = argument(plan, p.KEEP_WIDE) == 0
    blanks = np.uint64(argument(plan, p.BLANK))
    blank = blanks & np.uint64(0xFF)
    data, limits = argument(plan, p.DATA), argument(plan, p.LIMITS)
    base = data + argument(plan, p.OFFSET)
    at = out + argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        end = end_of(i, width, data, limits, r)
        stop = end
        while stop - i >= 8 and be64(stop - 8) == blanks:
            stop -= 8
        while stop > i and byte_at(stop - 1) == blank:
            stop -= 1
        start = at
        flag = np.uint64(0)
        is_double = starts_double
        double = pairs_of_all
        while i < stop:
            # Four single bytes or four pairs at once, where none of them is anything but plain: an OR of the entries tells.
            if is_double:
                while i + 8 <= stop:
                    pairs = be64(i)
                    a = le32(double + np.int64(pairs >> np.uint64(48) << np.uint64(2)))
                    b = le32(double + np.int64((pairs >> np.uint64(32) & np.uint64(0xFFFF)) << np.uint64(2)))
                    c = le32(double + np.int64((pairs >> np.uint64(16) & np.uint64(0xFFFF)) << np.uint64(2)))
                    d = le32(double + np.int64((pairs & np.uint64(0xFFFF)) << np.uint64(2)))
                    if a | b | c | d >= PLAIN:
                        break
                    at = put_four(at, a, b, c, d)
                    i += 8
            else:
                while i + 4 <= stop:
                    four = le32(i)
                    a = le32(single + np.int64((four & np.uint64(0xFF)) << np.uint64(2)))
                    b = le32(single + np.int64((four >> np.uint64(8) & np.uint64(0xFF)) << np.uint64(2)))
                    c = le32(single + np.int64((four >> np.uint64(16) & np.uint64(0xFF)) << np.uint64(2)))
                    d = le32(single + np.int64(four >> np.uint64(24) << np.uint64(2)))
                    if a | b | c | d >= PLAIN:
                        break
                    at = put_four(at, a, b, c, d)
                    i += 4
            if i >= stop:
                break
            if is_double:
                entry = le32(double + np.int64(be16(i) << np.uint64(2)))
                size = np.int64(2)
            else:
                entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
                size = np.int64(1)
                before = i
                while entry == LEAD and i + 2 <= end:
                    entry = le32(double + np.int64(be16(i) << np.uint64(2)))
                    if entry >= PLAIN:
                        break
                    put32(at, np.int64(entry))
                    at += np.int64(entry >> np.uint64(24))
                    i += 2
                    entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
                if i > before:
                    continue
                entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
            if entry < PLAIN and i + size <= end:
                # A character of the standard area: all but a few are.
                put32(at, np.int64(entry))
                at += np.int64(entry >> np.uint64(24))
                i += size
                continue
            action = entry >> np.uint64(30)
            if action != np.uint64(0):
                turn, length, plane = shift_of(action, i, end, shifts)
                if length > 0 and i + length <= end:
                    if (turn == TO_DOUBLE) == is_double and double == pairs_of_all + plane:
                        flag |= np.uint64(STRAY)
                    is_double = turn == TO_DOUBLE
                    double = pairs_of_all + plane
                    i += length
                    continue
            length = np.int64((entry >> np.uint64(24)) & np.uint64(7))
            if not is_double and length >= PAIR:
                size = np.int64(2) if length == PAIR else np.int64(3)
                if i + size <= end:
                    code = np.int64(be16(i + size - 2)) + (size - 2) * SECOND_PLANE
                    entry = le32(double + 4 * code)
                    length = np.int64((entry >> np.uint64(24)) & np.uint64(7))
                    if length == HALF_PAIR and i + size <= stop:
                        size = np.int64(1)
                        length = np.int64(3)
            if is_cut(entry, i + size, stop, end):
                put32(at, 0xBDBFEF)
                at += 3
                flag |= np.uint64(HALF)
                break
            if is_double and odd_before_shift(entry, i, end, single, shifts):
                put32(at, 0xBDBFEF)
                at += 3
                flag |= np.uint64(HALF)
                i += 1
                continue
            at = put_character(at, entry, length, sequences)
            i += size
            flag |= flag_of(entry)
        if is_double and not starts_double:
            flag |= np.uint64(NOT_CLOSED)
        at = trimmed(at, start, trims_wide)
        put32(ends + 4 * (r + 1), at - out)
        put64(listed + 8 * found, np.int64(flag) << 32 | r)
        found += np.int64(flag != np.uint64(0))
    put64(plan + 8 * p.AT, at - out)
    return found


@jit
def list_codes(data, starts, ends, blank, single, pairs_of_all, shifts, starts_double, wanted, rows, codes):
    """Walk some texts again and list their codes of the `wanted` classes (a bit mask), in order.

    `data` is the address of the bytes, `starts` and `ends` where the texts are in them; `single`, the pairs and `shifts`
    are addresses, too. Fills `rows` (index into starts) and `codes` (of a single byte SINGLE + the byte, of a pair the pair,
    of three bytes THIRD + the pair); returns how many.
    """
    found = 0
    for r in range(len(starts)):
        i = data + starts[r]
        stop = end = data + ends[r]
        while stop > i and byte_at(stop - 1) == np.uint64(blank):
            stop -= 1
        is_double = starts_double
        double = pairs_of_all
        while i < stop:
            byte = np.int64(byte_at(i))
            entry = le32(single + 4 * byte)
            if is_double:
                entry = le32(double + np.int64(be16(i) << np.uint64(2)))
            action = entry >> np.uint64(30)
            if action != np.uint64(0):
                turn, size, plane = shift_of(action, i, end, shifts)
                if size > 0 and i + size <= end:
                    is_double = turn == TO_DOUBLE
                    double = pairs_of_all + plane
                    i += size
                    continue
            size = np.int64(2) if is_double else np.int64(1)
            code = np.int64(be16(i)) if is_double else SINGLE + byte
            length = np.int64((entry >> np.uint64(24)) & np.uint64(7))
            if not is_double and length >= PAIR:
                size = np.int64(2) if length == PAIR else np.int64(3)
                if i + size <= end:
                    pair = np.int64(be16(i + size - 2))
                    entry = le32(double + 4 * (pair + (size - 2) * SECOND_PLANE))
                    code = pair + (size - 2) * THIRD
                    if np.int64((entry >> np.uint64(24)) & np.uint64(7)) == HALF_PAIR and i + size <= stop:
                        size = np.int64(1)
                        code = SINGLE + byte
            if is_cut(entry, i + size, stop, end):
                break
            if is_double and odd_before_shift(entry, i, end, single, shifts):
                i += 1
                continue
            i += size
            if (wanted >> ((entry >> np.uint64(27)) & np.uint64(7))) & np.uint64(1):
                rows[found] = r
                codes[found] = code
                found += 1
    return found


def stored(item: Described) -> Stored:
    """The place of an item of text: two bytes a character of PICTURE N and G, one of the others."""
    assert item.picture is not None
    size = 2 if item.category == "national" else 1
    return Stored(size * item.picture.positions, pa.string(), item.picture)


def usage(
    name: str,
    doc: str,
    *,
    mode: int,
    stores: Stores,
    words: Mapping[str, Storage] = MappingProxyType({}),
) -> Usage:
    """The usage of text of a charset that is not Unicode; under one that is, its usage reads it.

    Args:
        name, doc, stores, words: as a `Usage` has them.
        mode: SINGLE_ONLY, BOTH (between shift codes) or DOUBLE_ONLY.
    """

    def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
        row[p.STARTS_DOUBLE] = mode == DOUBLE_ONLY
        return prepare_text(row, rules, decode_tables(rules.charset, shifted=mode == BOTH), decode)

    def codes(field: Field, rules: Rules, flag: int, texts: Texts) -> tuple[np.ndarray, np.ndarray]:
        tables = decode_tables(rules.charset, shifted=mode == BOTH)
        ends = np.minimum(texts.starts + field.width, texts.limits)
        room = len(texts.starts) * field.width + 1
        rows, found = np.empty(room, np.int64), np.empty(room, np.int64)
        count = list_codes(
            texts.data.ctypes.data,
            np.ascontiguousarray(texts.starts),
            ends,
            rules.charset.blank,
            tables.single.ctypes.data,
            tables.double.ctypes.data,
            tables.shifts.ctypes.data,
            mode == DOUBLE_ONLY,
            np.uint64(flag << 1),
            rows,
            found,
        )
        return rows[:count], found[:count]

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        return encode_text(column, charset, cells, mode=mode)

    return Usage(
        name=name,
        doc=doc,
        value=TEXT,
        words=words,
        stores=stores,
        becomes=lambda charset: charset.usage,
        prepare=prepare,
        codes=codes,
        flags=TEXT_FLAGS,
        empty=b"\x00\x40\x20",
        encode=encode,
        unit=2 if mode == DOUBLE_ONLY else 1,
    )
