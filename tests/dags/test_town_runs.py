"""A town without faults passes every rule, whatever the vendor's way of writing it down."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from dags import runs
from dags.inspection.synthesis import synthesize

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.mark.parametrize("town", ["990027_mihon", "990035_reiji", "990051_tehon"])
def test_a_town_without_faults_passes_every_rule(town, tmp_path, monkeypatch, database_url):
    home, towns = tmp_path / "home", tmp_path / "mappings" / "municipalities"
    shutil.copytree(TOWNS.parent / "packages", towns.parent / "packages")
    shutil.copytree(TOWNS / town, towns / town)
    monkeypatch.setenv("HIKKOSHI_HOME", str(home))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(towns))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    (made,) = synthesize(towns / town, residents=700, seed=4, faults=0, out=home / "inbox" / town)
    assert made.faulty == 0
    record = runs.run_all(town)
    assert record.state == "promoted", record.state_reason_en
    assert pl.read_ipc(home / "runs" / record.run_id / "findings.arrow").is_empty()
    assert len(record.rules) > 15
    assert all(rule.agrees for rule in record.rules)
    assert all(reference.dangling == reference.fell == 0 for reference in record.references)
    assert all(control.agrees for control in record.controls)
