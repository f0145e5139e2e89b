"""The layouts that the systems' specification sketches, of every maker's charset and framing: written, read, compared.

The specification lies beside the project, not in it.
"""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from extractors.batches import Kind, extract
from extractors.reading import Choice, Spoken, make_layout, make_reading
from extractors.roundtrip import round_trip
from extractors.writing.records import write_records
from tests.invented import as_read, invented

ROOT = Path(__file__).parents[2]
SPECIFIED = ROOT.parent / "shared" / "facts" / "systems"
CASES = yaml.load((ROOT / "tests" / "cases" / "specified_layouts.yaml").read_text("utf-8"), yaml.BaseLoader)
LAYOUT = re.compile(r"^## Layout ([AB])\b[^\n]*\n.*?```cobol\n(.*?)```", re.DOTALL | re.MULTILINE)
RECORDS = 30
"""Of each kind."""

pytestmark = pytest.mark.skipif(not SPECIFIED.is_dir(), reason="../shared/facts/systems is not here")


def copybook(name):
    """The text of a layout, 05A: that of the fifth system's first."""
    (page,) = SPECIFIED.glob(f"{name[:2]}_*.md")
    return dict(LAYOUT.findall(page.read_text("utf-8")))[name[2]]


def choice(said):
    return Choice(said["name"], {key: value for key, value in said.items() if key != "name"})


def reading_of(name):
    case = CASES[name]
    spoken = Spoken(choice(case["framing"]), choice(case["charset"]), options={"source_format": "free"})
    layout = make_layout(spoken, copybook(name), f"{name}.cpy")
    return make_reading(spoken, layout, Path())


def kinds_of(name):
    """The record kinds, with what is said in the fields that tell them apart."""
    for kind, (group, said) in CASES[name].get("kinds", {"record": [None, {}]}).items():
        first, *more = said.items() if said else (None,)
        also = {field: (value,) for field, value in more}
        conditions = {"field": first[0], "values": (first[1],), "also": also} if first else {}
        yield Kind(kind, group=group, lists=False, **conditions), said


def synthesized(name, reading):
    """The dump, and what must be read of each kind."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    pieces, wanted = [], {}
    for kind, said in kinds_of(name):
        segment = reading.layout.segment(kind.group)
        columns = invented(segment, RECORDS, reading.charset, rng, said)
        least = reading.framing.record_length if reading.framing.fixed else 0
        written = write_records(segment, columns, charset=reading.charset, count=RECORDS, least=least)
        pieces.append(reading.framing.wrap(written.data, written.sizes).tobytes())
        by_name = {field.name: field for field in segment.fields}
        wanted[kind.name] = {n: as_read(by_name[n], c) if n in by_name else c for n, c in columns.items()}
    return b"".join(pieces), wanted


def extracted(data, name, reading, batch):
    kinds = [kind for kind, _ in kinds_of(name)]
    extraction = extract(
        io.BytesIO(data), name=name, layout=reading.layout, framing=reading.framing, charset=reading.charset,
        kinds=kinds, batch_records=batch,
    )  # fmt: skip
    parts = list(extraction)
    return parts, extraction.account


def test_every_specified_layout_is_a_case():
    pages = {page.name[:2]: page.read_text("utf-8") for page in SPECIFIED.glob("[01][0-9]_*.md")}
    assert set(CASES) == {number + letter for number, text in pages.items() for letter, _ in LAYOUT.findall(text)}


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_written_is_read(name):
    reading = reading_of(name)
    data, wanted = synthesized(name, reading)
    for batch in (7, 1000):
        parts, account = extracted(data, name, reading, batch)
        assert account.closes
        assert (account.left_over, account.skipped, account.of_no_kind) == (0, 0, 0)
        assert [f for part in parts for f in part.findings.to_pylist()] == []
        for kind, columns in wanted.items():
            read = pa.Table.from_batches([p.batch for p in parts if p.kind == kind])
            assert read.num_rows == RECORDS
            for column, values in columns.items():
                assert read[column].to_pylist() == values.to_pylist(), column


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_read_is_written_back_byte_for_byte(name):
    reading = reading_of(name)
    data, _ = synthesized(name, reading)
    kinds = tuple(kind for kind, _ in kinds_of(name))
    proof = round_trip(io.BytesIO(data), name=name, reading=reading, kinds=kinds)
    assert [f for f in proof.exceptions if f.other] == []
    assert proof.records == RECORDS * len(kinds)
    assert proof.compared_bytes > 0
