"""Which header or trailer stands for a record: the one that a walk through the files would find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.context.standing import PLACE, Standing

FILES = st.lists(st.text("HDT", max_size=12), min_size=1, max_size=4)
"""What stands in files one after another: headers, records, trailers."""


def walked(files):
    """Of each record its place, its file's, and the places of its header and trailer, or None: by walking."""
    at, found = 0, []
    for file in files:
        begun, header, waiting = at, None, []
        for kind in file:
            if kind == "H":
                header = at
            elif kind == "D":
                waiting.append([at, begun, header, None])
            else:
                for record in waiting:
                    record[3] = record[3] if record[3] is not None else at
            at += 10
        found += waiting
    return found


def standing(files, kind):
    """The headers or trailers, each with its own place as its field, in batches of two."""
    at, rows = 0, []
    for file in files:
        begun = at
        for one in file:
            if one == kind:
                rows.append({"_offset": at, "_file": begun, "AT": at})
            at += 10
    schema = pa.schema([*PLACE, ("AT", pa.int64())])
    batches = [pa.RecordBatch.from_pylist(rows[n : n + 2], schema=schema) for n in range(0, len(rows), 2)]
    return Standing.of(kind, pa.Table.from_batches(batches, schema), follows=kind == "T")


@settings(deadline=None, max_examples=200)
@given(files=FILES)
def test_each_record_has_what_a_walk_would_find(files):
    records = walked(files)
    headers, trailers = standing(files, "H"), standing(files, "T")
    for begun in {record[1] for record in records}:
        mine = [record for record in records if record[1] == begun]
        offsets = np.array([record[0] for record in mine])
        for one, place in ((headers, 2), (trailers, 3)):
            said = one.columns(offsets, begun)
            wanted = [record[place] for record in mine]
            assert said[f"{one.kind}.AT"].to_pylist() == wanted
            assert said[f"{one.kind}?"].to_pylist() == [at is not None for at in wanted]
