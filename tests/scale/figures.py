"""What was measured, as tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tests.scale.moves import Ended, Lost
from tests.scale.towns import Town


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_towns(towns: Sequence[Town], ended: Sequence[Ended], rows: Mapping[str, int], elapsed: float) -> None:
    """Say what each town took, and all of them."""
    say("\ntown | residents | MB | seconds | rows | rows a second | tasks | tries")
    for town, run in zip(towns, ended, strict=True):
        count = rows[town.folder]
        say(
            f"{town.folder} | {town.residents:,} | {town.size / 1e6:,.0f} | {run.seconds:.0f} | {count:,} | "
            f"{count / run.seconds:,.0f} | {run.tasks} | {run.tries}"
        )
    total = sum(rows.values())
    size = sum(town.size for town in towns) / 1e6
    say(
        f"all | {sum(t.residents for t in towns):,} | {size:,.0f} | {elapsed:.0f} | {total:,} | {total / elapsed:,.0f} | "
        f"{sum(e.tasks for e in ended)} | {sum(e.tries for e in ended)}"
    )


def say_spent(seconds: Mapping[str, float]) -> None:
    """Say the processor time of each part."""
    say("\nprocessor seconds | " + " | ".join(f"{name} {value:.1f}" for name, value in seconds.items()))


def say_cost(lost: Sequence[Lost]) -> None:
    """Say what the killed worker cost."""
    say("\nlost on the killed worker | had run, s | noticed after, s | ran again after, s")
    for task in lost:
        say(f"{task.dag} {task.task} | {task.ran:.0f} | {task.noticed:.0f} | {task.again:.0f}")
