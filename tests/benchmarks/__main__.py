"""`make bench`: every benchmark in a process of its own, and in the end each figure beside what was asked of it.

`python -m tests.benchmarks` runs all of them, `python -m tests.benchmarks pipeline --residents 1000000` one of them with
other words. Machines differ and drift; ratios of one run are what to trust. Nothing here is a test.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import HEAD, MARK, say

BUDGETS = {
    "pipeline": 120, "sizes": 150, "small_towns": 60, "slices": 60, "reading": 110, "mapping": 20, "charsets": 40,
    "starts": 40, "candidates": 60,
}  # fmt: skip
"""The benchmarks in their order, and the seconds that each may take on a quiet machine of two cores: eleven minutes in all."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run all benchmarks, or the one that is named, and print the table; gives how many did not end well."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in BUDGETS:
        say(f"there is no benchmark {words[0]}; there are {', '.join(BUDGETS)}")
        return 2
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}")
    figures: list[str] = []
    times: list[str] = []
    failed = 0
    for name in words[:1] or BUDGETS:
        say(f"\n## {name}\n")
        start = time.perf_counter()
        code = passed_on([sys.executable, "-m", f"tests.benchmarks.{name}", *words[1:]], figures)
        failed += code != 0
        said = "" if code == 0 else f"; **it failed** ({code})"
        times.append(f"{name} {time.perf_counter() - start:.0f} s of {BUDGETS[name]}{said}")
    say("\n## Each figure beside what was asked\n")
    say(HEAD)
    for line in figures:
        say(line)
    say("\nTook: " + ", ".join(times) + ".")
    return failed


def passed_on(command: Sequence[str], figures: list[str]) -> int:
    """Run a command, print what it prints, and keep its figures; gives its exit code."""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            say(line.rstrip("\n").removeprefix(MARK))
            if line.startswith(MARK):
                figures.append(line.removeprefix(MARK).rstrip("\n"))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
