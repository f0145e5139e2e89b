"""`python -m tests.benchmarks.sizes`: the whole pipeline of 見本市 at several sizes, each in a process of its own.

Of each step the peak memory of the process that runs it, and of the processes it has started, together: what Linux notes as
the most that was resident (VmHWM), set back before each step, of the children looked at twenty times a second. And what
the rules cost: Polars' for every million rows, and the suite of Great Expectations for every million residents, each
alone and at the largest size, the suite once it is imported. Other sizes are given with `--residents 100000 10000000`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import polars as pl
import psutil

from tests.benchmarks.costs import Cost, clock, postmaster_of
from tests.benchmarks.figures import asked, say
from tests.benchmarks.ground import ROOT, TOWN, ground, synthesize
from tests.benchmarks.watching import STEPS, replaced, watched

SIZES = (100_000, 1_000_000)
MOST_MEGABYTES = 700
LOOKS_A_SECOND = 20


class Measured(TypedDict):
    """What one run has left: megabytes by step (this process, its children), rows, and seconds of both engines."""

    peaks: dict[str, tuple[float, float]]
    rows: int
    polars: tuple[float, float]
    suite: tuple[float, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--database", metavar="URL", help="an empty database here; else an embedded server is started")
    parser.add_argument("--one", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.one:
        say(json.dumps(one(arguments.one)))
        return 0
    measured: dict[int, Measured] = {}
    with ground(arguments.database) as place:
        for residents in arguments.residents:
            dump = synthesize(residents, place.home / str(residents))
            command = [sys.executable, "-m", "tests.benchmarks.sizes", "--one", str(dump.parent)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            measured[residents] = json.loads(done.stdout.splitlines()[-1])
            dump.unlink()
    show(measured)
    return 0


def one(dumps: str) -> Measured:
    """Run the pipeline in this process."""
    from dags import runs
    from validators import engine

    peaks: dict[str, tuple[float, float]] = {}
    ruled: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    suites: list[Any] = []
    costs: tuple[int, Cost, Cost] | None = None
    evaluate, described = engine.run_polars, engine.suites_of

    def run_polars(*words: Any, **options: Any) -> Any:
        ruled.append((words, options))
        return evaluate(*words, **options)

    def suites_of(*words: Any, **options: Any) -> Any:
        suites.append(described(*words, **options))
        return suites[-1]

    @contextlib.contextmanager
    def around(step: str, _: object) -> Iterator[None]:
        nonlocal costs
        if step == "reconcile":
            # What was evaluated side by side, once more and one after the other: the rows are still staged.
            words, options = ruled[0]
            costs = alone(lambda: evaluate(*words, **options), words[1], suites[0])
        with children_peak() as of_children:
            set_back([os.getpid()])
            yield
        known = peaks.get(step, (0.0, 0.0))
        peaks[step] = (max(known[0], peak(os.getpid())), max(known[1], of_children()))

    with replaced(engine, run_polars=run_polars, suites_of=suites_of), watched(around):
        state = runs.run_all(TOWN, folder_of_dumps=dumps).state
    if state != "promoted" or costs is None:
        raise RuntimeError(f"the run is {state}: its report says why")
    rows, polars, suite = costs
    return Measured(peaks=peaks, rows=rows, polars=(polars.wall, polars.cpu), suite=(suite.wall, suite.cpu))


def alone(evaluate: Callable[[], object], frames: Mapping[str, pl.LazyFrame], suites: Any) -> tuple[int, Cost, Cost]:
    """How many rows there are, and what each engine costs by itself, Great Expectations without its import."""
    from target_schemas.postgres.database import connect
    from validators import gate

    url = os.environ["HIKKOSHI_DATABASE_URL"]
    postmaster = postmaster_of(connect(url))
    rows = sum(int(frame.select(pl.len()).collect().item()) for frame in frames.values())
    begun = clock(postmaster)
    evaluate()
    polars = clock(postmaster) - begun
    with gate.opened() as opened:
        opened.count([], url).result()
        begun = clock(postmaster)
        opened.count(suites, url).result()
        return rows, polars, clock(postmaster) - begun


@contextlib.contextmanager
def children_peak() -> Iterator[Any]:
    """Look at the processes that this one has started until the block ends; gives what tells their peaks' sum, in MB."""
    seen: dict[int, float] = {}
    ended = threading.Event()

    def look() -> None:
        while True:
            for child in psutil.Process().children(recursive=True):
                if child.pid not in seen:
                    set_back([child.pid])
                seen[child.pid] = max(seen.get(child.pid, 0.0), peak(child.pid))
            if ended.wait(1 / LOOKS_A_SECOND):
                break

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield lambda: sum(seen.values())
    finally:
        ended.set()
        looking.join()


def peak(process: int) -> float:
    """The most that a process has held since it was set back, in MB; nothing where it has ended."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    return 0.0


def set_back(processes: Sequence[int]) -> None:
    """Let the peaks of processes begin anew with what they hold now."""
    for process in processes:
        with contextlib.suppress(OSError):
            Path(f"/proc/{process}/clear_refs").write_text("5")


def show(measured: Mapping[int, Measured]) -> None:
    """Print the peaks of each step, and what was asked."""
    say("\n| peak of a step, MB: this process + its children |" + "".join(f" {n:,} residents |" for n in measured))
    say("|---|" + "---|" * len(measured))
    for step in STEPS:
        cells = (f" {m['peaks'][step][0]:,.0f} + {m['peaks'][step][1]:,.0f} |" for m in measured.values())
        say(f"| {step} |{''.join(cells)}")
    say("\n| rules | rows | Polars: s | processor | suite of Great Expectations alone: s | processor |")
    say("|---|---|---|---|---|---|")
    for residents, m in measured.items():
        say(
            f"| {residents:,} residents | {m['rows']:,} | {m['polars'][0]:.2f} | {m['polars'][1]:.2f} | "
            f"{m['suite'][0]:.2f} | {m['suite'][1]:.2f} |"
        )
    say()
    for residents, m in measured.items():
        own, both = (max(peaks) for peaks in zip(*((a, a + b) for a, b in m["peaks"].values()), strict=True))
        asked(f"peak memory, {residents:,} residents: the run's process", own, most=MOST_MEGABYTES, unit="MB")
        asked(f"peak memory, {residents:,} residents: with its children", both, most=MOST_MEGABYTES, unit="MB")
    small, large = min(measured), max(measured)
    if large > small:
        most = {residents: max(own for own, _ in m["peaks"].values()) for residents, m in measured.items()}
        asked(f"peak memory, {large:,} residents of {small:,}", most[large] / most[small], most=1.1)
    m = measured[large]
    for number, clocked in enumerate(("wall", "processor time")):
        asked(
            f"Polars' rules, for a million rows (of {m['rows']:,}): {clocked}",
            m["polars"][number] / m["rows"] * 1e6,
            most=1,
            unit="s",
        )
    for number, clocked in enumerate(("wall", "processor time")):
        seconds = m["suite"][number] / large * 1e6
        asked(
            f"suite of Great Expectations, for a million residents (of {large:,}): {clocked}", seconds, most=5, unit="s"
        )


if __name__ == "__main__":
    sys.exit(main())
