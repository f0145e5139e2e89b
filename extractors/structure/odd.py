"""What is odd in decoded columns, under the names that fields have in their records, with the places of their bytes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.decoder import Decoder, Oddity
from extractors.kernels.memory import jit
from extractors.layout import Field


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Where occurrences stand.

    Of each: which record it is of, its subscripts, where the section begins that is read, and where its record ends.
    """

    records: np.ndarray
    subscripts: np.ndarray
    starts: np.ndarray
    limits: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Odd:
    """What is odd at one field or table.

    Of each: its name, where occurrences have their own; which record, where its bytes begin and the record ends; and the
    decoder that can list its codes.
    """

    field: Field | None
    name: str | pa.Array
    flag: int
    code: str | None
    records: np.ndarray
    starts: np.ndarray
    limits: np.ndarray
    decoder: Decoder | None = None
    detail: str | None = None


@jit
def _place(at, records, starts, limits, offset, placed):
    """Fill three rows: the records of some occurrences, where a field of theirs begins, and where the records end.

    What is missing at a record's end is odd there.
    """
    for i in range(len(at)):
        limit = limits[at[i]]
        placed[0, i] = records[at[i]]
        placed[1, i] = min(starts[at[i]] + offset, limit)
        placed[2, i] = limit
    return 0


def named(oddity: Oddity, rows: Rows, decoder: Decoder) -> Odd:
    """An oddity under the names that its field has in the records, in the order of its occurrences."""
    field, at = oddity.field, oddity.rows
    name: str | pa.Array = field.name
    if rows.subscripts.shape[1]:
        at = at[np.lexsort(rows.subscripts[at].T[::-1])]
        outer = [pa.array(number).cast(pa.string()) for number in rows.subscripts[at].T]
        subscripts = pc.binary_join_element_wise(*outer, *map(str, field.subscripts), ",")
        name = pc.binary_join_element_wise(f"{field.data_name}(", subscripts, ")", "")
    placed = np.empty((3, len(at)), np.int64)
    _place(at, rows.records, rows.starts, rows.limits, field.offset, placed)
    return Odd(field, name, oddity.flag, oddity.code, placed[0], placed[1], placed[2], decoder)
