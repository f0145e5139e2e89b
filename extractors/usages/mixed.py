"""PICTURE X text that may change between single bytes and kanji by shift codes, or by bytes that begin a pair.

    C1 C2 C3 40 0E 4F 58 0F 40  ->  "ABC 漢"  in CCSID 930: SO (0E) begins double-byte text, SI (0F) ends it

Shift codes of one to four bytes (28, KEIS 0A42, JIPS 3F75, ESC $ B) act at character boundaries only and are no characters.
Trailing spaces, half-width and ideographic, are padding and are left out. Text that ends within double-byte mode is read
to its end, half a character (at the end of the field or the record, before the trailing spaces, or before the shift code
that ends double-byte text) reads as U+FFFD, X'00' as a space, an undefined code as U+FFFD; a shift into the mode that the
text is in already does nothing. Each is a finding, never an exception.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets._character_tables import (
    CELL,
    FOUR_BYTES,
    HALF_PAIR,
    PAIR,
    SEQUENCE,
    TO_DOUBLE,
    TO_SINGLE,
    EncodeTables,
    encode_tables,
)
from extractors.charsets.contract import SECOND_PLANE, SINGLE, THIRD, Charset
from extractors.kernels import plan as p
from extractors.kernels.memory import be16, be64, byte_at, inner, int_at, jit, kernel, le32, put32, put64
from extractors.kernels.plan import argument, end_of
from extractors.layout.layout import Field
from extractors.usages.contract import HALF, NOT_CLOSED, STRAY, TEXT, TEXT_FLAGS, Usage

_ASK = np.uint64(3)
_PLAIN = np.uint64(FOUR_BYTES << 24)
"""An entry below it is a character of the standard area whose one to three bytes of UTF-8 it holds."""

_LEAD = np.uint64(PAIR << 24)
"""The entry of a byte that begins a pair."""


@inner
def shift_of(action, at, end, shifts):
    """(what stands at a character boundary: 0 no shift, 1 to double, 2 to single; how many bytes it takes; the pairs' table)."""
    if action != _ASK:
        return np.int64(action), np.int64(1), np.int64(0)
    row = shifts
    while int_at(row) != 0:
        size = int_at(row)
        if at + size <= end:
            code = np.int64(0)
            for k in range(size):
                code = code << 8 | np.int64(byte_at(at + k))
            if code == int_at(row + 8):
                return int_at(row + 24), size, int_at(row + 16)
        row += 32
    return np.int64(0), np.int64(0), np.int64(0)


@inner
def trimmed(at, start, trims_wide):
    """Where a text ends without its trailing spaces, half-width and, where they are padding, ideographic."""
    while at > start:
        last_byte = byte_at(at - 1)
        if last_byte == np.uint64(0x20):
            at -= 1
        elif trims_wide and last_byte == np.uint64(0x80) and at - start >= 3 and be16(at - 3) == np.uint64(0xE380):
            at -= 3
        else:
            break
    return at


@inner
def put_four(at, a, b, c, d):
    """Write four plain characters; gives where the next one goes."""
    put32(at, np.int64(a))
    at += np.int64(a >> np.uint64(24))
    put32(at, np.int64(b))
    at += np.int64(b >> np.uint64(24))
    put32(at, np.int64(c))
    at += np.int64(c >> np.uint64(24))
    put32(at, np.int64(d))
    return at + np.int64(d >> np.uint64(24))


@inner
def put_character(at, entry, length, sequences):
    """Write the text of any table entry, its size as `length`; gives where the next one goes."""
    word = entry & np.uint64(0xFFFFFF)
    if length == SEQUENCE:
        cell = sequences + np.int64(word) * CELL
        put64(at, int_at(cell))
        put64(at + 8, int_at(cell + 8))
        return at + np.int64(byte_at(cell + CELL - 1))
    if length == FOUR_BYTES:
        word = word << np.uint64(8) | np.uint64(0xF0)
    put32(at, np.int64(word))
    return at + length


@inner
def flag_of(entry):
    """The flag of an entry's character class; 0 where it is of the standard area."""
    return (np.uint64(1) << ((entry >> np.uint64(27)) & np.uint64(7))) >> np.uint64(1)


@inner
def is_cut(entry, after, stop, end):
    """Whether a character would end behind its text: behind `end`, or, undefined, among the spaces from `stop` on."""
    return after > end or (after > stop and (entry >> np.uint64(27)) & np.uint64(7) == np.uint64(1))


@inner
def odd_before_shift(entry, at, end, single, shifts):
    """Whether an undefined pair is half a character and the shift code that ends the double-byte text."""
    if (entry >> np.uint64(27)) & np.uint64(7) != np.uint64(1):
        return False
    action = le32(single + np.int64(byte_at(at + 1) << np.uint64(2))) >> np.uint64(30)
    if action == np.uint64(0):
        return False
    turn, size, _ = shift_of(action, at + 1, end, shifts)
    return turn == TO_SINGLE and at + 1 + size <= end


@kernel
def decode(plan, first, last, found):
    """Write the texts of one column as UTF-8 into the arena; list what is odd."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, ends = argument(plan, p.WIDTH), argument(plan, p.ENDS)
    single, pairs_of_all = argument(plan, p.SINGLE), argument(plan, p.DOUBLE)
    shifts, sequences = argument(plan, p.SHIFTS), argument(plan, p.SEQUENCES)
    starts_double = argument(plan, p.MODE) != 0
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
                    if a | b | c | d >= _PLAIN:
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
                    if a | b | c | d >= _PLAIN:
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
                while entry == _LEAD and i + 2 <= end:
                    entry = le32(double + np.int64(be16(i) << np.uint64(2)))
                    if entry >= _PLAIN:
                        break
                    put32(at, np.int64(entry))
                    at += np.int64(entry >> np.uint64(24))
                    i += 2
                    entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
                if i > before:
                    continue
                entry = le32(single + np.int64(byte_at(i) << np.uint64(2)))
            if entry < _PLAIN and i + size <= end:
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


@jit
def write(ends, text, width, single, double, begins, steps, targets, opening, closing, mode, blank, cells, misfit):
    """Write UTF-8 texts into cells of `width` bytes already filled with spaces; mark those that do not fit.

    Compiled. A text that is too long, or holds a character that the charset cannot write, is marked and left blank.
    `mode`: 0 single bytes only, 1 both, 2 double-byte only.
    """
    for r in range(len(ends) - 1):
        i, stop = ends[r], ends[r + 1]
        at = 0
        is_double = mode == 2
        fits = True
        while i < stop and fits:
            node, i = _point(text, i)
            entry = _choose(node, single, double, mode)
            after = i
            while begins[node] and after < stop:
                point, after = _point(text, after)
                key = node << 21 | point
                found = np.searchsorted(steps, key)
                if found == len(steps) or steps[found] != key:
                    break
                node = targets[found]
                longer = _choose(node, single, double, mode)
                if longer != 0:
                    entry = longer
                    i = after
            size = entry >> 24
            if size == 0:
                fits = False
                break
            if mode == 1 and (size > 1) != is_double and len(opening) > 0:
                shift = opening if size > 1 else closing
                if at + len(shift) > width:
                    fits = False
                    break
                for byte in shift:
                    cells[r, at] = byte
                    at += 1
                is_double = size > 1
            if at + size + (len(closing) if is_double and mode == 1 else 0) > width:
                fits = False
                break
            if size == 3:
                cells[r, at] = 0x8F
                at += 1
            if size > 1:
                cells[r, at] = (entry >> 8) & 0xFF
                at += 1
            cells[r, at] = entry & 0xFF
            at += 1
        if is_double and mode == 1 and fits:
            for byte in closing:
                cells[r, at] = byte
                at += 1
        if not fits:
            misfit[r] = True
            cells[r, :] = blank


@inner
def _choose(node, single, double, mode):
    """The entry that writes a node: a single byte where the field may hold one and the charset has it."""
    if mode == 0:
        return np.int64(single[node])
    if mode == 2 or single[node] == 0:
        return np.int64(double[node])
    return np.int64(single[node])


@inner
def _point(text, i):
    """(the scalar that begins at i, where the next one does)."""
    byte = np.int64(text[i])
    if byte < 0x80:
        return byte, i + 1
    second = np.int64(text[i + 1] & 0x3F)
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, i + 2
    third = np.int64(text[i + 2] & 0x3F)
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, i + 3
    return (byte & 0x07) << 18 | second << 12 | third << 6 | np.int64(text[i + 3] & 0x3F), i + 4


SINGLE_ONLY, BOTH, DOUBLE_ONLY = range(3)
"""Which bytes a field may hold."""


def encode_text(column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray, *, mode: int) -> np.ndarray:
    """Write a column of text, with shifts where the charset needs them, padded with spaces.

    Args:
        column: texts, null as no text.
        charset: whose codes.
        cells: (texts, width) uint8, written whole.
        mode: SINGLE_ONLY, BOTH or DOUBLE_ONLY.

    Returns:
        The mask of the texts that do not fit.
    """
    tables = encode_tables(charset)
    if isinstance(column, np.ndarray) and len(column) == 1 and mode != DOUBLE_ONLY:
        # A value of a spec: for one text the compiler and Arrow's look for pandas are not started.
        plain = _plain_bytes(column[0] or "", tables)
        if plain is not None and len(plain) <= cells.shape[1]:
            cells[:] = charset.blank
            cells[0, : len(plain)] = plain
            return np.zeros(1, np.bool_)
    array = pa.array(column, pa.string()) if isinstance(column, np.ndarray) else column.cast(pa.string())
    array = pa.concat_arrays([array.fill_null("")])
    ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    data = array.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    misfit = np.zeros(len(array), np.bool_)
    filled = np.full(cells.shape, charset.blank, np.uint8)
    if mode == DOUBLE_ONLY and charset.double_space is not None and charset.double_space != charset.blank * 0x101:
        # Where two spaces are no ideographic space, a double-byte field is padded with its own.
        even = cells.shape[1] // 2 * 2
        filled[:, 0:even:2], filled[:, 1:even:2] = charset.double_space >> 8, charset.double_space & 0xFF
    shifts = [
        np.frombuffer(code, np.uint8) if code else np.zeros(0, np.uint8) for code in (charset.opening, charset.closing)
    ]
    rest = (tables.single, tables.double, tables.begins, tables.steps, tables.targets, *shifts)
    write(ends, text, cells.shape[1], *rest, mode, charset.blank, filled, misfit)
    cells[:] = filled
    return misfit


def _plain_bytes(text: str, tables: EncodeTables) -> np.ndarray | None:
    """What `write` makes of a text whose characters are single bytes, each by itself; None of any other text."""
    nodes = np.array([ord(character) for character in text], np.int64)
    if tables.begins[nodes].any() or not tables.single[nodes].all():
        return None
    return (tables.single[nodes] & 0xFF).astype(np.uint8)


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of text between shift codes."""
    return encode_text(column, charset, cells, mode=BOTH)


USAGE = Usage(
    name="mixed",
    doc=__doc__ or "",
    value=TEXT,
    kernel=lambda _: decode,
    flags=TEXT_FLAGS,
    empty=b"\x00\x40\x20",
    encode=encode,
)
