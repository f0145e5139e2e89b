"""Which database holds a municipality: by its code, by its prefecture, or else by default; and what is refused, with its place."""

from __future__ import annotations

import pytest

from migration_reports.findings import SpecError, UsageError
from target_schemas.postgres.databases import read_databases

EAST, WEST, REST = (f"postgresql+psycopg://loader:secret@{name}/centre" for name in ("east", "west", "rest"))


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "databases.yaml"
        file.write_text(text.replace("EAST", EAST).replace("WEST", WEST), encoding="utf-8")
        file.chmod(0o600)
        return file

    return write


GOOD = """\
databases:
  east: {url: "EAST", municipalities: ["13", "142018"]}
  west: {url: "WEST", municipalities: ["27", "131016"]}
"""


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("131024", "east"),
        ("142018", "east"),
        ("272043", "west"),
        # Its code goes before its prefecture.
        ("131016", "west"),
        ("142026", "HIKKOSHI_DATABASE_URL"),
    ],
)
def test_a_municipality_lies_where_its_code_says_or_else_its_prefecture(written, code, name):
    assert read_databases(written(GOOD), others=REST).of(code).name == name


def test_every_database_is_given_once_and_shows_no_password(written):
    databases = read_databases(written(GOOD), others=REST)
    assert [database.url for database in databases] == [EAST, WEST, REST]
    assert "secret" not in repr(databases)


def test_a_municipality_without_a_database_is_refused_and_never_put_somewhere(written):
    databases = read_databases(written(GOOD), others=None)
    with pytest.raises(UsageError, match=r"for the municipality 142026\. Name its code, or its prefecture 14"):
        databases.of("142026")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("municipalities", "municipality", "databases.yaml:2:65: Y010 unknown key `municipality`"),
        ("municipalities", "municipality", "did you mean `municipalities`?"),
        ('url: "EAST", ', "", "Y011 key `url` is missing"),
        ('"13"', '"1３"', "is neither a municipality's six digits nor a prefecture's two"),
        ('"13"', '"131"', "databases.yaml:2:82: Y012 `municipalities`: `131` is neither"),
        ('"27"', '"142018"', "databases.yaml:3:82: Y012 `municipalities`: 142018 lies in east already"),
        (WEST, "mysql://loader:secret@west/centre", "Y012 `url`: this is no URL of a PostgreSQL database"),
        ("EAST", "nowhere", "Y012 `url`: this is no URL of a PostgreSQL database"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_no_password(written, before, after, says):
    wrong = GOOD.replace("WEST", WEST).replace(before, after).replace("EAST", EAST)
    with pytest.raises(SpecError) as caught:
        read_databases(written(wrong), others=REST)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_every_problem_is_said_at_once(written):
    with pytest.raises(SpecError) as caught:
        read_databases(written(GOOD.replace('"13"', '"1"').replace('"27"', '"2"')), others=None)
    assert len(caught.value.problems) == 2


def test_a_file_that_others_may_read_is_refused(written):
    file = written(GOOD)
    file.chmod(0o644)
    with pytest.raises(UsageError, match="holds passwords, and others may read it: chmod 600"):
        read_databases(file, others=None)
    with pytest.raises(UsageError, match="cannot be read"):
        read_databases(file.with_name("nowhere.yaml"), others=None)
