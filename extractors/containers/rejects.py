"""rejects: a reject set, a run's `rejects.arrow` or that of `decode --rejects`, as variable records to read once more.

The records' own bytes come one after another, each after a descriptor word of four bytes that counts itself (framing
`variable`), so that a corrected layout or table file can be tried on just them. Records longer than 32,763 bytes take a
word of 31 bits. The option `dump` chooses the records of one dump where the set holds several dumps' records; with
`ends` each record ends with a line feed (lf) or 1E (rs) in the place of the word, as rows of cells do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa

from extractors.containers.contract import Container, Damaged, pick, sought, stream

MAGIC = b"ARROW1"
LONGEST_SHORT = 0x7FFF


_ENDS = {"word": b"", "lf": b"\n", "rs": b"\x1e"}


def _pieces(raw: BinaryIO, dump: str | None, end: bytes) -> Iterator[bytes]:
    try:
        reader = pa.ipc.open_file(pa.PythonFile(sought(raw), "r"))
        names = reader.schema.names
        if "bytes" not in names or "dump" not in names or not pa.types.is_binary(reader.schema.field("bytes").type):
            raise Damaged("rejects: the file is no reject set", 0)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            batch.validate(full=True)
            for source, content in zip(batch.column("dump"), batch.column("bytes"), strict=True):
                if dump is None or source.as_py() == dump:
                    data = content.as_py() or b""
                    if end:
                        yield data + end
                        continue
                    size = len(data) + 4
                    word = size << 16 if size <= LONGEST_SHORT else size | 0x80000000
                    yield word.to_bytes(4, "big") + data
    except (pa.ArrowException, OSError, ValueError, EOFError) as error:
        raise Damaged(f"rejects: {type(error).__name__}, not a whole reject set", 0) from None


def open_rejects(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Give the records' bytes. The file is read from its end, so that a pipe is put into a temporary file first."""
    return stream(_pieces(raw, options.get("dump"), _ENDS[pick(options, "ends", tuple(_ENDS), "word")]))


CONTAINER = Container(
    name="rejects",
    doc=__doc__ or "",
    options={
        "dump": "the dump whose records to read (all)",
        "ends": "word, or of rows of cells lf (delimited) or rs (cells): what tells records apart (word)",
    },
    suffixes=(".arrow",),
    recognise=lambda head: head.startswith(MAGIC),
    open=open_rejects,
)
