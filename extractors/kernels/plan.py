"""The plan table: a row a field, a column a fact that its kernel needs; all 64-bit numbers.

Kernels read their row with `argument(plan, COLUMN)`. What a kernel finds odd it lists, one 64-bit word each: the flags in
the high half, the record in the low one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from extractors.kernels.memory import inner, int_at

(
    KERNEL,  # address of the compiled kernel
    DATA,  # address of the bytes
    POS,  # address of the records' places in them (int64)
    OFFSET,  # of the field in its record
    WIDTH,  # of the field, in bytes
    OUT,  # address of the values: int64, 16 bytes a value (decimal128), or a text arena
    LIST,  # address of the oddities
    FOUND,  # how many oddities are listed so far
    STRIDE,  # numbers: 1 where a value takes eight bytes, 2 where it takes sixteen
    DIGITS,  # numbers: how many the PICTURE allows
    LIMIT,  # numbers: the smallest that has more, where int64 holds it
    PLUS,  # numbers: bit n is set where sign half byte n means plus
    MINUS,  # numbers: bit n is set where it means minus; 0 for a number without sign
    LITTLE,  # binary numbers, UTF-16: 1 where the first byte is the least significant
    PLACE,  # numbers in characters: where the sign stands, and whether padding is left out
    SCALE,  # edited numbers: digits after the point
    POINT,  # edited numbers: 1 where the picture prints its decimal point
    LETTERS,  # edited numbers: how the sign is printed
    STARTS_DOUBLE,  # text: 1 where it begins in double-byte mode
    ENDS,  # text: address of the int32 ends
    AT,  # text: where the next text goes, an offset in the arena
    SINGLE,  # text: address of the single-byte table
    DOUBLE,  # text: address of the double-byte table; edited: of what the picture itself puts at each place
    SHIFTS,  # text: address of the shift codes
    SEQUENCES,  # text: address of the sequences
    KEEP_WIDE,  # text: 1 where trailing ideographic spaces are kept
    BLANK,  # text and numbers: a byte of padding, eight times
    LIMITS,  # text: address of the records' ends (int64); 0 where no record ends before its fields do
    HOLDING,  # in how many records so far the field holds anything
) = range(29)
COLUMNS = 29


@intrinsic
def argument(typing_context: Any, plan: Any, column: Any) -> Any:
    """Read a column of a plan row."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = builder.add(args[0], builder.shl(args[1], ir.Constant(ir.IntType(64), 3)))
        return builder.load(builder.inttoptr(at, ir.IntType(64).as_pointer()))

    return types.int64(types.int64, types.int64), codegen


@inner
def end_of(i, width, data, limits, r):
    """Where the bytes of a text end that begin at i: with the field, or with the record where that ends before."""
    if limits == 0:
        return i + width
    return max(min(i + width, data + int_at(limits + 8 * r)), i)


def unpack(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(record, flags) of listed oddities."""
    return words & 0xFFFFFFFF, words >> 32
