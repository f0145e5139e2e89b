"""Headers and trailers beside the records that they stand for.

A header stands for the records after it, up to the next one of its kind; a trailer for those before it, back to the last one;
neither beyond its own file. They are few and the records are many, so they are read first, by a pass that decodes nothing
else: a slice then needs none of the others, and no record waits for a trailer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from extractors.batches import extract
from extractors.kinds import Kind
from extractors.reading import Reading

PLACE = (pa.field("_offset", pa.int64()), pa.field("_file", pa.int64()))
"""Where a header or trailer stands in the dump, and where its file begins there."""


def passed(
    reading: Reading, paths: Sequence[Path], kinds: Sequence[Kind], fields: Mapping[str, Sequence[str]], *, name: str
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Read the records of some kinds: their kind, and `PLACE` with their fields.

    What is odd in them is told where the whole dump is read.

    Args:
        reading: how the dump is read.
        paths: its files, in order.
        kinds: all of its record kinds.
        fields: of the kinds that are wanted the fields.
        name: how the dump is called.
    """
    with reading.open(paths) as stream:
        extraction = extract(
            stream,
            name=name,
            layout=reading.layout,
            framing=reading.framing,
            charset=reading.charset,
            kinds=kinds,
            blanks=reading.blanks,
            fixed_places=reading.fixed_places,
            only=frozenset(fields),
        )
        for extracted in extraction:
            if extracted.kind:
                batch = extracted.batch.select(list(fields[extracted.kind]))
                begun = np.full(batch.num_rows, stream.parts[-1].offset)
                columns = [extracted.batch.column("_offset"), pa.array(begun), *batch.columns]
                yield extracted.kind, pa.RecordBatch.from_arrays(columns, schema=pa.schema([*PLACE, *batch.schema]))


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """The headers or trailers of one kind, in the order of the dump.

    Attributes:
        kind: the kind.
        follows: whether they stand behind the records that they stand for.
        fields: what they say.
        places: where each stands in the dump.
        files: where in the dump the file of each begins.
    """

    kind: str
    follows: bool
    fields: pa.Table
    places: np.ndarray
    files: np.ndarray

    @classmethod
    def of(cls, kind: str, records: pa.Table, *, follows: bool) -> Standing:
        """Those that `passed` has read."""
        places, files = (records.column(field.name).to_numpy() for field in PLACE)
        return cls(kind, follows, records.drop_columns([field.name for field in PLACE]), places, files)

    def beside(self, batch: pa.RecordBatch, begun: int) -> pa.RecordBatch:
        """Records of one file with what their header or trailer says: `kind?`, whether there is one, and `kind.FIELD`.

        Args:
            batch: the records.
            begun: where in the dump their file begins.
        """
        offsets = batch.column("_offset").to_numpy()
        at = np.searchsorted(self.places, offsets, side="left" if self.follows else "right") - (not self.follows)
        known = (at >= 0) & (at < len(self.places))
        known[known] = self.files[at[known]] == begun
        low, high = (int(at[known].min()), int(at[known].max()) + 1) if known.any() else (0, 0)
        # Of many headers only those of these records are brought together.
        mine = self.fields.slice(low, high - low).combine_chunks()
        rows = mine.take(pa.array(at - low, mask=~known))
        names = [f"{self.kind}?", *(f"{self.kind}.{name}" for name in rows.column_names)]
        columns = [pa.array(known), *(column.combine_chunks() for column in rows.columns)]
        return pa.RecordBatch.from_arrays([*batch.columns, *columns], names=[*batch.schema.names, *names])
