"""The findings of one batch, gathered a field at a time and made into one Arrow batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.charsets.contract import hexadecimal
from extractors.records import Records
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS, no_findings

CODE_BITS = 24
SHOWN = 4
"""How many different codes of one text a finding names."""


class BatchFindings:
    """The findings of one batch, gathered and then made into one Arrow batch: a few columns, however many kinds."""

    def __init__(self, dump: str, kind: str, records: Records) -> None:
        self._dump = dump
        self._kind = kind
        self._records = records
        self._groups: list[tuple[str, str | pa.Array | None, int]] = []
        self._rows: list[np.ndarray] = []
        self._offsets: list[np.ndarray] = []
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
        records = self._records
        offsets = records.offsets[rows]
        self._groups.append((code, field, len(rows)))
        self._rows.append(rows)
        self._offsets.append(offsets if starts is None else offsets + starts - records.pos[rows])
        self._details.append(detail)
        if codes is not None:
            self._codes.append((codes[0] + self._count, codes[1]))
        self._count += len(rows)

    def batch(self) -> pa.RecordBatch:
        """All of them."""
        if not self._groups:
            return no_findings()
        counts = [count for _, _, count in self._groups]
        group = pa.array(np.repeat(np.arange(len(counts)), counts))

        def spread(values: Sequence[str | None]) -> pa.Array:
            return pa.array(values, pa.string()).take(group)

        total = len(group)
        nothing = pa.nulls(total, pa.string())
        details = spread(self._details)
        if self._codes:
            at, codes = (np.concatenate(part) for part in zip(*self._codes, strict=True))
            details = pc.coalesce(_join_codes(at, codes, total), details)
        columns = [
            spread([code for code, _, _ in self._groups]),
            spread([str(CATALOGUE[code].severity) for code, _, _ in self._groups]),
            pa.repeat(pa.scalar(self._dump, pa.string()), total),
            pa.repeat(pa.scalar(self._kind, pa.string()), total),
            pa.array(self._records.numbers[np.concatenate(self._rows)]),
            pa.array(np.concatenate(self._offsets)),
            pa.concat_arrays([_repeated(field, count) for _, field, count in self._groups]),
            nothing,
            nothing,
            nothing,
            details,
        ]
        return pa.RecordBatch.from_arrays(columns, schema=FINDINGS)


def _repeated(name: str | pa.Array | None, count: int) -> pa.Array:
    return name if isinstance(name, pa.Array) else pa.repeat(pa.scalar(name, pa.string()), count)


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
    shown = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) < SHOWN
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.minimum(counts, SHOWN), out=ends[1:])
    words = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), _hexadecimal(codes[shown])), " ")
    more = np.maximum(counts - SHOWN, 0)
    sizes, which = np.unique(more, return_inverse=True)
    rest = pa.array([f" and {size:,} more" if size else "" for size in sizes.tolist()]).take(pa.array(which))
    joined = pc.binary_join_element_wise(words, rest, "")
    return pc.replace_with_mask(joined, pa.array(counts == 0), pa.scalar(None, pa.string()))
