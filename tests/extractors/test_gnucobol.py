"""The reader finds what GnuCOBOL wrote: every usage at its place, with the value that was moved into it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from extractors import charsets, dialects
from extractors.batches import Kind, extract
from extractors.copybooks.copybook import read_copybook
from extractors.framings import load

ORACLE = Path(__file__).parents[1] / "oracles" / "gnucobol"
PROGRAM = (ORACLE / "usages.cob").read_text("utf-8")


def wanted():
    """What the program moves where."""
    division = PROGRAM[PROGRAM.index("PROCEDURE DIVISION") :]
    moves = {}
    for value, names in re.findall(
        r'MOVE ("[^"]*"|-?[\d.]+) TO ((?:[A-Z0-9-]+(?:\(\d\))? ?)+?)(?=\s*(?:MOVE|WRITE))', division
    ):
        for name in names.split():
            moves[name] = value.strip('"') if value.startswith('"') else Decimal(value)
    return moves


def read():
    layout = read_copybook(PROGRAM, file="usages.cob", dialect=dialects.load("gnucobol", {}))
    data = bytes.fromhex((ORACLE / "usages.hex").read_text("ascii"))
    extraction = extract(
        io.BytesIO(data), name="usages", layout=layout, framing=load("fixed", {}, layout),
        charset=charsets.load("single_byte", {"page": "ascii"}, "."), kinds=(Kind("r"),),
    )  # fmt: skip
    (out,) = extraction
    return layout, data, out


def test_the_record_has_the_length_that_the_compiler_gave_it():
    layout, data, _ = read()
    assert layout.length == len(data)


def test_every_value_is_the_one_that_was_moved():
    _, _, out = read()
    row = out.batch.to_pylist()[0]
    moves = wanted()
    assert len(moves) >= 40
    for name, value in moves.items():
        ours = row[name]
        if isinstance(value, Decimal) and not isinstance(ours, float):
            ours = Decimal(ours)
        assert ours == (float(value) if isinstance(ours, float) else value), name
    assert out.findings.num_rows == 0


@pytest.mark.skipif(shutil.which("cobc") is None, reason="GnuCOBOL is not installed")
def test_the_kept_output_is_what_gnucobol_writes(tmp_path):
    subprocess.run(["sh", str(ORACLE / "regenerate.sh"), str(tmp_path / "again.hex")], check=True, capture_output=True)
    assert (tmp_path / "again.hex").read_text("ascii") == (ORACLE / "usages.hex").read_text("ascii")
