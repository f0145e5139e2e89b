"""Bytes without a meaning of their own: POINTER, long PICTURE X COMP-X, and any field that is asked for raw.

00 1F A0 40  ->  001FA040
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.dialects.contract import Dialect
from extractors.layout import Field, Picture
from extractors.layout.storage import Described, Storage, Stored
from extractors.usages import _binary as binaries
from extractors.usages import _floats as floats
from extractors.usages.contract import WHOLE, Rules, Usage

POINTER = Storage("POINTER", picture=False)
PROCEDURE = Storage("PROCEDURE-POINTER", picture=False)


def store(item: Described, dialect: Dialect) -> Stored | None:
    """Addresses, and more bytes of COMP-X, COMP or COMP-5 than a number has."""
    picture, boundary = item.picture, 1
    if item.storage == POINTER:
        size, boundary = dialect.pointer_size, dialect.pointer_size if dialect.sync_long > 1 else 1
    elif item.storage == PROCEDURE:
        size, boundary = dialect.procedure_pointer_size, min(dialect.procedure_pointer_size, dialect.sync_long)
    elif item.category == "alphanumeric" and item.storage in (binaries.BYTES, binaries.BINARY, binaries.NATIVE):
        assert picture is not None
        size = picture.size
        if size <= 8:
            return None
    else:
        return None
    return Stored(size, pa.binary(size), picture or Picture(item.storage.name, "alphanumeric", size, 1), boundary)


def read(field: Field, data: np.ndarray, starts: np.ndarray, rules: Rules) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Give a column of the bytes themselves."""
    raw = np.ascontiguousarray(floats.field_bytes(data, starts, field.width))
    none = np.zeros(0, np.int64)
    return pa.Array.from_buffers(pa.binary(field.width), len(starts), [None, pa.py_buffer(raw)]), none, none


def encode(field: Field, column: pa.Array | np.ndarray, charset: Charset, cells: np.ndarray) -> np.ndarray:
    """Write a column of bytes."""
    array = pa.array(column, pa.binary(field.width)).fill_null(b"\x00" * field.width)
    raw = np.frombuffer(pa.concat_arrays([array]).buffers()[1], np.uint8)
    cells[:] = raw[array.offset * field.width :][: cells.size].reshape(cells.shape)
    return np.zeros(len(array), bool)


USAGE = Usage(
    name="raw",
    doc=__doc__ or "",
    value=WHOLE,
    words={"POINTER": POINTER, "FUNCTION-POINTER": POINTER, "PROCEDURE-POINTER": PROCEDURE},
    stores=store,
    read=read,
    flags={},
    empty=b"\x00\x40",
    encode=encode,
)
