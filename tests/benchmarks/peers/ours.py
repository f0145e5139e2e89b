"""Our reader, in a process of its own: `python -m tests.benchmarks.peers.ours COPYBOOK DATA WARM TIMED`.

It also copies the bytes of the file in memory, between the passes, as the limit that the ratios stand beside.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from extractors import charsets, framings
from extractors.batches import extract
from extractors.copybooks.copybook import read_copybook


def batches(copybook: Path, data: Path, *, variable: bool = False) -> Iterator[pa.RecordBatch]:
    """Decode a file, a batch at a time; findings are made and dropped, and there must be none."""
    layout = read_copybook(copybook.read_text("ascii"), file=copybook.name)
    framing = framings.load("variable" if variable else "fixed", {}, layout)
    with data.open("rb") as dump:
        extraction = extract(
            dump,
            name="peer",
            layout=layout,
            framing=framing,
            charset=charsets.load("ibm", {}, copybook.parent),
        )
        for part in extraction:
            assert part.findings.num_rows == 0
            yield part.batch


def frame(copybook: Path, data: Path) -> pl.DataFrame:
    """Every value of a file of fixed records."""
    table = pa.Table.from_batches(list(batches(copybook, data))).drop_columns(["_record", "_offset"])
    return pl.DataFrame(table)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the passes and print their seconds."""
    words = sys.argv[1:] if argv is None else argv
    copybook, data, warm, timed = Path(words[0]), Path(words[1]), int(words[2]), int(words[3])
    raw = data.read_bytes()
    seconds, copies, processor = [], [], 0.0
    for number in range(warm + timed):
        start = time.perf_counter()
        bytes(bytearray(raw))
        copied = (time.perf_counter() - start) / 2
        used, start = time.process_time(), time.perf_counter()
        for _ in batches(copybook, data):
            pass
        taken = time.perf_counter() - start
        if number >= warm:
            seconds.append(taken)
            copies.append(copied)
            processor += time.process_time() - used
    sys.stdout.write(json.dumps({"seconds": seconds, "copies": copies, "cpu": processor}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
