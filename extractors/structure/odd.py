"""Where occurrences stand, and what is odd in them, under the names that fields have in their records."""

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


@jit
def _spread(
    ends, begin, width, places, outer, records, limits, parents, subscripts, starts, inner_records, inner_limits
):
    """Fill what is known of each occurrence, record by record."""
    for r in range(len(begin)):
        for n in range(ends[r], ends[r + 1]):
            within = n - ends[r]
            parents[n] = r
            for k in range(outer.shape[1]):
                subscripts[n, k] = outer[r, k]
            subscripts[n, outer.shape[1]] = within + 1
            starts[n] = places[n] if len(places) > 0 else begin[r] + within * width
            inner_records[n], inner_limits[n] = records[r], limits[r]
    return 0


def occurrences(
    rows: Rows, ends: np.ndarray, begin: np.ndarray, width: int, places: np.ndarray | None
) -> tuple[np.ndarray, Rows]:
    """The occurrences of a table in some records: which row each is of, and where it stands.

    Args:
        rows: the records, or the occurrences that the table is in.
        ends: int32, how many occurrences come before each row, and after the last.
        begin: where the table begins in each.
        width: of an occurrence, where `places` does not say where each is.
        places: where each occurrence begins; None where they are equally wide.
    """
    count, depth = int(ends[-1]), rows.subscripts.shape[1]
    parents, starts, records, limits = np.empty((4, count), np.int64)
    subscripts = np.empty((count, depth + 1), np.int64)
    places = places if places is not None else np.empty(0, np.int64)
    _spread(
        ends, begin, width, places, rows.subscripts, rows.records, rows.limits, parents, subscripts, starts, records,
        limits,
    )  # fmt: skip
    return parents, Rows(records, subscripts, starts, limits)


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
