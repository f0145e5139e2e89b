"""Our reader beside other readers of mainframe files: one file, a process each, and the same answers.

Machines differ and drift, so ours is measured before and after each peer, and the ratio is between those passes; the
ratio of the processor time that a megabyte took is given too, since it is the same on a machine that others use.
Peers are installed from the registries that their tools know, into the folder, once. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.peers import answers, cobrix, copybook_rs, ours, workload
from tests.benchmarks.peers.measure import Passes, Peer, PeerError, Word, passes, spread
from tests.benchmarks.peers.python_peers import Coboljsonifier, EbcdicParser

ROOT = Path(__file__).resolve().parents[3]
PEERS: tuple[Peer, ...] = (
    cobrix.PARSER_1,
    cobrix.PARSER_2,
    cobrix.IN_SPARK_1,
    cobrix.IN_SPARK_2,
    cobrix.SPARK_1,
    cobrix.SPARK_2,
    copybook_rs.ARROW,
    copybook_rs.JSON,
    copybook_rs.CLI,
    copybook_rs.CLI_V,
    EbcdicParser(),
    Coboljsonifier(),
)
NOT_IN_CENTRAL = "JRecord, cb2java: no coordinates of theirs resolved through Maven, so they are not measured."
HEAD = (
    "peer", "version", "gives", "records", "MB/s", "cores", "ours, same run", "ours / peer",
    "by processor time", "answers",
)  # fmt: skip


@dataclasses.dataclass(slots=True)
class Run:
    """What came of a peer."""

    peer: Peer
    version: str = ""
    records: int = 0
    megabytes: float = 0.0
    passes: Passes | None = None
    failure: str = ""
    differences: list[answers.Difference] = dataclasses.field(default_factory=list)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--records", type=int, default=250_000, help="records of 200 bytes; slow peers read fewer")
    parser.add_argument(
        "--only", action="append", metavar="NAME",
        help="peers whose name begins so; may be repeated; `ours` alone measures no peer and installs nothing",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hikkoshi-peers")
    arguments = parser.parse_args(argv)
    chosen = [peer for peer in PEERS if not arguments.only or peer.name.startswith(tuple(arguments.only))]
    if not chosen and arguments.only != ["ours"]:
        parser.error(f"no such peer; there are: {', '.join(peer.name for peer in PEERS)}")
    folder = arguments.folder.resolve()

    runs = [install(peer, folder) for peer in chosen]
    full = workload.make(folder / "data", arguments.records)
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}")
    say(f"{full.records:,} records of {workload.RECORD_LENGTH} bytes, SHA-256 {workload.digest(full.fixed)}...\n")
    wrong = answers.compare(full.truth, ours.frame(full.copybook, full.fixed))

    mine = [measure_ours(full)]
    rows = []
    for run in runs:
        if not run.failure:
            measure(run, folder, full)
            mine.append(measure_ours(full))
        rows.append(row(run, mine[-2:], full.megabytes))
    table([ours_row(mine, full, wrong), copy_row(mine, full), *rows])
    for run in runs:
        for difference in run.differences:
            say(f"- {run.peer.name} differs in {difference}")
    say(f"- {NOT_IN_CENTRAL}")
    return 1 if wrong else 0


def install(peer: Peer, folder: Path) -> Run:
    """Install a peer, or note why not."""
    run = Run(peer)
    sys.stderr.write(f"installing {peer.name}\n")
    try:
        run.version = peer.install(folder / peer.home)
    except PeerError as error:
        run.failure = f"not installed: {error}"
    return run


def measure(run: Run, folder: Path, full: workload.Workload) -> None:
    """Run a peer, and compare its values with ours."""
    sys.stderr.write(f"running {run.peer.name}\n")
    load = full
    if run.peer.records and run.peer.records < full.records:
        load = workload.make(folder / "data", run.peer.records)
    run.records, run.megabytes = load.records, load.megabytes
    try:
        run.passes, values = run.peer.run(folder / run.peer.home, load)
    except PeerError as error:
        run.failure = f"does not read it: {error}"
    else:
        run.differences = answers.compare(ours.frame(load.copybook, load.fixed), values)


def measure_ours(load: workload.Workload) -> Passes:
    """Our reader, on the whole file, one thread, in a process of its own."""
    command: list[Word] = [sys.executable, "-m", "tests.benchmarks.peers.ours", load.copybook, load.fixed, "2", "5"]
    return passes(command, cwd=ROOT, PYTHONPATH=str(ROOT), POLARS_MAX_THREADS="1")


def row(run: Run, mine: list[Passes], megabytes: float) -> tuple[str, ...]:
    """A peer's line of the table; `mine` are our passes before and after it."""
    start = (run.peer.name, run.version, run.peer.gives)
    if run.passes is None:
        return (*start, "", "", "", "", "", "", run.failure)
    own = [seconds for each in mine for seconds in each.seconds]
    theirs = run.megabytes / statistics.median(run.passes.seconds)
    ratio = megabytes / statistics.median(own) / theirs
    processor = sum(each.cpu for each in mine) / len(own) / megabytes
    costs = run.passes.cpu / len(run.passes.seconds) / run.megabytes / processor
    return (
        *start,
        f"{run.records:,}",
        spread(run.megabytes, run.passes.seconds),
        f"{run.passes.cores:.1f}",
        spread(megabytes, own),
        times(ratio),
        times(costs),
        verdict(run.differences),
    )


def times(ratio: float) -> str:
    """A ratio."""
    return f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"


def ours_row(mine: list[Passes], load: workload.Workload, wrong: list[answers.Difference]) -> tuple[str, ...]:
    """Our line: all passes of the run, and whether the values are those that the file was made of."""
    seconds = [each for one in mine for each in one.seconds]
    cores = statistics.median(one.cores for one in mine)
    truth = verdict(wrong).replace("agree", "agree with what was written")
    start = ("ours, 1 thread", "this checkout", "Arrow batches, findings", f"{load.records:,}")
    return (*start, spread(load.megabytes, seconds), f"{cores:.1f}", "", "1", "1", truth)


def copy_row(mine: list[Passes], load: workload.Workload) -> tuple[str, ...]:
    """The limit: a copy of the same bytes into fresh memory, between our passes."""
    copies = [each for one in mine for each in one.copies]
    seconds = [each for one in mine for each in one.seconds]
    ratio = statistics.median(copies) / statistics.median(seconds)
    rate = spread(load.megabytes, copies)
    return ("memory copy", "", "the same bytes", f"{load.records:,}", rate, "1.0", "", f"{ratio:.2f}", "", "")


def verdict(differences: list[answers.Difference]) -> str:
    """One cell of the table."""
    if not differences:
        return f"agree, all {len(workload.NAMES)} columns"
    return f"differs in {', '.join(difference.name for difference in differences)}"


def table(rows: list[tuple[str, ...]]) -> None:
    """Print rows as Markdown."""
    say(f"| {' | '.join(HEAD)} |")
    say("|" + "---|" * len(HEAD))
    for cells in rows:
        say(f"| {' | '.join(cells)} |")
    say("")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
