"""What came to the runs of a municipality before this one: a file that is sent again under another name is told of."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from dags.pipeline.run_folder import Run, read_result, settings
from migration_reports.findings import RunError
from migration_reports.records.steps import Receipts

MOST_RUNS = 50
"""The latest ones are looked at; a town has a handful of rehearsals."""


def received_before(run: Run) -> Mapping[str, str]:
    """The files that runs of the municipality before a run received: by SHA-256 the name of each, and which run that was."""
    before: list[Run] = []
    for folder in (settings().home / "runs").glob(f"{run.code}-*"):
        with contextlib.suppress(RunError):
            other = read_result(folder, Run)
            if other is not None and other.run_id != run.run_id and other.started <= run.started:
                before.append(other)
    names: dict[str, str] = {}
    for other in sorted(before, key=lambda one: one.started)[-MOST_RUNS:]:
        with contextlib.suppress(RunError):
            received = other.read(Receipts)
            names |= {one.sha256: one.file for one in received.receipts if one.sha256} if received is not None else {}
    return names
