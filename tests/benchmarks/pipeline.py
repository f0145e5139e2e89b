"""`python -m tests.benchmarks.pipeline`: the whole pipeline of 見本市, beside what any loader of its tables must do.

A round takes turns: the pipeline with the gate (Great Expectations), the pipeline without it (the gate answers what Polars
has counted), and the two floors of `floors` with the very rows of the first run. Everything counts, from `begin` to the
reports; a run of a small town comes before, so that no round pays for imports and for the start of kernels. What
importing Great Expectations costs is shown apart.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import statistics
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from dags import runs, steps
from target_schemas.postgres.database import connect
from tests.benchmarks import floors
from tests.benchmarks.__main__ import database, say, synthesize
from tests.benchmarks.costs import Cost, clock, postmaster_of, settle_down
from validators import engine as rules
from validators.shapes.contract import Frames, Rule

TOWN = "990027_mihon"
STEPS = (
    "begin", "receive", "extract_map_stage", "join_slices", "validate", "reconcile", "approve", "promote", "report",
)  # fmt: skip
FLOORS = {"bare adbc_ingest": floors.bare, "ingest, key, checks, attach": floors.checked}
LIMITS = {("without", "bare adbc_ingest"): 2.3, ("with", "bare adbc_ingest"): 3.5,
          ("without", "ingest, key, checks, attach"): 1.5, ("with", "ingest, key, checks, attach"): 2.5}  # fmt: skip
"""What was asked of a pipeline with or without the gate, as times a floor."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ground:
    """Where the benchmark runs: its folder, its database and that server's first process."""

    home: Path
    url: str
    engine: sa.Engine
    postmaster: int


@dataclasses.dataclass(slots=True)
class Watched:
    """A run while it runs: what each step has cost so far, the whole, and what is taken from it before its report."""

    steps: dict[str, Cost] = dataclasses.field(default_factory=dict)
    whole: Cost = dataclasses.field(default_factory=Cost)
    rows: tuple[floors.TableRows, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--no-gate", action="store_true", help="leave out the runs with Great Expectations")
    parser.add_argument("--database", metavar="URL", help="an empty database here; else an embedded server is started")
    arguments = parser.parse_args(argv)
    gates = ("without",) if arguments.no_gate else ("with", "without")
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        home = Path(folder)
        for residents in (arguments.residents, 1_000):
            synthesize(TOWN, residents, home / str(residents))
        with database(home, arguments.database) as url:
            engine = connect(url)
            ground = Ground(home, url, engine, postmaster_of(engine))
            for gate in gates:
                run(ground, home / "1000", gate)
            rounds = [
                turn(ground, home / str(arguments.residents), gates, number) for number in range(arguments.rounds)
            ]
    if not arguments.no_gate:
        say(f"\nimporting Great Expectations, a process: {importing():.1f} s of processor time")
    show(gates, rounds)
    return 0


def turn(ground: Ground, dumps: Path, gates: Sequence[str], number: int) -> Mapping[str, Watched]:
    """One round: each pipeline and each floor once, by name."""
    kept = ground.home / f"rows-{number}"
    done = {gate: run(ground, dumps, gate, keep=kept if gate == gates[0] else None) for gate in gates}
    for name, load in FLOORS.items():
        floors.cleared(ground.engine, done[gates[0]].rows)
        settle_down(ground.engine)
        before = clock(ground.postmaster)
        load(ground.url, done[gates[0]].rows)
        done[name] = Watched(whole=clock(ground.postmaster) - before)
    return done


def run(ground: Ground, dumps: Path, gate: str, *, keep: Path | None = None) -> Watched:
    """Run the pipeline with or without the gate.

    Args:
        ground: where.
        dumps: the folder of the dumps.
        gate: with or without.
        keep: the new folder in which the rows are kept for the floors.

    Raises:
        RuntimeError: the run was not promoted.
    """
    watched, taking = Watched(), Cost()

    def before(step: str, words: tuple[Any, ...]) -> None:
        nonlocal taking
        if step == "report" and keep is not None:
            begun = clock(ground.postmaster)
            watched.rows = floors.take(words[0], ground.engine, keep)
            taking = clock(ground.postmaster) - begun

    settle_down(ground.engine)
    with watch(ground, watched, before), without_gate() if gate == "without" else contextlib.nullcontext():
        begun = clock(ground.postmaster)
        record = runs.run_all(TOWN, folder_of_dumps=str(dumps))
        watched.whole = clock(ground.postmaster) - begun - taking
    if record.state != "promoted":
        raise RuntimeError(f"the run is {record.state}: its report says why")
    return watched


@contextlib.contextmanager
def replaced(module: types.ModuleType, **functions: Callable[..., Any]) -> Iterator[None]:
    """Put other functions in the place of a module's, as long as the block lasts."""
    former = {name: getattr(module, name) for name in functions}
    for name, function in functions.items():
        setattr(module, name, function)
    try:
        yield
    finally:
        for name, function in former.items():
            setattr(module, name, function)


def watch(
    ground: Ground, watched: Watched, before: Callable[[str, tuple[Any, ...]], None]
) -> contextlib.AbstractContextManager[None]:
    """Note what each step costs; `before` is called before a step, and does not count."""

    def noted(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **options: Any) -> Any:
            before(name, words)
            begun = clock(ground.postmaster)
            given = step(*words, **options)
            watched.steps[name] = watched.steps.get(name, Cost()) + (clock(ground.postmaster) - begun)
            return given

        return call

    return replaced(steps, **{name: noted(name, getattr(steps, name)) for name in STEPS})


def without_gate() -> contextlib.AbstractContextManager[None]:
    """Let the gate answer what Polars has counted of the same rules, and Great Expectations not be called."""
    counted: dict[str, int] = {}
    evaluate = rules.run_polars

    def run_polars(of: Sequence[Rule], frames: Frames) -> Mapping[str, pl.DataFrame]:
        failing = evaluate(of, frames)
        counted.update({name: rows.height for name, rows in failing.items()})
        return failing

    def run_gx(of: Sequence[Rule], **_: object) -> Mapping[str, int]:
        return {rule.name: counted[rule.name] for rule in of}

    return replaced(rules, run_polars=run_polars, run_gx=run_gx)


def importing() -> float:
    """The processor time of a process that only imports Great Expectations, in seconds; the second of two."""
    words = [sys.executable, "-c", "import resource, great_expectations; print(sum(resource.getrusage(0)[:2]))"]
    return [float(subprocess.run(words, capture_output=True, check=True, text=True).stdout) for _ in range(2)][1]


def show(gates: Sequence[str], rounds: Sequence[Mapping[str, Watched]]) -> None:
    """Print the steps, the wholes and the ratios; medians of the rounds."""
    for gate in gates:
        say(f"\n| step, {gate} the gate | s | processor: all | this process | its children | PostgreSQL |")
        say("|---|---|---|---|---|---|")
        for step in STEPS:
            say(f"| {step} | {cells([done[gate].steps[step] for done in rounds])} |")
    say("\n| whole | s | processor: all | this process | its children | PostgreSQL |")
    say("|---|---|---|---|---|---|")
    for name in rounds[0]:
        title = f"pipeline {name} the gate" if name in gates else name
        say(f"| {title} | {cells([done[name].whole for done in rounds])} |")
    say("\n| times | asked | wall | processor time |")
    say("|---|---|---|---|")
    for floor in FLOORS:
        for gate in gates:
            pairs = [(done[gate].whole, done[floor].whole) for done in rounds]
            wall, cpu = middle(a.wall / b.wall for a, b in pairs), middle(a.cpu / b.cpu for a, b in pairs)
            say(f"| pipeline {gate} the gate, of {floor} | at most {LIMITS[gate, floor]} | {wall:.2f} | {cpu:.2f} |")


def cells(costs: Sequence[Cost]) -> str:
    """The medians of costs, in the order of the columns."""
    columns = ([getattr(cost, name) for cost in costs] for name in ("wall", "cpu", "ours", "children", "database"))
    return " | ".join(f"{statistics.median(column):.2f}" for column in columns)


def middle(values: Iterator[float]) -> float:
    """The median."""
    return statistics.median(list(values))


if __name__ == "__main__":
    sys.exit(main())
