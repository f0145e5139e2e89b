"""The findings of one batch, gathered a field at a time and made into one Arrow batch."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import hexadecimal
from extractors.kernels.memory import jit
from extractors.records import Records
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, no_findings

CODE_BITS = 24
SHOWN = 4
"""How many different codes of one text a finding names."""


@jit
def _place(rows, starts, pos, numbers, offsets, places):
    """Fill two rows: the numbers of records, and the offsets in the dump of what begins in them at `starts`."""
    for i in range(len(rows)):
        r = rows[i]
        places[0, i] = numbers[r]
        places[1, i] = offsets[r] + starts[i] - pos[r]
    return 0


class BatchFindings:
    """The findings of one batch, gathered and then made into one Arrow batch: a few columns, however many kinds."""

    def __init__(self, dump: str, kind: str, records: Records) -> None:
        self._dump = dump
        self._kind = kind
        self._records = records
        self._groups: list[tuple[str, str | pa.Array | None, int]] = []
        self._rows: list[np.ndarray] = []
        self._starts: list[np.ndarray] = []
        self._details: list[str | None] = []
        self._codes: list[tuple[np.ndarray, np.ndarray]] = []
        self._count = 0

    def add(
        self,
        code: str,
        rows: np.ndarray,
        *,
        starts: np.ndarray | None = None,
        field: str | pa.Array | None = None,
        detail: str | None = None,
        codes: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Add findings of one code on one field.

        Args:
            code: the finding's.
            rows: which records of the batch.
            starts: where in the data; None: at the records' beginnings.
            field: the field's name, or that of each.
            detail: what to say of them all.
            codes: or the character codes of each: (index into rows, code).
        """
        if not len(rows):
            return
        self._groups.append((code, field, len(rows)))
        self._rows.append(rows)
        self._starts.append(self._records.pos[rows] if starts is None else starts)
        self._details.append(detail)
        if codes is not None:
            self._codes.append((codes[0] + self._count, codes[1]))
        self._count += len(rows)

    def batch(self) -> pa.RecordBatch:
        """All of them."""
        if not self._groups:
            return no_findings()
        codes, fields, counts = zip(*self._groups, strict=True)
        total, records = self._count, self._records
        places = np.empty((2, total), np.int64)
        rows, starts = np.concatenate(self._rows), np.concatenate(self._starts)
        if records.flags is not None:
            # Where cells were laid is no place in the dump: that of their row is.
            starts = records.pos[rows]
        _place(rows, starts, records.pos, records.numbers, records.offsets, places)
        nothing = pa.nulls(total, pa.string())
        columns = [
            _repeated(codes, counts),
            _repeated([str(CATALOGUE[code].severity) for code in codes], counts),
            _repeated([self._dump], [total]),
            _repeated([self._kind], [total]),
            pa.array(places[0]),
            pa.array(places[1]),
            _names(fields, counts),
            nothing,
            nothing,
            nothing,
            self._detail(counts, total),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=FINDINGS)

    def _detail(self, counts: Sequence[int], total: int) -> pa.Array:
        said = any(detail is not None for detail in self._details)
        if not self._codes:
            return _repeated(self._details, counts) if said else pa.nulls(total, pa.string())
        at, codes = (np.concatenate(part) for part in zip(*self._codes, strict=True))
        joined = _join_codes(at, codes, total)
        return pc.coalesce(joined, _repeated(self._details, counts)) if said else joined


def _names(names: Sequence[str | pa.Array | None], counts: Sequence[int]) -> pa.Array:
    """The fields' names: one of each group, or one of each finding."""
    words = [name for name in names if not isinstance(name, pa.Array)]
    if len(words) == len(names):
        return _repeated(words, counts)
    each = zip(names, counts, strict=True)
    return pa.concat_arrays([n if isinstance(n, pa.Array) else _repeated([n], [count]) for n, count in each])


def _repeated(words: Sequence[str | None], counts: Sequence[int]) -> pa.Array:
    """Each word so often, equal ones in one go: there are few words and many findings, and no work for each."""
    total = sum(counts)
    ends = np.zeros(total + 1, np.int32)
    pieces, at, size = [], 0, 0
    for word, some in itertools.groupby(zip(words, counts, strict=True), operator.itemgetter(0)):
        content, count = (word or "").encode(), sum(count for _, count in some)
        ends[at + 1 : at + count + 1] = size + len(content) * np.arange(1, count + 1, dtype=np.int32)
        pieces.append(content * count)
        at, size = at + count, size + len(content) * count
    bitmap = None
    if None in words:
        bitmap = pa.py_buffer(np.packbits(np.repeat([word is not None for word in words], counts), bitorder="little"))
    return pa.Array.from_buffers(pa.string(), total, [bitmap, pa.py_buffer(ends), pa.py_buffer(b"".join(pieces))])


def _hexadecimal(codes: np.ndarray) -> pa.Array:
    """Codes as hexadecimal words: two digits a single byte, four a pair, six or fewer what is longer."""
    distinct, inverse = np.unique(codes, return_inverse=True)
    return pa.array([hexadecimal(int(code)) for code in distinct], pa.string()).take(pa.array(inverse))


def _join_codes(at: np.ndarray, codes: np.ndarray, count: int) -> pa.Array:
    """Some of the codes of each row as hexadecimal words; null where a row has none.

    Each once and in the order of the codes, and no more than `SHOWN`: in the order of the text they would be the text,
    which is of a person.
    """
    keys = np.unique(at << CODE_BITS | codes)
    rows, codes = keys >> CODE_BITS, keys & ((1 << CODE_BITS) - 1)
    counts = np.bincount(rows, minlength=count)
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.minimum(counts, SHOWN), out=ends[1:])
    none = pa.array(counts == 0)
    if ends[-1] == len(codes):
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), _hexadecimal(codes), mask=none), " ")
    shown = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) < SHOWN
    words = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), _hexadecimal(codes[shown]), mask=none), " ")
    more = np.maximum(counts - SHOWN, 0)
    sizes, which = np.unique(more, return_inverse=True)
    rest = pa.array([f" and {size:,} more" if size else "" for size in sizes.tolist()]).take(pa.array(which))
    return pc.binary_join_element_wise(words, rest, "")
