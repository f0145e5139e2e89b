"""What a peer is, and how it is run: a process of its own, which prints its passes as one line of JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
from pyarrow import csv

from tests.benchmarks.peers.workload import NAMES, Workload

RESOURCES = Path(__file__).parent / "resources"
Word = str | Path
INSTALL_SECONDS = 1_200
RUN_SECONDS = 240


class PeerError(Exception):
    """A peer cannot be installed, or does not read the file; the others go on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Passes:
    """The timed passes of one process.

    Attributes:
        seconds: of each timed pass.
        cpu: processor seconds of all of them, all threads.
        copies: seconds of a memory copy of the file; ours only.
    """

    seconds: tuple[float, ...]
    cpu: float
    copies: tuple[float, ...] = ()

    @property
    def cores(self) -> float:
        """How many cores were busy."""
        return self.cpu / sum(self.seconds)


class Peer(Protocol):
    """A reader to measure."""

    @property
    def name(self) -> str:
        """For the table and `--only`."""
        ...

    @property
    def home(self) -> str:
        """The folder that it is installed in; peers that share an installation share it."""
        ...

    @property
    def gives(self) -> str:
        """What it makes of the file."""
        ...

    @property
    def records(self) -> int | None:
        """At most how many it reads, where it is too slow for all of them."""
        ...

    def install(self, folder: Path) -> str:
        """Install it into a folder of its own, once.

        Returns:
            Its version.

        Raises:
            PeerError: it is not to be had here.
        """
        ...

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it.

        Returns:
            Its passes, and the values it read as text, named as in the copybook.

        Raises:
            PeerError: it failed.
        """
        ...


def call(command: Sequence[Word], *, seconds: int, cwd: Path | None = None, **variables: str) -> str:
    """Run a command and give what it printed.

    Raises:
        PeerError: it failed or took too long; with the last line that says why.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise PeerError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"{Path(words[0]).name} took more than {seconds} s") from error
    if done.returncode:
        raise PeerError(_reason(words[0], done.stderr + "\n" + done.stdout))
    return done.stdout


def passes(command: Sequence[Word], *, cwd: Path | None = None, **variables: str) -> Passes:
    """Run a process that prints its passes.

    Raises:
        PeerError: it failed.
    """
    printed = call(command, seconds=RUN_SECONDS, cwd=cwd, **variables).strip().rpartition("\n")[2]
    found = json.loads(printed)
    return Passes(tuple(found["seconds"]), found["cpu"], tuple(found.get("copies", ())))


def read_values(path: Path) -> pl.DataFrame:
    """Read values written as tab-separated text without a header, nothing quoted."""
    first = path.open(encoding="utf-8").readline().count("\t") + 1
    names = [*NAMES, *(f"(more {number})" for number in range(first - len(NAMES)))][:first]
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    return pl.DataFrame(table)


def spread(megabytes: float, seconds: Sequence[float]) -> str:
    """Megabytes a second: median, slowest and fastest."""
    rates = [megabytes / each for each in seconds]
    return f"{_short(statistics.median(rates))} [{_short(min(rates))}..{_short(max(rates))}]"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 10 else f"{rate:.2f}"


def _reason(program: str, printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    marks = ("error:", "[error]", "exception", "cbk", "could not")
    telling = [line for line in lines if any(mark in line.lower() for mark in marks)] or lines[-1:]
    # Clients print the address of their registry, and colours; they are of no use in a report.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(telling[:1])).replace("|", "/")
    words = [word for word in plain.split() if "://" not in word]
    return f"{Path(program).name}: {' '.join(words)[:200]}"
