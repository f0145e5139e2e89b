"""What Great Expectations counts, in this process: tests import it once, where a gate would start a process each."""

from __future__ import annotations

from concurrent.futures import Future

import sqlalchemy as sa

from target_schemas.postgres import staging
from target_schemas.postgres.areas import PRODUCTION
from tests.staged_runs import run_tables, stage
from validators import engine, suites


def counted(rules, *, url, schema):
    """How many rows of a schema's staged tables fail, by rule."""
    return suites.evaluate(engine.suites_of(rules, schema=schema, named=staging.staged_name), url)


def staged_alone(database, url, run, tables, rows):
    """Stage rows of tables that no centre has been installed for; gives the staging schema."""
    targets = [PRODUCTION.table(table) for table in tables]
    with database.begin() as connection:
        for schema in {target.schema for target in targets}:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        for target in targets:
            target.create(connection, checkfirst=True)
    its = run_tables(run, tables, frozenset())
    staging.create_staging(database, its)
    for key, part in rows.items():
        stage(url, its, key, part)
    return its.schema


def known(counts):
    """Counts, as a gate gives them that has them already."""
    future = Future()
    future.set_result(counts)
    return future
