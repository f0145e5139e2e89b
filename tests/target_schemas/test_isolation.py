"""Who reads what: each role logs in by itself, and nothing that it may say in a session opens another town's rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import installation, ledger, staging, undo
from target_schemas.postgres.areas import PRODUCTION, REHEARSALS
from target_schemas.postgres.database import away, connect
from target_schemas.systems import SYSTEMS
from tests.resident_records import HOUSEHOLDS
from tests.staged_runs import begin, households, move, rows, stage_all, states

DENIED = "42501"
CARELESS = (
    "GRANT SELECT ON ALL TABLES IN SCHEMA joint, resident_records, resident_records_rehearsal TO {role}",
    "GRANT USAGE ON SCHEMA joint, resident_records, resident_records_rehearsal, ledger, {stage} TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA ledger, {stage} TO {role}",
)


class Login:
    """A role that logs in, and what it reads: values, or the SQLSTATE of the refusal."""

    def __init__(self, url, name):
        self.name = name
        self.url = sa.make_url(url).set(username=name).render_as_string(hide_password=False)

    def reads(self, query, *before):
        with connect(self.url).connect() as connection:
            try:
                for statement in before:
                    connection.execute(sa.text(statement))
                return sorted(connection.execute(sa.text(query)).scalars())
            except sa.exc.DBAPIError as error:
                return error.orig.sqlstate


@pytest.fixture
def login(engine, database_url):
    """Makes a role of this test's own that logs in."""

    def make(name, *grants, options=""):
        role = f"{name}_{sa.make_url(database_url).database}"
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE ROLE {role} LOGIN {options}"))
            for granted in grants:
                connection.execute(sa.text(f"GRANT {granted} TO {role}"))
        made.append(role)
        return Login(database_url, role)

    made = []
    yield make
    with engine.begin() as connection:
        for role in made:
            connection.execute(sa.text(f"DROP OWNED BY {role} CASCADE"))
            connection.execute(sa.text(f"DROP ROLE {role}"))


@pytest.fixture
def towns(prepared, database_url):
    """Two towns promoted twice each, in production; one rehearsal; one run that is staged."""
    for code in ("990027", "990035"):
        for number in (1, 2):
            move(prepared, database_url, f"c{code}{number}", [f"{code}-{number}"], code)
    move(prepared, database_url, "r990027", ["990027-r"], "990027", REHEARSALS)
    stage_all(prepared, database_url, "open", {"resident_records.households": households("open", "d", ["staged"])})
    return prepared


def partition(engine, run):
    with engine.connect() as connection:
        query = sa.select(ledger.PROMOTIONS.c.partition).where(
            ledger.PROMOTIONS.c.run_id == run, ledger.PROMOTIONS.c.table_name == "households"
        )
        return connection.execute(query).scalar_one()


READ = "SELECT household_no FROM resident_records.households"


def test_a_reader_reads_its_own_municipality_and_nothing_it_says_opens_another(towns, login):
    clerk = login("clerk", "hikkoshi_reader_990027")
    stage = staging.staging_schema("open")
    own = ["990027-2"]
    attempts = {
        (READ,): own,
        ("SELECT label_ja FROM joint.codes WHERE code_set = 'sex' AND code = '1'",): ["男"],
        (READ, "SET hikkoshi.municipality = '990035'"): own,
        (READ, "SET ROLE hikkoshi_reader_990027", "SET hikkoshi.municipality = '990035'"): own,
        (READ, "SET ROLE hikkoshi_reader_990027", "RESET ROLE"): own,
        (READ, "SET ROLE hikkoshi_reader"): [],
        (READ, "SET ROLE hikkoshi_reader_990035"): DENIED,
        (READ, "SET ROLE postgres"): DENIED,
        (READ, "SET row_security = off"): DENIED,
        (READ + " WHERE municipality_code = '990035'",): [],
        (f"SELECT household_no FROM resident_records.{partition(towns, 'c9900272')}",): DENIED,
        (f"SELECT household_no FROM resident_records.{partition(towns, 'c9900352')}",): DENIED,
        (f"SELECT household_no FROM resident_records.{partition(towns, 'c9900351')}",): DENIED,
        ("SELECT household_no FROM resident_records_rehearsal.households",): DENIED,
        (f"SELECT household_no FROM {stage}.resident_records__households",): DENIED,
        ("SELECT run_id FROM ledger.runs",): DENIED,
        ("SELECT source_key FROM ledger.numbers",): DENIED,
        ("UPDATE resident_records.households SET address = 'x' RETURNING household_no",): DENIED,
    }
    assert {attempt: clerk.reads(*attempt) for attempt in attempts} == attempts


def test_a_careless_grant_on_every_table_opens_no_row_of_another(towns, login):
    clerk = login("careless", "hikkoshi_reader_990027")
    stage = staging.staging_schema("open")
    with towns.begin() as connection:
        for grant in CARELESS:
            connection.execute(sa.text(grant.format(role=clerk.name, stage=stage)))
    attempts = {
        READ: ["990027-2"],
        f"SELECT household_no FROM resident_records.{partition(towns, 'c9900272')}": ["990027-2"],
        f"SELECT household_no FROM resident_records.{partition(towns, 'c9900271')}": ["990027-1"],
        f"SELECT household_no FROM resident_records.{partition(towns, 'c9900352')}": [],
        f"SELECT household_no FROM resident_records.{partition(towns, 'c9900351')}": [],
        "SELECT household_no FROM resident_records_rehearsal.households": [],
        f"SELECT household_no FROM resident_records_rehearsal.{partition(towns, 'r990027')}": [],
        f"SELECT household_no FROM {stage}.resident_records__households": [],
        "SELECT run_id FROM ledger.runs": [],
        "SELECT partition FROM ledger.promotions": [],
        "SELECT source_key FROM ledger.numbers": [],
    }
    assert {query: clerk.reads(query) for query in attempts} == attempts


def test_a_login_of_two_towns_reads_both_and_one_of_none_reads_nothing(towns, login):
    assert login("both", "hikkoshi_reader_990027", "hikkoshi_reader_990035").reads(READ) == ["990027-2", "990035-2"]
    assert login("group", "hikkoshi_reader").reads(READ) == []
    assert login("nobody").reads(READ) == DENIED
    late = login("late", "hikkoshi_reader_990027", options="NOINHERIT")
    assert late.reads(READ) == DENIED
    assert late.reads(READ, "SET ROLE hikkoshi_reader_990027") == ["990027-2"]


def test_who_checks_a_rehearsal_reads_it_and_the_codes_and_not_production(towns, login):
    checker = login("checker", "hikkoshi_checker_990027")
    assert checker.reads("SELECT household_no FROM resident_records_rehearsal.households") == ["990027-r"]
    assert checker.reads("SELECT code FROM joint.codes WHERE code_set = 'sex' AND code = '1'") == ["1"]
    assert checker.reads(READ) == DENIED
    other = login("other", "hikkoshi_checker_990035")
    assert other.reads("SELECT household_no FROM resident_records_rehearsal.households") == []


def test_a_loader_that_is_no_superuser_goes_the_whole_way_and_its_readers_see_it(engine, database_url, login):
    database = sa.make_url(database_url).database
    loading = login("loader", options="CREATEROLE")
    # As a DBA prepares it; the groups are there already where another database of the server is in use.
    with engine.begin() as connection:
        connection.execute(sa.text(f"GRANT CREATE ON DATABASE {database} TO {loading.name}"))
        for role in ("hikkoshi_reader", "hikkoshi_checker"):
            known = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
            if connection.execute(known, {"role": role}).scalar() is not None:
                connection.execute(sa.text(f"GRANT {role} TO {loading.name} WITH ADMIN OPTION"))
        # The careless defaults of somebody else's: they open nothing.
        for kind, right in (("TABLES", "SELECT"), ("SCHEMAS", "USAGE")):
            statement = f"ALTER DEFAULT PRIVILEGES FOR ROLE {loading.name} GRANT {right} ON {kind} TO PUBLIC"
            connection.execute(sa.text(statement))
    own = connect(loading.url)
    code = "990094"
    with away(loading.url):
        installation.install(own, SYSTEMS, code)
        for number in (1, 2, 3):
            move(own, loading.url, f"c{number}", [str(number)], code)
        move(own, loading.url, "r1", ["7"], code, REHEARSALS)
        assert undo.rollback(own, code, PRODUCTION, by="t", reason="t").systems[0].in_force == "c2"
        assert undo.withdraw(own, "c2", by="t", reason="t").systems[0].in_force == "c1"
        assert rows(own, HOUSEHOLDS, "household_no") == ["1"]
        assert rows(own, HOUSEHOLDS, "household_no", REHEARSALS) == ["7"]
        assert states(own)["c1"] == "promoted"
        stage_all(own, loading.url, "open", {"resident_records.households": households("open", "d", ["staged"])}, code)
    clerk, stranger = login("clerk", f"hikkoshi_reader_{code}"), login("stranger")
    assert clerk.reads(READ) == ["1"]
    stage = staging.staging_schema("open")
    for one in (clerk, stranger):
        for query in (
            f"SELECT household_no FROM {stage}.resident_records__households",
            "SELECT run_id FROM ledger.runs",
        ):
            assert one.reads(query) == DENIED
    assert stranger.reads(READ) == DENIED


@pytest.mark.parametrize(
    ("grant", "missing"),
    [
        ("", r'GRANT CREATE ON DATABASE \w+ TO "loader_'),
        ("GRANT CREATE ON DATABASE {database} TO {role}", r'ALTER ROLE "loader_\w+" CREATEROLE'),
    ],
)
def test_a_missing_right_names_the_statement_that_gives_it(engine, database_url, login, grant, missing):
    loading = login("loader")
    if grant:
        with engine.begin() as connection:
            database = sa.make_url(database_url).database
            connection.execute(sa.text(grant.format(database=database, role=loading.name)))
    with pytest.raises(RunError, match=missing), away(loading.url):
        installation.install(connect(loading.url), SYSTEMS, "990108")


def test_who_may_not_enter_the_ledger_is_told_what_a_dba_grants(prepared, login):
    nobody = login("nobody")
    with pytest.raises(RunError, match=r'GRANT USAGE, CREATE ON SCHEMA ledger TO "nobody_'), away(nobody.url):
        ledger.list_runs(connect(nobody.url))


def test_a_ledger_of_which_a_role_sees_no_row_is_not_taken_for_an_empty_one(prepared, login):
    begin(prepared, "c0")
    nobody = login("nobody")
    with prepared.begin() as connection:
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA ledger TO {nobody.name}"))
        connection.execute(sa.text(f"GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {nobody.name}"))
    with pytest.raises(RunError, match="the ledger of this database is closed to the role"):
        ledger.list_runs(connect(nobody.url))


def test_the_roles_are_looked_up_once_a_query_and_not_once_a_row(prepared, database_url, login):
    move(prepared, database_url, "c0", [str(n) for n in range(500)])
    clerk = login("clerk", "hikkoshi_reader_990027")
    with connect(clerk.url).connect() as connection:
        plan = connection.execute(sa.text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {READ}")).scalars().all()
    lookups = [line for line in plan if "pg_authid" in line]
    assert len(lookups) == 1
    assert "loops=1)" in lookups[0]
    assert any("InitPlan" in line for line in plan)
