"""Controls by group, of parents and by hash, and records that are left, through whole runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import yaml

from dags import runs
from dags.inspection.synthesis import synthesize
from target_schemas.postgres.database import connect

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
TOWN = "990027_mihon"
SEXES = {"1": "1", "2": "2"}


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS, tmp_path / "towns")
    synthesize(tmp_path / "towns" / TOWN, residents=400, seed=5, faults=0, out=tmp_path / "home" / "inbox" / TOWN)
    return tmp_path / "home"


def say(home, *, controls=(), leave=()):
    """Add controls to the manifest, and records that are left to the mapping."""
    folder = home.parent / "towns" / TOWN / "resident_records"
    manifest = yaml.load((folder / "manifest.yaml").read_text("utf-8"), yaml.BaseLoader)
    manifest["dumps"]["juki_master"]["controls"] += list(controls)
    (folder / "manifest.yaml").write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    mapping = yaml.load((folder / "mapping.yaml").read_text("utf-8"), yaml.BaseLoader)
    if leave:
        mapping["leave"] = {"juki_master.resident": list(leave)}
    (folder / "mapping.yaml").write_text(json.dumps(mapping, ensure_ascii=False), encoding="utf-8")


def promoted(url, query):
    with connect(url).connect() as connection:
        return connection.execute(sa.text(query)).all()


def totals(url):
    """By sex and reason of change: records and amounts, as a run without any fault has promoted them."""
    return promoted(
        url,
        "SELECT sex, change_reason, count(*), sum(amount) FROM resident_records_rehearsal.residents "
        "JOIN resident_records_rehearsal.tax_amounts USING (municipality_code, source_record) GROUP BY 1, 2 ORDER BY 1, 2",
    )


def old_codes(home):
    table = home.parent / "towns" / TOWN / "resident_records" / "codes" / "change_reason.csv"
    return {line.split(",")[1]: line.split(",")[0] for line in table.read_text("utf-8").splitlines()[1:]}


def statement(home, url, *, unit=1):
    """A control file as the old system would write it: its own codes, yen with commas, and a triangle for less than none."""
    old = old_codes(home)
    lines = [f"{sex},{old[why]},{count},\"{amount // unit:,}\"" for sex, why, count, amount in totals(url)]
    return "\n".join(["性別,事由,件数,課税額", *lines, ""])


BY = {"JJ-SEIBETSU": "性別", "JJ-IDO-JIYU": "事由"}
COUNT = {"count": "resident", "by": BY, "equals": "kazei.csv#件数"}
SUM = {"sum": "resident.JJ-KAZEI", "by": BY, "equals": "kazei.csv#課税額"}


def receive(home, text, encoding="cp932"):
    (home / "inbox" / TOWN / "kazei.csv").write_bytes(text.encode(encoding))


def grouped(record):
    return [control for control in record.controls if control.by]


@pytest.mark.parametrize("slice_bytes", ["40000", None])
def test_a_control_file_is_received_proved_and_followed_to_the_promoted_rows(home, database_url, monkeypatch, slice_bytes):
    if slice_bytes:
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", slice_bytes)
    runs.run_all(TOWN)
    receive(home, statement(home, database_url))
    say(home, controls=[COUNT, SUM])
    record = runs.run_all(TOWN)
    assert record.state == "promoted", record.state_reason_en
    groups = len(totals(database_url))
    assert groups > 4
    assert [(c.agrees, c.groups, c.differing) for c in grouped(record)] == [(True, groups, 0)] * 2
    receipt = next(r for r in record.receipts if r.role == "control")
    assert (receipt.file, receipt.status, receipt.charset, receipt.dump) == ("kazei.csv", "received", "cp932", "juki_master")
    assert [e.kind for e in record.evidence if e.name == "kazei.csv"] == ["control"]
