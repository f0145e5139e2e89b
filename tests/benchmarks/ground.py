"""Where a benchmark runs: a folder and a database of its own, dumps of invented towns, and the clocks of all processes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from target_schemas.postgres.database import connect
from target_schemas.postgres.server import embedded_url, stop
from tests.benchmarks.costs import Cost, clock, postmaster_of
from tests.benchmarks.figures import say

ROOT = Path(__file__).resolve().parents[2]
TOWN = "990027_mihon"
LENGTH = 400
"""Bytes of a record of the town."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ground:
    """A folder, a database on this machine, and the first process of its server."""

    home: Path
    url: str
    engine: sa.Engine
    postmaster: int

    def clock(self) -> Cost:
        """What this process, its children and the database server have cost so far."""
        return clock(self.postmaster)

    def settle_down(self) -> None:
        """Let the server write out what it owes, so that the next does not pay for it."""
        self.said("CHECKPOINT")

    def said(self, *statements: str) -> None:
        """Say statements that stand in no transaction."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(sa.text(statement))


@contextlib.contextmanager
def ground(url: str | None) -> Iterator[Ground]:
    """Let the runs of this process and of its children live in a new folder and in a database.

    Args:
        url: the database, empty, on this machine, as its superuser; without it an embedded server is started, and
            deleted in the end.
    """
    with tempfile.TemporaryDirectory(prefix="hikkoshi-bench-") as folder:
        home = Path(folder)
        os.environ["HIKKOSHI_HOME"] = folder
        try:
            os.environ["HIKKOSHI_DATABASE_URL"] = reached = url or embedded_url(home)
            engine = connect(reached)
            place = Ground(home, reached, engine, postmaster_of(engine))
            if not url:
                # It comes once a minute, upon whatever is measured then.
                place.said("ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
            yield place
        finally:
            if not url:
                stop(home, delete=True)


def synthesize(residents: int, out: Path) -> Path:
    """Make a dump of the town, say how fast, and give its file."""
    from dags.inspection.synthesis import synthesize as write

    start = time.perf_counter()
    (made,) = write(ROOT / "mappings" / "municipalities" / TOWN, residents=residents, seed=1, faults=0.005, out=out)
    seconds = time.perf_counter() - start
    say(f"{residents:,} residents invented in {seconds:.1f} s ({residents / seconds:,.0f} a second)")
    return made.dump
