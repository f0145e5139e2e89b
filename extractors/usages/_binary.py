"""Two's complement numbers of 1 to 16 bytes: the kernels, and the usage of either order of bytes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import ByteOrder, Dialect, binary_size
from extractors.kernels import plan as p
from extractors.kernels.memory import be64, int_at, kernel, put64
from extractors.kernels.plan import argument
from extractors.layout import Field, Picture
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages._digits import digits_of, to_integers
from extractors.usages._numbers import number_type, prepare_number
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Prepared, Rules, Usage

BINARY = Storage("BINARY")
NATIVE = Storage("COMP-5")
BYTES = Storage("COMP-X")
INDEX = Storage("INDEX", picture=False)
WORDS = {
    "BINARY": BINARY,
    "COMP": BINARY,
    "COMP-0": BINARY,
    "COMP-4": BINARY,
    "COMP-5": NATIVE,
    "COMP-X": BYTES,
    "INDEX": INDEX,
    "BINARY-CHAR": Storage("BINARY-CHAR", picture=False, size=1),
    "BINARY-SHORT": Storage("BINARY-SHORT", picture=False, size=2),
    "BINARY-LONG": Storage("BINARY-LONG", picture=False, size=4),
    "BINARY-DOUBLE": Storage("BINARY-DOUBLE", picture=False, size=8),
}
MAX_DIGITS = 38


@kernel
def decode_short(plan, first, last, found):
    """Up to eight bytes: one load a number, swapped again where the first byte is the least significant."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, stride, digits = argument(plan, p.WIDTH), argument(plan, p.STRIDE), argument(plan, p.DIGITS)
    signed, little = argument(plan, p.MINUS) != 0, argument(plan, p.LITTLE) != 0
    start = argument(plan, p.DATA) + argument(plan, p.OFFSET) + (np.int64(0) if little else width - 8)
    shift = np.uint64(64 - 8 * width)
    limit = argument(plan, p.LIMIT)
    for r in range(first, last):
        word = be64(start + int_at(pos + 8 * r))
        if little:
            word = (word & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8) | (word >> np.uint64(8)) & np.uint64(
                0x00FF00FF00FF00FF
            )
            word = (word & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16) | (word >> np.uint64(16)) & np.uint64(
                0x0000FFFF0000FFFF
            )
            word = word << np.uint64(32) | word >> np.uint64(32)
        word = word << shift
        value = np.int64(word) >> np.int64(shift) if signed else np.int64(word >> shift)
        put64(out + 8 * stride * r, value)
        if stride == 2:
            put64(out + 16 * r + 8, value >> 63 if digits <= 18 or signed else np.int64(0))
        lost = np.int64((not signed) and value < 0 and digits <= 18)
        beyond = np.int64(digits <= 18 and (value >= limit or value <= -limit)) & (lost ^ 1)
        put64(listed + 8 * found, (lost | beyond << 1) << 32 | r)
        found += lost | beyond
    return found


@kernel
def decode_long(plan, first, last, found):
    """Nine to sixteen bytes, over 128 bits."""
    pos, out, listed = argument(plan, p.POS), argument(plan, p.OUT), argument(plan, p.LIST)
    width, digits = argument(plan, p.WIDTH), argument(plan, p.DIGITS)
    signed, little = argument(plan, p.MINUS) != 0, argument(plan, p.LITTLE) != 0
    base = argument(plan, p.DATA) + argument(plan, p.OFFSET)
    # The largest magnitude of the PICTURE, over 128 bits, digit by digit.
    limit_high, limit_low = np.uint64(0), np.uint64(1)
    for _ in range(digits):
        carry = (
            (limit_low >> np.uint64(32)) * np.uint64(10)
            + (((limit_low & np.uint64(0xFFFFFFFF)) * np.uint64(10)) >> np.uint64(32))
        ) >> np.uint64(32)
        limit_low = limit_low * np.uint64(10)
        limit_high = limit_high * np.uint64(10) + carry
    for r in range(first, last):
        start = base + int_at(pos + 8 * r)
        low, high = np.uint64(0), np.uint64(0)
        for i in range(width):
            byte = be64(start + (width - 1 - i if little else i)) >> np.uint64(56)
            high = high << np.uint64(8) | low >> np.uint64(56)
            low = low << np.uint64(8) | byte
        if width < 16:
            top = np.uint64(64 - 8 * (width - 8))
            high = np.uint64(np.int64(high << top) >> np.int64(top)) if signed else high
        negative = signed and np.int64(high) < 0
        magnitude_low, magnitude_high = low, high
        if negative:
            magnitude_low = ~low + np.uint64(1)
            magnitude_high = ~high + np.uint64(magnitude_low == np.uint64(0))
        over = magnitude_high > limit_high or (magnitude_high == limit_high and magnitude_low >= limit_low)
        # 10**38 is the first number that decimal128 does not hold.
        large = magnitude_high > np.uint64(0x4B3B4CA85A86C47A) or (
            magnitude_high == np.uint64(0x4B3B4CA85A86C47A) and magnitude_low >= np.uint64(0x098A224000000000)
        )
        put64(out + 16 * r, np.int64(low))
        put64(out + 16 * r + 8, np.int64(high))
        lost = np.int64(large)
        beyond = np.int64(over) & (lost ^ 1)
        put64(listed + 8 * found, (lost | beyond << 1) << 32 | r)
        found += lost | beyond
    return found


def usage(name: str, doc: str, order: ByteOrder) -> Usage:
    """The usage of binary numbers in an order of bytes."""

    def store(item: Described, dialect: Dialect) -> Stored | None:
        return _stored(item, dialect) if _order(item, dialect) == order else None

    def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
        prepare_number(row, field, rules)
        row[p.LITTLE] = order == "little"
        return Prepared(decode_short if field.width <= 8 else decode_long)

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        return _encode(field, column, cells if order == "big" else cells[:, ::-1])

    return Usage(
        name=name,
        doc=doc,
        value=NUMBER,
        words=WORDS,
        stores=store,
        prepare=prepare,
        flags={LOST: "D205", OUT_OF_PICTURE: "D204"},
        empty=b"\x00\x40",
        encode=encode,
    )


def _order(item: Described, dialect: Dialect) -> ByteOrder:
    if item.storage == NATIVE or not item.storage.picture:
        return dialect.comp_5_order
    return "big" if item.storage == BYTES and item.category == "numeric" else dialect.binary_order


def _stored(item: Described, dialect: Dialect) -> Stored | None:
    """The place of an item, whichever byte comes first."""
    storage, picture = item.storage, item.picture
    if storage not in WORDS.values():
        return None
    if storage == INDEX:
        return _place(4, Picture("INDEX", "numeric", 10, 10, signed=True), 4 if dialect.sync_long > 1 else 1)
    if storage.size:
        digits = len(str(256**storage.size // (1 if item.unsigned else 2) - 1))
        text = f"{storage.name}{' UNSIGNED' if item.unsigned else ''}"
        made = Picture(text, "numeric", digits, digits, signed=not item.unsigned)
        return _place(storage.size, made, min(storage.size, dialect.sync_long))
    if picture is None:
        return None
    if picture.category == "alphanumeric" and picture.size <= 8:
        # Micro Focus: as many bytes of an unsigned number; past eight of them only bytes.
        digits = len(str(256**picture.size - 1))
        return _place(picture.size, Picture(picture.text, "numeric", digits, digits), 1)
    if picture.category != "numeric" or (picture.size > MAX_DIGITS and storage != BYTES):
        return None
    if storage == BYTES:
        size = binary_size("1-8", picture.size, signed=picture.signed)
        return _place(size, _native(picture, size), 1)
    size = binary_size(dialect.binary_sizes, picture.size, signed=picture.signed)
    boundary = min(size, dialect.sync_long) if size in (1, 2, 4, 8) else dialect.sync_long
    return _place(size, _native(picture, size) if storage == NATIVE else picture, boundary)


def _place(width: int, picture: Picture, boundary: int) -> Stored:
    return Stored(width, number_type(picture, len(str(256**width - 1))), picture, boundary)


def _native(picture: Picture, width: int) -> Picture:
    """What COMP-5 and COMP-X hold: all that their bytes can, which without a sign is more than an int64."""
    if picture.signed or width != 8:
        return picture
    return dataclasses.replace(picture, size=len(str(256**width - 1)))


def _encode(field: Field, column: pa.Array | np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Write a column of unscaled numbers, the most significant byte first."""
    values = to_integers(column)
    _, misfit = digits_of(values, field.picture.size, field.picture.size)
    if not field.picture.signed:
        misfit |= np.asarray(values < 0)
    if field.width <= 8 and values.dtype != object:
        cells[:] = values.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - field.width :]
        return misfit
    bits = 8 * field.width
    for row, value in enumerate(values):
        cells[row] = np.frombuffer((int(value) % (1 << bits)).to_bytes(field.width, "big"), np.uint8)
    return misfit
