"""`python -m tests.benchmarks.small_towns`: a whole rehearsal of a small town, from the command to the reports.

In one process, and through Airflow in one process; whole processes, so everything that starts counts. Of several
rounds the first is left out: it keeps bytecode and kernels, and makes Airflow's own database.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from tests.benchmarks.costs import Cost
from tests.benchmarks.figures import asked, middle, say
from tests.benchmarks.ground import ROOT, TOWN, Ground, ground, synthesize

WAYS = {"in process": ("--direct",), "through Airflow": ()}
LIMITS = {"in process": 6, "through Airflow": 25}
"""Seconds."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-airflow", action="store_true", help="leave out the rehearsals through Airflow")
    parser.add_argument("--database", metavar="URL", help="an empty database here; else an embedded server is started")
    arguments = parser.parse_args(argv)
    ways = {way: words for way, words in WAYS.items() if words or not arguments.no_airflow}
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    with ground(arguments.database) as place:
        synthesize(arguments.residents, place.home / "inbox" / TOWN)
        for _ in range(arguments.rounds):
            for way, words in ways.items():
                costs[way].append(rehearsal(place, words))
    counted = {way: taken[1:] or taken for way, taken in costs.items()}
    say(f"\n| {arguments.residents:,} residents | s | processor: all | the command | PostgreSQL |")
    say("|---|---|---|---|---|")
    for way, taken in counted.items():
        cells = (middle(getattr(cost, name) for cost in taken) for name in ("wall", "cpu", "children", "database"))
        say(f"| {way} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    say()
    for way, taken in counted.items():
        what = f"a town of {arguments.residents:,}, {way}"
        asked(f"{what}: wall", middle(cost.wall for cost in taken), most=LIMITS[way], unit="s")
        asked(f"{what}: processor time", middle(cost.cpu for cost in taken), most=LIMITS[way], unit="s")
    return 0


def rehearsal(place: Ground, words: Sequence[str]) -> Cost:
    """One rehearsal by the command; what it costs."""
    begun = place.clock()
    command = [sys.executable, "-m", "dags.cli", "run", TOWN, *words]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return place.clock() - begun


if __name__ == "__main__":
    sys.exit(main())
