"""Readers in Python, from PyPI, each in a virtual environment of its own. They take a record at a time in the interpreter."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import polars as pl

from tests.benchmarks.peers.measure import INSTALL_SECONDS, RESOURCES, Passes, Word, call, passes, read_values
from tests.benchmarks.peers.workload import ITEMS, RECORD_LENGTH, Item, Workload

WARM, TIMED = "1", "5"


def environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment, once.

    Args:
        folder: where.
        requirements: what to install, with versions; without its dependencies where the first is `--no-deps`.

    Returns:
        Its interpreter.
    """
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists() or done.read_text("utf-8") != repr(requirements):
        call([sys.executable, "-m", "venv", "--clear", folder], seconds=INSTALL_SECONDS)
        call([python, "-m", "pip", "install", "--quiet", *requirements], seconds=INSTALL_SECONDS)
        done.write_text(repr(requirements), "utf-8")
    return python


@dataclasses.dataclass(frozen=True, slots=True)
class Coboljsonifier:
    """coboljsonifier: copybook to dictionaries.

    It takes an unsigned COMP or COMP-3 item for a zoned one, so its copybook declares those signed; the bytes are the
    same.
    """

    name: str = "coboljsonifier"
    home: str = "coboljsonifier"
    gives: str = "dictionaries"
    records: int | None = 10_000
    version: str = "1.0.8"

    def install(self, folder: Path) -> str:
        """Install it."""
        environment(folder, f"coboljsonifier=={self.version}")
        return self.version

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it."""
        out = folder / "values.tsv"
        script = RESOURCES / "coboljsonifier_passes.py"
        layout = folder / "signed.cpy"
        layout.write_text(re.sub(r"PIC (9\S+ COMP)", r"PIC S\1", workload.copybook.read_text("ascii")), "ascii")
        words: list[Word] = [layout, workload.fixed, str(RECORD_LENGTH), WARM, TIMED, out]
        found = passes([folder / "bin" / "python", script, *words])
        return found, read_values(out)


@dataclasses.dataclass(frozen=True, slots=True)
class EbcdicParser:
    """ebcdic-parser: a layout of its own, in JSON, to tab-separated text."""

    name: str = "ebcdic-parser"
    home: str = "ebcdic-parser"
    gives: str = "a text file"
    records: int | None = 10_000
    version: str = "3.4.0"

    def install(self, folder: Path) -> str:
        """Install it."""
        environment(folder, f"ebcdic-parser=={self.version}")
        return self.version

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it; its layout has the items of the copybook."""
        out = folder / "values"
        out.mkdir(exist_ok=True)
        layout = out / "layout.json"
        fields = [_field(item) for item in ITEMS]
        layout.write_text(json.dumps({"layouts": [{"layouttype": "peer", "layout": fields}]}), "utf-8")
        script = RESOURCES / "ebcdic_parser_passes.py"
        found = passes([folder / "bin" / "python", script, layout, workload.fixed, WARM, TIMED, out])
        return found, read_values(max(out.glob("*.txt"), key=lambda path: path.stat().st_mtime))


def _field(item: Item) -> dict[str, str | int]:
    types = {"text": "string", "zoned": "zonedDecimal", "packed": "packedDecimal", "binary": "integer"}
    field: dict[str, str | int] = {"name": item.name, "type": types[item.kind], "size": item.width}
    if item.scale:
        field["scale"] = item.scale
    return field
