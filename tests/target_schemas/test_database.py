"""What a database says is graded: away, busy, not letting in, lacking a right, or a bug; a password is in no message."""

from __future__ import annotations

import time
from pathlib import Path

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError, TransientError
from target_schemas.postgres import installation, staging
from target_schemas.postgres.database import adbc_uri, away, connect
from target_schemas.systems import SYSTEMS
from tests.counted import counted
from tests.embedded import embedded_server
from tests.staged_runs import begin, households, run_tables, stage
from validators.shapes.contract import Expectation, Rule

PASSWORD = "p a$s%w+o:r/d@?#&=[]{}'\"\\é漢"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that asks one role for a password, and lets another in never."""
    folder = tmp_path_factory.mktemp("guarded")
    with embedded_server(folder, durable=False, delete=True) as url:
        with connect(url).begin() as connection:
            secret = PASSWORD.replace("'", "''").replace(":", "\\:")
            connection.execute(sa.text(f"CREATE ROLE \"town loader\" LOGIN SUPERUSER PASSWORD '{secret}'"))
            connection.execute(sa.text("CREATE ROLE groups NOLOGIN"))
            hba = Path(connection.execute(sa.text("SHOW hba_file")).scalar_one())
            lines = 'local all "town loader" scram-sha-256\nlocal all blocked reject\n'
            hba.write_text(lines + hba.read_text("utf-8"), encoding="utf-8")
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and enters(with_(url, username="town loader", password="wrong")):
            time.sleep(0.05)
        yield url


def with_(url, **changed):
    return sa.make_url(url).set(**changed).render_as_string(hide_password=False)


def enters(url):
    try:
        connect(url).connect().close()
    except sa.exc.OperationalError:
        return False
    return True


def by_sqlalchemy(url):
    connect(url).connect()


def by_adbc(url):
    adbc.connect(adbc_uri(url))


def test_a_password_of_any_characters_opens_every_door(guarded):
    url = with_(guarded, username="town loader", password=PASSWORD)
    engine = connect(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar_one() == "town loader"
    begin_and_stage(engine, url)
    rule = Rule("a", "V401", "x", "x", "resident_records.households", ("address",), pl.col("address").is_null(),
                Expectation("ExpectColumnValuesToNotBeNull", {"column": "address"}))  # fmt: skip
    assert counted([rule], url=url, schema=staging.staging_schema("r1")) == {"a": 2}


def begin_and_stage(engine, url):
    installation.install(engine, SYSTEMS, "990027")
    begin(engine, "r1")
    staging.create_staging(engine, run_tables("r1"))
    rows = households("r1", "d", ["1", "2"])
    assert stage(url, run_tables("r1"), "resident_records.households", rows) == 2


@pytest.mark.parametrize("door", [by_sqlalchemy, by_adbc])
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"username": "town loader", "password": "wr ong"}, "its password is wrong or missing"),
        ({"username": "town loader"}, "its password is wrong or missing"),
        ({"username": "nobody"}, "there is no such role"),
        ({"username": "groups"}, "it is a role that may not log in"),
        ({"username": "blocked"}, r"the server's pg_hba\.conf has no line for it"),
        ({"database": "nowhere"}, "there is no such database"),
    ],
)
def test_who_is_not_let_in_is_no_away_server_and_is_told_why(guarded, door, changed, why):
    url = with_(guarded, **changed)
    database, role = changed.get("database", "postgres"), changed.get("username", "postgres")
    with (
        pytest.raises(
            RunError, match=f"the database {database} at .* does not let the role {role} in: {why}"
        ) as caught,
        away(url),
    ):
        door(url)
    assert "HIKKOSHI_DATABASE_URL" in str(caught.value)
    assert "wr ong" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        ('FATAL:  ユーザー"x"のパスワード認証に失敗しました', RunError),
        ('FATAL:  ロール"x"は存在しません', RunError),
        ('FATAL:  データベース"x"は存在しません', RunError),
        ("could not translate host name", TransientError),
        ("failed: No such file or directory", TransientError),
        ("failed: Connection refused", TransientError),
        ("FATAL:  the database system is starting up", TransientError),
        ("FATAL:  sorry, too many clients already", TransientError),
        ("server closed the connection unexpectedly", TransientError),
        ("connection timeout expired", TransientError),
    ],
)
def test_what_is_said_without_a_sqlstate_is_graded_by_its_words(said, grade):
    for error in (
        sa.exc.OperationalError(None, None, psycopg.OperationalError(f"connection failed: {said}")),
        adbc_driver_manager.OperationalError(
            f"IO: [libpq] Failed to connect: {said}", status_code=adbc_driver_manager.AdbcStatusCode.IO
        ),
    ):
        with pytest.raises(grade), away("postgresql+psycopg://x:secret@host/town"):
            raise error


@pytest.mark.parametrize("state", ["08006", "53300", "57P01", "57P03", "55P03", "40P01"])
def test_what_passes_by_itself_is_tried_again(state):
    error = sa.exc.OperationalError(None, None, psycopg.errors.lookup(state)("said"))
    again = pytest.raises(TransientError, match=r"the database town at host:5432 is (away|busy)")
    with again, away("postgresql+psycopg://x:secret@host/town"):
        raise error


@pytest.mark.parametrize(
    ("said", "statement"),
    [
        ("permission denied for database centre", 'GRANT CREATE ON DATABASE centre TO "x"'),
        ("permission denied for schema ledger", 'GRANT USAGE, CREATE ON SCHEMA ledger TO "x"'),
        ("permission denied for table runs", 'GRANT OWNER TO "x", where OWNER is the role that owns runs'),
        ("must be owner of table residents", 'GRANT OWNER TO "x", where OWNER is the role that owns residents'),
        ("permission denied to create role", 'ALTER ROLE "x" CREATEROLE'),
        ('permission denied to grant role "hikkoshi_reader"', 'GRANT hikkoshi_reader TO "x" WITH ADMIN OPTION'),
        ("何かを実行する権限がありません", "where OWNER is the role that made the schema joint"),
    ],
)
def test_a_missing_right_names_the_statement_of_the_dba(said, statement):
    error = sa.exc.ProgrammingError(None, None, psycopg.errors.InsufficientPrivilege(said))
    with pytest.raises(RunError) as caught, away("postgresql+psycopg://x:secret@host/centre"):
        raise error
    assert statement in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_away_is_named_without_its_password(tmp_path):
    url = f"postgresql+psycopg://someone:secret@localhost/town?host={tmp_path}"
    with pytest.raises(TransientError, match=rf"the database town at {tmp_path} is away") as caught, away(url):
        installation.install(connect(url), SYSTEMS, "990027")
    assert "secret" not in str(caught.value)


def test_a_server_that_goes_away_while_rows_are_staged_is_away(prepared, database_url, server_url):
    begin(prepared, "r1")
    staging.create_staging(prepared, run_tables("r1"))
    rows = households("r1", "d", [str(n) for n in range(2_000)])

    def batches():
        yield from rows.slice(0, 1_000).to_batches()
        name = sa.make_url(database_url).database
        with connect(server_url).begin() as connection:
            connection.execute(
                sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            )
        yield from rows.slice(1_000).to_batches()

    staged = staging.Staged("resident_records.households")
    with pytest.raises(TransientError, match="is away"), away(database_url):
        staging.stage(database_url, run_tables("r1"), staged, batches(), dump="d")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:p%20a%2Bs+s%40@[::1]:5433/my%20db?connect_timeout=5&prepare_threshold=0",
        "postgresql+psycopg://me@/db?host=one:5433&host=two",
        "postgresql+psycopg://me:%25@server/db?sslmode=require&options=-c%20search_path%3Dx",
        "postgresql+psycopg://localhost/db?host=/a folder/b",
    ],
)
def test_adbc_is_given_what_psycopg_would_be_given(url):
    _, given = connect(url).dialect.create_connect_args(sa.make_url(url))
    for of_psycopg_alone in ("prepare_threshold", "context"):
        given.pop(of_psycopg_alone, None)
    parsed = psycopg.conninfo.conninfo_to_dict(adbc_uri(url))
    assert parsed == {name: str(value) for name, value in given.items()}
