"""Areas, states, rollback and withdrawal: nothing leaves production unless a person says so."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migration_reports.findings import RunError
from target_schemas.postgres import ledger, loader, settling, undo
from target_schemas.postgres.areas import AREAS, PRODUCTION, REHEARSALS, area_of
from tests.resident_records import HOUSEHOLDS
from tests.staged_runs import begin, households, move, no_rejects, promote, rows, run_tables, stage_all, states

WHO = {"by": "tester", "reason": "because"}


def partitions(engine, area):
    """The household partitions that lie in an area, attached or not."""
    query = sa.text(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relname LIKE 'households\\_990027\\_%'"
    )
    with engine.connect() as connection:
        return len(connection.execute(query, {"schema": area.schema("resident_records")}).all())


def decisions(engine):
    query = sa.select(*[ledger.DECISIONS.c[n] for n in ("run_id", "what", "restored", "by", "reason")])
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(ledger.DECISIONS.c.number))]


def test_a_rehearsal_never_takes_the_place_of_a_cut_over_nor_drops_its_rows(prepared, database_url):
    move(prepared, database_url, "c1", ["1"])
    for number in range(4):
        move(prepared, database_url, f"r{number}", ["8", "9"], area=REHEARSALS)
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]
    assert rows(prepared, HOUSEHOLDS, "household_no", REHEARSALS) == ["8", "9"]
    assert states(prepared) == {"c1": "promoted", "r3": "promoted", **dict.fromkeys(("r0", "r1", "r2"), "superseded")}
    assert [(e.run_id, e.area) for e in ledger.list_runs(prepared) if e.in_force] == [
        ("r3", "rehearsal"),
        ("c1", "production"),
    ]
    with pytest.raises(ValueError, match="a cut-over is not promoted into rehearsal"):
        loader.promote(prepared, run_tables("c1", area=REHEARSALS), "990027", expected={})


def test_of_rehearsals_two_are_kept_and_every_cut_over_until_a_person_withdraws_it(prepared, database_url):
    for number in range(4):
        move(prepared, database_url, f"c{number}", [str(number)])
        move(prepared, database_url, f"r{number}", [str(number)], area=REHEARSALS)
    assert (partitions(prepared, PRODUCTION), partitions(prepared, REHEARSALS)) == (4, 2)
    undo.withdraw(prepared, "c1", **WHO)
    assert partitions(prepared, PRODUCTION) == 3
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["3"]


def test_both_areas_have_one_form(prepared):
    forms = []
    for area in AREAS:
        inspector = sa.inspect(prepared)
        name, schema = "residents", area.schema("resident_records")
        with prepared.connect() as connection:
            secured = connection.execute(
                sa.text(
                    "SELECT relrowsecurity, relforcerowsecurity, relkind, pg_get_partkeydef(oid), "
                    "(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) "
                    "FROM pg_class c WHERE oid = CAST(:name AS regclass)"
                ),
                {"name": f"{schema}.{name}"},
            ).one()
        forms.append(
            (
                [(c["name"], str(c["type"]), c["nullable"], c["comment"]) for c in inspector.get_columns(name, schema)],
                inspector.get_pk_constraint(name, schema)["constrained_columns"],
                sorted((c["name"], c["sqltext"]) for c in inspector.get_check_constraints(name, schema)),
                inspector.get_table_comment(name, schema),
                tuple(secured),
            )
        )
    assert forms[0] == forms[1]
    assert forms[0][3]["text"] == "住民票"
    assert all(comment for *_, comment in forms[0][0])
    assert forms[0][4] == (True, True, "p", "LIST (municipality_code)", 2)


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_what_violates_the_tables_form_is_refused_in_either_area(prepared, database_url, area):
    table = households("r1", "d", ["1234567890123456"])
    stage_all(prepared, database_url, "r1", {"resident_records.households": table}, mode=area.mode)
    with pytest.raises(sa.exc.IntegrityError, match="ck_households_household_no_length"):
        promote(prepared, database_url, "r1", area=area)


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_a_rollback_goes_back_as_often_as_there_are_kept_promotions_and_then_says_why_not(prepared, database_url, area):
    for number in range(3):
        move(prepared, database_url, f"x{number}", [str(number)], area=area)
    undone = undo.rollback(prepared, "990027", area, **WHO)
    assert undone == undo.Undone(
        area.name,
        "990027",
        (
            undo.SystemUndone(
                "resident_records", "x2", "x1", {"resident_records.households": 1, "resident_records.tax_amounts": 0}
            ),
        ),
    )
    assert rows(prepared, HOUSEHOLDS, "household_no", area) == ["1"]
    assert states(prepared) == {"x2": "rolled back", "x1": "promoted", "x0": "superseded"}
    last = "x1"
    if area is PRODUCTION:
        undo.rollback(prepared, "990027", area, **WHO)
        last = "x0"
    before = (states(prepared), rows(prepared, HOUSEHOLDS, "household_no", area), decisions(prepared))
    words = "no state before it" if area is PRODUCTION else "rows of run x0, .* are not kept any more .*the last 2 are"
    with pytest.raises(RunError, match=words):
        undo.rollback(prepared, "990027", area, **WHO)
    assert (states(prepared), rows(prepared, HOUSEHOLDS, "household_no", area), decisions(prepared)) == before
    assert states(prepared)[last] == "promoted"
    assert decisions(prepared)[0] == ("x2", "rolled back", "x1", "tester", "because")


def test_a_promotion_after_a_rollback_goes_back_to_what_it_replaced(prepared, database_url):
    for name in ("c0", "c1"):
        move(prepared, database_url, name, [name])
    undo.rollback(prepared, "990027", PRODUCTION, **WHO)
    move(prepared, database_url, "c2", ["c2"])
    assert states(prepared) == {"c2": "promoted", "c1": "rolled back", "c0": "superseded"}
    assert undo.rollback(prepared, "990027", PRODUCTION, **WHO).systems[0].in_force == "c0"
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["c0"]


def test_rows_that_somebody_dropped_are_missed_in_words_and_nothing_is_changed(prepared, database_url):
    for name in ("c0", "c1"):
        move(prepared, database_url, name, [name])
    with prepared.begin() as connection:
        query = sa.select(ledger.PROMOTIONS.c.partition).where(
            ledger.PROMOTIONS.c.run_id == "c0", ledger.PROMOTIONS.c.table_name == "households"
        )
        connection.execute(sa.text(f"DROP TABLE resident_records.{connection.execute(query).scalar_one()}"))
    for call in (
        lambda: undo.rollback(prepared, "990027", PRODUCTION, **WHO),
        lambda: undo.withdraw(prepared, "c1", **WHO),
    ):
        with pytest.raises(RunError, match=r"the rows of run c0, .* are not kept any more\. Nothing was changed"):
            call()
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["c1"]
    assert states(prepared) == {"c1": "promoted", "c0": "superseded"}


def test_the_first_load_can_be_withdrawn_and_leaves_nothing(prepared, database_url):
    move(prepared, database_url, "c0", ["1"])
    with pytest.raises(RunError, match="`hikkoshi withdraw c0 --system resident_records` takes it out for good"):
        undo.rollback(prepared, "990027", PRODUCTION, **WHO)
    undone = undo.withdraw(prepared, "c0", **WHO)
    assert undone == undo.Undone("production", "990027", (undo.SystemUndone("resident_records", "c0", None, {}),))
    assert rows(prepared, HOUSEHOLDS, "household_no") == []
    assert states(prepared) == {"c0": "withdrawn"}
    assert partitions(prepared, PRODUCTION) == 0
    assert decisions(prepared) == [("c0", "withdrawn", None, "tester", "because")]
    move(prepared, database_url, "c1", ["2"])
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["2"]


def test_withdrawing_what_is_in_force_brings_back_what_was_before_and_drops_its_rows(prepared, database_url):
    for name in ("c0", "c1", "c2"):
        move(prepared, database_url, name, [name])
    undo.withdraw(prepared, "c1", **WHO)
    (undone,) = undo.withdraw(prepared, "c2", **WHO).systems
    assert (undone.in_force, dict(undone.rows)["resident_records.households"]) == ("c0", 1)
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["c0"]
    assert states(prepared) == {"c2": "withdrawn", "c1": "withdrawn", "c0": "promoted"}
    assert partitions(prepared, PRODUCTION) == 1


def test_a_rolled_back_run_can_be_withdrawn_and_is_never_promoted_again(prepared, database_url):
    for name in ("c0", "c1"):
        move(prepared, database_url, name, [name])
    undo.rollback(prepared, "990027", PRODUCTION, **WHO)
    with pytest.raises(RunError, match="the ledger says that run c1 is rolled back"):
        loader.promote(prepared, run_tables("c1"), "990027", expected={})
    assert undo.withdraw(prepared, "c1", **WHO).systems[0].in_force == "c0"
    assert (states(prepared)["c1"], partitions(prepared, PRODUCTION)) == ("withdrawn", 1)


def test_only_promotions_are_withdrawn_and_only_with_a_name_and_a_reason(prepared, database_url):
    move(prepared, database_url, "c0", ["1"])
    begin(prepared, "c1")
    ledger.end_run(prepared, "c1", "held")
    for run, words in (
        ("c1", "run c1: it is held; so there is no promotion"),
        ("nowhere", "the ledger knows no run nowhere"),
    ):
        with pytest.raises(RunError, match=words):
            undo.withdraw(prepared, run, **WHO)
    with pytest.raises(RunError, match="say who decides this and why"):
        undo.withdraw(prepared, "c0", by="tester", reason=" ")
    assert states(prepared)["c0"] == "promoted"
    undo.withdraw(prepared, "c0", **WHO)
    with pytest.raises(RunError, match="run c0: it is withdrawn"):
        undo.withdraw(prepared, "c0", **WHO)


def test_where_nothing_was_installed_there_is_nothing_to_undo_and_nothing_is_made(engine):
    assert ledger.list_runs(engine) == []
    assert ledger.find(engine, "c0") is None
    with pytest.raises(RunError, match="nothing of municipality 990027 is in force in production"):
        undo.rollback(engine, "990027", PRODUCTION, **WHO)
    with pytest.raises(RunError, match="the ledger knows no run c0"):
        undo.withdraw(engine, "c0", **WHO)
    assert sa.inspect(engine).get_schema_names() == ["information_schema", "public"]


def test_a_run_is_promoted_by_its_swap_and_only_while_it_runs(prepared, database_url):
    stage_all(prepared, database_url, "c0", {"resident_records.households": households("c0", "d", ["1"])})
    promote(prepared, database_url, "c0")
    assert ledger.find(prepared, "c0").state == "promoted", "the report has not been yet"
    begin(prepared, "c1")
    assert ledger.find(prepared, "c0").state == "promoted", "the next run does not call it abandoned"
    assert ledger.end_run(prepared, "c1", "failed") == "failed"
    stage_all(prepared, database_url, "c2", {"resident_records.households": households("c2", "d", ["2"])})
    begin(prepared, "c3")
    assert ledger.find(prepared, "c2").state == "abandoned"
    with pytest.raises(RunError, match=r"the ledger says that run c2 is abandoned\. Nothing was promoted"):
        promote(prepared, database_url, "c2")
    assert rows(prepared, HOUSEHOLDS, "household_no") == ["1"]
    with pytest.raises(RunError, match="the ledger knows no run c9"):
        loader.promote(prepared, run_tables("c9"), "990027", expected={})


def test_a_run_that_ends_while_it_is_being_promoted_promotes_nothing(prepared, database_url, monkeypatch):
    stage_all(prepared, database_url, "c0", {"resident_records.households": households("c0", "d", ["1"])})
    settling.settle(prepared, database_url, run_tables("c0"), rejected=no_rejects())
    swap = loader._swap

    def late(*arguments):
        ledger.end_run(prepared, "c0", "failed")
        return swap(*arguments)

    monkeypatch.setattr(loader, "_swap", late)
    with pytest.raises(RunError, match="run c0 is failed"):
        loader.promote(prepared, run_tables("c0"), "990027", expected={"resident_records.households": 1})
    assert rows(prepared, HOUSEHOLDS, "household_no") == []


def test_an_end_changes_the_state_of_a_run_that_runs_and_of_no_other(prepared, database_url):
    move(prepared, database_url, "c0", ["1"])
    ended = ledger.find(prepared, "c0")
    assert ended.finished is not None
    assert ledger.end_run(prepared, "c0", "failed", record_sha256="ab" * 32) == "promoted"
    assert ledger.find(prepared, "c0") == ended
    with prepared.connect() as connection:
        assert connection.execute(sa.select(ledger.RUNS.c.record_sha256)).scalar_one() == "ab" * 32
    begin(prepared, "c1")
    assert ledger.end_run(prepared, "c1", "promoted") == "running", "its swap alone can say so"
    with pytest.raises(RunError, match="the ledger knows no run c9"):
        ledger.end_run(prepared, "c9", "held")


@pytest.mark.parametrize("state", ledger.UNPROMOTED)
def test_a_run_that_has_ended_is_not_opened_again(prepared, state):
    begin(prepared, "c0")
    begin(prepared, "c0")
    ledger.end_run(prepared, "c0", state)
    with pytest.raises(RunError, match=rf"run c0 has ended \({state}\) and is not opened again"):
        begin(prepared, "c0")
    assert states(prepared) == {"c0": state}


def test_every_mode_has_an_area_and_no_other_word_has():
    assert [area_of("cut-over"), area_of("rehearsal")] == [PRODUCTION, REHEARSALS]
    with pytest.raises(ValueError, match="a run is a rehearsal or a cut-over"):
        area_of("cutover")
