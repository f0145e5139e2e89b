"""Killed at any point of the load, a run leaves the promoted rows whole, and the next one goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from target_schemas.postgres import staging
from target_schemas.postgres.database import connect
from tests.target_schemas.killed_loads import AMOUNTS, HOUSEHOLDS, NUMBERS, PAID, REJECTED

KILLS, SEED = 50, 20261128
WHOLE = {HOUSEHOLDS: len(set(NUMBERS)), AMOUNTS: len(PAID) - len(REJECTED)}


def test_fifty_kills_leave_what_is_promoted_whole_and_the_next_run_goes_on(prepared, database_url):
    done = subprocess.run(
        [sys.executable, "-m", "tests.target_schemas.killed_loads", database_url, str(KILLS), str(SEED)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    first, *killed, last = map(json.loads, done.stdout.splitlines())
    assert len(killed) == KILLS, done.stderr[-2000:]
    before = first["run"]
    for load in (first, *killed, last):
        assert load["in force"] in (before, load["run"]), load
        assert load["rows"] == {key: {load["in force"]: count} for key, count in WHOLE.items()}, load
        before = load["in force"]
    died = [load for load in killed if load["ended"] == -signal.SIGKILL]
    # A point at the very end may let the run end before the signal comes.
    assert len(died) > KILLS * 0.8
    assert {load["in force"] == load["run"] for load in died} == {True, False}, "some died behind the swap"
    assert last["in force"] == "last"
    left = [name for name in sa.inspect(connect(database_url)).get_schema_names() if name.startswith("stage_")]
    assert len(staging.drop_orphans(connect(database_url), tuple)) == len(left) <= 2 * len(died)
