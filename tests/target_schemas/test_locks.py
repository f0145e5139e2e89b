"""Beside a reader whose transaction stays open: ordinary commands go through, and a swap gives up in words."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import re

import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError, TransientError
from target_schemas.model import Code, CodeSet
from target_schemas.postgres import database, installation, ledger, loader, staging, undo
from target_schemas.postgres.areas import AREAS, PRODUCTION, REHEARSALS
from target_schemas.systems import SYSTEMS
from tests.resident_records import HOUSEHOLDS, SYSTEM
from tests.staged_runs import begin, households, move, promote, rows, run_tables, stage_all, states

WHO = {"by": "tester", "reason": "because"}


@contextlib.contextmanager
def reading(engine, *places):
    """A reader whose transaction stays open; gives how its process is named."""
    with engine.connect() as connection:
        for place in places:
            connection.execute(sa.text(f"SELECT count(*) FROM {place}"))
        pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        yield f"role postgres, process {pid}"


@pytest.fixture
def statements(prepared, monkeypatch):
    """What the engine executes from here on."""
    seen = []
    sa.event.listen(prepared, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    return seen


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)


def test_installing_what_is_there_executes_nothing_but_queries(prepared, statements):
    installation.install(prepared, SYSTEMS, "990027")
    ledger.list_runs(prepared)
    ledger.find(prepared, "c0")
    assert len(statements) > 5
    assert all(re.match(r"\s*SELECT ", statement) for statement in statements), statements


def test_programs_that_install_at_once_make_everything_once(engine):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        done = [pool.submit(installation.install, engine, SYSTEMS, code) for code in ("990027", "990035", "990027")]
    assert [future.result() for future in done] == [None, None, None]
    made = [set(sa.inspect(engine).get_table_names(area.schema("resident_records"))) for area in AREAS]
    assert made[0] == made[1] == {table.name for table in SYSTEM.tables}
    assert sa.inspect(engine).get_table_names("joint") == ["codes", "own_codes", "reference_lines"]


def test_ordinary_steps_go_through_beside_an_open_reader(prepared, database_url):
    move(prepared, database_url, "c0", ["1"])
    move(prepared, database_url, "c1", ["2"], "990035")
    with reading(prepared, "resident_records.households", "resident_records.tax_amounts", "joint.codes", "ledger.runs"):
        installation.install(prepared, SYSTEMS, "990027")
        begin(prepared, "c2")
        assert states(prepared)["c2"] == "running"
        staging.create_staging(prepared, run_tables("c2"))
        ledger.end_run(prepared, "c2", "failed")
        staging.drop_staging(prepared, "c2")
    assert states(prepared)["c2"] == "failed"


def test_a_first_promotion_shuts_no_reader_out_and_waits_for_none(prepared, database_url):
    move(prepared, database_url, "c0", ["1"], "990035")
    with reading(prepared, "resident_records.households", "resident_records.tax_amounts"):
        move(prepared, database_url, "c1", ["2"])
        assert rows(prepared, HOUSEHOLDS, "household_no") == ["1", "2"]


def test_a_swap_waits_for_no_reader_of_another_partition(prepared, database_url):
    move(prepared, database_url, "other", ["9"], "990035")
    move(prepared, database_url, "c0", ["1"])
    with prepared.connect() as connection:
        of_other = sa.select(ledger.PROMOTIONS.c.partition).where(ledger.PROMOTIONS.c.run_id == "other")
        partitions = connection.execute(of_other).scalars().all()
    with reading(prepared, *(f"resident_records.{partition}" for partition in partitions)):
        move(prepared, database_url, "c1", ["2"])
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["2", "9"]


def test_a_swap_beside_an_open_reader_ends_in_words_and_goes_through_when_it_has_gone(prepared, database_url, soon):
    move(prepared, database_url, "other", ["9"], "990035")
    move(prepared, database_url, "c0", ["1"])
    stage_all(prepared, database_url, "c1", {"resident_records.households": households("c1", "d", ["2"])})
    with reading(prepared, "resident_records.households") as who:
        waits = rf"the promotion of run c1 waits for tables that others use \({who}\)\. Nothing was changed"
        with pytest.raises(TransientError, match=waits):
            promote(prepared, database_url, "c1")
        assert rows(prepared, HOUSEHOLDS, "household_no") == ["1", "9"], "nobody is shut out"
        assert states(prepared)["c1"] == "running"
    loader.promote(prepared, run_tables("c1"), "990027", expected={"resident_records.households": 1})
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["2", "9"]


def test_rollback_and_withdrawal_give_up_in_words_too(prepared, database_url, soon):
    for name in ("c0", "c1"):
        move(prepared, database_url, name, [name])
    calls = {
        "the rollback": lambda: undo.rollback(prepared, "990027", PRODUCTION, **WHO),
        "the withdrawal of run c1": lambda: undo.withdraw(prepared, "c1", **WHO),
    }
    before = states(prepared)
    with reading(prepared, "resident_records.households") as who:
        for what, call in calls.items():
            with pytest.raises(TransientError, match=rf"{what} waits for tables that others use \({who}\)"):
                call()
    assert states(prepared) == before
    assert undo.rollback(prepared, "990027", PRODUCTION, **WHO).systems[0].in_force == "c0"


def test_what_is_missing_is_made_once_and_a_lock_on_it_is_waited_for_in_words(prepared, soon):
    more = CodeSet("colour", "色", "colour", (Code("1", "赤", "red"),))
    system = dataclasses.replace(SYSTEM, code_sets=(*SYSTEM.code_sets, more))
    with prepared.begin() as holder:
        holder.execute(sa.text("LOCK TABLE joint.codes IN SHARE MODE"))
        installation.install(prepared, SYSTEMS, "990027")
        with pytest.raises(TransientError, match="installing the data centre waits for tables that others use"):
            installation.install(prepared, [system], "990027")
    installation.install(prepared, [system], "990027")
    with prepared.connect() as connection:
        labels = sa.text(
            "SELECT code_set, label_ja FROM joint.codes WHERE code_set IN ('colour', 'sex') ORDER BY 1, code"
        )
        assert connection.execute(labels).all() == [("colour", "赤"), ("sex", "男"), ("sex", "女"), ("sex", "不詳")]


def test_a_database_of_another_form_is_refused_and_says_what_to_do(prepared):
    with prepared.begin() as connection:
        connection.execute(sa.text("UPDATE ledger.schema_version SET version = '1'"))
    for call in (
        lambda: installation.install(prepared, SYSTEMS, "990027"),
        lambda: ledger.list_runs(prepared),
        lambda: undo.rollback(prepared, "990027", REHEARSALS, **WHO),
    ):
        with pytest.raises(RunError, match=r"has the form 1, this program needs 3[\s\S]*a new database"):
            call()
