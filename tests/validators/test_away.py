"""A database that goes away while Great Expectations works is away, whatever the library makes of it."""

from __future__ import annotations

import types

import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError, TransientError
from target_schemas.postgres import server
from target_schemas.postgres.database import away, connect
from tests.counted import counted, staged_alone
from tests.embedded import embedded_server
from tests.resident_records import RESIDENTS
from validators.shapes.contract import Expectation, Query, Rule

NAMED = pl.col("name").is_null()
RULES = [
    Rule("a", "V401", "x", "x", "resident_records.residents", ("name",), NAMED, Expectation("ExpectColumnValuesToNotBeNull", {"column": "name"})),
    Rule("b", "V401", "x", "x", "resident_records.residents", ("name",), NAMED, Query("SELECT * FROM {batch} WHERE name IS NULL")),
]  # fmt: skip


def staged(url):
    return staged_alone(connect(url), url, "r", [RESIDENTS], {})


def at_statement(monkeypatch, number, do):
    """Do something before the statement of a number is executed; gives what counts them."""
    executed, execute = [], psycopg.Cursor.execute

    def counting(self, *arguments, **more):
        executed.append(1)
        if len(executed) == number:
            monkeypatch.setattr(psycopg.Cursor, "execute", execute)
            do()
        return execute(self, *arguments, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    return executed


def test_connections_that_end_at_any_statement_are_an_away_database(database_url, server_url, monkeypatch):
    schema = staged(database_url)
    name = sa.make_url(database_url).database
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def shut(*, allow):
        with admin.connect() as connection:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allow}"))
            connection.execute(
                sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            )

    executed = at_statement(monkeypatch, 0, None)
    assert counted(RULES, url=database_url, schema=schema) == {"a": 0, "b": 0}
    statements = len(executed)
    assert statements > 10
    for comes_back in (True, False):
        for number in range(1, statements + 1):
            with monkeypatch.context() as patch:
                at_statement(patch, number, lambda: shut(allow=comes_back))  # noqa: B023  called in this turn
                with pytest.raises(TransientError, match=f"the database {name} at .* is away"), away(database_url):
                    counted(RULES, url=database_url, schema=schema)
            shut(allow=True)


def test_a_server_that_stops_in_the_middle_is_away_and_the_repeated_step_goes_through(tmp_path, monkeypatch):
    with embedded_server(tmp_path / "server", durable=False, delete=True) as url:
        schema = staged(url)
        with monkeypatch.context() as patch:
            at_statement(patch, 9, lambda: server.stop(tmp_path / "server"))
            with pytest.raises(TransientError, match="is away"), away(url):
                counted(RULES, url=url, schema=schema)
        assert server.embedded_url(tmp_path / "server", durable=False) == url
        assert counted(RULES, url=url, schema=schema) == {"a": 0, "b": 0}


def wrapped(error):
    raise ValueError("the library's own words") from error


def wrapped_without_a_cause(error):
    raise ValueError(f"the library's own words, and {error}") from None


def as_a_result(error):
    """`success=False`, with the exception as text."""
    info = {"raised_exception": True, "exception_message": str(error)}
    return results(info, {})


def as_a_result_of_metrics(error):
    """The same, a level deeper: one entry a metric."""
    return results({"('metric',)": {"raised_exception": True, "exception_message": str(error)}}, {})


def swallowed(error):
    """As if nothing had been."""
    return results({"raised_exception": False}, {"unexpected_count": 0})


def results(info, result):
    config = types.SimpleNamespace(meta={"rule": "a"})
    one = types.SimpleNamespace(expectation_config=config, exception_info=info, result=result)
    return types.SimpleNamespace(results=[one])


FORMS = [wrapped, wrapped_without_a_cause, as_a_result, as_a_result_of_metrics, swallowed]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", TransientError, "is away"),
        ("SET ROLE hikkoshi_nobody; SELECT * FROM {table}", RunError, "A DBA gives the right"),
        ("SELECT no_such_column", RuntimeError, "rule a could not be evaluated|the library's own words"),
    ],
    ids=["away", "a missing right", "a broken rule"],
)
def test_every_form_of_a_failure_is_graded_by_what_the_database_said(
    database_url, monkeypatch, form, statement, kind, words
):
    import great_expectations as gx

    schema = staged(database_url)
    with connect(database_url).begin() as connection:
        if connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'hikkoshi_nobody'")).scalar() is None:
            connection.execute(sa.text("CREATE ROLE hikkoshi_nobody NOLOGIN"))

    def run(*_, **__):
        try:
            with connect(database_url).connect() as connection:
                for part in statement.format(table=f"{schema}.resident_records__residents").split("; "):
                    connection.execute(sa.text(part))
        except sa.exc.DBAPIError as error:
            return form(error)

    monkeypatch.setattr(gx.ValidationDefinition, "run", run)
    if kind is RuntimeError and form is swallowed:
        assert counted(RULES[:1], url=database_url, schema=schema) == {"a": 0}
        return
    expected = (RuntimeError, ValueError) if kind is RuntimeError else kind
    with pytest.raises(expected, match=words), away(database_url):
        counted(RULES[:1], url=database_url, schema=schema)
