"""Small runs for the tests of the data centre: rows staged, settled and promoted."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import sqlalchemy as sa

from target_schemas.postgres import ledger, loader, settling, staging
from target_schemas.postgres.areas import PRODUCTION, area_of
from tests.resident_records import HOUSEHOLDS, TAX_AMOUNTS

TABLES = (HOUSEHOLDS, TAX_AMOUNTS)
ONE = frozenset({"resident_records.households"})


def households(run, dump, numbers, ranks=None, municipality="990027"):
    count = len(numbers)
    columns = {column.name: pa.nulls(count, pa.string()) for column in HOUSEHOLDS.columns}
    columns |= {
        "municipality_code": pa.array([municipality] * count),
        "household_no": pa.array(numbers),
        "member_count": pa.nulls(count, pa.int64()),
        "average_amount": pa.nulls(count, pa.decimal128(11, 2)),
        "source_dump": pa.array([dump] * count),
        "source_record": pa.array(range(1, count + 1), pa.int64()),
        "run_id": pa.array([run] * count),
        "_offset": pa.array(range(count), pa.int64()),
        "_rank": pa.array(ranks or [0] * count, pa.int64()),
        "_part": pa.array([0] * count, pa.int16()),
    }
    return pa.table(columns)


def amounts(run, dump, rows, municipality="990027"):
    count = len(rows)
    return pa.table(
        {
            "municipality_code": [municipality] * count,
            "resident_no": [number for number, _ in rows],
            "amount": pa.array([Decimal(a) for _, a in rows], pa.decimal128(13, 0)),
            "source_dump": [dump] * count,
            "source_record": pa.array(range(1, count + 1), pa.int64()),
            "run_id": [run] * count,
            "_offset": pa.array([0] * count, pa.int64()),
            "_rank": pa.array([0] * count, pa.int64()),
            "_part": pa.array([0] * count, pa.int16()),
        }
    )


def no_rejects():
    return rejects([])


def rejects(records, dump="d"):
    return pa.table(
        {"source_dump": pa.array([dump] * len(records), pa.string()), "source_record": pa.array(records, pa.int64())}
    )


def begin(engine, run, municipality="990027", mode="cut-over", tables=TABLES):
    ledger.begin_run(
        engine,
        run_id=run,
        municipality=municipality,
        mode=mode,
        rehearsal=1,
        owner="test",
        alive=lambda _: False,
        editions={table.schema: "1.0" for table in tables},
    )


def stage_all(engine, url, run, tables, municipality="990027", mode="cut-over"):
    begin(engine, run, municipality, mode)
    area = area_of(mode)
    staging.create_staging(engine, run_tables(run, area=area))
    for name, table in tables.items():
        assert stage(url, run_tables(run, area=area), name, table) == table.num_rows


def run_tables(run, tables=TABLES, one_per_key=ONE, area=PRODUCTION):
    return staging.RunTables(run, area, {table.key: table for table in tables}, one_per_key)


def stage(url, run, key, table, **where):
    """Stage rows; columns that they do not have are null."""
    for name in run.sent(key):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return staging.stage(url, run, staging.Staged(key), table.to_batches(), **{"dump": "d", **where})


def promote(engine, url, run, rejected=None, municipality="990027", area=PRODUCTION):
    rejected = no_rejects() if rejected is None else rejected
    tables = run_tables(run, area=area)
    summed = {"resident_records.tax_amounts": ("amount",)}
    counts = settling.settle(engine, url, tables, rejected=rejected, summed=summed)
    expected = {name: n.promotable for (name, *_), n in counts.items()}
    done = loader.promote(engine, tables, municipality, expected=expected)
    return counts, done


def move(engine, url, run, numbers, municipality="990027", area=PRODUCTION):
    """A whole run: households of these numbers, staged and promoted."""
    table = households(run, "d", numbers, municipality=municipality)
    stage_all(engine, url, run, {"resident_records.households": table}, municipality, area.mode)
    promote(engine, url, run, None, municipality, area)
    assert ledger.end_run(engine, run, "promoted") == "promoted"


def rows(engine, table, column, area=PRODUCTION):
    there = area.table(table)
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(there.c[column])).scalars())


def states(engine):
    return {entry.run_id: entry.state for entry in ledger.list_runs(engine)}
