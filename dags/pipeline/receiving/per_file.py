"""What was counted of each file of a dump: records, sums, headers and trailers, and whether it was cut short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.stream import DumpStream
from mappings.language.spec import DumpSpec
from migration_reports.records.counted import FileCount, Trailers
from validators.tally import Tally

LEFT_OVER, OF_NO_KIND = "F105", "F106"
"""The findings about the bytes after the last whole record of a file, and about a record of no known kind."""


class FileCounts:
    """Counts the records of a dump file by file, while it is read.

    Args:
        stream: the dump; it knows where each of its files begins.
        spec: the dump's.
    """

    def __init__(self, stream: DumpStream, spec: DumpSpec) -> None:
        self._stream = stream
        self._sums = any(control.per == "file" for control in spec.controls)
        self._tallies: dict[int, Tally] = {}
        self._trailers: dict[int, dict[str, list[Mapping[str, str | None]]]] = {}
        self._left_over: dict[int, int] = {}

    def add(self, kind: str, batch: pa.RecordBatch, fields: tuple[str, ...]) -> None:
        """Count a batch of a data kind; `fields` are those to sum."""
        for number, some in self._files(batch):
            self._tally(number).add(kind, some, fields if self._sums else ())

    def add_trailers(self, kind: str, batch: pa.RecordBatch, rows: list[dict[str, str | None]]) -> None:
        """Count a batch of a header or trailer kind; `rows` are its numeric fields."""
        for number, some in self._files(batch.select(["_offset"])):
            self._tally(number).add(kind, some, ())
            kept, rows = rows[: some.num_rows], rows[some.num_rows :]
            self._trailers.setdefault(number, {}).setdefault(kind, []).extend(kept)

    def add_findings(self, found: pa.RecordBatch) -> None:
        """Note in which files bytes are left over, and records are of no kind."""
        for code in (LEFT_OVER, OF_NO_KIND) if found.num_rows else ():
            places = found.filter(pc.equal(found["code"], code))["offset"].drop_null().to_numpy()
            for number, count in zip(*np.unique(self._numbers(places), return_counts=True), strict=True):
                if code == LEFT_OVER:
                    self._left_over[int(number)] = self._left_over.get(int(number), 0) + int(count)
                else:
                    records = self._tally(int(number)).records
                    records[""] = records.get("", 0) + int(count)

    @property
    def counted(self) -> tuple[FileCount, ...]:
        """What was counted, in the order of the files."""
        numbers = sorted(self._tallies.keys() | self._left_over.keys())
        return tuple(
            FileCount(
                number=number,
                records=self._tally(number).records,
                sums=self._tally(number).sums,
                trailers={kind: tuple(rows) for kind, rows in self._trailers.get(number, {}).items()},
                left_over=self._left_over.get(number, 0),
            )
            for number in numbers
        )

    def _tally(self, number: int) -> Tally:
        return self._tallies.setdefault(number, Tally())

    def _files(self, batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The files that a batch is of, counted from 0, each with its rows: they stand in order."""
        numbers = self._numbers(batch["_offset"].to_numpy())
        if not len(numbers):
            return
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for start, end in zip(starts, (*starts[1:], len(numbers)), strict=True):
            yield int(numbers[start]), batch.slice(int(start), int(end - start))

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
