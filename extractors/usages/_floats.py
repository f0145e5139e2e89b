"""Floating point numbers over whole batches: IBM hexadecimal and IEEE 754, both ways.

IBM hexadecimal (z/Architecture Principles of Operation, chapter 9): a sign bit, seven bits of an exponent of 16 in
excess 64, and a fraction of 24 or 56 bits. float64 holds every number of the short form; of the long form it holds 53
bits, and a number with more is rounded and reported.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import ByteOrder, Dialect, FloatFormat
from extractors.layout import Field, Picture
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages.contract import OUT_OF_PICTURE, WHOLE, Rules, Stores, Usage

FLOAT = Storage("COMP-1", picture=False)
DOUBLE = Storage("COMP-2", picture=False)
WORDS = {"COMP-1": FLOAT, "FLOAT-SHORT": FLOAT, "COMP-2": DOUBLE, "FLOAT-LONG": DOUBLE}


def stores(form: FloatFormat, order: ByteOrder | None = None) -> Stores:
    """The items that a dialect stores in a form, and in an order of bytes where the form has more than one."""

    def store(item: Described, dialect: Dialect) -> Stored | None:
        if item.storage not in (FLOAT, DOUBLE) or dialect.float_format != form:
            return None
        if order is not None and dialect.float_order != order:
            return None
        width = 4 if item.storage == FLOAT else 8
        kind = pa.float32() if form == "ieee" and width == 4 else pa.float64()
        picture = Picture(item.storage.name, "numeric", width, width)
        return Stored(width, kind, picture, width if dialect.sync_long > 1 else 1)

    return store


def field_bytes(data: np.ndarray, starts: np.ndarray, width: int) -> np.ndarray:
    """The bytes of a field: (records, width) uint8."""
    return data[starts[:, None] + np.arange(width)]


def from_ibm(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """IBM hexadecimal numbers as float64, and which of them were rounded.

    Args:
        raw: (n, 4) or (n, 8) uint8.
    """
    width = raw.shape[1]
    padded = np.zeros((len(raw), 8), np.uint8)
    padded[:, :width] = raw
    word = padded.view(">u8").ravel().astype(np.uint64)
    fraction = word & np.uint64(0x00FFFFFFFFFFFFFF)
    exponent = ((word >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int64) - 64
    value = np.ldexp(fraction.astype(np.float64), (4 * exponent - 56).astype(np.int32))
    value = np.where(word >> np.uint64(63), -value, value)
    exact = (fraction.astype(np.float64).astype(np.uint64) == fraction) | (fraction == 0)
    return value, ~exact


def to_ibm(values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 as normalised IBM hexadecimal numbers of 4 or 8 bytes, and which of them do not fit."""
    finite = np.isfinite(values)
    magnitude = np.abs(np.where(finite, values, 0.0))
    fraction, exponent = np.frexp(magnitude)
    # A power of two becomes a power of sixteen; the fraction gives up to three of its leading bits for that.
    hexadecimal = -(-exponent // 4)
    bits = 24 if width == 4 else 56
    scaled = np.rint(np.ldexp(fraction, exponent - 4 * hexadecimal + bits)).astype(np.uint64)
    carried = scaled >> np.uint64(bits) != 0
    scaled = np.where(carried, scaled >> np.uint64(4), scaled)
    hexadecimal = hexadecimal + carried
    zero = magnitude == 0
    misfit = ~finite | (~zero & ((hexadecimal > 63) | (hexadecimal < -64)))
    word = ((hexadecimal + 64) & 0x7F).astype(np.uint64) << np.uint64(bits) | scaled
    word = np.where(zero, np.uint64(0), word) | np.signbit(values).astype(np.uint64) << np.uint64(bits + 7)
    raw = word.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - width :]
    return np.ascontiguousarray(raw), misfit


def ieee(name: str, doc: str, order: ByteOrder) -> Usage:
    """The usage of IEEE 754 numbers in an order of bytes."""
    mark = ">" if order == "big" else "<"

    def read(
        field: Field, data: np.ndarray, starts: np.ndarray, rules: Rules
    ) -> tuple[pa.Array, np.ndarray, np.ndarray]:
        values = field_bytes(data, starts, field.width).view(f"{mark}f{field.width}").ravel()
        rows = np.nonzero(~np.isfinite(values))[0]
        native = values.astype(values.dtype.newbyteorder("="))
        return pa.array(native), rows, np.full(len(rows), OUT_OF_PICTURE, np.int64)

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        values = np.asarray(pa.array(column).fill_null(0)).astype(f"{mark}f{field.width}")
        cells[:] = values.view(np.uint8).reshape(-1, field.width)
        return np.zeros(len(values), bool)

    return Usage(
        name=name,
        doc=doc,
        value=WHOLE,
        stores=stores("ieee", order),
        read=read,
        flags={OUT_OF_PICTURE: "D209"},
        empty=b"\x00\x40",
        encode=encode,
    )
