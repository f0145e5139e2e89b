"""What waits for every dump: joins over slices and shares of keys, and numbers that stay from run to run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from dags import runs
from dags.inspection.synthesis import synthesize
from dags.pipeline import waiting
from dags.pipeline.town import load
from migration_reports.findings import RunError
from target_schemas.postgres.database import connect

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
REIJI = "990035_reiji"


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS / REIJI, tmp_path / "towns" / REIJI)
    return tmp_path / "home"


def receive(home, residents=300):
    return synthesize(home.parent / "towns" / REIJI, residents=residents, seed=5, faults=0, out=home / "inbox" / REIJI)[
        0
    ]


def own(home, text):
    """Add to what the municipality says beyond its package."""
    path = home.parent / "towns" / REIJI / "resident_records/mapping.yaml"
    path.write_text(f"system: resident_records\n{text}", encoding="utf-8")


def rows(url, *columns, table="residents"):
    with connect(url).connect() as connection:
        return sorted(
            connection.execute(sa.text(f"SELECT {', '.join(columns)} FROM resident_records_rehearsal.{table}")).all()
        )


def test_a_resident_has_the_address_of_its_household_however_keys_are_shared(home, database_url, monkeypatch):
    receive(home)
    assert runs.run_all(REIJI).state == "promoted"
    whole = rows(database_url, "resident_no", "household_no", "address", "postal_code")
    homes = dict(rows(database_url, "household_no", "address", table="households"))
    assert len(whole) == 300
    assert all(address and address == homes[household] for _, household, address, _ in whole)
    monkeypatch.setattr(waiting, "IN_MEMORY", 20)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "6000")
    record = runs.run_all(REIJI, rehearsal=2)
    assert record.state == "promoted"
    assert rows(database_url, "resident_no", "household_no", "address", "postal_code") == whole
    assert all(line.closes for line in record.reconciliations)


NUMBERED = """
tables:
  residents:
    columns:
      resident_no: {from: KJ-KOJIN-NO, transforms: [{assign: {series: resident, width: 8}}]}
  tax_amounts:
    columns:
      resident_no: {from: KJ-KOJIN-NO, transforms: [{assign: {series: resident, width: 8, new: "NEW"}}]}
"""


def test_numbers_stay_from_run_to_run_and_are_the_cross_reference(home, database_url):
    receive(home, 100)
    own(home, NUMBERED.replace("NEW", "no"))
    first = runs.run_all(REIJI)
    assert first.state == "promoted", first.state_reason_en
    numbers = rows(database_url, "resident_no", "source_record")
    assert [number for number, _ in numbers] == [f"{n:08}" for n in range(1, 101)]
    assert rows(database_url, "resident_no", "source_record", table="tax_amounts") == numbers
    receive(home, 140)
    assert runs.run_all(REIJI, rehearsal=2).state == "promoted"
    with connect(database_url).connect() as connection:
        known = connection.execute(sa.text("SELECT source_key, number, run_id FROM ledger.numbers")).all()
    assert len(known) == 140
    assert {n for _, n, run in known if run == first.run_id} == set(range(1, 101))


def test_a_key_that_was_never_numbered_is_a_finding_and_no_number(home, database_url):
    receive(home, 20)
    own(home, NUMBERED.replace("NEW", "no").replace("residents:\n", "residents:\n    when: '\"KJ-SEI\" = ''1'''\n", 1))
    record = runs.run_all(REIJI)
    issue = next(i for i in record.issues if i.code == "M318")
    with connect(database_url).connect() as connection:
        numbered = connection.execute(sa.text("SELECT count(*) FROM ledger.numbers")).scalar_one()
    assert 0 < numbered < 20
    assert issue.count == 20 - numbered
    assert (issue.severity, issue.table, issue.column) == ("error", "resident_records.tax_amounts", "resident_no")


def test_a_limit_of_a_column_holds_the_run_or_stops_it(home, database_url):
    (made,) = synthesize(home.parent / "towns" / REIJI, residents=200, seed=5, faults=0, out=home / "inbox" / REIJI)
    data = bytearray(made.dump.read_bytes())
    offset = next(f.offset for f in load(home.parent / "towns" / REIJI).dumps["setai_kojin"].layout.fields("SK-KOJIN") if f.name == "KJ-SEI")  # fmt: skip
    for record in range(len(data) // 240):
        if data[record * 240] == 0xD2 and record % 10 == 0:
            data[record * 240 + offset] = 0xF7
    made.dump.write_bytes(data)
    column = "tables: {residents: {columns: {sex: {on_error: default, default: '9', LIMIT}}}}\n"
    own(home, column.replace("LIMIT", "at_most: 1%"))
    record = runs.run_all(REIJI)
    assert record.state == "held"
    assert {i.code for i in record.issues} >= {"C514", "M310"}
    assert [(u.column, u.value) for u in record.unknown_codes] == [("sex", "7")]
    own(home, column.replace("LIMIT", "stop_after: 3"))
    with pytest.raises(
        RunError, match=r"column sex of resident_records.residents has \d+ wrong values, and stop_after is 3"
    ):
        runs.run_all(REIJI)
    own(home, column.replace("LIMIT", "at_most: 50%"))
    assert runs.run_all(REIJI).state == "promoted"
    assert ("9",) in rows(database_url, "sex")
