"""Rows are staged, settled and promoted; promoted data are whole at every moment."""

from __future__ import annotations

import concurrent.futures
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

from migration_reports.findings import RunError
from migration_reports.items import filled_as
from target_schemas.model import CODES
from target_schemas.postgres import ledger, loader, staging
from target_schemas.postgres.areas import PRODUCTION
from target_schemas.postgres.database import away
from tests.resident_records import HOUSEHOLDS, RESIDENTS, SYSTEM, TAX_AMOUNTS
from tests.staged_runs import (
    ONE,
    TABLES,
    amounts,
    begin,
    households,
    no_rejects,
    promote,
    rejects,
    rows,
    stage_all,
)


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
        return staging.stage(
            database_url, "r1", "resident_records.households", rows.to_reader(), dump=dump, first=first, last=last
        )

    def there():
        source = staging.staging_tables("r1", TABLES)["resident_records.households"]
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
            pool.submit(
                staging.stage,
                database_url,
                "r1",
                "resident_records.households",
                part(numbers, 1).to_reader(),
                dump="d",
                first=1,
                last=9_999,
            )
            for _ in range(4)
        ]
    assert [future.result() for future in done] == [5_000] * 4
    counts = staging.settle(prepared, database_url, "r1", TABLES, rejected=no_rejects(), one_per_key=frozenset())
    assert counts["resident_records.households", "d", 0].staged == 5_000


def test_only_accepted_rows_are_promoted_and_one_row_a_key(prepared, database_url):
    tables = {
        "resident_records.households": households("r1", "d", ["1", "1", "2", "3"], [1, 0, 0, 0]),
        "resident_records.tax_amounts": amounts("r1", "d", [("a", 10), ("b", -3), ("c", 7), ("d", 5)]),
    }
    stage_all(prepared, database_url, "r1", tables)
    counts, promoted = promote(prepared, database_url, "r1", rejects([3]))
    assert counts["resident_records.households", "d", 0] == staging.Counts(staged=4, rejected=1, merged=1, promotable=2)
    assert counts["resident_records.tax_amounts", "d", 0] == staging.Counts(
        staged=4, rejected=1, merged=0, promotable=3
    )
    assert promoted.rows == {"resident_records.households": 2, "resident_records.tax_amounts": 3}
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1", "3"]
    assert rows(prepared, HOUSEHOLDS, "source_record") == [2, 4], "the preferred row of household 1 is record 2"
    assert staging.staged_sums(prepared, "r1", TAX_AMOUNTS, "amount", "d", 0) == (Decimal(7), Decimal(12))
    assert loader.promoted_sum(prepared, TAX_AMOUNTS, "amount", "990027", "d", area=PRODUCTION) == Decimal(12)


def test_staging_a_dump_again_replaces_what_it_had_staged(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1", "2"])})
    staging.stage(database_url, "r1", "resident_records.households", households("r1", "d", ["3"]).to_reader(), dump="d")
    counts = staging.settle(prepared, database_url, "r1", TABLES, rejected=no_rejects(), one_per_key=ONE)
    assert counts["resident_records.households", "d", 0].staged == 1


def test_promoting_twice_changes_nothing(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1"])})
    promote(prepared, database_url, "r1")
    _, again = promote(prepared, database_url, "r1")
    assert again.already
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]


def test_counts_that_differ_from_what_was_settled_promote_nothing(prepared, database_url):
    stage_all(prepared, database_url, "r1", {"resident_records.households": households("r1", "d", ["1"])})
    staging.settle(prepared, database_url, "r1", TABLES, rejected=no_rejects(), one_per_key=ONE)
    with pytest.raises(RunError, match="1 rows are ready, 2 were settled"):
        loader.promote(
            prepared,
            "r1",
            "990027",
            TABLES,
            area=PRODUCTION,
            one_per_key=ONE,
            expected={"resident_records.households": 2},
        )
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
        from target_schemas.postgres.areas import PRODUCTION
        from target_schemas.postgres.database import connect
        from tests.resident_records import HOUSEHOLDS, TAX_AMOUNTS
        partitions.attach = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        loader.promote(connect(sys.argv[1]), "r2", "990027", (HOUSEHOLDS, TAX_AMOUNTS),
                       area=PRODUCTION, one_per_key=frozenset({"resident_records.households"}), expected={"resident_records.households": 1})
    """
    staging.settle(prepared, database_url, "r2", TABLES, rejected=no_rejects(), one_per_key=ONE)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), database_url],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]
    _, promoted = promote(prepared, database_url, "r2")
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
    bad = pa.table({"household_no": pa.array([[1]])})
    stage_all(prepared, database_url, "r1", {})
    with pytest.raises(RuntimeError, match="refused a statement"), away(database_url):
        staging.stage(database_url, "r1", "resident_records.households", bad.to_reader(), dump="d")
