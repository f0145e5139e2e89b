"""Promotion and rollback: a municipality's rows are seen whole or not at all.

Promotion writes the accepted ones into a new partition beside the promoted one, proves its count, and swaps the
two in one transaction with the ledger entry; the former partition is kept for rollback. Until that transaction
commits, promoted data are as they were, however a run ends.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migration_reports.findings import RunError
from target_schemas.conventions import CODES, METADATA, SCHEMA, SCHEMA_VERSION, System
from target_schemas.ledger import FORM, LEDGER, PROMOTIONS, RUNS, lock
from target_schemas.numbering import NUMBERS
from target_schemas.staging import chosen_rows, quote, rejected_table, staging_schema, staging_tables

READER_ROLE = "hikkoshi_reader"
SETTING = "hikkoshi.municipality"


@dataclasses.dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did: rows by table, and the run whose partitions it replaced."""

    rows: Mapping[str, int]
    former_run: str | None
    already: bool


def prepare(engine: sa.Engine, systems: Iterable[System]) -> None:
    """Create what is missing: schemas, partitioned tables, code tables, ledger, row-level security. Safe to repeat.

    Raises:
        RunError: the database holds another schema version.
    """
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("hikkoshi prepare"))))
        for schema in (SCHEMA, "ledger"):
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        assert NUMBERS.metadata is LEDGER
        LEDGER.create_all(connection)
        installed = connection.execute(sa.select(FORM.c.version)).scalar()
        if installed not in (None, SCHEMA_VERSION):
            raise RunError(
                f"the data centre has schema version {installed}, this program needs {SCHEMA_VERSION}. "
                "Use the program that made it, or a new database."
            )
        METADATA.create_all(connection)
        connection.execute(postgresql.insert(FORM).values(version=SCHEMA_VERSION).on_conflict_do_nothing())
        exists = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
        if connection.execute(exists, {"role": READER_ROLE}).scalar() is None:
            connection.execute(sa.text(f"CREATE ROLE {READER_ROLE} NOLOGIN"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {READER_ROLE}"))
        connection.execute(sa.text(f"GRANT SELECT ON {SCHEMA}.codes TO {READER_ROLE}"))
        for system in systems:
            for table in system.tables:
                _secure(connection, table)
            for code_set in system.code_sets:
                rows = [
                    {"code_set": code_set.name, "code": code, "label_ja": ja, "label_en": en}
                    for code, (ja, en) in code_set.codes.items()
                ]
                insert = postgresql.insert(CODES)
                connection.execute(
                    insert.on_conflict_do_update(
                        index_elements=["code_set", "code"],
                        set_={"label_ja": insert.excluded.label_ja, "label_en": insert.excluded.label_en},
                    ),
                    rows,
                )


def promote(
    engine: sa.Engine,
    run_id: str,
    municipality: str,
    tables: Sequence[sa.Table],
    *,
    one_per_key: frozenset[str],
    expected: Mapping[str, int],
) -> Promoted:
    """Put the run's accepted rows in the place of the municipality's promoted ones; promoting twice changes nothing.

    Args:
        engine: the database.
        run_id: the run; it must have been settled.
        municipality: its code.
        tables: the target tables.
        one_per_key: the tables that keep one row a key.
        expected: rows by table, as settled; the promotion is undone if it would differ.

    Raises:
        RunError: the counts differ from what was settled.
    """
    with engine.connect() as connection:
        done = connection.execute(
            sa.select(PROMOTIONS).where(PROMOTIONS.c.run_id == run_id, PROMOTIONS.c.rolled_back_at.is_(None))
        ).all()
        current = {table.name: _partition_of(connection, table, municipality) for table in tables}
    if done and all(current[row.table_name] == row.partition for row in done):
        return Promoted({row.table_name: row.row_count for row in done}, None, already=True)
    staged, keys = staging_tables(run_id, tables), rejected_table(run_id)
    schema = staging_schema(run_id)
    with engine.begin() as connection:
        for table in tables:
            ready = f"{quote(schema)}.{quote(_partition(table, municipality, run_id))}"
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {ready}"))
            connection.execute(
                sa.text(
                    f"CREATE TABLE {ready} (LIKE {SCHEMA}.{quote(table.name)} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
                )
            )
            source = staged[table.name]
            names = [column.name for column in table.columns]
            chosen = chosen_rows(table, source, keys, [source.c[name] for name in names], one_per_key)
            target = sa.Table(
                _partition(table, municipality, run_id), sa.MetaData(), *[sa.Column(n) for n in names], schema=schema
            )
            connection.execute(target.insert().from_select(names, chosen))
            columns = ", ".join(quote(c.name) for c in table.primary_key.columns)
            connection.execute(sa.text(f"ALTER TABLE {ready} ADD PRIMARY KEY ({columns})"))
            # The bound as a valid CHECK spares the attachment a second look at every row.
            connection.execute(
                sa.text(f"ALTER TABLE {ready} ADD CONSTRAINT bound CHECK (municipality_code = '{_code(municipality)}')")
            )
    return _swap(engine, run_id, municipality, tables, schema, expected)


def _swap(
    engine: sa.Engine,
    run_id: str,
    municipality: str,
    tables: Sequence[sa.Table],
    schema: str,
    expected: Mapping[str, int],
) -> Promoted:
    rows: dict[str, int] = {}
    former_runs: set[str] = set()
    with engine.begin() as connection:
        lock(connection, municipality)
        for table in tables:
            ready = f"{quote(schema)}.{quote(_partition(table, municipality, run_id))}"
            count = connection.execute(sa.text(f"SELECT count(*) FROM {ready}")).scalar_one()  # noqa: S608  quoted names
            if count != expected.get(table.name, 0):
                raise RunError(
                    f"{table.name}: {count} rows are ready, {expected.get(table.name, 0)} were settled. "
                    "Nothing was promoted. Run again; if it happens again, report it to the developers."
                )
            former = _partition_of(connection, table, municipality)
            if former is not None:
                connection.execute(sa.text(f"ALTER TABLE {_place(table.name)} DETACH PARTITION {_place(former)}"))
                owner = sa.select(PROMOTIONS.c.run_id).where(PROMOTIONS.c.partition == former)
                former_runs.update(connection.execute(owner).scalars())
            partition = _partition(table, municipality, run_id)
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {_place(partition)}"))
            connection.execute(sa.text(f"ALTER TABLE {ready} SET SCHEMA {SCHEMA}"))
            _attach(connection, table, partition, municipality)
            connection.execute(sa.text(f"ALTER TABLE {_place(partition)} DROP CONSTRAINT bound"))
            _drop_older(connection, table, municipality, keep={partition, former or ""})
            entry = postgresql.insert(PROMOTIONS).values(
                run_id=run_id,
                table_name=table.name,
                municipality_code=municipality,
                partition=partition,
                former_partition=former,
                row_count=count,
            )
            connection.execute(
                entry.on_conflict_do_update(
                    index_elements=["run_id", "table_name"],
                    set_={
                        "partition": partition,
                        "former_partition": former,
                        "row_count": count,
                        "promoted_at": sa.func.now(),
                        "rolled_back_at": None,
                    },
                )
            )
            rows[table.name] = count
    return Promoted(rows, ", ".join(sorted(former_runs)) or None, already=False)


def rollback(engine: sa.Engine, municipality: str, tables: Sequence[sa.Table]) -> tuple[str, Mapping[str, int]]:
    """Put the former partitions back in one transaction.

    Returns:
        The run that was rolled back, and the rows now promoted, by table.

    Raises:
        RunError: there is nothing to go back to.
    """
    rows: dict[str, int] = {}
    undone: set[str] = set()
    with engine.begin() as connection:
        lock(connection, municipality)
        for table in tables:
            current = _partition_of(connection, table, municipality)
            entry = connection.execute(
                sa.select(PROMOTIONS).where(PROMOTIONS.c.partition == current, PROMOTIONS.c.rolled_back_at.is_(None))
            ).first()
            if current is None or entry is None or entry.former_partition is None:
                raise RunError(
                    f"municipality {municipality} has no former state of {table.name} to go back to. "
                    "Nothing was changed; `hikkoshi runs` shows what has been promoted."
                )
            connection.execute(sa.text(f"ALTER TABLE {_place(table.name)} DETACH PARTITION {_place(current)}"))
            _attach(connection, table, entry.former_partition, municipality)
            connection.execute(
                PROMOTIONS.update()
                .where(PROMOTIONS.c.run_id == entry.run_id, PROMOTIONS.c.table_name == table.name)
                .values(rolled_back_at=sa.func.now())
            )
            undone.add(entry.run_id)
            count = sa.select(sa.func.count()).select_from(table).where(table.c.municipality_code == municipality)
            rows[table.name] = connection.execute(count).scalar_one()
        for run in undone:
            connection.execute(RUNS.update().where(RUNS.c.run_id == run).values(state="rolled back"))
    return ", ".join(sorted(undone)), rows


def promoted_sum(engine: sa.Engine, table: sa.Table, column: str, municipality: str, dump: str) -> Decimal:
    """Sum an amount over the municipality's promoted rows of one dump, exactly."""
    query = sa.select(sa.func.coalesce(sa.func.sum(table.c[column]), 0)).where(
        table.c.municipality_code == municipality, table.c.source_dump == dump
    )
    with engine.connect() as connection:
        return Decimal(connection.execute(query).scalar_one())


def _partition_of(connection: sa.Connection, table: sa.Table, municipality: str) -> str | None:
    query = sa.text(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
        "WHERE inhparent = CAST(:parent AS regclass) "
        "AND pg_get_expr(child.relpartbound, child.oid) = format('FOR VALUES IN (%L)', CAST(:code AS text))"
    )
    found = connection.execute(query, {"parent": _place(table.name), "code": municipality}).scalar()
    return None if found is None else str(found)


def _attach(connection: sa.Connection, table: sa.Table, partition: str, municipality: str) -> None:
    bound = f"FOR VALUES IN ('{_code(municipality)}')"
    connection.execute(sa.text(f"ALTER TABLE {_place(table.name)} ATTACH PARTITION {_place(partition)} {bound}"))


def _drop_older(connection: sa.Connection, table: sa.Table, municipality: str, *, keep: set[str]) -> None:
    pattern = f"{table.name}\\_{_code(municipality)}\\_%"
    query = sa.text(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relkind = 'r' AND NOT c.relispartition AND c.relname LIKE :pattern"
    )
    for name in connection.execute(query, {"schema": SCHEMA, "pattern": pattern}).scalars().all():
        if name not in keep:
            connection.execute(sa.text(f"DROP TABLE {_place(name)}"))


def _secure(connection: sa.Connection, table: sa.Table) -> None:
    """Row-level security: a reader sees the rows of the municipality that its session names, and no others."""
    place = _place(table.name)
    connection.execute(sa.text(f"ALTER TABLE {place} ENABLE ROW LEVEL SECURITY"))
    connection.execute(sa.text(f"DROP POLICY IF EXISTS own_municipality ON {place}"))
    connection.execute(
        sa.text(
            f"CREATE POLICY own_municipality ON {place} FOR SELECT TO {READER_ROLE} "
            f"USING (municipality_code = current_setting('{SETTING}', true))"
        )
    )
    connection.execute(sa.text(f"GRANT SELECT ON {place} TO {READER_ROLE}"))


def _partition(table: sa.Table, municipality: str, run_id: str) -> str:
    return f"{table.name}_{_code(municipality)}_{hashlib.sha256(run_id.encode()).hexdigest()[:10]}"


def _place(name: str) -> str:
    return f"{SCHEMA}.{quote(name)}"


def _code(municipality: str) -> str:
    if not (municipality.isascii() and municipality.isdigit() and len(municipality) == 6):
        raise ValueError("a municipality code has six digits")
    return municipality
