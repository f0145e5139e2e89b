"""copybook-rs, from crates.io: as a library (JSON lines, Arrow) and by its command line.

It is under the AGPL: it is built in a scratch folder and run, nothing of it comes into this repository.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from pathlib import Path

import polars as pl
import pyarrow as pa

from tests.benchmarks.peers.measure import INSTALL_SECONDS, RESOURCES, Passes, Word, call, passes
from tests.benchmarks.peers.workload import NAMES, Workload

VERSION = "0.6.1"
"""The last that Rust 1.95 builds (0.8.1 wants 1.98); `resources/copybook_rs.toml` has it too."""
WARM, TIMED = 1, 5


@dataclasses.dataclass(frozen=True, slots=True)
class Library:
    """Its crates, called by the small program in `resources/copybook_rs.rs`."""

    name: str
    gives: str
    mode: str
    threads: int = 1
    home: str = "copybook-rs"
    records: int | None = None

    def install(self, folder: Path) -> str:
        """Build the program; it takes some minutes, once."""
        (folder / "src").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(RESOURCES / "copybook_rs.toml", folder / "Cargo.toml")
        shutil.copyfile(RESOURCES / "copybook_rs.rs", folder / "src" / "main.rs")
        call(["cargo", "build", "--release", "--quiet"], seconds=INSTALL_SECONDS, cwd=folder)
        return VERSION

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it."""
        program = folder / "target" / "release" / "copybook-rs-peer"
        out = folder / f"values.{self.mode}"
        numbers = [str(self.threads), str(WARM), str(TIMED)]
        found = passes([program, self.mode, workload.copybook, workload.fixed, *numbers, out])
        if self.mode == "arrow":
            return found, pl.DataFrame(pa.ipc.open_file(out).read_all()).cast(pl.String)
        return found, _read_lines(out)


@dataclasses.dataclass(frozen=True, slots=True)
class CommandLine:
    """Its command line, `copybook decode`, to a file in which nothing stays: a process a pass.

    It writes each token of the JSON on its own, so what is measured is mostly system calls. A descriptor word's length
    is, to it, that of the record alone; on a mainframe the word is counted in, so it does not read the other file.
    """

    name: str
    format: str
    gives: str = "JSON lines"
    home: str = "copybook-cli"
    records: int | None = 5_000

    def install(self, folder: Path) -> str:
        """Build it; it takes some minutes, once."""
        if not (folder / "bin" / "copybook").exists():
            words: list[Word] = [
                "cargo",
                "install",
                "copybook-cli",
                "--version",
                VERSION,
                "--locked",
                "--quiet",
                "--root",
                folder,
            ]
            call(words, seconds=INSTALL_SECONDS)
        return VERSION

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it."""
        data = workload.variable if self.format == "rdw" else workload.fixed
        base: list[Word] = [folder / "bin" / "copybook", "decode", workload.copybook, data]
        base += ["--format", self.format, "--codepage", "cp037"]
        seconds, processor = [], 0.0
        for number in range(WARM + TIMED):
            used, start = os.times(), time.perf_counter()
            call([*base, "--output", os.devnull], seconds=60)
            if number >= WARM:
                seconds.append(time.perf_counter() - start)
                now = os.times()
                processor += now.children_user + now.children_system - used.children_user - used.children_system
        out = folder / "values.jsonl"
        call([*base, "--output", out], seconds=60)
        return Passes(tuple(seconds), processor), _read_lines(out)


def _read_lines(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path, schema=dict.fromkeys(NAMES, pl.String))


JSON = Library("copybook-rs JSON", "JSON lines, not kept", "json")
ARROW = Library("copybook-rs Arrow", "Arrow batches", "arrow")
CLI = CommandLine("copybook-rs CLI", "fixed")
CLI_V = CommandLine("copybook-rs CLI V", "rdw")
