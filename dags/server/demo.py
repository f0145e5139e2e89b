"""`make demo`: three invented municipalities, 20,000 residents each, from mainframe dump to promoted tables, by Airflow."""

from __future__ import annotations

import subprocess
import sys
import time

from dags.pipeline import run_folder

TOWNS = ("mihon", "reiji", "tehon")
RESIDENTS = 20_000


def main() -> int:
    """Synthesize and run each town with the same commands that a person would type."""
    started = time.monotonic()
    for town in TOWNS:
        for words in (
            ["synthesize", town, "--residents", str(RESIDENTS), "--faults", "0.005"],
            ["run", town, "--rehearsal", "1"],
        ):
            sys.stdout.write(f"\n$ hikkoshi {' '.join(words)}\n")
            sys.stdout.flush()
            done = subprocess.run([sys.executable, "-m", "dags.cli", *words], check=False)  # noqa: S603  our own command
            if done.returncode:
                return done.returncode
    sys.stdout.write(
        f"\nAll three towns are in the rehearsals' area of the joint data centre, after {time.monotonic() - started:.0f} seconds. "
        f"Open the result.ja.html or result.en.html of each run above.\n"
        f"Everything lies in {run_folder.settings().home}; `make ui` shows the runs in Airflow, `make clean` removes all.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
