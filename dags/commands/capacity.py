"""`hikkoshi capacity`: how long many municipalities take on some workers, from what one was measured to cost."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from dags.commands._terminal import out

EXAMPLES = (
    "hikkoshi capacity",
    "hikkoshi capacity --municipalities 250 --workers 8 --database-cores 8",
    "hikkoshi capacity --municipalities 1700 --workers 64 --databases 4 --format json",
)

_MEASURED = "; as measured, where not given."


def capacity(
    municipalities: Annotated[
        list[int] | None,
        typer.Option("--municipalities", min=1, help="How many; may be repeated. 10, 100 and 1700, where not given."),
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option(
            "--workers", min=1, help="Machines that run tasks; may be repeated. 1, 4 and 16, where not given."
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option("--rows", min=1, help="Rows that a town promotes; the average one's, where not given.")
    ] = None,
    cores: Annotated[int, typer.Option("--cores", min=1, help="Cores of a worker.")] = 2,
    databases: Annotated[int, typer.Option("--databases", min=1, help="Servers of the data centre.")] = 1,
    database_cores: Annotated[int, typer.Option("--database-cores", min=1, help="Cores of each.")] = 4,
    airflow_cores: Annotated[
        int, typer.Option("--airflow-cores", min=1, help="Cores of the machine with the scheduler and the API server.")
    ] = 2,
    share: Annotated[
        float, typer.Option("--share", min=0.05, max=1, help="The share of a core's time that is used.")
    ] = 0.7,
    town_seconds: Annotated[
        float | None, typer.Option("--town-seconds", min=0, help=f"Processor seconds of a worker, a town{_MEASURED}")
    ] = None,
    row_seconds: Annotated[
        float | None, typer.Option("--row-seconds", min=0, help=f"Of a worker, a million rows{_MEASURED}")
    ] = None,
    database_town_seconds: Annotated[
        float | None, typer.Option("--database-town-seconds", min=0, help=f"Of the database, a town{_MEASURED}")
    ] = None,
    database_row_seconds: Annotated[
        float | None,
        typer.Option("--database-row-seconds", min=0.001, help=f"Of the database, a million rows{_MEASURED}"),
    ] = None,
    airflow_seconds: Annotated[
        float | None,
        typer.Option("--airflow-seconds", min=0, help=f"Of the scheduler and the API server, a town{_MEASURED}"),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Estimate; nothing is run."""
    from dags import capacity as model

    if form not in ("text", "json"):
        raise typer.BadParameter("one of text, json", param_hint="--format")
    given = {
        "town": town_seconds,
        "rows": row_seconds,
        "database_town": database_town_seconds,
        "database_rows": database_row_seconds,
        "airflow_town": airflow_seconds,
    }
    costs = dataclasses.replace(model.MEASURED, **{name: value for name, value in given.items() if value is not None})
    machines = [
        model.Machines(w, cores, databases, database_cores, airflow_cores, share) for w in workers or (1, 4, 16)
    ]
    each = rows or model.AVERAGE_ROWS
    found = [model.estimate(n, each, on, costs) for n in municipalities or (10, 100, 1_700) for on in machines]
    bears = model.workers_a_database_bears(each, machines[0], costs)
    if form == "json":
        said = {
            "rows": each,
            "costs": dataclasses.asdict(costs),
            "workers_borne": bears,
            "estimates": [dataclasses.asdict(estimate) for estimate in found],
        }
        sys.stdout.write(json.dumps(said) + "\n")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("municipalities", "workers", "databases", "minutes", "limit"):
        table.add_column(name, justify="left" if name == "limit" else "right")
    for e in found:
        table.add_row(f"{e.municipalities:,}", f"{e.workers}", f"{e.databases}", f"{e.seconds / 60:,.1f}", e.limit)
    out.print(table)
    out.print(
        f"{each:,} rows a town: processor seconds {costs.of_workers(each):.1f} of workers, {costs.of_database(each):.1f} of "
        f"its database, {costs.airflow_town:.1f} of Airflow. More than {bears} workers only wait for {databases} database(s) "
        f"of {database_cores} cores.",
        highlight=False,
        soft_wrap=True,
    )
