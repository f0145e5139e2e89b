"""Systems of one municipality: tables of one name side by side, promoted together or one by one, in any edition."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError
from migration_reports.items import table_of
from target_schemas.postgres import installation, ledger, loader, promoted, settling, staging, undo
from target_schemas.postgres.areas import AREAS, PRODUCTION, REHEARSALS
from target_schemas.systems import SYSTEMS
from tests.resident_records import HOUSEHOLDS, RESIDENTS
from tests.resident_records import SYSTEM as RESIDENT_RECORDS
from tests.second_system import FORMER, NEWER, OLDER, SYSTEM, payments, physical, taxpayers
from tests.sheets import sheet
from tests.staged_runs import begin, households, no_rejects, rows, run_tables, stage, states

WHO = {"by": "tester", "reason": "because"}
RECORDS, TAX = (HOUSEHOLDS, RESIDENTS), physical(FORMER)
TAXPAYERS, PAYMENTS = TAX
NEWER_PAYMENTS = physical(NEWER)[1]


@pytest.fixture
def centre(engine):
    installation.install(engine, [RESIDENT_RECORDS, FORMER], "990027")
    return engine


def move(engine, url, run, *, numbers=(), paid=(), area=PRODUCTION, tables=None):
    """A run of the systems that are given rows: households and no residents; or taxpayers, each with a payment."""
    tables = tables or (*(RECORDS if numbers else ()), *(TAX if paid else ()))
    begin(engine, run, mode=area.mode, tables=tables)
    its = run_tables(run, tables, frozenset(), area)
    staging.create_staging(engine, its)
    given = {
        "resident_records.households": households(run, "d", list(numbers)),
        "tax.residents": taxpayers(run, list(paid)),
        "tax.payments": payments(run, dict.fromkeys(paid, 7)),
    }
    for table in tables:
        if table.key in given:
            stage(url, its, table.key, given[table.key])
    counts = settling.settle(engine, url, its, rejected=no_rejects())
    expected = {key: n.promotable for (key, *_), n in counts.items()}
    done = loader.promote(engine, its, "990027", expected=expected)
    ledger.end_run(engine, run, "promoted")
    return done


def standing(engine, area=PRODUCTION):
    with engine.connect() as connection:
        return dict(ledger.in_force(connection, "990027", area))


def of_systems(engine, run):
    return dict(ledger.find(engine, run).systems)


def partitions(engine, area, key):
    system, _, table = key.partition(".")
    query = sa.text(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relname LIKE :name"
    )
    with engine.connect() as connection:
        values = {"schema": area.schema(system), "name": f"{table}\\_990027\\_%"}
        return connection.execute(query, values).scalar_one()


def test_tables_of_one_name_are_staged_settled_and_promoted_side_by_side(centre, database_url):
    done = move(centre, database_url, "c0", numbers=["1"], paid=["8", "9"])
    assert done.rows == {
        "resident_records.households": 1,
        "resident_records.residents": 0,
        "tax.residents": 2,
        "tax.payments": 2,
    }
    assert rows(centre, TAXPAYERS, "resident_no") == ["8", "9"]
    assert rows(centre, RESIDENTS, "resident_no") == []
    assert of_systems(centre, "c0") == {"resident_records": "promoted", "tax": "promoted"}
    assert dict(ledger.find(centre, "c0").editions) == {"resident_records": "1.0", "tax": "1.0"}


def test_a_run_of_one_system_leaves_the_others_in_force(centre, database_url):
    move(centre, database_url, "c0", numbers=["1"], paid=["8"])
    done = move(centre, database_url, "c1", paid=["9"])
    assert (done.former, done.rows) == ({"tax": "c0"}, {"tax.residents": 1, "tax.payments": 1})
    assert standing(centre) == {"resident_records": "c0", "tax": "c1"}
    assert (rows(centre, HOUSEHOLDS, "household_no"), rows(centre, TAXPAYERS, "resident_no")) == (["1"], ["9"])
    assert of_systems(centre, "c0") == {"resident_records": "promoted", "tax": "superseded"}
    assert states(centre) == {"c0": "promoted", "c1": "promoted"}, "a part of c0 is in force"
    assert {e.run_id: e.in_force for e in ledger.list_runs(centre)} == {"c0": ("resident_records",), "c1": ("tax",)}
    move(centre, database_url, "c2", numbers=["2"])
    assert states(centre) == {"c0": "superseded", "c1": "promoted", "c2": "promoted"}


def test_two_systems_are_swapped_in_one_transaction_or_not_at_all(centre, database_url, monkeypatch):
    move(centre, database_url, "c0", numbers=["1"], paid=["8"])
    enter = ledger.enter

    def failing(connection, run_id, system, state):
        if (run_id, system) == ("c1", "tax"):
            raise RuntimeError("in the middle")
        enter(connection, run_id, system, state)

    monkeypatch.setattr(loader, "enter", failing)
    with pytest.raises(RuntimeError, match="in the middle"):
        move(centre, database_url, "c1", numbers=["2"], paid=["9"])
    assert standing(centre) == {"resident_records": "c0", "tax": "c0"}
    assert (rows(centre, HOUSEHOLDS, "household_no"), rows(centre, TAXPAYERS, "resident_no")) == (["1"], ["8"])
    assert of_systems(centre, "c1") == {"resident_records": "", "tax": ""}
    assert states(centre)["c1"] == "running"


def test_a_system_is_rolled_back_by_itself_and_where_it_is_not_clear_which_it_is_asked(centre, database_url):
    move(centre, database_url, "c0", numbers=["1"], paid=["8"])
    move(centre, database_url, "c1", paid=["9"])
    several = "comes from several runs: resident_records of run c0, tax of run c1.*Say which systems are meant, such as"
    with pytest.raises(RunError, match=several):
        undo.rollback(centre, "990027", PRODUCTION, **WHO)
    with pytest.raises(
        RunError, match=r"nothing of pension of municipality 990027 .* In force are resident_records and"
    ):
        undo.rollback(centre, "990027", PRODUCTION, systems=["pension"], **WHO)
    first = "before run c0 nothing of resident_records .* `hikkoshi withdraw c0 --system resident_records`"
    with pytest.raises(RunError, match=first):
        undo.rollback(centre, "990027", PRODUCTION, systems=["tax", "resident_records"], **WHO)
    assert standing(centre) == {"resident_records": "c0", "tax": "c1"}, "both or none"
    (undone,) = undo.rollback(centre, "990027", PRODUCTION, systems=["tax"], **WHO).systems
    assert undone == undo.SystemUndone("tax", "c1", "c0", {"tax.payments": 1, "tax.residents": 1})
    assert standing(centre) == {"resident_records": "c0", "tax": "c0"}
    assert rows(centre, PAYMENTS, "resident_no") == ["8"]
    assert states(centre) == {"c0": "promoted", "c1": "rolled back"}


def test_systems_of_one_run_are_rolled_back_together(centre, database_url):
    move(centre, database_url, "c0", numbers=["1"])
    move(centre, database_url, "c1", paid=["8"])
    move(centre, database_url, "c2", numbers=["2"], paid=["9"])
    undone = undo.rollback(centre, "990027", PRODUCTION, **WHO).systems
    assert [(one.system, one.run_id, one.in_force) for one in undone] == [
        ("resident_records", "c2", "c0"),
        ("tax", "c2", "c1"),
    ]
    assert (rows(centre, HOUSEHOLDS, "household_no"), rows(centre, TAXPAYERS, "resident_no")) == (["1"], ["8"])
    with centre.connect() as connection:
        columns = [ledger.DECISIONS.c[name] for name in ("run_id", "system", "what", "restored")]
        decided = connection.execute(sa.select(*columns).order_by(ledger.DECISIONS.c.number)).all()
    assert decided == [("c2", "resident_records", "rolled back", "c0"), ("c2", "tax", "rolled back", "c1")]


def test_one_system_of_a_run_is_withdrawn_and_the_rest_later(centre, database_url):
    move(centre, database_url, "c0", numbers=["1"], paid=["8"])
    undo.withdraw(centre, "c0", systems=["tax"], **WHO)
    assert standing(centre) == {"resident_records": "c0"}
    assert partitions(centre, PRODUCTION, "tax.residents") == 0
    assert (states(centre)["c0"], rows(centre, TAXPAYERS, "resident_no")) == ("promoted", [])
    for system, why in (("tax", "tax is withdrawn"), ("pension", "it has no pension")):
        with pytest.raises(RunError, match=f"run c0: {why}; so there is no promotion to withdraw"):
            undo.withdraw(centre, "c0", systems=[system], **WHO)
    (undone,) = undo.withdraw(centre, "c0", **WHO).systems
    assert (undone.system, undone.in_force) == ("resident_records", None)
    assert (standing(centre), states(centre)) == ({}, {"c0": "withdrawn"})


def test_of_rehearsals_two_are_kept_of_each_system(centre, database_url):
    for number in range(4):
        numbers = ["1"] if number == 0 else []
        move(centre, database_url, f"r{number}", numbers=numbers, paid=[str(number)], area=REHEARSALS)
    assert standing(centre, REHEARSALS) == {"resident_records": "r0", "tax": "r3"}
    assert rows(centre, HOUSEHOLDS, "household_no", REHEARSALS) == ["1"]
    assert partitions(centre, REHEARSALS, "resident_records.households") == 1
    assert partitions(centre, REHEARSALS, "tax.payments") == 2
    assert standing(centre) == {}


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_an_edition_binds_its_own_municipality_and_no_other(centre, database_url, area):
    move(centre, database_url, "c0", paid=["8"], area=area)
    tables = physical(NEWER)

    def newer(run, numbers, **more):
        begin(centre, run, mode=area.mode, tables=tables)
        its = run_tables(run, tables, frozenset(), area)
        staging.create_staging(centre, its)
        stage(database_url, its, "tax.payments", payments(run, numbers, **more))
        settling.settle(centre, database_url, its, rejected=no_rejects())
        loader.promote(centre, its, "990027", expected={"tax.payments": len(numbers)})
        ledger.end_run(centre, run, "promoted")

    installation.install(centre, [NEWER], "990027")
    newer("c1", {"123456789": 1_000_000, "2": None}, method=["bank", None])
    assert rows(centre, NEWER_PAYMENTS, "resident_no", area) == ["123456789", "2"]
    with pytest.raises(sa.exc.IntegrityError, match="ck_payments_resident_no_length"):
        newer("c2", {"1234567890123456": 1}, method=["bank"])
    ledger.end_run(centre, "c2", "failed")
    undo.rollback(centre, "990027", area, **WHO)
    assert rows(centre, NEWER_PAYMENTS, "method", area) == [None], "its partition was made before the item"
    installation.install(centre, [FORMER], "990027")
    move(centre, database_url, "c3", paid=["9"], area=area)
    assert rows(centre, NEWER_PAYMENTS, "method", area) == [None], "an older edition drops nothing, and fills nothing"


@pytest.mark.parametrize(
    ("paid", "refused"),
    [
        ({"123456": 1}, "ck_payments_resident_no_length"),
        ({"1": 100_000}, "ck_payments_paid_digits"),
        ({"1": None}, "paid"),
    ],
)
def test_the_older_edition_still_refuses_what_a_newer_one_takes(centre, database_url, paid, refused):
    installation.install(centre, [NEWER], "990027")
    tables = physical(OLDER)
    begin(centre, "c0", tables=tables)
    its = run_tables("c0", tables, frozenset())
    staging.create_staging(centre, its)
    stage(database_url, its, "tax.payments", payments("c0", paid))
    settling.note_rejected(centre, database_url, "c0", no_rejects())
    with pytest.raises(sa.exc.IntegrityError, match=refused):
        loader.promote(centre, its, "990027", expected={"tax.payments": 1})


def test_installing_an_edition_adds_what_is_missing_with_its_words_and_then_nothing(centre):
    before = sa.inspect(centre).get_columns("payments", "tax")
    seen = []
    installation.install(centre, [NEWER], "990027")
    sa.event.listen(centre, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    installation.install(centre, [SYSTEM, OLDER, FORMER], "990027")
    assert seen
    assert all(statement.lstrip().startswith("SELECT ") for statement in seen)
    for area in AREAS:
        after = sa.inspect(centre).get_columns("payments", area.schema("tax"))
        assert [c["name"] for c in after] == [*(c["name"] for c in before), "method"]
        assert (after[-1]["comment"], after[-1]["nullable"]) == ("納付方法", True)


def test_what_a_municipality_has_promoted_of_another_system_is_looked_up(centre, database_url):
    installation.install(centre, [FORMER], "990035")
    key = "tax.residents"
    assert promoted.promoted_table(centre, key, "990027", PRODUCTION) is None
    move(centre, database_url, "c0", paid=["8", "9"])
    move(centre, database_url, "r0", paid=["7"], area=REHEARSALS)
    found = promoted.promoted_table(centre, key, "990027", PRODUCTION)
    assert (found.run_id, found.rows) == ("c0", 2)
    read = promoted.promoted_rows(database_url, found, ["resident_no", "kind"])
    assert sorted(read.to_pydict()["resident_no"]) == ["8", "9"]
    assert read.column_names == ["resident_no", "kind"]
    paid = promoted.promoted_rows(
        database_url, promoted.promoted_table(centre, "tax.payments", "990027", PRODUCTION), ["paid"]
    )
    assert paid.schema.field("paid").type == pa.string(), "digits as they are, and no type that nobody else knows"
    assert paid["paid"].to_pylist() == ["7", "7"]
    with centre.connect() as connection:
        query = f"SELECT count(*) FROM {found.selection(['resident_no'])} AS parent WHERE parent.resident_no = '9'"
        assert connection.execute(sa.text(query)).scalar_one() == 1
    assert promoted.promoted_table(centre, key, "990035", PRODUCTION) is None
    assert promoted.promoted_table(centre, "tax.nothing", "990027", PRODUCTION) is None
    assert promoted.promoted_table(centre, key, "990027", REHEARSALS).run_id == "r0"


def test_where_nothing_is_installed_nothing_is_promoted(engine):
    assert promoted.promoted_table(engine, "tax.residents", "990027", PRODUCTION) is None


def test_no_system_takes_a_schema_that_is_anothers_and_no_name_is_cut():
    schemas = [area.schema(system.name) for system in SYSTEMS for area in AREAS]
    assert len(schemas) == len(set(schemas))
    assert not {"joint", "ledger", "public", "information_schema"} & set(schemas)
    assert not [name for name in schemas if name.startswith(("pg_", "stage_"))]
    for system in SYSTEMS:
        for table in system.tables:
            assert staging.staged_name(table.physical.key)
            assert loader._partition(run_tables("a run", [table.physical]), table.physical.key, "990027")


def test_a_long_name_of_a_condition_is_shortened_and_its_partition_made(centre, database_url):
    name, long = "w" * 30, "x" * 40
    made = sheet(name, f"item,type,length,must,key\nno,N,5,1,1\n{long},M,5,,\n", system="tax").physical
    installation.install(centre, [dataclasses.replace(FORMER, made={}, tables=(table_of(made),))], "990027")
    begin(centre, "c0", tables=[made])
    its = run_tables("c0", [made], frozenset())
    staging.create_staging(centre, its)
    settling.note_rejected(centre, database_url, "c0", no_rejects())
    done = loader.promote(centre, its, "990027", expected={})
    assert done.rows == {f"tax.{name}": 0}


def test_a_name_that_postgresql_would_cut_is_refused():
    with pytest.raises(ValueError, match="longer than the 63 characters"):
        staging.staged_name(f"resident_records.{'x' * 46}")
