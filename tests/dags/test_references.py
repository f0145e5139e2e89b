"""Whole runs: no promoted row names a row that was not promoted, but those that the report lists as alerts."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs, steps
from dags.inspection.synthesis import synthesize
from migration_reports.pages.render import question
from target_schemas.postgres.database import connect
from tests.resident_records import SYSTEM

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
LENGTH = 240
"""Bytes of a record of setai_kojin."""


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS, tmp_path / "towns")
    return tmp_path / "home"


def receive(home, town, *, faults=0.0, residents=1000):
    folder = home.parent / "towns" / town
    return synthesize(folder, residents=residents, seed=3, faults=faults, out=home / "inbox" / town)[0].dump


def findings(home, run_id):
    return pl.read_ipc(home / "runs" / run_id / "findings.arrow")


def dangling(url):
    """Where the promoted rows come from that name no promoted row, asked of the promoted tables alone."""
    lost = {}
    with connect(url).connect() as connection:
        for table in SYSTEM.tables:
            for reference in table.references:
                (column,), (target,) = reference.columns, reference.target
                query = (
                    f"SELECT source_record FROM resident_records_rehearsal.{table.name} AS child WHERE {column} IS NOT NULL AND NOT EXISTS "
                    f"(SELECT 1 FROM {reference.table.replace('.', '_rehearsal.')} AS parent WHERE parent.{target} = child.{column} "
                    "AND parent.municipality_code = child.municipality_code) ORDER BY source_record"
                )
                lost[f"{table.physical.key}.{column}"] = connection.execute(sa.text(query)).scalars().all()
    return lost


@pytest.mark.parametrize(("town", "found"), [("990027_mihon", False), ("990051_tehon", True)])
def test_no_promoted_row_dangles_unsaid(home, database_url, town, found):
    receive(home, town, faults=0.01)
    record = runs.run_all(town)
    assert record.state == "promoted", record.state_reason_en
    lost = dangling(database_url)
    assert {f"{r.table}.{r.columns[0]}": (r.dangling, r.dangling_gx) for r in record.references} == {
        name: (len(records), len(records)) for name, records in lost.items()
    }
    said = findings(home, record.run_id).filter(pl.col("code").is_in(["V405", "V406"]))
    heads = lost.pop("resident_records.households.head_resident_no")
    assert said.select("record", "severity", "table", "column").sort("record").rows() == [
        (n, "alert", "resident_records.households", "head_resident_no") for n in heads
    ]
    assert bool(heads) is found
    assert not any(lost.values())
    shown = next(r for r in record.references if r.table == "resident_records.households")
    assert [p.record for p in shown.first] == heads[:5]
    assert [(p.record, p.offset) for p in shown.first] == said.select("record", "offset").sort("record").rows()[:5]


def spoil_households(dump, count):
    """Spoil the average amount of some households; gives their records and those of their members."""
    data = bytearray(dump.read_bytes())
    kinds = data[::LENGTH]
    houses = [n for n, kind in enumerate(kinds) if kind == 0xE2][5 : 5 + count]
    members = []
    for n in houses:
        data[n * LENGTH + 80 + 7 + 4 : n * LENGTH + 80 + 7 + 4 + 6] = b"\x40" * 6
        members += [m + 1 for m in range(n + 1, kinds.index(0xE2, n + 1))]
    dump.write_bytes(data)
    return [n + 1 for n in houses], members


@pytest.mark.parametrize("slice_bytes", ["", "50000"])
def test_the_members_of_a_rejected_household_fall_with_it_in_all_tables(home, database_url, monkeypatch, slice_bytes):
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    dump = receive(home, "990035_reiji")
    houses, members = spoil_households(dump, 3)
    record = runs.run_all("990035_reiji")
    assert record.state == "promoted", record.state_reason_en
    found = findings(home, record.run_id)
    assert found.filter(pl.col("code") == "D201")["record"].to_list() == houses
    fallen = found.filter(pl.col("code") != "D201")
    assert fallen["record"].to_list() == members
    assert fallen.select("code", "severity", "kind", "field", "table", "column").unique().rows() == [
        ("V406", "error", "person", "KJ-SETAI-NO", "resident_records.residents", "household_no")
    ]
    assert fallen["offset"].to_list() == [(n - 1) * LENGTH + 1 for n in members]
    assert fallen["mapping"].str.contains("ibm_setai/mapping.yaml:").all()
    kept = pl.read_ipc(home / "runs" / record.run_id / "rejects.arrow")
    assert kept["record"].to_list() == sorted(houses + members)
    assert record.rejects == len(houses + members)
    assert not any(dangling(database_url).values())
    with connect(database_url).connect() as connection:
        for table in ("residents", "tax_amounts"):
            left = set(
                connection.execute(sa.text(f"SELECT source_record FROM resident_records_rehearsal.{table}")).scalars()
            )
            assert len(left) == 1000 - len(members)
            assert left.isdisjoint(members)
    assert {f"{r.table}.{r.columns[0]}": r.fell for r in record.references if r.fell} == {
        "resident_records.residents.household_no": len(members)
    }
    assert all(line.closes for line in record.reconciliations)
    assert all(amount.agrees for amount in record.amounts)
    assert (
        rf"| resident\_records.residents.household\_no → resident\_records.households.household\_no | {1000 - len(members)} | {len(members)} | 0 |"
        in (question(record))
    )


def test_a_protective_measure_that_falls_holds_the_run(home):
    town = home.parent / "towns" / "990035_reiji"
    (town / "resident_records/mapping.yaml").write_text(
        """system: resident_records
tables:
  protective_measures:
    from: setai_kojin.person
    columns:
      resident_no: {from: KJ-KOJIN-NO, transforms: [{digits: {width: 11}}]}
      measure_kind: {constant: "01"}
""",
        encoding="utf-8",
    )
    _, members = spoil_households(receive(home, "990035_reiji"), 1)
    record = runs.run_all("990035_reiji")
    assert record.state == "held"
    assert "protective measure" in record.state_reason_en
    lost = next(line for line in record.reconciliations if line.table == "resident_records.protective_measures")
    assert lost.rows_rejected == len(members) > 0


def test_a_constant_that_names_nothing_rejects_its_record_too(home):
    town = home.parent / "towns" / "990035_reiji"
    (town / "resident_records/mapping.yaml").write_text(
        """system: resident_records
without: [tables.residents.columns.household_no.from, tables.residents.columns.household_no.transforms]
tables:
  residents:
    columns:
      household_no: {constant: "999999999"}
""",
        encoding="utf-8",
    )
    receive(home, "990035_reiji", residents=60)
    record = runs.run_all("990035_reiji")
    assert (record.state, record.rejects) == ("held", 60)
    assert [(i.severity, i.count) for i in record.issues if i.code == "V405"] == [("error", 60)]


def test_validating_again_finds_the_same(home):
    receive(home, "990051_tehon", faults=0.05)
    run_id = steps.begin("990051_tehon")
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    path = home / "runs" / run_id / "findings" / "validate.arrow"
    first = steps.validate(run_id)
    found = pl.read_ipc(path.read_bytes())
    assert {"V404", "V406"} <= set(found["code"])
    assert steps.validate(run_id) == first
    assert pl.read_ipc(path.read_bytes()).equals(found)
    steps.fail(run_id, "the end of this test")
    steps.report(run_id)
