"""A part of Airflow that forks tasks, with what tasks work with imported before: `python -m dags.server.airflow_preloaded scheduler`.

Airflow makes a process for every task by a fork, and each imported what a step needs, which took ten times what most
steps of a small town do. Imported here, before Airflow starts, it is there in every task, and in memory once.

Of what is imported only Numba is started, which has no threads of its own: a fork takes none along, so Polars' pool,
Arrow's, and every connection must begin in the task that uses them. Where tasks are not made by a fork (macOS) nothing is gained, and nothing is imported.
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
from collections.abc import Sequence

PRELOADED = (
    "dags.runs",
    "target_schemas.postgres.server",
    # What Airflow imports in every task, and for the operators of dags/migrate.py.
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.decorators.branch_python",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.hitl",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.execution_time.task_runner",
)
"""Modules, the ones of ours first."""


def preload() -> None:
    """Import what tasks work with, and fetch a first kernel: starting Numba takes longer than all other kernels."""
    for name in PRELOADED:
        importlib.import_module(name)
    from extractors.decoder import count_filled  # noqa: PLC0415  as heavy as the rest
    from validators import suites  # noqa: PLC0415

    suites.load()
    _ = count_filled.address


def main(words: Sequence[str]) -> None:
    """Become the part of Airflow that its words name, as `airflow` would be, with everything imported.

    Args:
        words: what is said behind `airflow`, such as `scheduler` or `celery worker`.
    """
    if multiprocessing.get_start_method() == "fork":
        preload()
    from airflow.__main__ import main as airflow  # noqa: PLC0415  it reads its settings when it is imported

    sys.argv = ["airflow", *words]
    airflow()


if __name__ == "__main__":
    main(sys.argv[1:])
