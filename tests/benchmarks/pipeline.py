"""`python -m tests.benchmarks.pipeline`: the whole pipeline of 見本市, beside what any loader of its tables must do.

A round takes turns: the pipeline with the gate (Great Expectations), the pipeline without it (the gate answers what
Polars has counted), reading and mapping alone, and the two floors of `floors` with the very rows of the first run. Everything counts, from `begin` to the
reports; a run of a small town comes before, so that no round pays for imports and for the start of kernels. Great
Expectations is imported anew by every run, beside its first steps: that is in all costs but the ratios of processor time,
for which an import of the same round is taken off.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import queue
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from dags import runs
from dags.pipeline.extraction import extract_and_map
from dags.pipeline.receiving.expected import files_of
from dags.pipeline.slice_files import SliceFiles
from dags.pipeline.town import load
from migration_reports.findings import join_findings
from tests.benchmarks import floors
from tests.benchmarks.costs import Cost
from tests.benchmarks.figures import asked, middle, say
from tests.benchmarks.ground import ROOT, TOWN, Ground, ground, synthesize
from tests.benchmarks.watching import STEPS, replaced, watched
from validators import engine
from validators import gate as the_gate

MAPPING = "reading and mapping into Arrow files"
IMPORT = "importing Great Expectations"
LONGEST = 600
"""Seconds that an answer is waited for."""

CHECKED = "ingest, key, checks, attach"
FLOORS = {"bare adbc_ingest": floors.bare, CHECKED: floors.checked}
LIMITS = {
    ("without", "bare adbc_ingest"): 2.3, ("with", "bare adbc_ingest"): 3.5, ("without", CHECKED): 1.5, ("with", CHECKED): 2.5,
}  # fmt: skip
"""What was asked of a pipeline with or without the gate, as times a floor."""


@dataclasses.dataclass(slots=True)
class Measured:
    """What was measured of a run, or of a floor: each step's cost, the whole, and the rows taken from it for the floors."""

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
    with ground(arguments.database) as place:
        for residents in (arguments.residents, 1_000):
            synthesize(residents, place.home / str(residents))
        run(place, place.home / "1000", "without")
        dumps = place.home / str(arguments.residents)
        rounds = [turn(place, dumps, gates, number) for number in range(arguments.rounds)]
    show(arguments.residents, gates, rounds)
    return 0


def turn(place: Ground, dumps: Path, gates: Sequence[str], number: int) -> Mapping[str, Measured]:
    """One round: each pipeline and each floor once, by name."""
    kept = place.home / f"rows-{number}"
    done = {gate: run(place, dumps, gate, keep=kept if gate == gates[0] else None) for gate in gates}
    before = place.clock()
    read_and_map(dumps, place.home / f"mapped-{number}")
    done[MAPPING] = Measured(whole=place.clock() - before)
    for name, ingest in FLOORS.items():
        floors.cleared(place.engine, done[gates[0]].rows)
        place.settle_down()
        before = place.clock()
        ingest(place.url, done[gates[0]].rows)
        done[name] = Measured(whole=place.clock() - before)
    if "with" in gates:
        before = place.clock()
        subprocess.run([sys.executable, "-c", "import great_expectations"], check=True, capture_output=True)
        done[IMPORT] = Measured(whole=place.clock() - before)
    return done


def run(place: Ground, dumps: Path, gate: str, *, keep: Path | None = None) -> Measured:
    """Run the pipeline with or without the gate.

    Args:
        place: where.
        dumps: the folder of the dumps.
        gate: with or without.
        keep: the new folder in which the rows are kept for the floors.

    Raises:
        RuntimeError: the run was not promoted.
    """
    measured, taking = Measured(), Cost()

    @contextlib.contextmanager
    def around(step: str, words: tuple[Any, ...]) -> Iterator[None]:
        nonlocal taking
        begun = place.clock()
        if step == "report" and keep is not None:
            measured.rows = floors.take(words[0], place.engine, keep)
            taking = place.clock() - begun
        begun = place.clock()
        yield
        measured.steps[step] = measured.steps.get(step, Cost()) + (place.clock() - begun)

    place.settle_down()
    with watched(around), without_gate() if gate == "without" else contextlib.nullcontext():
        begun = place.clock()
        record = runs.run_all(TOWN, folder_of_dumps=str(dumps))
        measured.whole = place.clock() - begun - taking
    if record.state != "promoted":
        raise RuntimeError(f"the run is {record.state}: its report says why")
    return measured


def read_and_map(dumps: Path, folder: Path) -> None:
    """Read and map the dump, and write what comes of it, without a database."""
    municipality = load(ROOT / "mappings" / "municipalities" / TOWN)
    for name, reader in municipality.dumps.items():
        files = [file for _, file in files_of(dumps, reader.spec) if file is not None]
        with reader.reading.open(files) as stream, SliceFiles(folder, municipality, name) as sink:
            extract_and_map(sink, municipality, name, stream, run_id="bench")


@contextlib.contextmanager
def without_gate() -> Iterator[None]:
    """Let the gate answer what Polars counts, once it has, and nobody compare that: Great Expectations is not started."""
    counted: queue.Queue[the_gate.Counts] = queue.Queue()
    evaluate = engine.run_polars

    def run_polars(*words: Any, **options: Any) -> Mapping[str, pl.DataFrame]:
        failing = evaluate(*words, **options)
        counted.put({name: rows.height for name, rows in failing.items()})
        return failing

    @contextlib.contextmanager
    def apart() -> Iterator[the_gate.Evaluate]:
        yield lambda suites, url: counted.get(timeout=LONGEST)

    nothing = join_findings([])
    with replaced(the_gate, apart=apart), replaced(engine, run_polars=run_polars, compare=lambda *_: nothing):
        yield


def show(residents: int, gates: Sequence[str], rounds: Sequence[Mapping[str, Measured]]) -> None:
    """Print the steps, the wholes and the ratios; medians of the rounds."""
    checked = [done[CHECKED].whole for done in rounds]
    head = f"| s | processor: all | this process | its children | PostgreSQL | all, of {CHECKED} |\n|---|---|---|---|---|---|---|"
    for gate in gates:
        say(f"\n| step, {gate} the gate {head}")
        for step in STEPS:
            say(f"| {step} | {cells([done[gate].steps[step] for done in rounds], checked)} |")
    say(f"\n| whole {head}")
    for name in rounds[0]:
        title = f"pipeline {name} the gate" if name in gates else name
        say(f"| {title} | {cells([done[name].whole for done in rounds], checked)} |")
    say()
    for floor in FLOORS:
        for gate in gates:
            title = f"pipeline of {residents:,} residents {gate} the gate, of {floor}"
            limit = LIMITS[gate, floor]
            apart = (IMPORT,) if gate == "with" else ()
            busy = (
                (done[gate].whole.cpu - sum(done[name].whole.cpu for name in apart)) / done[floor].whole.cpu
                for done in rounds
            )
            asked(f"{title}: processor time{', without the import' if apart else ''}", middle(busy), most=limit)
            asked(
                f"{title}: wall", middle(done[gate].whole.wall / done[floor].whole.wall for done in rounds), most=limit
            )


def cells(costs: Sequence[Cost], checked: Sequence[Cost]) -> str:
    """The medians of costs in the order of the columns, at last of what they are of a floor."""
    columns = [[getattr(cost, name) for cost in costs] for name in ("wall", "cpu", "ours", "children", "database")]
    columns.append([cost.cpu / floor.cpu for cost, floor in zip(costs, checked, strict=True)])
    return " | ".join(f"{middle(column):.2f}" for column in columns)


if __name__ == "__main__":
    sys.exit(main())
