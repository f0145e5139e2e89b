"""PICTURE X text that may change between single bytes and kanji by shift codes.

    C1 C2 C3 40 0E 4F 58 0F 40  ->  "ABC 漢"  in CCSID 930: SO (0E) begins double-byte text, SI (0F) ends it

Shift codes, of one byte or of two (KEIS 0A42, JIPS 3F75), act at character boundaries only and are no characters. Trailing spaces, half-width and ideographic, are
padding and are left out. Text that ends within double-byte mode is read to the field's end, half a character reads as
U+FFFD, X'00' as a space, an undefined code as U+FFFD; each is a finding, never an exception.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors import plan as p
from extractors.characters import Charset, encode_table
from extractors.layout import Field
from extractors.memory import be16, be64, byte_at, inner, int_at, jit, kernel, le32, put32, put64
from extractors.plan import argument
from extractors.usage import TEXT, TEXT_FLAGS, Usage


@inner
def shift_of(action, at, long_shifts):
    """(what a shift does: 0 nothing, 1 to double, 2 to single; how many bytes it takes)."""
    if action != np.uint64(3):
        return np.int64(action), np.int64(1)
    code = np.int64(be16(at))
    if code == long_shifts >> 16:
        return np.int64(1), np.int64(2)
    if code == (long_shifts & 0xFFFF):
        return np.int64(2), np.int64(2)
    return np.int64(0), np.int64(0)


@kernel
def decode(plan, first, last, found):
    """Write the texts of one column as UTF-8 into the arena; list what is odd."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, ends = argument(plan, p.WIDTH), argument(plan, p.ENDS)
    single, double = argument(plan, p.SINGLE), argument(plan, p.DOUBLE)
    long_shifts = argument(plan, p.LONG_SHIFTS)
    starts_double = argument(plan, p.MODE) != 0
    blanks = np.uint64(argument(plan, p.BLANK))
    blank = blanks & np.uint64(0xFF)
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    at = out + argument(plan, p.AT)
    for r in range(first, last):
        i = base + int_at(pos + 8 * r)
        end = i + width
        stop = end
        while stop - i >= 8 and be64(stop - 8) == blanks:
            stop -= 8
        while stop > i and byte_at(stop - 1) == blank:
            stop -= 1
        start = at
        flag = np.uint64(0)
        is_double = starts_double
        while i < stop:
            if is_double:
                entry = le32(double + np.int64(be16(i) << np.uint64(2)))
                size = np.int64(2)
            else:
                entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
                size = np.int64(1)
            if entry < np.uint64(1 << 27) and i + size <= end:
                # A character of the standard area: all but a few are.
                put32(at, np.int64(entry))
                at += np.int64(entry >> np.uint64(24))
                i += size
                continue
            action = entry >> np.uint64(30)
            if action != np.uint64(0):
                turn, length = shift_of(action, i, long_shifts)
                if length > 0 and i + length <= end:
                    if (turn == 1) == is_double:
                        flag |= np.uint64(256)
                    is_double = turn == 1
                    i += length
                    continue
            if i + size > end:
                put32(at, 0xBDBFEF)
                at += 3
                flag |= np.uint64(64)
                break
            length = np.int64((entry >> np.uint64(24)) & np.uint64(7))
            word = entry & np.uint64(0xFFFFFF)
            if length == 4:
                word = word << np.uint64(8) | np.uint64(0xF0)
            put32(at, np.int64(word))
            at += length
            i += size
            kind = (entry >> np.uint64(27)) & np.uint64(7)
            if kind != np.uint64(7):
                flag |= (np.uint64(1) << kind) >> np.uint64(1)
        if is_double and not starts_double:
            flag |= np.uint64(128)
        while at > start:
            last_byte = byte_at(at - 1)
            if last_byte == np.uint64(0x20):
                at -= 1
            elif last_byte == np.uint64(0x80) and at - start >= 3 and be16(at - 3) == np.uint64(0xE380):
                at -= 3
            else:
                break
        put32(ends + 4 * (r + 1), at - out)
        put64(listed + 8 * found, np.int64(flag) << 32 | r)
        found += np.int64(flag != np.uint64(0))
    put64(plan + 8 * p.AT, at - out)
    return found


@jit
def list_codes(data, starts, width, single, double, shifts, long_shifts, starts_double, wanted, rows, codes):
    """Walk some fields again and list their codes of the `wanted` classes (a bit mask), in order.

    `data` is the address of the bytes, `starts` the fields' first bytes in them. Fills `rows` (index into starts) and
    `codes` (a single byte's code is the byte, a pair's the pair); returns how many.
    """
    found = 0
    for r in range(len(starts)):
        i = data + starts[r]
        end = i + width
        is_double = starts_double
        while i < end:
            byte = byte_at(i)
            action = np.uint64(shifts[byte])
            if action != np.uint64(0):
                turn, size = shift_of(action, i, long_shifts)
                if size > 0 and i + size <= end:
                    is_double = turn == 1
                    i += size
                    continue
            if is_double:
                if i + 1 >= end:
                    break
                code = np.int64(be16(i))
                entry = double[code]
                i += 2
            else:
                code = np.int64(byte)
                entry = single[code]
                i += 1
            if (wanted >> (np.uint64(entry >> np.uint32(27)) & np.uint64(7))) & np.uint64(1):
                rows[found] = r
                codes[found] = code
                found += 1
    return found


@jit
def write(ends, text, width, table, to_double, to_single, starts_double, blank, cells, misfit):
    """Write UTF-8 texts into cells of `width` bytes already filled with spaces; mark those that do not fit.

    Compiled. A text that is too long, or holds a character that the charset cannot write, is marked and left blank.
    """
    for r in range(len(ends) - 1):
        i, stop = ends[r], ends[r + 1]
        at = 0
        is_double = starts_double
        fits = True
        while i < stop:
            byte = np.int64(text[i])
            if byte < 0x80:
                point = byte
                i += 1
            elif byte < 0xE0:
                point = (byte & 0x1F) << 6 | np.int64(text[i + 1] & 0x3F)
                i += 2
            elif byte < 0xF0:
                point = (byte & 0x0F) << 12 | np.int64(text[i + 1] & 0x3F) << 6 | np.int64(text[i + 2] & 0x3F)
                i += 3
            else:
                point = (
                    (byte & 0x07) << 18
                    | np.int64(text[i + 1] & 0x3F) << 12
                    | np.int64(text[i + 2] & 0x3F) << 6
                    | np.int64(text[i + 3] & 0x3F)
                )
                i += 4
            entry = table[point]
            needs_double = entry >> 24 == 2
            if entry == 0 or (starts_double and not needs_double):
                fits = False
                break
            if needs_double != is_double:
                shift = to_double if needs_double else to_single
                if at + 2 > width:
                    fits = False
                    break
                if shift > 0xFF:
                    cells[r, at] = shift >> 8
                    at += 1
                cells[r, at] = shift & 0xFF
                at += 1
                is_double = needs_double
            room = 2 + (0 if starts_double else 2 if to_single > 0xFF else 1) if needs_double else 1
            if at + room > width:
                fits = False
                break
            if needs_double:
                cells[r, at] = (entry >> 8) & 0xFF
                cells[r, at + 1] = entry & 0xFF
                at += 2
            else:
                cells[r, at] = entry & 0xFF
                at += 1
        if is_double and not starts_double and fits:
            if to_single > 0xFF:
                cells[r, at] = to_single >> 8
                at += 1
            cells[r, at] = to_single & 0xFF
        if not fits:
            misfit[r] = True
            cells[r, :] = blank


def encode_text(
    column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray, *, starts_double: bool
) -> np.ndarray:
    """Write a column of text, with shifts where the charset needs them, padded with spaces."""
    array = pa.array(column, pa.string()) if isinstance(column, np.ndarray) else column.cast(pa.string())
    array = pa.concat_arrays([array.fill_null("")])
    ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    data = array.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    misfit = np.zeros(len(array), np.bool_)
    blank = 0x20 if charset.ascii else 0x40
    filled = np.full(cells.shape, blank, np.uint8)
    write(
        ends,
        text,
        cells.shape[1],
        encode_table(charset),
        charset.to_double,
        charset.to_single,
        starts_double,
        blank,
        filled,
        misfit,
    )
    cells[:] = filled
    return misfit


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of text between shift codes."""
    return encode_text(column, charset, cells, starts_double=False)


USAGE = Usage(
    name="mixed",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: decode,
    flags=TEXT_FLAGS,
    empty=b"\x00\x40\x20",
    encode=encode,
)
