"""`hikkoshi capacity`: what limits many towns, and the figures beside it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dags.capacity import AVERAGE_ROWS, MEASURED, Costs, Machines, estimate, workers_a_database_bears
from dags.cli import app

COSTS = Costs(town=30, rows=20, database_town=2, database_rows=8, airflow_town=1)
ROWS = 1_000_000


@pytest.mark.parametrize(
    ("towns", "machines", "seconds", "limit"),
    [
        # 100 × 50 processor seconds on two cores.
        (100, Machines(1, cores=2, share=1), 2_500, "workers"),
        # 100 × 10 on four cores of the database; 100 × 50 on 64 of the workers.
        (100, Machines(32, cores=2, database_cores=4, share=1), 250, "databases"),
        (100, Machines(32, cores=2, databases=4, database_cores=4, share=1), 78.125, "workers"),
        (100, Machines(320, databases=40, airflow_cores=1, share=1), 100, "Airflow"),
        # One town's steps wait for each other, however many workers there are.
        (1, Machines(32, cores=2, share=1), 61, "a town"),
        (1, Machines(32, cores=2, share=0.5), 122, "a town"),
    ],
)
def test_the_scarcest_is_what_counts(towns, machines, seconds, limit):
    found = estimate(towns, ROWS, machines, COSTS)
    assert (found.seconds, found.limit) == (seconds, limit)


def test_more_workers_than_a_database_bears_are_of_no_use():
    bears = workers_a_database_bears(ROWS, Machines(1), COSTS)
    assert bears == 10
    at, beyond = (estimate(1_000, ROWS, Machines(n), COSTS) for n in (bears, 2 * bears))
    assert at.seconds == beyond.seconds
    assert beyond.limit == "databases"


def test_the_command_prints_a_table_or_json_and_takes_other_figures():
    table = CliRunner().invoke(app, ["capacity"])
    assert table.exit_code == 0
    assert len([line for line in table.stdout.splitlines() if line.split()[:1] in (["10"], ["100"], ["1,700"])]) == 9
    words = ["--municipalities", "100", "--workers", "1", "--rows", "1000000", "--share", "1", "--format", "json"]
    costs = [
        "--airflow-seconds",
        "1",
        "--town-seconds",
        "30",
        "--row-seconds",
        "20",
        "--database-town-seconds",
        "2",
        "--database-row-seconds",
        "8",
    ]
    said = json.loads(CliRunner().invoke(app, ["capacity", *words, *costs]).stdout)
    assert said["costs"] == dataclasses.asdict(COSTS)
    assert said["estimates"] == [
        {"municipalities": 100, "workers": 1, "databases": 1, "seconds": 2_500, "limit": "workers"}
    ]
    assert said["workers_borne"] == 10
    assert CliRunner().invoke(app, ["capacity", "--format", "xlsx"]).exit_code == 2


def test_the_page_says_what_the_command_says():
    page = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text("utf-8")
    estimates = [estimate(n, AVERAGE_ROWS, Machines(workers)) for n in (10, 100, 1_700) for workers in (1, 4, 16)]
    for e in estimates:
        assert f"| {e.municipalities:,} | {e.workers} | {e.seconds / 60:,.1f} | {e.limit} |" in page
    workers = f"| workers | {MEASURED.town} s | {MEASURED.rows} s |"
    assert workers in page
    assert f"| data centre | {MEASURED.database_town} s | {MEASURED.database_rows} s |" in page
    assert f"| scheduler and API server | {MEASURED.airflow_town} s " in page
