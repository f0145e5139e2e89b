"""`python -m tests.benchmarks.starts`: what a command costs before it does anything, and when the first batch comes.

Commands in processor time of whole processes, each beside a process that only imports Polars and pydantic, in turns. The
first batch of 見本市 from the start of a process, with the kernels that `make setup` has kept, and where none is. The first
round of commands is left out: it keeps bytecode, as Python does unless it is told not to.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.figures import asked, middle, say, spread
from tests.benchmarks.ground import ROOT, TOWN, synthesize
from tests.benchmarks.workloads import DUMP

BESIDE = "import polars, pydantic"
CALLS = (("--help",), ("check", "--help"), ("check", "mihon"), ("check",))
FIRST_BATCH = """
import sys
from pathlib import Path
from dags.pipeline.town import load
from extractors.batches import Kind, extract
reader = load(Path(sys.argv[1])).dumps[sys.argv[2]]
reading = reader.reading
kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
with open(sys.argv[3], "rb") as dump:
    next(iter(extract(dump, name="d", layout=reading.layout, framing=reading.framing, charset=reading.charset, kinds=kinds)))
"""
LIMITS = {"first": 3.0, "later": 1.5}
"""Seconds to the first batch that were asked: of the first process after the installation, and of later ones."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(argv).rounds
    commands(rounds)
    first_batches(max(rounds // 2, 1))
    return 0


def commands(rounds: int) -> None:
    """Light commands, beside two imports."""
    processes = {BESIDE: ("-c", BESIDE), **{f"hikkoshi {' '.join(c)}": ("-m", "dags.cli", *c) for c in CALLS}}
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for number in range(rounds + 1):
        for name, words in processes.items():
            _, busy = _seconds(words)
            if number:
                seconds[name].append(busy)
    beside = middle(seconds[BESIDE])
    for name, taken in seconds.items():
        say(f"{name}: {spread(taken, '.2f')} s, {middle(taken) / beside:.2f} of `{BESIDE}`")


def first_batches(rounds: int) -> None:
    """From the start of a process to the first batch."""
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        dump = synthesize(20_000, Path(folder) / "inbox")
        words = ("-c", FIRST_BATCH, str(ROOT / "mappings" / "municipalities" / TOWN), DUMP, str(dump))
        first, *later = (_seconds(words) for _ in range(rounds + 1))
        wall, busy = _seconds(words, {"NUMBA_CACHE_DIR": folder})
    say(f"\nfirst batch, whole process, no kernel kept: {wall:.1f} s, {busy:.1f} s of processor time")
    for name, taken in {"first": [first], "later": later}.items():
        for number, clocked in enumerate(("wall", "processor time")):
            seconds = middle(each[number] for each in taken)
            asked(f"first batch, kernels kept, {name} process: {clocked}", seconds, most=LIMITS[name], unit="s")


def _seconds(words: Sequence[str], more: Mapping[str, str] | None = None) -> tuple[float, float]:
    """What one process of Python takes: seconds of the clock, and of processors."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, env={**kept, **(more or {})}, capture_output=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
