"""Reference tables and own lists: what holds on a day, for both engines and for whom; and what is said of it."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dags.own.lists import joined, overridden
from dags.own.reference_rows import rows_of
from dags.own.told import told
from migration_reports.trouble import Position
from target_schemas.postgres import installation, municipal
from target_schemas.postgres.areas import AREAS, PRODUCTION, REHEARSALS
from target_schemas.postgres.database import connect
from target_schemas.reference_sheets import ReferenceLine
from target_schemas.reference_tables import REFERENCE_TABLES, read
from target_schemas.sheets import read_systems
from target_schemas.systems import SYSTEMS
from tests import broken_sheets
from tests.sheets import rule_of, sheet
from validators import instances
from validators.elsewhere import divided, read_elsewhere

TABLES = read(broken_sheets.SYSTEMS / "reference_tables")
FINES = TABLES["joint.fines"]
TAX = REFERENCE_TABLES["joint.consumption_tax"]


@pytest.fixture(scope="module")
def library():
    return read_systems(broken_sheets.SYSTEMS, ["library"], broken_sheets.SYSTEMS / "codes")[0]


@pytest.fixture(scope="module")
def own(library):
    return broken_sheets.own_lists(broken_sheets.SYSTEMS, library, TABLES)


def test_a_gap_between_two_lines_of_a_key_is_known():
    assert list(FINES.gaps()) == [(("10", "2010-01-01"), "20191231", "20200401")]
    assert not [table.name for table in REFERENCE_TABLES.values() if list(table.gaps())]


def test_an_own_line_stands_on_its_days_alone_and_says_in_which_cells_it_differs(own):
    held = [(line.cells["amount"], line.valid_from, line.valid_to) for line in own.tables["joint.fines"].lines]
    assert held[:4] == [
        ("100", "20100401", "20140331"),
        ("120", "20140401", "20150331"),
        ("110", "20150401", "20160331"),
        ("120", "20160401", ""),
    ]
    assert [line.cells for line in own.lines] == [(("amount", "120", "110"),)]


DAYS = ["20191231", "20200101", "20200102", "20200131", "20200201", "20201231"]


def held(table, day):
    return [line.cells["rate"] for line in table.lines if line.holds(day, day)]


@st.composite
def apart(draw, rate):
    """Lines of one key whose times do not overlap."""
    ends = sorted(draw(st.sets(st.sampled_from(DAYS), max_size=4)))
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    cells = {"rate_class": "1", "rate": rate}
    open_ended = draw(st.booleans())
    times = [(a, "" if open_ended and (a, b) == pairs[-1] else b) for a, b in pairs]
    return tuple(ReferenceLine(cells, *time, "s", Position("f")) for time in times)


@given(apart("0.1"), apart("0.2"), st.sampled_from(DAYS))
def test_on_every_day_an_own_line_holds_or_else_the_shared_one(shared, own_lines, day):
    table = dataclasses.replace(TAX, lines=shared)
    of_own = [line.cells["rate"] for line in own_lines if line.holds(day, day)]
    assert held(overridden(table, own_lines), day) == (of_own or held(table, day))


def test_rows_have_the_types_of_their_columns():
    first = rows_of(FINES).to_pylist()[0]
    assert (first["amount"], first["share"], first["note"]) == (Decimal(100), Decimal("0.050"), None)
    assert (first["since_key"], first["since_precision"]) == ("20000101", "day")
    assert (first["valid_from_key"], first["valid_to_key"]) == ("20100401", "20140331")
    assert rows_of(TABLES["joint.floors"]).to_pylist()[0]["valid_to_precision"] is None


SALES = sheet(
    "sales",
    """
    item,type,length,must,key
    no,N,2,1,1
    rate_class,C,1,,
    rate,R,5.3,,
    sold,D,,,
    """,
)
SOLD = [
    ("01", "1", "0.05", "20140331"),
    ("02", "1", "0.05", "20140401"),
    ("03", "1", "0.1", "20191001"),
    ("04", "2", "0.08", "20190930"),
    ("05", "2", "0.08", "20250101"),
    ("06", "1", "0.03", "20250115"),
]
LIMIT = "rate: {within_range: rate, day: sold, per: rate_class, of: sales, source: x, in: {of: joint.consumption_tax, lowest: rate, highest: rate}}"
LISTED = "listed: {code_valid_on: rate_class, day: sold, of: sales, source: x, in: joint.consumption_tax}"


def test_both_engines_read_a_reference_table_with_a_towns_own_line_on_the_rows_own_day(engine):
    installation.install(engine, SYSTEMS, "990027")
    here = overridden(
        TAX, [ReferenceLine({"rate_class": "1", "rate": "0.03"}, "20250101", "20250131", "s", Position("f"))]
    )
    known = {**{key: table.table.physical for key, table in REFERENCE_TABLES.items()}, "tests.sales": SALES.physical}
    rules = instances.make([rule_of(LIMIT), rule_of(LISTED)], known, own={"sales": "tests.sales"}, settings={})
    assert read_elsewhere(rules, {"tests.sales"}) == ("joint.consumption_tax",)
    sales = pl.DataFrame(
        [
            {"source_dump": "d", "source_record": n, "no": no, "rate_class": kind, "rate": Decimal(rate), "sold_source": day, "sold_key": day, "sold_precision": "day"}
            for n, (no, kind, rate, day) in enumerate(SOLD, 1)
        ]
    )  # fmt: skip
    rows = rows_of(here)
    place = municipal.put_lines(engine, PRODUCTION, "990027", here.table, rows.to_pylist())
    frames = {"tests.sales": sales.lazy(), "joint.consumption_tax": pl.DataFrame(pl.from_arrow(rows)).lazy()}
    judged, left = divided(rules, here={"tests.sales"}, elsewhere={"joint.consumption_tax"})
    assert not left
    expected = {"rate": [2, 4], "listed": [4]}
    assert {r.name: sorted(r.failing(frames).collect()["source_record"]) for r in judged} == expected
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMPORARY TABLE sales (source_dump text, source_record bigint, rate_class text, rate numeric, sold_key text, sold_precision text)"))  # fmt: skip
        columns = ["source_dump", "source_record", "rate_class", "rate", "sold_key", "sold_precision"]
        insert = f"INSERT INTO sales VALUES ({', '.join(f':{c}' for c in columns)})"
        connection.execute(sa.text(insert), sales.select(columns).to_dicts())
        for rule in judged:
            sql = rule.expectation.whole("sales", lambda _: place)
            assert sorted(connection.execute(sa.text(sql)).scalars()) == expected[rule.name]


def lines_of(engine, area):
    table = municipal.placed(area, municipal.LINES)
    with engine.connect() as connection:
        return connection.execute(sa.select(table.c.municipality_code, table.c.cells)).all()


def test_a_towns_lines_take_the_place_of_its_former_ones_in_its_area_alone(engine):
    installation.install(engine, SYSTEMS, "990027")
    rows = rows_of(TAX).to_pylist()
    for town, number in (("990027", 5), ("990035", 2), ("990027", 3), ("990027", 3)):
        municipal.put_lines(engine, REHEARSALS, town, TAX.table, rows[:number])
    assert sorted(town for town, _ in lines_of(engine, REHEARSALS)) == ["990027"] * 3 + ["990035"] * 2
    assert lines_of(engine, PRODUCTION) == []


def test_a_reader_reads_its_own_municipalitys_lines_and_codes_alone(engine, database_url, own):
    for town in ("990027", "990035"):
        installation.install(engine, SYSTEMS, town)
        for area in AREAS:
            municipal.put_lines(engine, area, town, TAX.table, rows_of(TAX).to_pylist())
            with engine.begin() as connection:
                municipal.put_codes(connection, area, town, own.codes.values())
                municipal.put_codes(connection, area, town, own.codes.values())
    role = f"clerk_{sa.make_url(database_url).database}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(sa.text(f"GRANT hikkoshi_reader_990027 TO {role}"))
    url = sa.make_url(database_url).set(username=role).render_as_string(hide_password=False)
    with connect(url).connect() as connection:
        for table, number in ((municipal.LINES, 5), (municipal.CODES, 2)):
            seen = connection.execute(sa.select(municipal.placed(PRODUCTION, table).c.municipality_code)).scalars()
            assert seen.all() == ["990027"] * number
    with connect(url).connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.select(municipal.placed(REHEARSALS, municipal.CODES)))
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP OWNED BY {role} CASCADE"))
        connection.execute(sa.text(f"DROP ROLE {role}"))


def test_own_codes_complete_their_set_and_the_report_names_them_and_those_that_no_row_holds(library, own):
    branch = next(codes for codes in joined(library.code_sets, own.codes) if codes.name == "branch")
    assert not branch.open
    assert branch.on("20200331") == {"71"}
    tables = {"library.books": library.table("books").physical}
    found = told(own, tables, {"library.books": pl.LazyFrame({"branch": ["71", None]})}).to_pylist()
    assert [(f["code"], f["column"], f["mapping"], f["detail"]) for f in found] == [
        ("V440", "amount", "town/own/tables/fines.csv:2", "10 2000-01-01 20150401–20160331: 120 → 110 (条例第7号)"),
        ("V441", "branch", None, "71 本館"),
        ("V441", "branch", None, "72 分館"),
        ("V442", "branch", None, "72"),
    ]
