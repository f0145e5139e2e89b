"""`make scale-test`: one large town and many small ones at once, under CeleryExecutor, and a worker killed meanwhile.

PostgreSQL (one server for Airflow's metadata, one for the data centre), Redis, an API server, a scheduler, a DAG
processor and Celery's workers run on this machine, in a folder that is removed when all went well. It says what each
town took, what the killed worker cost, and the processor time of the workers and of the data centre; it fails where a
town is not promoted whole and once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from migration_reports.findings import TransientError, UsageError
from tests.scale import moves, parts, proof, servers, towns
from tests.scale.figures import say, say_cost, say_spent, say_towns


def main(argv: Sequence[str] | None = None) -> int:
    """Run all of it, and say where it is kept when it fails."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="hikkoshi-scale-"))
    # PostgreSQL does not run as root, and its user must come to its folder inside.
    folder.chmod(0o711)
    try:
        measure(folder, arguments)
    except (AssertionError, TransientError, UsageError) as error:
        sys.stderr.write(f"{error}\nkept: {folder}\n")
        return 2 if isinstance(error, UsageError) else 1
    except BaseException:
        sys.stderr.write(f"kept: {folder}\n")
        raise
    if arguments.keep:
        say(f"kept: {folder}")
    else:
        shutil.rmtree(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make scale-test", description=__doc__)
    parser.add_argument("--residents", type=int, default=2_600_000, help="of the large town: 400 bytes each")
    parser.add_argument("--towns", type=int, default=10, help="how many small ones")
    parser.add_argument("--small", type=int, default=20_000, help="residents of a small one")
    parser.add_argument("--slice", type=int, default=64 * 1024 * 1024, help="bytes of a slice")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=2, help="tasks that a worker runs at once")
    parser.add_argument("--heartbeat-timeout", type=int, default=parts.Noticing().heartbeat_timeout, help="seconds")
    parser.add_argument("--kill-in", default=moves.READING, metavar="TASK", help="the step in which a worker is killed")
    parser.add_argument("--no-kill", action="store_true", help="kill no worker")
    parser.add_argument("--seconds", type=float, default=3_600, help="the longest that it may take")
    parser.add_argument("--keep", action="store_true", help="keep logs and data though all went well")
    return parser


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Start everything, move the towns, and prove and say how it went."""
    servers.programs()
    with contextlib.ExitStack() as stack:
        _, metadata = stack.enter_context(servers.postgresql(folder / "metadata", "airflow"))
        centre, centre_url = stack.enter_context(servers.postgresql(folder / "centre", "centre", "CREATEROLE"))
        broker = stack.enter_context(servers.redis(folder / "broker"))
        home, municipalities, logs, port = (
            folder / "home",
            folder / "municipalities",
            folder / "logs",
            servers.free_port(),
        )
        url = f"postgresql+psycopg://{centre_url}"
        os.environ.update(
            HIKKOSHI_HOME=str(home),
            HIKKOSHI_MUNICIPALITIES=str(municipalities),
            HIKKOSHI_DATABASE_URL=url,
            HIKKOSHI_SLICE_BYTES=str(arguments.slice),
        )
        logs.mkdir(mode=0o700)
        names = towns.copies(municipalities, 1 + arguments.towns)
        say(f"{len(names)} towns, logs in {logs} and {home / 'airflow' / 'logs'}")
        people = [arguments.residents, *[arguments.small] * arguments.towns]
        moved = towns.with_dumps(municipalities, home / "inbox", list(zip(names, people, strict=True)))
        os.environ.update(
            parts.environment(
                port=port,
                metadata=metadata,
                broker=broker,
                workers=arguments.workers,
                concurrency=arguments.concurrency,
                noticing=parts.Noticing(heartbeat_timeout=arguments.heartbeat_timeout),
            )
        )
        started = time.monotonic()
        running = stack.enter_context(parts.running(logs, port=port, workers=arguments.workers))
        say(f"Airflow is ready after {time.monotonic() - started:.0f} s")
        move(port, moved, running, centre, url, arguments)


def move(
    port: int,
    moved: Sequence[towns.Town],
    running: Sequence[parts.Part],
    centre: servers.Server,
    url: str,
    arguments: argparse.Namespace,
) -> None:
    """Move all towns at once, a worker killed meanwhile; prove that each is promoted whole and once."""
    airflow, started = moves.Airflow(port), time.monotonic()
    before, centre_before = [part.cpu_seconds() for part in running], centre.cpu_seconds()
    runs = airflow.start(moved)
    killed = None
    if not arguments.no_kill:
        victim = next(part for part in running if part.works)
        killed = moves.kill_in_the_middle(airflow, runs, arguments.kill_in, victim)
        say(f"{victim.name} was killed after {time.monotonic() - started:.0f} s; {len(killed.tasks)} tasks ran on it")
    airflow.wait(runs, each=lambda: False, seconds=arguments.seconds)
    elapsed = time.monotonic() - started
    after = [killed.cpu_seconds if killed and part is killed.worker else part.cpu_seconds() for part in running]
    spent = {part.name: now - then for part, now, then in zip(running, after, before, strict=True)}
    ended = [moves.ended(airflow, dag, run) for dag, run in runs.items()]
    say_towns(moved, ended, proof.all_rows(url, moved, ended), elapsed)
    say_spent({**spent, "data centre": centre.cpu_seconds() - centre_before})
    if killed is not None:
        say_cost(moves.cost(airflow, killed))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
