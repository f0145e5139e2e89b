"""`python -m tests.benchmarks.starts`: what a command costs before it does anything, in processor time of whole processes.

Each beside a process that only imports Polars and pydantic, in turns. The first round is left out:
it keeps bytecode, as Python does unless it is told not to.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.__main__ import say

BESIDE = "import polars, pydantic"
CALLS = (("--help",), ("check", "--help"), ("check", "mihon"), ("check",))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args(argv).rounds
    processes = {BESIDE: ("-c", BESIDE), **{f"hikkoshi {' '.join(c)}": ("-m", "dags.cli", *c) for c in CALLS}}
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for number in range(rounds + 1):
        for name, words in processes.items():
            once = _seconds(words)
            if number:
                seconds[name].append(once)
    beside = statistics.median(seconds[BESIDE])
    for name, taken in seconds.items():
        median = statistics.median(taken)
        say(f"{name}: {median:.2f} s [{min(taken):.2f}..{max(taken):.2f}], {median / beside:.2f} of `{BESIDE}`")
    return 0


def _seconds(words: tuple[str, ...]) -> float:
    """The processor time of one process of Python."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=Path(__file__).parents[2], env=kept, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
