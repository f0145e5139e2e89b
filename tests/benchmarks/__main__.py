"""`make bench`: each figure beside a limit measured in the same run, and how much memory a dump of any size takes.

Machines differ and drift; the ratios are what to trust. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOWNS = {"990027_mihon": "juki_master", "990035_reiji": "setai_kojin"}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="residents of the memory measurement's large dump")
    parser.add_argument("--database", metavar="URL", help="an empty database; without it an embedded server is started")
    parser.add_argument("--peak", nargs=2, metavar=("TOWN", "INBOX"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.peak:
        return peak(*arguments.peak)
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}")
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        home = Path(folder)
        dumps = {town: synthesize(town, arguments.residents, home / "inbox" / town) for town in TOWNS}
        decode_beside_copy(dumps)
        with database(home, arguments.database) as url:
            pipeline_beside_ingest(home, url)
        memory(home, arguments.residents, arguments.large)
    return 0


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def database(home: Path, url: str | None) -> Iterator[str]:
    """Let the runs of this process and its children live in a folder and a database.

    Args:
        home: the folder.
        url: the database; without it an embedded server is started, and deleted in the end.

    Yields:
        The database's URL.
    """
    from target_schemas.postgres.server import embedded_url, stop

    os.environ["HIKKOSHI_HOME"] = str(home)
    try:
        os.environ["HIKKOSHI_DATABASE_URL"] = url or embedded_url(home)
        yield os.environ["HIKKOSHI_DATABASE_URL"]
    finally:
        if not url:
            stop(home, delete=True)


def synthesize(town: str, residents: int, out: Path) -> Path:
    """Make a dump, and say how fast."""
    from dags.inspection.synthesis import synthesize as write

    start = time.perf_counter()
    made = write(ROOT / "mappings" / "municipalities" / town, residents=residents, seed=1, faults=0.005, out=out)
    seconds = time.perf_counter() - start
    say(f"synthesize {town}: {residents:,} residents in {seconds:.1f} s ({residents / seconds:,.0f} a second)")
    return made.dump


def decode_beside_copy(dumps: Mapping[str, Path]) -> None:
    """Decode every field of each shipped layout, beside a memory copy of the same bytes."""
    from dags.pipeline.town import load
    from extractors.batches import Kind, extract

    say("\ndecode, one thread, every field, findings included | MB/s | of a memory copy of the same bytes")
    for town, dump in TOWNS.items():
        reader = load(ROOT / "mappings" / "municipalities" / town).dumps[dump]
        data = dumps[town].read_bytes()
        kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
        rates, ratios = [], []
        for _ in range(7):
            start = time.perf_counter()
            bytes(bytearray(data))
            copied = (time.perf_counter() - start) / 2
            start = time.perf_counter()
            for _ in extract(
                io.BytesIO(data),
                name=dump,
                layout=reader.layout,
                framing=reader.reading.framing,
                charset=reader.reading.charset,
                kinds=kinds,
            ):
                pass
            seconds = time.perf_counter() - start
            rates.append(len(data) / seconds / 1e6)
            ratios.append(copied / seconds)
        rates, ratios = rates[1:], ratios[1:]
        say(
            f"{town} ({reader.layout.length} B) | {statistics.median(rates):,.0f} [{min(rates):,.0f}..{max(rates):,.0f}] | {statistics.median(ratios):.3f}"
        )


def pipeline_beside_ingest(home: Path, url: str) -> None:
    """Run the whole pipeline, beside a bare ADBC ingest of the rows that it staged."""
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow as pa

    from dags import runs, steps
    from target_schemas.postgres.database import adbc_uri

    say(
        "\nwhole pipeline, dump to promoted tables | source records a second | rows a second | of a bare adbc_ingest of the same rows"
    )
    for town in TOWNS:
        start = time.perf_counter()
        run_id = steps.begin(town)
        for part in steps.receive(run_id):
            steps.extract_map_stage(run_id, **part)
        steps.join_slices(run_id)
        steps.validate(run_id)
        steps.reconcile(run_id)
        steps.approve(run_id, "bench")
        steps.promote(run_id)
        seconds = time.perf_counter() - start
        rows, ingest = 0, 0.0
        for file in sorted((home / "runs" / run_id / "mapped").rglob("*.arrow")):
            table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
            with adbc.connect(adbc_uri(url)) as connection, connection.cursor() as cursor:
                begun = time.perf_counter()
                cursor.adbc_ingest(f"bench_{file.parent.parent.name}", table, mode="replace")
                connection.commit()
                ingest += time.perf_counter() - begun
            rows += table.num_rows
        steps.report(run_id)
        record = runs.record(run_id)
        records = sum(fate.records for fate in record.fates)
        bare = f"{ingest / seconds:.3f} (bare: {rows / ingest:,.0f} a second)"
        say(f"{town} ({record.state}) | {records / seconds:,.0f} | {rows / seconds:,.0f} | {bare}")
        say("  " + ", ".join(f"{t.step} {t.seconds:.1f} s" for t in record.timings))


def memory(home: Path, small: int, large: int) -> None:
    """Peak memory of reading, mapping and writing Arrow files, at two sizes."""
    say("\npeak memory of reading and mapping one dump (a process of its own)")
    town = "990027_mihon"
    for residents in (small, large):
        inbox = home / f"inbox-{residents}"
        synthesize(town, residents, inbox)
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks", "--peak", town, str(inbox)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        say(f"{residents:,} residents: {done.stdout.strip()}")
        shutil.rmtree(inbox)


def peak_kilobytes() -> int:
    """This process's peak resident memory. Linux's rusage counts what the parent held before the exec, so not that."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak(town: str, inbox: str) -> int:
    """Read and map a dump without a database; print this process's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        from dags.pipeline.extraction import extract_and_map
        from dags.pipeline.inbox import files_of
        from dags.pipeline.slice_files import SliceFiles
        from dags.pipeline.town import load

        municipality = load(ROOT / "mappings" / "municipalities" / town)
        ((name, reader),) = municipality.dumps.items()
        before = peak_kilobytes()
        start = time.perf_counter()
        files = [file for _, file in files_of(Path(inbox), reader.spec) if file is not None]
        with reader.reading.open(files) as stream, SliceFiles(Path(folder), municipality, name) as sink:
            extract_and_map(sink, municipality, name, stream, run_id="bench")
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in files)
        used = peak_kilobytes()
        say(
            f"{used // 1024:,} MB at the peak, {(used - before) // 1024:,} MB more than after the imports; {size / seconds / 1e6:,.0f} MB/s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
