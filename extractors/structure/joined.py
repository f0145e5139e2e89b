"""Bytes of any length that are one value: a table of characters read as one text, or bytes kept as they are.

    DATA OCCURS 0 TO 4000 DEPENDING ON N PIC X, joined as text: one text of N bytes
    FREE PIC X(200), joined as text under another charset than the record's

Texts are decoded together with others of about their length, so that one long text does not make room for all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from extractors.charsets.contract import Charset
from extractors.decoder import Decoder
from extractors.dialects.contract import Dialect
from extractors.layout import Field, Table
from extractors.structure.odd import Odd, Rows, named
from extractors.structure.seen import Seen

SHORTEST = 64
"""Bytes up to which all texts are decoded together; then up to twice as many, and so on."""


class JoinedTable:
    """Reads the occurrences of a table as one value a record; made once a record kind.

    Args:
        table: whose occurrences are single characters, or one field.
        charset: the record's; the field may have its own.
        dialect: as the decoder takes it.
        describe: the Arrow field of a field, with its metadata.
    """

    def __init__(self, table: Table, charset: Charset, dialect: Dialect, describe: Callable[[Field], pa.Field]) -> None:
        (one,) = table.element.fields
        self._bytes = table.joined == "bytes"
        self._charset = charset.beside.get(one.data_name, charset)
        self._dialect = dialect
        self._whole = dataclasses.replace(
            one,
            name=table.column,
            offset=0,
            width=table.most * table.element.width,
            usage="raw" if self._bytes else one.usage,
            arrow_type=pa.binary() if self._bytes else pa.string(),
        )
        self.field: pa.Field = describe(dataclasses.replace(self._whole, offset=table.offset))
        self._decoders: dict[int, Decoder] = {}

    def read(
        self, data: np.ndarray, begins: np.ndarray, ends: np.ndarray, rows: Rows, odd: list[Odd]
    ) -> tuple[pa.Array, list[Seen]]:
        """The value of each record.

        Args:
            data: uint8, as the decoder takes it.
            begins: where each begins in it.
            ends: where each ends; not behind its record.
            rows: the records, or the occurrences that the table is in.
            odd: is added to.

        Returns:
            The column, and what an observer is shown.
        """
        ends = np.maximum(ends, begins)
        order, parts, seen = [], [], []
        for some, decoder in self._classes(ends - begins):
            starts, limits, records = begins[some], ends[some], rows.records[some]
            decoded = decoder.decode(data, starts, limits)
            here = Rows(records, rows.subscripts[some], starts, limits)
            odd.extend(named(oddity, here, decoder) for oddity in decoded.oddities)
            seen.append(Seen(decoder, data, starts, limits, records, decoded.columns))
            order.append(some)
            parts.append(_cut(data, starts, limits) if self._bytes else decoded.columns[0])
        if not parts:
            return pa.array([], self.field.type), []
        if len(parts) == 1:
            return parts[0], seen
        places = np.empty(len(begins), np.int64)
        places[np.concatenate(order)] = np.arange(len(begins))
        return pa.concat_arrays(parts).take(pa.array(places)), seen

    def _classes(self, lengths: np.ndarray) -> Iterator[tuple[np.ndarray, Decoder]]:
        """The records by about the length of their text, with what reads texts up to that length."""
        width = SHORTEST
        left = np.arange(len(lengths))
        while len(left):
            width = min(width, self._whole.width)
            fits = lengths[left] <= width
            if fits.any():
                yield left[fits], self._decoder(width)
            left = left[~fits]
            width *= 2

    def _decoder(self, width: int) -> Decoder:
        made = self._decoders.get(width)
        if made is None:
            kind = pa.binary(width) if self._bytes else pa.string()
            field = dataclasses.replace(self._whole, width=width, arrow_type=kind)
            made = self._decoders[width] = Decoder((field,), self._charset, self._dialect)
        return made


def _cut(data: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Pieces of some bytes as a column of binary."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    np.cumsum(ends - begins, out=offsets[1:])
    places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], np.diff(offsets))
    pieces = np.ascontiguousarray(data[places])
    return pa.Array.from_buffers(pa.binary(), len(begins), [None, pa.py_buffer(offsets), pa.py_buffer(pieces)])
