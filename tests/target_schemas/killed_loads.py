"""`python -m tests.target_schemas.killed_loads URL KILLS SEED`: loads that are killed (-9), each at a point of its own.

A process a load, forked from this one before it has any thread. The first is left alone, and tells how many points there
are: every statement and every commit, before it or while the server works on it. A line of JSON a load says how it ended.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading

import adbc_driver_manager.dbapi as adbc
import sqlalchemy as sa

from target_schemas.postgres import ledger, loader, settling, staging
from target_schemas.postgres.areas import PRODUCTION
from target_schemas.postgres.database import connect
from tests.staged_runs import TABLES, amounts, begin, households, rejects, rows, run_tables

HOUSEHOLDS, AMOUNTS = (table.key for table in TABLES)
NUMBERS = [str(n // 2) for n in range(600)]
PAID = [(str(n), n) for n in range(400)]
REJECTED = range(1, 40, 3)


class Deadly:
    """Counts the points that a load passes, and kills it at one."""

    def __init__(self, point: int | None, *, delay: float) -> None:
        self.passed = 0
        self._point, self._delay = point, delay

    def __call__(self, *_: object, **__: object) -> None:
        self.passed += 1
        if self.passed == self._point:
            if not self._delay:
                os.kill(os.getpid(), signal.SIGKILL)
            threading.Timer(self._delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    def everywhere(self) -> None:
        for name in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, name, self)
        for kind, name in ((adbc.Cursor, "execute"), (adbc.Cursor, "adbc_ingest"), (adbc.Connection, "commit")):
            setattr(kind, name, self._before(getattr(kind, name)))

    def _before(self, method):
        def called(*arguments, **options):
            self()
            return method(*arguments, **options)

        return called


def load(url: str, run: str) -> None:
    """Everything from the ledger's entry to the end, fed a batch at a time."""
    engine, tables = connect(url), run_tables(run)
    begin(engine, run)
    staging.create_staging(engine, tables)
    parts = [staging.Staged(HOUSEHOLDS), staging.Staged(AMOUNTS)]
    with staging.Feed(url, tables, parts, dump="d") as feed:
        for part, table in zip(parts, (households(run, "d", NUMBERS), amounts(run, "d", PAID)), strict=True):
            for batch in table.to_batches(max_chunksize=150):
                feed.write(part, batch)
    counts = settling.settle(engine, url, tables, rejected=rejects(REJECTED))
    loader.promote(engine, tables, "990027", expected={key: n.promotable for (key, *_), n in counts.items()})
    ledger.end_run(engine, run, "promoted")
    staging.drop_staging(engine, run)


def tried(url: str, run: str, deadly: Deadly) -> int:
    """Load in a process of its own; gives how it ended: the number of points passed, or the signal, negative."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        deadly.everywhere()
        try:
            load(url, run)
            os.write(writing, str(deadly.passed).encode())
        finally:
            os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        passed = said.read()
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else int(passed or 0)


def standing(url: str) -> dict[str, object]:
    """The run in force, and the rows of each table by run."""
    engine = connect(url)
    with engine.connect() as connection:
        run = ledger.in_force(connection, "990027", PRODUCTION).get("resident_records")
    found = {table.key: rows(engine, table, "run_id") for table in TABLES}
    return {"in force": run, "rows": {key: {name: of.count(name) for name in set(of)} for key, of in found.items()}}


def main(url: str, kills: int, seed: int) -> None:
    chance, points = random.Random(seed), 0
    for number in range(kills + 1):
        run = f"r{number:02}"
        point = chance.randint(1, points) if number else None
        delay = chance.choice([0.0, chance.uniform(0.0005, 0.004)])
        ended = tried(url, run, Deadly(point, delay=delay))
        points = points or ended
        said = {"run": run, "point": point, "delay": delay, "ended": ended, **standing(url)}
        sys.stdout.write(json.dumps(said) + "\n")
    ended = tried(url, "last", Deadly(None, delay=0))
    sys.stdout.write(json.dumps({"run": "last", "ended": ended, **standing(url)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
