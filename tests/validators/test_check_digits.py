"""Of the ten last digits that a number may have, one fits, in Polars and in SQL alike, and the rule's own text agrees."""

from __future__ import annotations

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from migration_reports.findings import SpecError
from target_schemas.postgres.database import connect
from validators.shapes import NUMBERINGS


def passing(check, texts):
    frame = pl.DataFrame({"c": texts})
    return frame.filter(~check.failing("c"))["c"].to_list()


CHECKS = {name: kind.check(8, {}) for name, kind in NUMBERINGS.items() if not kind.options}


@settings(deadline=None, max_examples=60)
@given(data=st.data(), name=st.sampled_from(sorted(CHECKS)))
def test_exactly_one_check_digit_fits(data, name):
    check = CHECKS[name]
    body = data.draw(st.text("0123456789", min_size=check.length - 1, max_size=check.length - 1))
    texts = [f"{body[: check.at]}{digit}{body[check.at :]}" for digit in range(10)]
    assert len(passing(check, texts)) == 1


@settings(deadline=None, max_examples=60)
@given(body=st.text("0123456789", min_size=11, max_size=11))
def test_the_individual_number_follows_the_ministrys_own_formula(body):
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(body), 1))
    expected = 0 if total % 11 <= 1 else 11 - total % 11
    assert passing(CHECKS["individual_number"], [f"{body}{digit}" for digit in range(10)]) == [f"{body}{expected}"]


@settings(deadline=None, max_examples=60)
@given(body=st.text("0123456789", min_size=12, max_size=12))
def test_the_corporate_number_follows_the_ministrys_own_formula(body):
    total = sum(int(digit) * (1 if n % 2 else 2) for n, digit in enumerate(reversed(body), 1))
    assert passing(CHECKS["corporate_number"], [f"{digit}{body}" for digit in range(10)]) == [f"{9 - total % 9}{body}"]


def test_sql_agrees_on_anything(data_centre, database_url):
    texts = [
        "",
        "0",
        "011002",
        "011003",
        "０１１００２",
        "01100a",
        "0110022",
        "-11002",
        "7000012050002",
        "33120015",
        "33120016",
        "'; --",
    ]
    texts += [f"{n:06}" for n in range(0, 1_000_000, 9973)] + [f"{n:08}" for n in range(0, 10**8, 999_983)]
    for name, check in CHECKS.items():
        values = sa.values(sa.column("c", sa.Text), name="t").data([(text,) for text in texts])
        query = sa.select(sa.column("c")).select_from(values).where(sa.text(check.sql("c")))
        with connect(database_url).connect() as connection:
            failing = set(connection.execute(query).scalars())
        assert set(texts) - failing == set(passing(check, texts)), name


@pytest.mark.parametrize(
    "options",
    [
        {"length": "1"},
        {"length": "x"},
        {"weights": "2 3"},
        {"length": "10", "weights": "0"},
        {"length": "10", "ten": "X"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(options):
    with pytest.raises(SpecError, match="Y043"):
        NUMBERINGS["resident_number"].check(15, options)
