"""Headers and trailers beside the records that they stand for.

A header stands for the records after it, up to the next one of its kind; a trailer for those before it, back to the last one;
neither beyond its own file. They are few and the records are many, so they are read first, by a pass that decodes nothing
else: a slice then needs none of the others, and no record waits for a trailer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from extractors.batches import extract
from extractors.kinds import Kind
from extractors.reading import Reading
from extractors.stream import DumpStream

PLACE = (pa.field("_offset", pa.int64()), pa.field("_file", pa.int64()))
"""Where a header or trailer stands in the dump, and where its file begins there."""


Fields = Mapping[str, Mapping[str, pa.DataType]]
"""By kind, the fields of headers and trailers that records look at, and their types."""


def schema_of(fields: Mapping[str, pa.DataType]) -> pa.Schema:
    """What `passed` gives of a kind."""
    return pa.schema([*PLACE, *(pa.field(name, type_) for name, type_ in fields.items())])


def passed(
    reading: Reading, paths: Sequence[Path], kinds: Sequence[Kind], fields: Fields, *, name: str
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Read the records of some kinds: their kind, and `PLACE` with their fields.

    What is odd in them is told where the whole dump is read.

    Args:
        reading: how the dump is read.
        paths: its files, in order.
        kinds: all of its record kinds.
        fields: what is wanted.
        name: how the dump is called.
    """
    if not fields:
        return
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
                batch, schema = extracted.batch, schema_of(fields[extracted.kind])
                begun = pa.array(np.full(batch.num_rows, stream.parts[-1].offset))
                columns = [batch.column("_offset"), begun, *map(batch.column, fields[extracted.kind])]
                yield extracted.kind, pa.RecordBatch.from_arrays(columns, schema=schema)


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

    def columns(self, offsets: np.ndarray, begun: int) -> dict[str, pa.Array]:
        """What it says of records of one file: `kind?`, whether there is one, and `kind.FIELD`.

        Args:
            offsets: where the records stand in the dump.
            begun: where their file begins there.
        """
        at = np.searchsorted(self.places, offsets, side="left" if self.follows else "right") - (not self.follows)
        known = (at >= 0) & (at < len(self.places))
        known[known] = self.files[at[known]] == begun
        low, high = (int(at[known].min()), int(at[known].max()) + 1) if known.any() else (0, 0)
        # Of many headers only those of these records are brought together.
        rows = self.fields.slice(low, high - low).combine_chunks().take(pa.array(at - low, mask=~known))
        said = {f"{self.kind}.{name}": rows.column(name).combine_chunks() for name in rows.column_names}
        return {f"{self.kind}?": pa.array(known), **said}


def beside(context: Sequence[Standing], batch: pa.RecordBatch, stream: DumpStream) -> pa.RecordBatch:
    """Records that were just read from a stream, with what their headers and trailers say."""
    if not context:
        return batch
    offsets, begun = batch.column("_offset").to_numpy(), stream.parts[-1].offset
    said = {name: column for one in context for name, column in one.columns(offsets, begun).items()}
    return pa.RecordBatch.from_arrays([*batch.columns, *said.values()], names=[*batch.schema.names, *said])


def standing(
    reading: Reading,
    paths: Sequence[Path],
    kinds: Sequence[Kind],
    fields: Fields,
    *,
    follow: Collection[str],
    name: str,
) -> tuple[Standing, ...]:
    """The headers and trailers of a dump in memory; `follow` are the kinds of trailers, the rest as `passed` takes it."""
    found: dict[str, list[pa.RecordBatch]] = {kind: [] for kind in fields}
    for kind, batch in passed(reading, paths, kinds, fields, name=name):
        found[kind].append(batch)
    return tuple(
        Standing.of(kind, pa.Table.from_batches(batches, schema_of(fields[kind])), follows=kind in follow)
        for kind, batches in found.items()
    )
