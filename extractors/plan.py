"""The plan table: a row a field, a column a fact that its kernel needs; all 64-bit numbers.

Kernels read their row with `argument(plan, COLUMN)`. What a field's kernel finds odd it lists with `listed`, one 64-bit
word each: the field's number, the flags and the record, so that a list of a million costs eight megabytes.
"""

from __future__ import annotations

import numpy as np

from extractors.memory import int_at, jit

(
    KERNEL,  # address of the compiled kernel
    DATA,  # address of the bytes
    POS,  # address of the records' places in them (int64)
    OFFSET,  # of the field in its record
    WIDTH,  # of the field, in bytes
    OUT,  # address of the values: int64, 16 bytes a value (decimal128), or a text arena
    LIST,  # address of the oddities
    NUMBER,  # the field's number, as oddities name it
    STRIDE,  # numbers: 1 where a value takes eight bytes, 2 where it takes sixteen
    DIGITS,  # numbers: how many the PICTURE allows
    PLUS,  # numbers: bit n is set where sign half byte n means plus
    MINUS,  # numbers: bit n is set where it means minus; 0 for a number without sign
    MODE,  # numbers: leading sign or not, byte order; text: 1 where it begins in double-byte mode
    ENDS,  # text: address of the int32 ends
    AT,  # text: where the next text goes, an offset in the arena
    SINGLE,  # text: address of the single-byte table
    DOUBLE,  # text: address of the double-byte table
    LONG_SHIFTS,  # text: two-byte shift codes, to double << 16 | to single
    BLANK,  # text and numbers: a byte of padding, eight times
) = range(19)
COLUMNS = 19


@jit
def argument(plan, column):
    """Read a column of a plan row."""
    return int_at(plan + np.int64(8) * column)


def pack(number: int, flags: int, row: int) -> int:
    """An oddity as kernels write it: field number, flags, record."""
    return number << 48 | flags << 32 | row


def unpack(words: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(field number, flags, record) of listed oddities."""
    return words >> 48, (words >> 32) & 0xFFFF, words & 0xFFFFFFFF
