"""Secrets are known by their names and by what stands in them, and neither they nor guarded values are shown to anybody."""

from __future__ import annotations

import base64
import hashlib

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from dags.authoring.guesses import Given
from dags.guarded.contents import digests as digests_of
from dags.guarded.secrets import WORDS, secret_in
from dags.inspection.column_profile import profile_values
from dags.inspection.peek import _seen
from extractors.copybooks.copybook import read_copybook
from migration_reports.masking import HIDDEN
from target_schemas.postgres import installation
from target_schemas.postgres.areas import PRODUCTION
from target_schemas.postgres.database import connect
from target_schemas.sheets import read_systems
from tests.sheets import sheet

NAMES = {
    "OP-PASS": "password",
    "SM-PASSWORD2": "password",
    "SMPASSWORD": "password",
    "PSWD(3)": "password",
    "ANSHO-BANGO": "password",
    "利用者暗証番号": "password",
    "town.US-PWD": "password",
    "GP-HASH": "hash",
    "US-SALT": "hash",
    "userPassword": "password",
    "CT-KAGI": "key",
    "US-KOTAE": "answer",
    "SS-SHIMON": "template",
    "PASSENGERS": "",
    "KAGIYA": "",
    "JJ-SHIMEI": "",
    "BASALT": "",
    "COMPASS": "",
    "FILLER": "",
}


@pytest.mark.parametrize(("name", "kind"), NAMES.items())
def test_a_secret_is_known_by_its_name(name, kind):
    assert secret_in(name) == kind


def test_every_kind_has_a_name_here():
    assert set(NAMES.values()) - {""} == set(WORDS)


def digests(make):
    return pa.array([make(f"{number}".encode()) for number in range(200)])


CONTENTS = {
    "hexadecimal": digests(lambda data: hashlib.sha256(data).hexdigest()),
    "base64": digests(lambda data: base64.b64encode(hashlib.sha1(data).digest()).decode()),
    "bcrypt": digests(lambda data: "$2b$12$" + hashlib.sha1(data).hexdigest()),
    "LDAP": digests(lambda data: "{SSHA}" + base64.b64encode(hashlib.sha1(data).digest()).decode()),
}


@pytest.mark.parametrize("values", CONTENTS.values(), ids=CONTENTS)
def test_a_secret_is_known_by_its_contents_and_not_even_its_form_is_shown(values):
    profile = profile_values(values, size=80)
    assert profile.detections[0].detector == "secret"
    assert profile.patterns == ()


@pytest.mark.parametrize(
    "values",
    [
        digests(lambda data: data.decode().zfill(32)),
        digests(lambda data: hashlib.sha256(data[:1]).hexdigest()),
        digests(lambda data: hashlib.sha256(data).hexdigest()[: 20 + len(data)]),
    ],
    ids=["numbers", "few values", "several lengths"],
)
def test_what_only_resembles_one_is_none(values):
    assert all(d.detector != "secret" for d in profile_values(values, size=80).detections)


def test_a_run_tells_of_a_column_of_digests_and_of_no_other():
    table = sheet("papers", "item,type,length,must,key\nno,N,4,1,1\nkept,A,64,,\nfew,A,64,,\nshort,A,8,,\nname,A,40,,")
    values = CONTENTS["hexadecimal"].to_pylist()
    rows = pl.LazyFrame({"kept": values, "few": values[:1] * 200, "short": ["0a1b2c3d"] * 200, "name": ["ab 12"] * 200})
    told = digests_of({"tests.papers": table.physical}, {"tests.papers": rows}).to_pylist()
    assert [(f["code"], f["severity"], f["table"], f["column"]) for f in told] == [
        ("V446", "alert", "tests.papers", "kept")
    ]
    few = digests_of({"tests.papers": table.physical}, {"tests.papers": rows.head(39)})
    assert few.num_rows == 0


FIELD = read_copybook("       01  R.\n           03  US-KAGI  PIC X(64).\n", file="r.cpy").fields()[0]


def test_a_draft_leaves_a_secret_with_the_reason_and_asks_about_what_looks_like_one():
    by_name = Given("US-KAGI", ("US-KAGI",), FIELD)
    assert by_name.secret(("password", "key")) == ("秘密情報 (key)。移行しない", "")
    assert by_name.secret(("password",)) == ("", "")
    like = Given("US-MEMO", ("US-MEMO",), FIELD, profile=profile_values(CONTENTS["base64"], size=64))
    reason, remark = like.secret(("password",))
    assert reason == "?"
    assert "looks like a secret" in remark


def test_a_named_secret_is_not_shown_masked_nor_revealed():
    assert _seen("OP-PASS", "opensesame", reveal=False) == _seen("OP-PASS", "opensesame", reveal=True) == HIDDEN
    assert _seen("OP-NO", "12", reveal=False) == "99"
    assert _seen("OP-NO", "12", reveal=True) == "12"
    assert _seen("OP-PASS", None, reveal=True) is None


HEAD = """\
title: {ja: 入札, en: tenders}
based_on: none (a system of the tests)
editions: {"1.0": 2026-04-01}
tables:
  tenders: {ja: 案件, en: tenders}
"""
ITEMS = """\
table,item,ja,en,type,length,must,key,since,sensitive
tenders,tender_no,案件番号,tender number,A,5,1,1,1.0,
tenders,title,件名,title,J,20,,,1.0,
tenders,officer,担当者,officer,J,20,,,1.0,1
tenders,floor_price,最低制限価格,lowest price,M,11,,,1.0,sealed
"""


def tenders(folder, items=ITEMS):
    (folder / "tenders").mkdir(parents=True)
    (folder / "tenders" / "system.yaml").write_text(HEAD, encoding="utf-8")
    (folder / "tenders" / "items.csv").write_text(items, encoding="utf-8")
    (folder / "code_sets.csv").write_text("code_set,ja,en\n", encoding="utf-8")
    return read_systems(folder, ("tenders",), folder)


@pytest.fixture
def login(engine, database_url):
    """Makes a login with some roles of the town; it reads a column, or is refused."""
    made = []

    def make(*granted):
        name = f"clerk{len(made)}_{sa.make_url(database_url).database}"
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE ROLE {name} LOGIN"))
            for role in granted:
                connection.execute(sa.text(f"GRANT {role} TO {name}"))
        made.append(name)
        url = sa.make_url(database_url).set(username=name).render_as_string(hide_password=False)

        def reads(column):
            with connect(url).connect() as connection:
                try:
                    return connection.execute(sa.text(f"SELECT {column} FROM tenders.tenders")).scalars().all()
                except sa.exc.DBAPIError as error:
                    return error.orig.sqlstate

        return reads

    yield make
    with engine.begin() as connection:
        for name in made:
            connection.execute(sa.text(f"DROP OWNED BY {name} CASCADE"))
            connection.execute(sa.text(f"DROP ROLE {name}"))


DENIED = "42501"


def test_readers_see_what_is_guarded_on_grounds_of_their_own_and_nobody_sees_what_is_sealed(engine, login, tmp_path):
    systems = tenders(tmp_path)
    for _ in range(2):
        installation.install(engine, systems, "990027")
    reader, grounds = login("hikkoshi_reader_990027"), login("hikkoshi_reader_990027", "hikkoshi_reader_sensitive")
    without = login("hikkoshi_reader_sensitive")
    assert [reader(c) for c in ("title", "officer", "floor_price", "*")] == [[], DENIED, DENIED, DENIED]
    assert [grounds(c) for c in ("title", "officer", "floor_price")] == [[], [], DENIED]
    # Who has grounds and no town sees no row of any, and not even the table.
    assert without("officer") == DENIED


def test_a_sheet_that_guards_a_column_later_closes_it_at_the_next_run(engine, login, tmp_path):
    installation.install(
        engine, tenders(tmp_path / "before", ITEMS.replace(",1\n", ",\n").replace("sealed", "")), "990027"
    )
    reader = login("hikkoshi_reader_990027")
    assert reader("floor_price") == []
    later = ITEMS + "tenders,opened,開札日,opened,D,,,,1.0,\n"
    installation.install(engine, tenders(tmp_path / "after", later), "990027")
    assert [reader(c) for c in ("opened_key", "officer", "floor_price")] == [[], DENIED, DENIED]
    with engine.connect() as connection:
        present = installation._present(connection, tenders(tmp_path / "again", later))
    assert set(present.readable) == {(area.schema("tenders"), "tenders") for area in installation.AREAS}
    assert PRODUCTION.sensitive_role == "hikkoshi_reader_sensitive"
