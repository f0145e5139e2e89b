"""Rows are staged, settled and promoted; promoted data are whole at every moment."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError, TransientError
from migration_reports.items import filled_as
from target_schemas.model import CODES
from target_schemas.postgres import ledger, loader, settling, staging
from target_schemas.postgres.database import away, connect
from target_schemas.postgres.settling import Counts
from tests.resident_records import HOUSEHOLDS, RESIDENTS, SYSTEM, TAX_AMOUNTS
from tests.staged_runs import (
    amounts,
    begin,
    households,
    no_rejects,
    promote,
    rejects,
    rows,
    run_tables,
    stage_all,
)
from tests.staged_runs import stage as stage_rows

KEY = "resident_records.households"
RUN = run_tables("r1")


@pytest.mark.parametrize("table", [table.physical for table in SYSTEM.tables], ids=lambda t: t.name)
def test_every_table_is_partitioned_by_municipality_and_keyed(table):
    assert table.dialect_options["postgresql"]["partition_by"] == "LIST (municipality_code)"
    assert next(iter(table.primary_key.columns)).name == "municipality_code"
    assert all(column.comment for column in table.columns)


def part(numbers, first):
    """Rows of consecutive records, the first of which has a number."""
    rows = households("r1", "d", numbers)
    records = pa.array(range(first, first + len(numbers)), pa.int64())
    return rows.set_column(rows.column_names.index("source_record"), "source_record", records)


def test_a_slice_that_is_staged_again_replaces_its_own_rows_only(prepared, database_url):
    stage_all(prepared, database_url, "r1", {})

    def stage(numbers, first, last, dump="d"):
        rows = part(numbers, first)
        rows = rows.set_column(rows.column_names.index("source_dump"), "source_dump", pa.array([dump] * len(numbers)))
        return stage_rows(database_url, RUN, KEY, rows, dump=dump, first=first, last=last)

    def there():
        source = RUN.staged[KEY]
        with prepared.connect() as connection:
            rows = connection.execute(sa.select(source.c.source_dump, source.c.source_record, source.c.household_no))
            return sorted((dump, record, number) for dump, record, number in rows)

    stage(["a", "b"], 1, 2)
    stage(["x"], 1, staging.LAST, dump="other")
    stage(["c", "d"], 3, staging.LAST)
    assert stage(["B"], 1, 2) == 1
    assert there() == [("d", 1, "B"), ("d", 3, "c"), ("d", 4, "d"), ("other", 1, "x")]
    stage(["p", "q", "r"], 1, 3)
    stage(["s"], 4, staging.LAST)
    assert there() == [("d", 1, "p"), ("d", 2, "q"), ("d", 3, "r"), ("d", 4, "s"), ("other", 1, "x")]


def test_two_workers_that_stage_one_slice_at_once_do_not_double_it(prepared, database_url):
    stage_all(prepared, database_url, "r1", {})
    numbers = [str(n) for n in range(5_000)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = [
            pool.submit(stage_rows, database_url, RUN, KEY, part(numbers, 1), first=1, last=9_999) for _ in range(4)
        ]
    assert [future.result() for future in done] == [5_000] * 4
    counts = settling.settle(prepared, database_url, RUN, rejected=no_rejects())
    assert counts[KEY, "d", 0].staged == 5_000


AMOUNTS = "resident_records.tax_amounts"


def staged_numbers(engine):
    found = {}
    for key, column in ((KEY, "household_no"), (AMOUNTS, "resident_no")):
        with engine.connect() as connection:
            found[key] = sorted(connection.execute(sa.select(RUN.staged[key].c[column])).scalars())
    return found


def feed(url, households_of, amounts_of, *, size=2, first=lambda: None, then=lambda: None):
    """Feed two tables a batch of so many rows at a time, in turns; do something before the first and after the last."""
    parts = [staging.Staged(KEY), staging.Staged(AMOUNTS)]
    tables = households("r1", "d", households_of), amounts("r1", "d", [(n, 1) for n in amounts_of])
    batches = [
        [(part, b) for b in table.to_batches(max_chunksize=size)] for part, table in zip(parts, tables, strict=True)
    ]
    with staging.Feed(url, RUN, parts, dump="d") as fed:
        first()
        for turn in itertools.zip_longest(*batches):
            for part, batch in filter(None, turn):
                fed.write(part, batch)
        then()
    return {part.table: count for part, count in fed.counts().items()}


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_rows_that_are_fed_while_they_are_made_stand_there_when_the_block_ends(prepared, database_url, size):
    stage_all(prepared, database_url, "r1", {})
    numbers = [f"{n:02}" for n in range(25)]
    seen = []
    then = lambda: seen.append(staged_numbers(prepared))  # noqa: E731
    assert feed(database_url, numbers, numbers[:7], size=size, then=then) == {KEY: 25, AMOUNTS: 7}
    assert seen == [{KEY: [], AMOUNTS: []}], "nobody sees half of a slice"
    assert staged_numbers(prepared) == {KEY: numbers, AMOUNTS: numbers[:7]}
    assert feed(database_url, ["x"], [], size=size) == {KEY: 1, AMOUNTS: 0}
    assert staged_numbers(prepared) == {KEY: ["x"], AMOUNTS: []}, (
        "a slice that is staged again replaces all it had staged"
    )


def test_what_fails_while_it_is_fed_leaves_what_was_staged_before(prepared, database_url):
    stage_all(prepared, database_url, "r1", {})
    feed(database_url, ["1"], ["2"])

    def fail():
        raise RunError("too many errors")

    with pytest.raises(RunError, match="too many errors"):
        feed(database_url, [str(n) for n in range(100)], ["3"], then=fail)
    assert staged_numbers(prepared) == {KEY: ["1"], AMOUNTS: ["2"]}


def test_who_is_interrupted_at_the_end_of_a_feed_does_not_wait_for_it(prepared, database_url, monkeypatch):
    stage_all(prepared, database_url, "r1", {})
    give = staging.Feed._give

    def interrupted(self, item):
        if item is None:
            raise KeyboardInterrupt
        give(self, item)

    monkeypatch.setattr(staging.Feed, "_give", interrupted)
    with pytest.raises(KeyboardInterrupt):
        feed(database_url, ["1"], ["2"])
    assert staged_numbers(prepared) == {KEY: [], AMOUNTS: []}


def test_a_database_that_goes_away_while_it_is_fed_is_told_and_nobody_waits(prepared, database_url, server_url):
    stage_all(prepared, database_url, "r1", {})
    name = sa.make_url(database_url).database

    def end_sessions():
        query = sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        ended = []
        while not ended:
            with connect(server_url).begin() as connection:
                ended = connection.execute(query).all()

    with pytest.raises(TransientError, match="is away"), away(database_url):
        feed(database_url, ["1"], ["2"], then=end_sessions)
    with pytest.raises(TransientError, match="is away"), away(database_url):
        feed(database_url, [str(n) for n in range(1_000)], [], size=1, first=end_sessions)
    assert staged_numbers(prepared) == {KEY: [], AMOUNTS: []}


def test_only_accepted_rows_are_promoted_and_one_row_a_key(prepared, database_url):
    tables = {
        "resident_records.households": households("r1", "d", ["1", "1", "2", "3"], [1, 0, 0, 0]),
        "resident_records.tax_amounts": amounts("r1", "d", [("a", 10), ("b", -3), ("c", 7), ("d", 5)]),
    }
    stage_all(prepared, database_url, "r1", tables)
    counts, promoted = promote(prepared, database_url, "r1", rejects([3]))
    assert counts["resident_records.households", "d", 0] == Counts(staged=4, rejected=1, merged=1, promotable=2)
    sums = {"amount": (Decimal(7), Decimal(12))}
    assert counts["resident_records.tax_amounts", "d", 0] == Counts(
        staged=4, rejected=1, merged=0, promotable=3, sums=sums
    )
    assert promoted.rows == {"resident_records.households": 2, "resident_records.tax_amounts": 3}
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1", "3"]
    assert rows(prepared, HOUSEHOLDS, "source_record") == [2, 4], "the preferred row of household 1 is record 2"
    summed = {"resident_records.tax_amounts": ("amount",)}
    assert loader.promoted_sums(prepared, RUN, "990027", summed) == {
        ("resident_records.tax_amounts", "d", "amount"): Decimal(12)
    }


def test_what_every_row_has_alike_is_not_sent_and_stands_in_every_promoted_row(prepared, database_url):
    alike = {"municipality_code": "990027", "run_id": "it's r1: %s", "source_dump": "d", "_part": 0, "address": None}
    run = dataclasses.replace(RUN, constants={AMOUNTS: alike, KEY: alike})
    stage_all(prepared, database_url, "r1", {})
    staging.create_staging(prepared, run)
    for key, table in ((AMOUNTS, amounts("x", "x", [("a", 1), ("b", 2)])), (KEY, households("x", "x", ["1", "1"]))):
        stage_rows(database_url, run, key, table.drop_columns([name for name in alike if name in table.column_names]))
    counts = settling.settle(prepared, database_url, run, rejected=no_rejects())
    assert {place: n.promotable for place, n in counts.items()} == {(AMOUNTS, "d", 0): 2, (KEY, "d", 0): 1}
    loader.promote(prepared, run, "990027", expected={AMOUNTS: 2, KEY: 1})
    for table, count in ((TAX_AMOUNTS, 2), (HOUSEHOLDS, 1)):
        for name in ("municipality_code", "run_id", "source_dump"):
            assert rows(prepared, table, name) == [alike[name]] * count
        with prepared.connect() as connection:
            names = connection.execute(sa.select(ledger.PROMOTIONS.c.partition)).scalars()
            (partition,) = [name for name in names if name.startswith(f"{table.name}_")]
        columns = sa.inspect(prepared).get_columns(partition, "resident_records")
        assert [column["name"] for column in columns] == table.columns.keys()
        assert [column["default"] for column in columns] == [None] * len(columns)


def test_staging_a_dump_again_replaces_what_it_had_staged(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1", "2"])})
    stage_rows(database_url, RUN, KEY, households("r1", "d", ["3"]))
    counts = settling.settle(prepared, database_url, RUN, rejected=no_rejects())
    assert counts["resident_records.households", "d", 0].staged == 1


def test_promoting_twice_changes_nothing(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1"])})
    promote(prepared, database_url, "r1")
    again = loader.promote(prepared, RUN, "990027", expected={KEY: 1})
    assert again.already
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]


def test_counts_that_differ_from_what_was_settled_promote_nothing(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1"])})
    settling.settle(prepared, database_url, RUN, rejected=no_rejects())
    with pytest.raises(RunError, match="1 rows are ready, 2 were settled"):
        loader.promote(prepared, RUN, "990027", expected={KEY: 2})
    assert rows(prepared, HOUSEHOLDS, "household_no") == []


def test_a_second_run_is_refused_while_the_first_lives_and_goes_on_when_it_has_died(prepared):
    begin(prepared, "r1")
    entry = {
        "municipality": "990027",
        "mode": "rehearsal",
        "rehearsal": 2,
        "owner": "other",
        "editions": {"resident_records": "1.0"},
    }
    with pytest.raises(RunError, match=r"run r1 of municipality 990027 has been in progress[\s\S]*Nothing was changed"):
        ledger.begin_run(prepared, run_id="r2", alive=lambda _: True, **entry)
    assert [r.run_id for r in ledger.list_runs(prepared)] == ["r1"]
    assert ledger.begin_run(prepared, run_id="r2", alive=lambda _: False, **entry) == ("r1",)
    assert {r.run_id: r.state for r in ledger.list_runs(prepared)} == {"r1": "abandoned", "r2": "running"}


def test_killed_between_staging_and_promotion_leaves_promoted_data_and_can_be_run_again(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1"])})
    promote(prepared, database_url, "r1")
    stage_all(prepared, database_url, "r2", {"resident_records.households": households("r2", "d", ["2"])})
    script = """
        import os, signal, sys
        from target_schemas.postgres import loader, partitions
        from target_schemas.postgres.database import connect
        from tests.staged_runs import run_tables
        partitions.attach = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        loader.promote(connect(sys.argv[1]), run_tables("r2"), "990027", expected={"resident_records.households": 1})
    """
    settling.settle(prepared, database_url, run_tables("r2"), rejected=no_rejects())
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), database_url],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]
    promoted = loader.promote(prepared, run_tables("r2"), "990027", expected={KEY: 1})
    assert promoted.former == {"resident_records": "r1"}
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["2"]


def test_residents_keep_dates_that_no_calendar_has():
    names = [c.name for c in RESIDENTS.columns if filled_as(c) == "birth"]
    assert names == ["birth_source", "birth_key", "birth_precision"]
    assert all(isinstance(RESIDENTS.c[name].type, sa.Text) for name in names)


def test_a_refusal_does_not_quote_the_row_it_refuses(prepared, database_url):
    secret = "SECRET-NAME"
    row = {"code_set": "sex", "code": "1", "label_ja": secret, "label_en": secret}
    insert = sa.insert(CODES).values(**row)
    refused = pytest.raises(RuntimeError, match=r"SQLSTATE 23505, codes, pk_codes")
    with refused as caught, away(database_url), prepared.begin() as connection:
        connection.execute(insert)
    assert caught.value.__cause__ is None
    assert secret not in str(caught.value)
    bad = households("r1", "d", ["1"])
    bad = bad.set_column(bad.column_names.index("household_no"), "household_no", pa.array([[1]]))
    stage_all(prepared, database_url, "r1", {})
    with pytest.raises(RuntimeError, match="refused a statement"), away(database_url):
        stage_rows(database_url, RUN, KEY, bad)
