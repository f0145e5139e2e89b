"""The records of a decoded dump that have errors, as a reject set that the container `rejects` reads once more."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.batches import Extracted

SCHEMA = pa.schema([("dump", pa.string()), ("record", pa.int64()), ("offset", pa.int64()), ("bytes", pa.binary())])
BATCH_RECORDS = 16_384


class Rejected:
    """The records with errors, as they are met while a dump is read, and those they belong to."""

    def __init__(self) -> None:
        self._wrong: list[np.ndarray] = []
        self._children: list[np.ndarray] = []
        self._parents: list[np.ndarray] = []

    def add(self, extracted: Extracted) -> None:
        """Note the records of a batch that have errors, and whom each record belongs to."""
        found = extracted.findings
        errors = pc.and_(pc.equal(found.column("severity"), "error"), pc.is_valid(found.column("record")))
        self._wrong.append(np.unique(found.column("record").filter(errors).to_numpy(zero_copy_only=False)))
        if "_parent" in extracted.batch.schema.names:
            of_one = extracted.batch.filter(pc.is_valid(extracted.batch.column("_parent")))
            self._children.append(of_one.column("_record").to_numpy())
            self._parents.append(of_one.column("_parent").to_numpy())

    def numbers(self) -> np.ndarray:
        """The numbers of the records with errors and of all their ancestors, in order (int64)."""
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *self._wrong]).astype(np.int64))
        if not self._children:
            return wanted
        children, parents = np.concatenate(self._children), np.concatenate(self._parents)
        while True:
            more = np.union1d(wanted, parents[np.isin(children, wanted)])
            if len(more) == len(wanted):
                return wanted
            wanted = more


def write_rejects(path: Path, dump: str, records: Iterable[tuple[int, int, bytes]]) -> int:
    """Write records (number, offset, bytes) as an Arrow IPC file for the owner only; gives how many.

    Raises:
        OSError: it cannot be written.
    """
    count = 0
    path.unlink(missing_ok=True)
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        pa.ipc.new_file(raw, SCHEMA) as file,
    ):
        for some in _batches(records):
            numbers, offsets, contents = zip(*some, strict=True)
            names = pa.repeat(pa.scalar(dump), len(some))
            columns = [names, pa.array(numbers), pa.array(offsets), pa.array(contents, pa.binary())]
            file.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))
            count += len(some)
    return count


def _batches(records: Iterable[tuple[int, int, bytes]]) -> Iterator[list[tuple[int, int, bytes]]]:
    rest = iter(records)
    while some := list(itertools.islice(rest, BATCH_RECORDS)):
        yield some
