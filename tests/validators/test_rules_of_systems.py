"""Every rule that is known of the systems to come can be said: it is made, over tables as their descriptions have them.

The descriptions lie beside the project, in ../shared; where they do not, nothing can be made and the test is skipped.
"""

from __future__ import annotations

import csv
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from migration_reports.items import table_of
from target_schemas.systems import SYSTEMS
from tests.sheets import rule_of, sheet
from tests.validators import shape_tables
from tests.validators.shape_tables import Staged, failing_polars, frame
from validators import instances

CASES = Path(__file__).parents[1] / "cases"
KNOWN = yaml.load((CASES / "rules_of_systems.yaml").read_text("utf-8"), yaml.BaseLoader)
BETWEEN = {case["id"] for case in yaml.safe_load((CASES / "between_systems.yaml").read_text("utf-8"))}
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "rules.md"
DESCRIBED = Path(__file__).parents[3] / "shared" / "facts" / "systems"

TEXTS = [None, "", "1", "01", "2"]
VALUES = {
    **dict.fromkeys("NAKJLC", TEXTS),
    "N": [None, "1", "01", "2025", "2026", "202604", "20260401"],
    "I": [None, 0, 1, 2, 2026],
    "M": [None, Decimal(0), Decimal(100), Decimal(1550), Decimal(-100)],
    "R": [None, Decimal("0.1"), Decimal(1), Decimal("1.5")],
    "D": [None, "20250401", "20260401", "20260331", "20260400", "00000000", "20260229"],
    "T": [None, "0900", "1030", "2515"],
    "S": [None, "20260401090000", "20260331235959"],
}
"""What may stand in an item of each type."""


@pytest.fixture(scope="module")
def tables():
    if not DESCRIBED.is_dir():
        pytest.skip("the systems' descriptions are not beside the project (../shared)")
    columns = {}
    for path in sorted((DESCRIBED / "items").glob("[01]*.csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                columns.setdefault(f"{path.stem[3:]}.{row['table']}", []).append(column_of(row))
    for key, more in KNOWN["tables"].items():
        columns.setdefault(key, []).extend([*column.split(), ""][:3] for column in more.split(", "))
    made = {key: described(key, written) for key, written in columns.items()}
    return {**{t.physical.key: t.physical for system in SYSTEMS for t in system.tables}, **made}


def column_of(row):
    """Name, type and length; a time is written with its digits there."""
    if row["type"] == "T":
        return [row["item"], "S" if row["length"] == "14" else "T", ""]
    return [row["item"], row["type"], row["length"]]


def described(key, columns):
    system, name = key.split(".")
    lines = [",".join([*column, "" if at else "1"]) for at, column in enumerate(columns)]
    return sheet(name, "\n".join(["item,type,length,key", *lines]), system=system).physical


@pytest.fixture(scope="module")
def connection(server_url):
    with sa.create_engine(server_url, poolclass=sa.NullPool).connect() as connection:
        yield connection


def any_rows(key, table, rng):
    """Rows of few values, so that some fit and some do not."""
    items = [item for item in table_of(table).items if item.kind not in ("G", "B")]
    return frame(key, [{item.name: rng.choice(VALUES[item.kind]) for item in items} for _ in range(12)])


@pytest.mark.parametrize("system", KNOWN["systems"])
def test_every_rule_of_a_system_is_an_instance_of_a_shape(tables, connection, monkeypatch, system):
    """And both engines read it alike, over any rows."""
    own = {key.partition(".")[2]: key for key in tables if key.startswith(f"{system}.")}
    said = [one for one in KNOWN["systems"][system] if "by" not in one]
    declared = [
        rule_of(yaml.safe_dump({n: {**r, "source": "x"}}, sort_keys=False)) for one in said for n, r in one.items()
    ]
    made = instances.make(declared, tables, own=own, settings={"resident_number": {"length": "15"}})
    assert {rule.family for rule in made} == {rule.name for rule in declared}
    read = {key: tables[key] for rule in made for key in rule.reads}
    monkeypatch.setattr(shape_tables, "TABLES", read)
    rng = random.Random(system)
    frames = {key: any_rows(key, table, rng) for key, table in read.items()}
    with connection.begin_nested() as around:
        staged = Staged(connection)
        staged.fill(frames)
        assert failing_polars(made, frames) == staged.failing(made)
        around.rollback()


@pytest.mark.parametrize(
    "written", re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
)
def test_what_the_guide_shows_is_a_rule(tables, written):
    system = written.partition("\n")[0].removeprefix("# ")
    own = {key.partition(".")[2]: key for key in tables if key.startswith(f"{system}.")}
    shown = yaml.load(written, yaml.BaseLoader)["rules"]
    declared = [rule_of(yaml.safe_dump({name: said}, sort_keys=False)) for name, said in shown.items()]
    assert len(instances.make(declared, tables, own=own, settings={})) >= len(declared)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("system", KNOWN["systems"])
def test_none_of_them_is_left_out(system):
    (path,) = DESCRIBED.glob(f"[01][0-9]_{system}.md")
    rules, between = path.read_text("utf-8").partition("\n## Rules")[2].split("Cross-system", 1)
    assert len(KNOWN["systems"][system]) == len(re.findall(r"^\d+\. ", rules, re.MULTILINE))
    assert len(KNOWN["between"][system]) == len(re.findall(r"^- X\d", between, re.MULTILINE))
    assert set(KNOWN["between"][system]) <= BETWEEN


def test_few_rules_are_judged_elsewhere_and_none_is_written_twice():
    said = [one for rules in KNOWN["systems"].values() for one in rules]
    assert sum("by" in one for one in said) < len(said) / 10
    for system, rules in KNOWN["systems"].items():
        names = [name for one in rules for name in one]
        assert len(names) - names.count("by") == len(set(names) - {"by"}), system
