"""Checks between systems, each over tables of its own, in both engines; in Polars also in shares of their groups."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from tests.sheets import rule_of, sheet
from tests.validators import shape_tables
from tests.validators.shape_tables import Staged, failing_polars, frame
from validators import instances

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "between_systems.yaml").read_text("utf-8"))


def tables_of(case):
    """The tables, each of `name TYPE length, ...`."""
    found = {}
    for key, written in case["tables"].items():
        system, name = key.split(".")
        columns = [[*column.split(), ""][:3] for column in written.split(", ")]
        lines = [",".join([*column, "" if at else "1"]) for at, column in enumerate(columns)]
        found[key] = sheet(name, "\n".join(["item,type,length,key", *lines]), system=system).physical
    return found


def rules_of(case, tables):
    """The rules of every system that declares some."""
    for name, said in case["rules"].items():
        system = name.partition(".")[0]
        own = {key.partition(".")[2]: key for key in tables if key.startswith(f"{system}.")}
        rule = rule_of(yaml.safe_dump({name: {**said, "source": "these tests"}}, sort_keys=False, allow_unicode=True))
        yield from instances.make([rule], tables, own=own, settings={})


@pytest.fixture(scope="module")
def connection(server_url):
    with sa.create_engine(server_url, poolclass=sa.NullPool).connect() as connection:
        yield connection


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_both_engines_find_what_does_not_fit_between_systems(connection, monkeypatch, case):
    tables = tables_of(case)
    monkeypatch.setattr(shape_tables, "TABLES", tables)
    made = list(rules_of(case, tables))
    frames = {key: frame(key, case["rows"].get(key, [])) for key in tables}
    assert failing_polars(made, frames) == case["failing"]
    assert failing_polars(made, frames, shares=3) == case["failing"]
    with connection.begin_nested() as around:
        staged = Staged(connection)
        staged.fill(frames)
        assert staged.failing(made) == case["failing"]
        around.rollback()


def test_every_check_has_rows_that_pass_and_rows_that_fail():
    for case in CASES:
        for name, said in case["rules"].items():
            table = said["of"] if "." in said["of"] else f"{name.partition('.')[0]}.{said['of']}"
            failing = [
                record for rule, records in case["failing"].items() if rule.startswith(name) for record in records
            ]
            assert len(case["failing"][name]) < len(case["rows"][table]), name
            assert failing or name == "network.trailer_count", name
