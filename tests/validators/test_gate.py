"""The gate: Great Expectations counts in a process of its own, fails in words, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError, TransientError
from target_schemas.postgres import installation, staging
from target_schemas.postgres.database import away, connect
from tests.resident_records import RESIDENTS, SYSTEM
from tests.staged_runs import run_tables
from validators import engine, gate
from validators.shapes.contract import Expectation, Query, Rule, Where

TABLE = "resident_records.residents"
ROWS = (("1", "山田"), ("2", None), ("2", "�"), ("3", None))


def rule(name, expectation):
    return Rule(name, "V401", "x", "x", TABLE, ("name",), pl.col("name").is_null(), expectation)


UNNAMED = {
    "own": Expectation("ExpectColumnValuesToNotBeNull", {"column": "name"}),
    "query": Query("SELECT source_record FROM {batch} WHERE name IS NULL"),
    "where": Where("name IS NULL AND resident_no !~ '^x{{2}}:y%$'"),
}
"""The same rule in every kind; the last with what SQLAlchemy and the driver could take for a sign of theirs."""


@pytest.fixture(scope="module")
def apart():
    """A gate's process; starting it takes seconds."""
    with gate.ThreadPoolExecutor(1) as beside, gate.apart() as evaluate:
        yield gate.Gate(evaluate, beside)


@pytest.fixture
def schema(database_url):
    database, tables = connect(database_url), run_tables("gate", [RESIDENTS])
    installation.install(database, [SYSTEM], "990027")
    staging.create_staging(database, tables)
    table = tables.staged[TABLE]
    with database.begin() as connection:
        for number, (resident, name) in enumerate(ROWS, 1):
            row = {"resident_no": resident, "name": name, "source_dump": "d", "source_record": number}
            connection.execute(sa.insert(table).values(row))
    return staging.staging_schema("gate")


def within_a_minute(happens):
    """Whether something happens, looked at again and again."""
    end = time.monotonic() + 60
    while not happens():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def asked(schema, **expectations):
    rules = [rule(name, expectation) for name, expectation in expectations.items()]
    return engine.suites_of(rules, schema=schema, named=staging.staged_name)


def test_every_kind_of_expectation_counts_alike_here_and_apart(apart, schema, database_url):
    suites = asked(schema, **UNNAMED)
    with gate.here() as evaluate:
        assert evaluate(suites, database_url) == dict.fromkeys(UNNAMED, 2)
    assert apart.count(suites, database_url).result() == dict.fromkeys(UNNAMED, 2)


def test_what_is_asked_first_is_done_when_its_turn_comes(apart, schema, database_url):
    def leave_one():
        with connect(database_url).begin() as connection:
            connection.execute(sa.text(f"DELETE FROM {schema}.resident_records__residents WHERE source_record = 2"))

    suites = asked(schema, **UNNAMED)
    before, after = apart.count(suites, database_url), apart.count(suites, database_url, first=leave_one)
    assert (before.result()["where"], after.result()["where"]) == (2, 1)


@pytest.mark.parametrize(
    "expectation",
    [
        Query("SELECT no_such_column FROM {batch}"),
        Where("no_such_column = 1"),
        Where("CAST(name AS integer) = 1"),
        Expectation("ExpectColumnValuesToNotBeNull", {"column": "nope"}),
        Expectation("ExpectNothingOfTheKind", {}),
    ],
)
def test_a_broken_rule_is_told_without_a_value(apart, schema, database_url, expectation):
    with pytest.raises(RuntimeError, match=r"rule broken could not be evaluated|AttributeError at ") as told:
        apart.count(asked(schema, broken=expectation), database_url).result()
    assert "山田" not in str(told.value)
    assert apart.count(asked(schema, **UNNAMED), database_url).result() == dict.fromkeys(UNNAMED, 2)


def test_a_database_that_is_away_or_refuses_is_graded_as_ever(apart, schema, database_url):
    url = sa.make_url(database_url)
    for database, kind, words in (("nowhere", RunError, "there is no such database"), (url.database, None, "")):
        where = url.set(database=database).render_as_string(hide_password=False)
        if kind is None:
            assert apart.count(asked(schema, **UNNAMED), where).result()["own"] == 2
            continue
        with pytest.raises(kind, match=words), away(where):
            apart.count(asked(schema, **UNNAMED), where).result()
    gone = url.set(query={}, host="127.0.0.1", port=9).render_as_string(hide_password=False)
    with pytest.raises(TransientError, match="is away"), away(gone):
        apart.count(asked(schema, **UNNAMED), gone).result()


def test_a_gate_that_is_killed_says_so_and_leaves_no_zombie(schema, database_url):
    with gate.ThreadPoolExecutor(1) as beside, gate.apart() as evaluate:
        opened = gate.Gate(evaluate, beside)
        process = evaluate.args[0]
        counting = opened.count(asked(schema, **UNNAMED), database_url)
        process.send_signal(signal.SIGKILL)
        for future in (counting, opened.count(asked(schema, **UNNAMED), database_url)):
            with pytest.raises(TransientError, match=r"ended before it answered \(signal 9"):
                future.result()
    assert not psutil.pid_exists(process.pid)


def test_whoever_fails_beside_a_gate_does_not_wait_for_it(schema, database_url):
    slow = asked(schema, slow=Query("SELECT pg_sleep(600) FROM {batch}"))
    begun = time.monotonic()

    def working():
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
        with connect(database_url).connect() as connection:
            return connection.execute(sa.text(query)).scalar()

    def interrupted():
        with gate.ThreadPoolExecutor(1) as beside, gate.apart() as evaluate:
            gate.Gate(evaluate, beside).count(slow, database_url)
            assert within_a_minute(lambda: working() == 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begun < 100
    assert within_a_minute(lambda: working() == 0), "its query outlives it"


OPEN = """
import os, signal
from validators import gate
with gate.apart() as evaluate:
    print(evaluate.args[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_gate_ends_with_whoever_opened_it_in_whatever_way():
    told = subprocess.run([sys.executable, "-c", OPEN], capture_output=True, check=False, cwd=gate.ROOT)
    assert (told.returncode, told.stderr) == (-signal.SIGKILL, b"")
    pid = int(told.stdout)
    assert within_a_minute(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_neither_the_command_nor_the_environment_holds_the_databases_address(apart, schema, database_url):
    apart.count(asked(schema, **UNNAMED), database_url).result()
    process = psutil.Process(apart.evaluate.args[0].pid)
    assert process.cmdline()[1:] == ["-P", "-m", "validators.gate_process"]
    assert database_url not in process.environ().values()


def test_a_gate_is_found_from_any_folder_and_where_the_library_is_here_it_needs_no_process(tmp_path, monkeypatch):
    Path(tmp_path / "validators.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with gate.apart() as evaluate:
        assert evaluate([], "postgresql+psycopg://nobody@127.0.0.1:9/nowhere") == {}
    before = {child.pid for child in psutil.Process(os.getpid()).children()}
    monkeypatch.setitem(sys.modules, "great_expectations", sys.modules.get("great_expectations", sys))
    with gate.opened() as opened, gate.opened(opened) as same:
        assert same is opened
        assert {child.pid for child in psutil.Process(os.getpid()).children()} == before
