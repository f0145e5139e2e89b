"""`python -m tests.benchmarks.slices`: what two workers give on one dump, cut in two.

Reading, mapping and staging one dump, whole by one worker and as two slices by two, in turns, beside a loop that only
computes, in one process and halved over two: what this machine gives to a second process at all.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import asked, middle, say, spread
from tests.benchmarks.ground import LENGTH, TOWN, ground, synthesize

if TYPE_CHECKING:
    from dags.steps import SliceOf

SPINS = 200
"""Turns of the computing loop for each record."""

WORKERS = (1, 2)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--database", metavar="URL", help="an empty database here; else an embedded server is started")
    arguments = parser.parse_args(argv)
    records = int(arguments.gigabytes * 1e9 / LENGTH)
    context = multiprocessing.get_context("spawn")
    with (
        ground(arguments.database) as place,
        concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool,
    ):
        dump = synthesize(records, place.home / "whole")
        small = synthesize(2_000, place.home / "warm")
        measure(pool, small, dump, records, arguments.rounds)
    return 0


def measure(pool: concurrent.futures.ProcessPoolExecutor, small: Path, dump: Path, records: int, rounds: int) -> None:
    """Take turns, so that a machine that drifts drifts for all; a small dump comes first, for what starts only once."""
    seconds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    spins: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    staged(pool, 2, small)
    for _ in range(rounds):
        for workers in WORKERS:
            start = time.perf_counter()
            list(pool.map(spin, [records * SPINS // workers] * workers))
            spins[workers].append(time.perf_counter() - start)
            seconds[workers].append(staged(pool, workers, dump))
    say(f"\n| receive to join_slices, {dump.stat().st_size / 1e6:,.0f} MB | s | the loop: s |")
    say("|---|---|---|")
    for workers in WORKERS:
        say(f"| {workers} worker(s) | {spread(seconds[workers], '.2f')} | {spread(spins[workers], '.2f')} |")
    say()
    computing = gain(spins)
    asked(f"two workers, times one (a loop that only computes: {computing:.2f})", gain(seconds), least=1.8)
    asked("two workers, of what two give to the loop", gain(seconds) / computing, least=0.9)


def gain(seconds: dict[int, list[float]]) -> float:
    """How much faster two are than one."""
    return middle(one / two for one, two in zip(seconds[1], seconds[2], strict=True))


def staged(pool: concurrent.futures.ProcessPoolExecutor, workers: int, dump: Path) -> float:
    """Receive, read, map, stage and join a dump, a slice a worker; gives the seconds."""
    from dags import steps

    os.environ["HIKKOSHI_SLICE_BYTES"] = str(-(-dump.stat().st_size // workers))
    run_id = steps.begin(TOWN, folder_of_dumps=str(dump.parent))
    start = time.perf_counter()
    parts = steps.receive(run_id)
    assert len(parts) == workers
    list(pool.map(extract, [run_id] * workers, parts))
    steps.join_slices(run_id)
    seconds = time.perf_counter() - start
    steps.fail(run_id, "measured")
    steps.report(run_id)
    return seconds


def extract(run_id: str, part: SliceOf) -> None:
    """One slice, in a worker."""
    from dags import steps

    steps.extract_map_stage(run_id, **part)


def spin(times: int) -> int:
    """Compute."""
    total = 0
    for number in range(times):
        total += number & 3
    return total


if __name__ == "__main__":
    sys.exit(main())
