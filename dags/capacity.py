"""How long many towns take: from what one costs, how many workers share them, and how much of that one database bears.

The model is four sums of processor seconds, and the longest of them counts: what all towns cost the workers, divided
by the workers' cores; what they cost the databases, and Airflow's scheduler and API server, each divided by theirs; and
what one town costs, for its steps wait for each other.
"""

from __future__ import annotations

import dataclasses

MILLION = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Costs:
    """What a town costs, in processor seconds.

    Attributes:
        town: of a worker, whatever the town's size: processes, Airflow, specs, reports.
        rows: of a worker, a million rows promoted.
        database_town: of the data centre, whatever the town's size: tables, transactions, counts.
        database_rows: of the data centre, a million rows promoted.
        airflow_town: of the scheduler and the API server, which hand its tasks out and hear of them.
    """

    town: float
    rows: float
    database_town: float
    database_rows: float
    airflow_town: float

    def of_workers(self, rows: int) -> float:
        """What a town of so many rows costs the workers."""
        return self.town + self.rows * rows / MILLION

    def of_database(self, rows: int) -> float:
        """What a town of so many rows costs its database."""
        return self.database_town + self.database_rows * rows / MILLION


MEASURED = Costs(town=5.8, rows=8.4, database_town=0.5, database_rows=9.2, airflow_town=2.4)
"""`make scale-test` of 2026-11-28 (docs/capacity.md): x86_64, two cores for all of it."""

AVERAGE_ROWS = 175_000
"""Of a town: 124 million residents in 1,741 municipalities, 2.45 rows each (the resident records of 見本市)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Machines:
    """What does the work.

    Attributes:
        workers: machines that run tasks.
        cores: of each.
        databases: servers of the data centre, each for as many towns as the others.
        database_cores: of each.
        airflow_cores: of the machine with the scheduler and the API server.
        share: of a core's time that is used; the rest waits for disks, locks and each other.
    """

    workers: int
    cores: int = 2
    databases: int = 1
    database_cores: int = 4
    airflow_cores: int = 2
    share: float = 0.7


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """How long so many towns take on some machines.

    Attributes:
        municipalities: how many towns.
        workers: on how many workers.
        databases: with how many databases.
        seconds: from the first to the last.
        limit: what takes longest, and is to be had more of: `workers`, `databases`, `Airflow`, or `a town`, whose steps
            wait for each other.
    """

    municipalities: int
    workers: int
    databases: int
    seconds: float
    limit: str


def estimate(municipalities: int, rows: int, machines: Machines, costs: Costs = MEASURED) -> Estimate:
    """Estimate how long towns take that are moved at once.

    Args:
        municipalities: how many.
        rows: rows that each promotes.
        machines: what does the work.
        costs: what a town costs.
    """
    worked, stored = costs.of_workers(rows), costs.of_database(rows)
    seconds, limit = max(
        (municipalities * worked / (machines.workers * machines.cores), "workers"),
        (municipalities * stored / (machines.databases * machines.database_cores), "databases"),
        (municipalities * costs.airflow_town / machines.airflow_cores, "Airflow"),
        (worked + stored + costs.airflow_town, "a town"),
    )
    return Estimate(municipalities, machines.workers, machines.databases, seconds / machines.share, limit)


def workers_a_database_bears(rows: int, machines: Machines, costs: Costs = MEASURED) -> int:
    """How many workers keep the databases busy; more of them only wait. Arguments as of `estimate`."""
    ratio = costs.of_workers(rows) / costs.of_database(rows)
    return max(int(ratio * machines.databases * machines.database_cores / machines.cores), 1)
