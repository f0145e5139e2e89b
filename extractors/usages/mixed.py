"""PICTURE X text that may change between single bytes and kanji by shift codes.

    C1 C2 C3 40 0E 4F 58 0F 40  ->  "ABC 漢"  in CCSID 930: SO (0E) begins double-byte text, SI (0F) ends it

Shift codes act at character boundaries only and are no characters. Trailing spaces, half-width and ideographic, are
padding and are left out. Text that ends within double-byte mode is read to the field's end, half a character reads as
U+FFFD, X'00' as a space, an undefined code as U+FFFD; each is a finding, never an exception.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import pyarrow as pa

from extractors.characters import Charset, encode_table
from extractors.layout import Field
from extractors.memory import load_be16, load_be64, load_byte, load_entry, store_le32
from extractors.usage import HALF, NOT_CLOSED, STRAY, TEXT_FLAGS, Usage

_BLANKS = np.uint64(0x4040404040404040)
_REPLACEMENT = np.uint64(0xBDBFEF)


@nb.njit(nogil=True, cache=True)
def decode(
    data,
    pos,
    first,
    last,
    offset,
    width,
    single,
    double,
    shifts,
    starts_double,
    out,
    at,
    base,
    ends,
    fields,
    rows,
    flags,
    found,
    number,
):
    """Decode records `first` to `last` of one text column into UTF-8 at `out[at]`; list what is odd.

    Compiled; called by the driver. `ends[r + 1]` becomes the end of record r's text, relative to `base`.
    Returns the position after the last text, and the number of oddities listed.
    """
    for r in range(first, last):
        begin = pos[r] + offset
        end = begin + width
        stop = end
        while stop - begin >= 8 and load_be64(data, stop - 8) == _BLANKS:
            stop -= 8
        while stop > begin and load_byte(data, stop - 1) == 0x40:
            stop -= 1
        start = at
        flag = np.uint64(0)
        is_double = starts_double
        i = begin
        while i < stop:
            byte = load_byte(data, i)
            action = shifts[byte]
            if action != 0:
                if (action == 1) == is_double:
                    flag |= np.uint64(STRAY)
                is_double = action == 1
                i += 1
                continue
            if is_double:
                if i + 1 >= end:
                    store_le32(out, at, _REPLACEMENT)
                    at += 3
                    flag |= np.uint64(HALF)
                    break
                entry = load_entry(double, load_be16(data, i))
                i += 2
            else:
                entry = load_entry(single, byte)
                i += 1
            size = np.int64((entry >> np.uint64(24)) & np.uint64(7))
            word = entry & np.uint64(0xFFFFFF)
            if size == 4:
                word = word << np.uint64(8) | np.uint64(0xF0)
            store_le32(out, at, word)
            at += size
            flag |= (np.uint64(1) << (entry >> np.uint64(27))) >> np.uint64(1)
        if is_double and not starts_double:
            flag |= np.uint64(NOT_CLOSED)
        while at > start:
            if out[at - 1] == 0x20:
                at -= 1
            elif at - start >= 3 and out[at - 1] == 0x80 and out[at - 2] == 0x80 and out[at - 3] == 0xE3:
                at -= 3
            else:
                break
        ends[r + 1] = at - base
        fields[found] = number
        rows[found] = r
        flags[found] = flag
        found += flag != 0
    return at, found


@nb.njit(nogil=True, cache=True)
def list_codes(data, starts, width, single, double, shifts, starts_double, wanted, rows, codes):
    """Walk some fields again and list their codes of the `wanted` classes (a bit mask), in order.

    Compiled. `starts` are the fields' first bytes. Fills `rows` (index into starts) and `codes` (a single byte's code
    is the byte, a pair's the pair); returns how many.
    """
    found = 0
    for r in range(len(starts)):
        end = starts[r] + width
        is_double = starts_double
        i = starts[r]
        while i < end:
            byte = load_byte(data, i)
            action = shifts[byte]
            if action != 0:
                is_double = action == 1
                i += 1
                continue
            if is_double:
                if i + 1 >= end:
                    break
                code = load_be16(data, i)
                entry = load_entry(double, code)
                i += 2
            else:
                code = byte
                entry = load_entry(single, byte)
                i += 1
            if (wanted >> (entry >> np.uint64(27))) & np.uint64(1):
                rows[found] = r
                codes[found] = code
                found += 1
    return found


@nb.njit(nogil=True, cache=True)
def write(ends, text, width, table, to_double, to_single, starts_double, cells, misfit):
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
                if at >= width:
                    fits = False
                    break
                cells[r, at] = to_double if needs_double else to_single
                at += 1
                is_double = needs_double
            room = 2 + (0 if starts_double else 1) if needs_double else 1
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
            cells[r, at] = to_single
        if not fits:
            misfit[r] = True
            cells[r, :] = 0x40


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
    filled = np.full(cells.shape, 0x40, np.uint8)
    write(
        ends,
        text,
        cells.shape[1],
        encode_table(charset),
        charset.to_double,
        charset.to_single,
        starts_double,
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
    kernel=decode,
    flags=TEXT_FLAGS,
    empty=b"\x00\x40",
    encode=encode,
)
