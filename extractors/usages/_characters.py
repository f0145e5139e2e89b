"""What the kernels of text share: a character's entry written as UTF-8, shift codes, where a text ends."""

from __future__ import annotations

import numpy as np

from extractors.charsets._character_tables import CELL, FOUR_BYTES, PAIR, SEQUENCE, TO_SINGLE, DecodeTables
from extractors.kernels import plan as p
from extractors.kernels.memory import Kernel, be16, byte_at, inner, int_at, le32, put32, put64
from extractors.usages.contract import Prepared, Rules

_ASK = np.uint64(3)
PLAIN = np.uint64(FOUR_BYTES << 24)
"""An entry below it is a character of the standard area whose one to three bytes of UTF-8 it holds."""

LEAD = np.uint64(PAIR << 24)
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


def prepare_text(row: np.ndarray, rules: Rules, tables: DecodeTables, kernel: Kernel) -> Prepared:
    """Write the arguments of a text: the charset's tables, and what its padding is."""
    row[p.SINGLE], row[p.DOUBLE] = tables.single.ctypes.data, tables.double.ctypes.data
    row[p.SHIFTS], row[p.SEQUENCES] = tables.shifts.ctypes.data, tables.sequences.ctypes.data
    row[p.KEEP_WIDE] = rules.charset.keep_wide_spaces
    return Prepared(kernel, (tables.single, tables.double, tables.shifts, tables.sequences), tables.growth)
