"""Rows of which none may be lost: which of the rejected rows they are, and what is said of a condition that cannot be used."""

from __future__ import annotations

import dataclasses
import shutil

import pyarrow as pa
import pytest
import yaml

from migration_reports.findings import SpecError
from migration_reports.items import CriticalRows
from migration_reports.trouble import Position
from target_schemas.postgres import settling
from target_schemas.sheets import read_systems
from tests.broken_sheets import SYSTEMS
from tests.counted import staged_alone
from tests.sheets import sheet
from tests.staged_runs import rejects, run_tables
from validators.critical import critical_rows

PLACE = Position("tests/system.yaml", 9, 5)
KEY = "tests.victims"
ROWS = [("0", "20270401", 5), ("1", "20270331", 5), (None, "20270401", 0), ("0", None, 9)]


def victims(said):
    table = sheet(
        "victims",
        """
        item,ja,type,length,must,key
        no,番号,N,5,1,1
        disclose,開示,C,1,,
        day,日,D,,,
        rooms,室数,I,3,,
        """,
    )
    return dataclasses.replace(table, critical_rows=CriticalRows(said, PLACE)).physical


def staged(table):
    count = len(ROWS)
    text = {c.name: pa.nulls(count, pa.string()) for c in table.columns}
    disclose, day, rooms = zip(*ROWS, strict=True)
    return pa.table(
        text
        | {
            "municipality_code": pa.array(["990027"] * count),
            "no": pa.array([str(n) for n in range(count)]),
            "disclose": pa.array(disclose, pa.string()),
            "day_key": pa.array(day, pa.string()),
            "day_precision": pa.array([None if d is None else "day" for d in day], pa.string()),
            "rooms": pa.array(rooms, pa.int64()),
            "source_dump": pa.array(["d"] * count),
            "source_record": pa.array(range(1, count + 1), pa.int64()),
            "run_id": pa.array(["r"] * count),
            "_offset": pa.array([0] * count, pa.int64()),
            "_rank": pa.array([0] * count, pa.int64()),
            "_part": pa.array([0] * count, pa.int16()),
        }
    )


@pytest.mark.parametrize(
    ("said", "rejected", "lost"),
    [
        ({"disclose": ("0",)}, [1, 2, 4], 2),
        ({"disclose": ("0",)}, [2], 0),
        # What does not say whether it is one counts as one.
        ({"disclose": ("0",)}, [2, 3], 1),
        ({"disclose": ("0", "1")}, [1, 2], 2),
        ({"disclose": ("0",), "rooms": ("5",)}, [1, 4], 1),
        ("disclose = '0' and day >= '20270401'", [1, 2, 4], 2),
        ("rooms > 5 or disclose in ('2', '3')", [1, 2, 4], 1),
    ],
)
def test_rejected_rows_of_which_none_may_be_lost(data_centre, database_url, said, rejected, lost):
    table = victims(said)
    staged_alone(data_centre, database_url, "r1", [table], {KEY: staged(table)})
    its = run_tables("r1", [table], frozenset())
    counts = settling.settle(
        data_centre, database_url, its, rejected=rejects(rejected), critical=critical_rows([table])
    )
    assert (counts[KEY, "d", 0].rejected, counts[KEY, "d", 0].critical) == (len(rejected), lost)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ({"disclos": ("0",)}, "R004", "did you mean `disclose`"),
        ({"rooms": ("many",)}, "R002", "rooms is a number"),
        ("disclose is", "R006", "`null` is missing"),
        ("day > '2027'", "R006", "a day is written 'YYYYMMDD'"),
    ],
)
def test_a_condition_that_cannot_be_used_is_told_with_its_place(said, code, message):
    with pytest.raises(SpecError) as told:
        critical_rows([victims(said)])
    (problem,) = told.value.problems
    assert (problem.code, problem.position) == (code, PLACE)
    assert message in str(problem)


@pytest.mark.parametrize(
    ("written", "said"),
    [({"state": "1"}, {"state": ("1",)}), ({"state": ["1", "2"]}, {"state": ("1", "2")}), ("pages > 3", "pages > 3")],
)
def test_a_sheet_says_it(tmp_path, written, said):
    shutil.copytree(SYSTEMS, tmp_path, dirs_exist_ok=True)
    head = tmp_path / "library" / "system.yaml"
    sheet = yaml.load(head.read_text("utf-8"), yaml.BaseLoader)
    sheet["tables"]["books"]["critical_when"] = written
    head.write_text(yaml.safe_dump(sheet, allow_unicode=True), encoding="utf-8")
    (system,) = read_systems(tmp_path, ["library"], tmp_path / "codes")
    rows = system.table("books").critical_rows
    assert (rows.said, rows.place.file) == (said, "library/system.yaml")
    assert list(critical_rows([system.table("books").physical])) == ["library.books"]
