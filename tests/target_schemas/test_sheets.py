"""Sheets become systems: what is wrong is named with its place, editions say what they say, and PostgreSQL takes the tables."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from docs.generate.system_page import system_page
from mappings.compiling.columns import groups_of, key_groups
from migration_reports.codes import Code, CodeSet
from migration_reports.items import Period, heading, item_of, table_of
from target_schemas.csv_sheets import read_rows
from target_schemas.sheets import read_systems
from target_schemas.systems import CODES, FOLDER, NAMES, SYSTEMS
from tests import broken_sheets
from validators import instances

BROKEN = broken_sheets.cases()
SECTIONS = dict(
    zip(
        (case.name for case in BROKEN),
        (f"\n## {text}" for text in broken_sheets.GOLDEN.read_text("utf-8").split("\n## ")[1:]),
        strict=True,
    )
)
LIBRARY = Path(__file__).parents[1] / "systems"
(SYSTEM,) = read_systems(LIBRARY, ["library"], LIBRARY / "codes")


@pytest.mark.parametrize("case", BROKEN, ids=[case.name for case in BROKEN])
def test_a_mistake_is_named_with_its_place_exactly_as_the_page_of_them_says(case, tmp_path):
    found = case.problems(tmp_path)
    assert any(p.code == case.code and case.message in str(p) for p in found), [str(p) for p in found]
    assert all(p.position.file.startswith(("library/", "codes/", "reference_tables/", "town/")) for p in found)
    assert broken_sheets.section(case, found).rstrip() == SECTIONS[case.name].rstrip(), (
        "tests/golden/broken_sheets.md says otherwise; if the new message is better, accept it: "
        "python -m tests.broken_sheets, look at git diff, then make docs"
    )


def test_problems_of_several_sheets_come_at_once(tmp_path):
    first = next(case for case in BROKEN if case.code == "S021")
    second = next(case for case in BROKEN if case.code == "S014")
    first.problems(tmp_path)
    text = (tmp_path / second.file).read_text("utf-8")
    (LIBRARY / second.file).read_text("utf-8")
    (tmp_path / second.file).write_text(text.replace(second.before, second.after, 1), encoding="utf-8")
    with pytest.raises(Exception, match="S021") as caught:
        read_systems(tmp_path, ["library"], tmp_path / "codes")
    assert {p.code for p in caught.value.problems} == {"S021", "S014"}


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_a_shipped_system_stands_in_every_edition(system):
    for edition in system.editions:
        here = system.in_edition(edition.name)
        assert here.tables
        assert here.in_edition(system.latest).edition == system.latest
        for table in here.tables:
            assert list(table.physical.columns.keys()) == list(system.table(table.name).physical.columns.keys())
    assert {item.code_set for table in system.tables for item in table.items if item.code_set} == {
        s.name for s in system.code_sets
    }


def test_shipped_systems_are_read_alike_again():
    assert read_systems(FOLDER, NAMES, CODES) == SYSTEMS


def items(edition):
    return {item.name: item for item in SYSTEM.in_edition(edition).table("books").items}


def test_an_edition_has_its_own_items_and_says_how_long_and_whether_they_must_be():
    former, later = items("1.0"), items("2.0")
    assert former.keys() - later.keys() == {"old_no"}
    assert later.keys() - former.keys() == {"isbn"}
    assert [(i.length, i.must, i.gaiji) for i in (former["title"], later["title"])] == [
        (10, False, True),
        (20, True, True),
    ]
    with pytest.raises(LookupError, match=r"library has no edition 3\.0; there are: 1\.0, 2\.0"):
        SYSTEM.in_edition("3.0")


def test_the_union_has_every_item_as_long_as_the_longest_and_mandatory_where_all_editions_ask_for_it():
    whole = {item.name: item for item in SYSTEM.table("books").items}
    assert {"old_no", "isbn"} <= whole.keys()
    assert [(whole[n].length, whole[n].must) for n in ("title", "price", "book_no")] == [
        (20, False),
        (6, False),
        (8, True),
    ]


def test_a_table_of_an_edition_has_the_columns_of_all_and_describes_its_own_only():
    former, whole = (s.table("books").physical for s in (SYSTEM.in_edition("1.0"), SYSTEM))
    assert [(c.name, str(c.type)) for c in former.columns] == [(c.name, str(c.type)) for c in whole.columns]
    assert "isbn" not in [c.name for c in table_of(former).columns]
    assert heading(former.c.isbn).item is None
    with pytest.raises(LookupError, match="no sheet describes column isbn"):
        item_of(former.c.isbn)
    assert former.c.price.comment == "価格 (1,000円単位)"


def test_a_reference_of_several_items_names_the_columns_that_sort():
    (_, renewed) = SYSTEM.table("loans").references
    assert (renewed.columns, renewed.target) == (("renewed_book", "renewed_on_key"), ("book_no", "lent_key"))


def test_a_rule_keeps_its_form_and_its_place():
    rule = SYSTEM.rules[0]
    assert (rule.shape, rule.of, rule.severity, rule.position.line) == ("not_after", "loans", "alert", 19)
    assert dict(rule.parameters) == {"not_after": ["acquired", "lent"]}


def test_a_period_and_a_reference_on_a_day_give_their_rules_for_nothing():
    given_rules = {rule.name: dict(rule.parameters) for rule in SYSTEM.rules[1:]}
    assert given_rules == {
        "books_period.order": {"not_after": ["acquired", "discarded"]},
        "books_period.overlap": {"no_overlap": ["acquired", "discarded"], "ends": "before", "per": ["book_no"]},
        "loans_period.order": {"not_after": ["lent", "returned"]},
        "loans_period.overlap": {"no_overlap": ["lent", "returned"], "ends": "on", "per": ["book_no"]},
        "loans_period.gap": {"no_gap": ["lent", "returned"], "ends": "on", "per": ["book_no"]},
        "loans_book_no_on": {"code_valid_on": ["book_no"], "day": "lent", "in": {"of": "books", "per": ["book_no"]}},
    }
    assert SYSTEM.table("books").period == Period("acquired", "discarded", "before")
    assert {rule.severity for rule in SYSTEM.rules[1:]} == {"", "error"}


def test_what_a_period_gives_are_rules_that_can_be_made_and_set_by_a_manifest():
    own = {table.name: table.qualified for table in SYSTEM.tables}
    tables = {table.qualified: table.physical for table in SYSTEM.tables}
    made = instances.make(SYSTEM.rules[1:], tables, own=own, settings={})
    assert {rule.family for rule in made} == {"books_period", "loans_period", "loans_book_no_on"}
    lent = ["20250101", "20250201", "20250301"]
    books = pl.LazyFrame({"book_no": ["1"], "acquired_key": ["20250115"], "acquired_precision": ["day"], "discarded_key": ["20250301"], "discarded_precision": ["day"]})  # fmt: skip
    loans = pl.LazyFrame(
        {"source_record": [1, 2, 3], "book_no": ["1"] * 3, "lent_key": lent, "lent_precision": ["day"] * 3}
    )
    on = next(rule for rule in made if rule.family == "loans_book_no_on")
    failing = on.failing({"library.books": books, "library.loans": loans}).collect()
    assert failing["source_record"].to_list() == [1, 3]


def test_a_date_of_a_key_has_no_row_without_it_and_a_row_may_say_that_it_is_not_known():
    table = SYSTEM.table("loans")
    assert (table.key, table.dates, table.arrival) == (("book_no", "lent_key", "seq"), ("lent",), "seq")
    nullable = {c.name: c.nullable for c in table.physical.columns if c.name.startswith("lent")}
    assert nullable == {"lent_source": True, "lent_key": False, "lent_precision": False}
    assert key_groups(table.physical) == ("book_no", "lent")
    assert "seq" not in groups_of(table.physical)


def test_postgresql_takes_every_type_of_item_and_refuses_what_has_not_its_form(data_centre):
    refused = {
        "opens": "4800",
        "scanned": "2025",
        "pages": 10000,
        "cover_path": "a.tif",
        "place_srid": 4326,
        "title": "字" * 21,
    }
    with data_centre.connect() as connection:
        connection.execute(sa.text("CREATE SCHEMA sheets_of_tests"))
        table = SYSTEM.table("books").physical.to_metadata(sa.MetaData(), schema="sheets_of_tests")
        connection.execute(sa.schema.CreateTable(table))
        connection.execute(sa.text("CREATE TABLE sheets_of_tests.all PARTITION OF sheets_of_tests.books DEFAULT"))
        row = {"municipality_code": "990027", "source_dump": "d", "source_record": 1, "run_id": "r", "book_no": "1"}
        for column, value in refused.items():
            with pytest.raises(sa.exc.IntegrityError, match="violates check constraint"), connection.begin_nested():
                connection.execute(table.insert().values(**row, **{column: value}))
        good = {"opens": "2510", "scanned": "20250230000000", "pages": 9999, "title": "字" * 20, "place_srid": 4326, "place_wkb": "0101000000"}  # fmt: skip
        connection.execute(table.insert().values(**row, **good))
        connection.rollback()


def test_an_open_set_takes_a_municipalitys_own_codes_and_a_closed_one_does_not():
    branch = next(s for s in SYSTEM.code_sets if s.name == "branch")
    assert branch.joined([Code("71", "本館", "main")]).ever == {"71"}
    with pytest.raises(ValueError, match="is not open"):
        branch.joined([]).joined([])


DAYS = st.sampled_from(["", "20191231", "20200101", "20200401", "20210101"])


@given(st.lists(st.tuples(st.sampled_from("ab"), DAYS, DAYS)), DAYS.filter(bool))
def test_a_code_holds_on_a_day_if_any_of_its_lines_does(lines, day):
    codes = CodeSet("s", "s", "s", tuple(Code(c, c, c, first, last) for c, first, last in lines))
    assert codes.on(day) == {c for c, first, last in lines if (first or "0") <= day <= (last or "9")}
    assert codes.on(day) <= codes.on(None) == codes.ever


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=9),
        min_size=2,
        max_size=2,
    )
)
def test_cells_are_what_a_spreadsheet_wrote_and_begin_where_they_stand(cells):
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    problems = []
    rows = read_rows("a,b\n" + ",".join(quoted), "f", ("a", "b"), (), problems)
    assert not problems
    for row in rows:
        assert [row["a"], row["b"]] == [cell.strip() for cell in cells]
        assert row.at("b").column == len(quoted[0]) + 2


def test_a_system_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SYSTEM.name = "other"


def test_the_page_of_a_system_says_what_an_edition_changes_and_who_sees_what():
    page = "\n".join(system_page(SYSTEM))
    for said in (
        "Editions: 1.0 (from 2025-04-01), 2.0 (from 2027-04-01).",
        "- Edition 2.0 has `title` as J 20, mandatory, 外字; before it was J 10, 外字.",
        "- Edition 2.0 no longer has `old_no`.",
        "- Edition 2.0 adds `isbn`.",
        "- Seen only on grounds of its own, and never in a sample: `place`.",
        "| 価格 | price | M (×1,000円) |",
        "| 書架 | shelf | C | 2 |  | shelf (on `acquired`) |  |",
        "| 20 | 書庫 | stacks | –20200331 |",
        "Each municipality completes it by a list of its own",
    ):
        assert said in page, said
