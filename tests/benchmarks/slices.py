"""`python -m tests.benchmarks.slices`: what cutting a dump costs in one process, and what it gives in two.

Reading, mapping and staging one dump as 1, 2 and 8 slices, in one process after the other and in two at a time, beside
a loop that only computes, in one process and two: what this machine gives to a second process at all.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.__main__ import database, say, synthesize

if TYPE_CHECKING:
    from dags.steps import SliceOf

TOWN, LENGTH = "990027_mihon", 400
SPINS = 50
"""Turns of the computing loop for each resident."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", metavar="URL", help="an empty database; without it an embedded server is started")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        home = Path(folder)
        size = synthesize(TOWN, arguments.residents, home / "inbox" / TOWN).stat().st_size
        synthesize(TOWN, 2_000, home / "warm")
        context = multiprocessing.get_context("spawn")
        with (
            database(home, arguments.database),
            concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool,
        ):
            measure(pool, home, size, arguments.residents, arguments.rounds)
    return 0


def measure(pool: concurrent.futures.ProcessPoolExecutor, home: Path, size: int, residents: int, rounds: int) -> None:
    """Run the ways in turns, so that a machine that drifts drifts for all of them."""
    ways = [(1, 1), (2, 1), (8, 1), (2, 2), (8, 2)]
    seconds: dict[tuple[int, int], list[float]] = {way: [] for way in ways}
    spins: dict[int, list[float]] = {1: [], 2: []}
    run(pool, 2, 2, home / "warm", 2_002 * LENGTH)
    for _ in range(rounds):
        for workers, taken in spins.items():
            start = time.perf_counter()
            list(pool.map(spin, [residents * SPINS // workers] * workers))
            taken.append(time.perf_counter() - start)
        for count, workers in ways:
            seconds[count, workers].append(run(pool, count, workers, home / "inbox" / TOWN, size))
    base = statistics.median(seconds[1, 1])
    say(f"\nreceive to join_slices, {TOWN}, {size / 1e6:,.0f} MB | seconds | of one slice in one process")
    for (count, workers), taken in seconds.items():
        middle, spread = statistics.median(taken), f"[{min(taken):.1f}..{max(taken):.1f}]"
        say(f"{count} slice(s), {workers} process(es) | {middle:.1f} {spread} | {middle / base:.2f}")
    ratio = statistics.median(spins[2]) / statistics.median(spins[1])
    say(f"a loop that only computes, halved over two processes | | {ratio:.2f}")


def run(pool: concurrent.futures.ProcessPoolExecutor, count: int, workers: int, inbox: Path, size: int) -> float:
    """Receive, read, map, stage and join the dump as so many slices; gives the seconds."""
    from dags import steps

    os.environ["HIKKOSHI_SLICE_BYTES"] = str(-(-size // count))
    run_id = steps.begin(TOWN, folder_of_dumps=str(inbox))
    start = time.perf_counter()
    parts = steps.receive(run_id)
    assert len(parts) == count
    # One worker after the other, or both: in a process of the pool in either case.
    if workers == 1:
        for part in parts:
            pool.submit(extract, run_id, part).result()
    else:
        list(pool.map(extract, [run_id] * count, parts))
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
    raise SystemExit(main())
