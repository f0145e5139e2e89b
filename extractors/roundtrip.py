"""Decode, encode again, compare the bytes: the proof, for one dump, that reading loses nothing.

Every field is compared in every record, occurrences and FILLERs too, up to the record's end. A value that is written back as other bytes (a plus
sign F where the canonical one is C, two shifts where one would do) is listed with its first record: the value is the
same, the bytes are not. Bytes that are no value have nothing to be compared with and are counted by themselves, and so
are bytes of no field: slack, what goes on behind a layout, and records of no kind.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa

from extractors.batches import Kind, extract
from extractors.charsets.contract import Charset
from extractors.layout import Field
from extractors.reading import Reading
from extractors.records import Dump
from extractors.structure import Seen
from extractors.writing.encode import encode_cells


@dataclasses.dataclass(slots=True)
class Compared:
    """What came of one field of one record kind."""

    kind: str
    field: str
    usage: str
    values: int = 0
    same: int = 0
    other: int = 0
    no_value: int = 0
    bytes: int = 0
    first_other: int = 0
    first_no_value: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class RoundTrip:
    """The outcome: every field, the bytes of all records, and how many of them were compared and came back."""

    fields: tuple[Compared, ...]
    records: int
    record_bytes: int
    no_field_bytes: int = 0

    @property
    def exceptions(self) -> tuple[Compared, ...]:
        """The fields in which something did not come back as it was."""
        return tuple(f for f in self.fields if f.other or f.no_value)

    @property
    def compared_bytes(self) -> int:
        """Bytes of all values that were compared."""
        return sum(f.bytes for f in self.fields)

    @property
    def other_values(self) -> int:
        """Values that were written back as other bytes."""
        return sum(f.other for f in self.fields)


def round_trip(dump: Dump, *, name: str, reading: Reading, kinds: tuple[Kind, ...]) -> RoundTrip:
    """Prove it for a dump.

    Args:
        dump: the bytes.
        name: how it is called.
        reading: how it is read.
        kinds: its record kinds.
    """
    observer = _Observer()
    extraction = extract(
        dump,
        name=name,
        layout=reading.layout,
        framing=reading.framing,
        charset=reading.charset,
        kinds=[dataclasses.replace(kind, lists=False) for kind in kinds],
        blanks=reading.blanks,
        fixed_places=reading.fixed_places,
        observer=observer,
    )
    for _ in extraction.slices():
        pass
    account = extraction.account
    return RoundTrip(
        tuple(observer.found.values()), account.records, account.in_records, account.in_records - observer.covered()
    )


class _Observer:
    """Is shown everything that is decoded, with the bytes that it was decoded from."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Compared] = {}
        self._kind = ""
        self._numbers = np.zeros(0, np.int64)
        # Which bytes of the data that is seen any field has, and how many of what was seen before.
        self._mask = np.zeros(0, bool)
        self._covered = 0

    def begin(self, kind: str, numbers: np.ndarray) -> None:
        """The records that come next: their kind and their numbers."""
        self._covered, self._mask = self.covered(), np.zeros(0, bool)
        self._kind = kind
        self._numbers = numbers

    def covered(self) -> int:
        """How many bytes any field has."""
        return self._covered + int(self._mask.sum())

    def see(self, seen: Seen) -> None:
        """Compare columns of them."""
        if not len(self._mask):
            self._mask = np.zeros(len(seen.data), bool)
        for field, column in zip(seen.decoder.fields, seen.columns, strict=True):
            # A short record has none or a part of the bytes.
            there = np.flatnonzero(seen.starts + field.offset < seen.limits)
            some = column if len(there) == len(column) else column.take(pa.array(there))
            places = (seen.starts[there] + field.offset)[:, None] + np.arange(field.width)
            inside = places < seen.limits[there][:, None]
            self._mask[places[inside]] = True
            entry = self.found.setdefault((self._kind, field.name), Compared(self._kind, field.name, field.usage))
            records = self._numbers[seen.records[there]]
            _compare(entry, field, some, seen.decoder.charset, seen.data[places], inside, records)


def _compare(
    entry: Compared,
    field: Field,
    column: pa.Array,
    charset: Charset,
    raw: np.ndarray,
    inside: np.ndarray,
    records: np.ndarray,
) -> None:
    valid = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
    entry.no_value += int((~valid).sum())
    if not valid.all() and not entry.first_no_value:
        entry.first_no_value = int(records[np.argmin(valid)])
    if not valid.any():
        return
    rows = np.flatnonzero(valid)
    some = column if len(rows) == len(column) else column.take(pa.array(rows))
    cells, misfit = encode_cells(field, some, charset, len(rows))
    different = misfit | ((cells != raw[rows]) & inside[rows]).any(axis=1)
    entry.values += len(rows)
    entry.bytes += int(inside[rows].sum())
    entry.other += int(different.sum())
    entry.same += int((~different).sum())
    if different.any() and not entry.first_other:
        entry.first_other = int(records[rows[np.argmax(different)]])
