"""What was counted of each file of a dump: records, sums, headers and trailers, and whether it was cut short."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dags.pipeline.controls.counting import Counting, Sink
from extractors.stream import DumpStream
from mappings.control_plan import ControlPlan
from mappings.language.spec import DumpSpec
from migration_reports.records.counted import FileCount, Trailers

LEFT_OVER, OF_NO_KIND = "F105", "F106"
"""The findings about the bytes after the last whole record of a file, and about a record of no known kind."""


class FileCounts:
    """Counts the records of a dump file by file, while it is read.

    Args:
        stream: the dump; it knows where each of its files begins.
        dump: its name.
        controls: those that are proved per file.
        sink: takes what counting leaves; of controls per file it leaves nothing.
    """

    def __init__(self, stream: DumpStream, dump: str, controls: Sequence[ControlPlan], sink: Sink) -> None:
        self._stream = stream
        self._new = functools.partial(Counting, dump, controls, sink)
        self._counting: dict[int, Counting] = {}
        self._records: dict[int, dict[str, int]] = {}
        self._trailers: dict[int, dict[str, list[Mapping[str, str | None]]]] = {}
        self._left_over: dict[int, int] = {}

    def add(self, kind: str, batch: pa.RecordBatch, left: pl.Series | None) -> None:
        """Count a batch of a record kind; `left` gives of each record the reason for which it is left."""
        for number, start, count in self._files(batch):
            self._note(number, kind, count)
            counting = self._counting.setdefault(number, self._new())
            counting.add(kind, batch.slice(start, count), left.slice(start, count) if left is not None else None)

    def add_trailers(self, kind: str, batch: pa.RecordBatch, rows: Sequence[Mapping[str, str | None]]) -> None:
        """Count a batch of a header or trailer kind; `rows` are its numbers."""
        self.add(kind, batch, None)
        for number, start, count in self._files(batch):
            self._trailers.setdefault(number, {}).setdefault(kind, []).extend(rows[start : start + count])

    def add_findings(self, found: pa.RecordBatch) -> None:
        """Note in which files bytes are left over, and records are of no kind."""
        for code in (LEFT_OVER, OF_NO_KIND) if found.num_rows else ():
            places = found.filter(pc.equal(found["code"], code))["offset"].drop_null().to_numpy()
            for number, count in zip(*np.unique(self._numbers(places), return_counts=True), strict=True):
                if code == LEFT_OVER:
                    self._left_over[int(number)] = self._left_over.get(int(number), 0) + int(count)
                else:
                    self._note(int(number), "", int(count))

    @property
    def counted(self) -> tuple[FileCount, ...]:
        """What was counted, in the order of the files."""
        return tuple(
            FileCount(
                number=number,
                records=self._records.get(number, {}),
                groups=self._counting[number].groups if number in self._counting else {},
                trailers={kind: tuple(rows) for kind, rows in self._trailers.get(number, {}).items()},
                left_over=self._left_over.get(number, 0),
            )
            for number in sorted(self._records.keys() | self._left_over.keys())
        )

    def _note(self, number: int, kind: str, count: int) -> None:
        records = self._records.setdefault(number, {})
        records[kind] = records.get(kind, 0) + count

    def _files(self, batch: pa.RecordBatch) -> Iterator[tuple[int, int, int]]:
        """The files that a batch is of, counted from 0, each with its first row and how many there are: they stand in order."""
        numbers = self._numbers(batch["_offset"].to_numpy())
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for start, end in zip(starts, (*starts[1:], len(numbers)), strict=True):
            yield int(numbers[start]), int(start), int(end - start)

    def _numbers(self, offsets: np.ndarray) -> np.ndarray:
        # Files that hold nothing begin where the next one does; a record is never of such a one.
        begin = np.array([part.offset for part in self._stream.parts], np.int64)
        return np.searchsorted(begin, offsets, side="right") - 1


def with_cuts(files: tuple[FileCount, ...], spec: DumpSpec, count: int) -> tuple[FileCount, ...]:
    """The counts of all files of a dump, with whether each was cut short.

    A file is, where bytes are left over at its end, or where it lacks a trailer that it should have: each file, where a
    control is proved per file, else that of a dump of one file.

    Args:
        files: those of which anything was counted.
        spec: the dump's.
        count: how many files the dump has.
    """
    asked = count == 1 or any(control.per == "file" for control in spec.controls)
    trailers = [name for name, kind in spec.records.items() if kind.role == "trailer"] if asked else []
    known = {one.number: one for one in files}
    every = (known.get(number, FileCount(number=number)) for number in range(count))
    return tuple(
        one.model_copy(update={"cut_short": bool(one.left_over) or any(not one.records.get(t) for t in trailers)})
        for one in every
    )


def trailers_of(one: FileCount, spec: DumpSpec) -> Trailers:
    """The headers and trailers of a file, by kind; of a kind that it has none of, none."""
    return {name: one.trailers.get(name, ()) for name, kind in spec.records.items() if kind.role != "data"}
