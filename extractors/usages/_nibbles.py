"""Packed decimal, two digits a byte: the usage with the sign in the last half byte, and the one without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import Dialect
from extractors.kernels.memory import Kernel
from extractors.kernels.wide import to_decimal256
from extractors.layout import Field
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages._digits import digits_of, to_integers
from extractors.usages._floats import field_bytes
from extractors.usages._numbers import number_type, prepare_number
from extractors.usages.contract import LOST, NUMBER, OUT_OF_PICTURE, Prepared, Rules, Usage


def usage(
    name: str, doc: str, *, words: tuple[str, ...], sign: bool, empty: bytes, kernel: Callable[[Field], Kernel]
) -> Usage:
    """The usage of packed numbers.

    Args:
        name, doc, empty: as a `Usage` has them.
        words: the words of the USAGE clause that ask for it, the first as messages call it.
        sign: whether the last half byte is the sign.
        kernel: reads a field of up to 38 digits.
    """
    storage = Storage(words[0])

    def store(item: Described, dialect: Dialect) -> Stored | None:
        picture = item.picture
        if item.storage != storage or picture is None or picture.category != "numeric":
            return None
        width = (picture.size + 1 + sign) // 2
        return Stored(width, number_type(picture, 2 * width - sign), picture)

    def prepare(row: np.ndarray, field: Field, rules: Rules) -> Prepared:
        prepare_number(row, field, rules)
        return Prepared(kernel(field))

    def read(
        field: Field, data: np.ndarray, starts: np.ndarray, rules: Rules
    ) -> tuple[pa.Array, np.ndarray, np.ndarray]:
        return _read(field, field_bytes(data, starts, field.width), rules if sign else None)

    def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
        return _encode(field, to_integers(column), cells, sign=sign)

    return Usage(
        name=name,
        doc=doc,
        value=NUMBER,
        words=dict.fromkeys(words, storage),
        stores=store,
        prepare=prepare,
        read=read,
        flags={LOST: "D201", OUT_OF_PICTURE: "D204"},
        empty=empty,
        encode=encode,
    )


def _read(field: Field, raw: np.ndarray, signs: Rules | None) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Decode a column of more than 38 digits, whose last half byte is a sign where there are rules of signs."""
    digits = np.stack((raw >> 4, raw & 0xF), axis=2).reshape(len(raw), -1)
    negative = no_sign = np.zeros(len(raw), bool)
    if signs is not None:
        digits, last = digits[:, :-1], digits[:, -1]
        negative = _is_one_of(last, signs.dialect.minus_signs)
        no_sign = ~(negative & field.picture.signed | _is_one_of(last, signs.dialect.plus_signs))
    bad = np.asarray((digits > 9).any(axis=1) | no_sign, bool)
    beyond = ~bad & (digits[:, : digits.shape[1] - field.picture.size] != 0).any(axis=1)
    rows = np.nonzero(bad | beyond)[0]
    column = to_decimal256(np.where(bad[:, None], 0, digits)[:, -76:], negative, field.arrow_type)
    return column, rows, np.where(bad[rows], LOST, OUT_OF_PICTURE)


def _is_one_of(last: np.ndarray, nibbles: str) -> np.ndarray:
    return np.isin(last, [int(nibble, 16) for nibble in nibbles])


def _encode(field: Field, values: np.ndarray, cells: np.ndarray, *, sign: bool) -> np.ndarray:
    """Write a column of unscaled numbers; a sign is C for plus, D for minus, F where the PICTURE has no sign."""
    digits, misfit = digits_of(values, 2 * field.width - sign, field.picture.size)
    minus = np.asarray(values < 0, bool)
    if sign:
        last = np.where(minus, 0xD, 0xC) if field.picture.signed else np.full(len(values), 0xF)
        digits = np.column_stack((digits, last.astype(np.uint8)))
    cells[:] = digits[:, 0::2] << 4 | digits[:, 1::2]
    return misfit if sign and field.picture.signed else np.asarray(misfit | minus, bool)
