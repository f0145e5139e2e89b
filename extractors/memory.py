"""Loads and stores of machine words at any byte of a buffer, for the kernels.

Numba's plain indexing tests every index for its sign and moves one byte at a time; text kernels run two to three times
faster with these. They check no bounds: buffers given to a kernel have `SLACK` bytes before the first record and after
the last, and text arenas the same at their end.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SLACK = 16
"""Bytes that must be readable (or writable) beyond what a kernel is told of."""


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, bits: int) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.IntType(bits).as_pointer())


@intrinsic
def load_be64(typing_context: Any, data: Any, index: Any) -> Any:
    """Read eight bytes at `data[index]`, the first the most significant, as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 64), align=1)
        return builder.bswap(word)

    return types.uint64(data, types.int64), codegen


@intrinsic
def load_be16(typing_context: Any, data: Any, index: Any) -> Any:
    """Read two bytes at `data[index]`, the first the more significant, as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 16), align=1)
        return builder.zext(builder.bswap(word), ir.IntType(64))

    return types.uint64(data, types.int64), codegen


@intrinsic
def load_byte(typing_context: Any, data: Any, index: Any) -> Any:
    """Read the byte at `data[index]` as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 8), align=1)
        return builder.zext(word, ir.IntType(64))

    return types.uint64(data, types.int64), codegen


@intrinsic
def load_entry(typing_context: Any, table: Any, index: Any) -> Any:
    """Read `table[index]` of a uint32 table as uint64; the index is never negative."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1], 32))
        return builder.zext(word, ir.IntType(64))

    return types.uint64(table, types.uint64), codegen


@intrinsic
def store_le32(typing_context: Any, data: Any, index: Any, word: Any) -> Any:
    """Write the low four bytes of `word` at `data[index]`, least significant first."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        low = builder.trunc(args[2], ir.IntType(32))
        builder.store(low, _pointer(context, builder, signature.args[0], args[0], args[1], 32), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), codegen
