"""What something costs: seconds of the clock, and processor time of this process, of its children and of the database server.

Where other work shares the machine the clock says little; processor time says what was done, wherever it was done.
"""

from __future__ import annotations

import contextlib
import dataclasses
import resource
import time
from collections.abc import Iterable

import psutil
import sqlalchemy as sa


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Seconds: of the clock, and of processors in this process, in those it started, and in the database server."""

    wall: float = 0.0
    ours: float = 0.0
    children: float = 0.0
    database: float = 0.0

    @property
    def cpu(self) -> float:
        """All processor time."""
        return self.ours + self.children + self.database

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(a - b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))


def clock(postmaster: int) -> Cost:
    """All clocks at once; the difference of two readings is a cost.

    Args:
        postmaster: the database server's first process (`postmaster_of`); its own children count, those that live and
            those that have ended.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = psutil.Process(postmaster)
    return Cost(
        wall=time.perf_counter(),
        ours=time.process_time(),
        children=ended.ru_utime + ended.ru_stime + _spent(psutil.Process().children(recursive=True)),
        database=_spent([server, *server.children()]),
    )


def _spent(processes: Iterable[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        # One that has ended meanwhile is counted by who started it.
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def postmaster_of(engine: sa.Engine) -> int:
    """The number of the first process of a database server on this machine; its superuser must ask."""
    with engine.connect() as connection:
        said = connection.execute(sa.text("SELECT pg_read_file('postmaster.pid')")).scalar_one()
    return int(str(said).split()[0])
