"""A data centre of two databases: each town's rows, ledger and decisions lie in its own, and nothing of it in the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dags import known_runs, runs
from dags.cli import app
from dags.inspection.synthesis import synthesize
from migration_reports.findings import UsageError
from target_schemas.postgres.database import connect
from tests.conftest import own_database

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
MIHON, REIJI, TEHON = "990027_mihon", "990035_reiji", "990051_tehon"


@pytest.fixture
def urls(server_url, tmp_path, monkeypatch):
    with own_database(server_url) as east, own_database(server_url) as west:
        file = tmp_path / "databases.yaml"
        groups = {
            "east": {"url": east, "municipalities": ["990027"]},
            "west": {"url": west, "municipalities": ["990035"]},
        }
        file.write_text(json.dumps({"databases": groups}), encoding="utf-8")
        file.chmod(0o600)
        monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HIKKOSHI_DATABASES", str(file))
        monkeypatch.delenv("HIKKOSHI_DATABASE_URL", raising=False)
        for town in (MIHON, REIJI):
            inbox = tmp_path / "home" / "inbox" / town
            synthesize(TOWNS / town, residents=200, seed=1, faults=0, out=inbox)
        yield {"east": east, "west": west}


def towns_in(url):
    query = sa.text("SELECT DISTINCT municipality_code FROM resident_records_rehearsal.residents")
    with connect(url).connect() as connection:
        return list(connection.execute(query).scalars())


def test_each_town_goes_into_its_own_database_and_every_command_finds_it_there(urls):
    mihon, reiji = runs.run_all(MIHON), runs.run_all(REIJI)
    assert {name: towns_in(url) for name, url in urls.items()} == {"east": ["990027"], "west": ["990035"]}
    assert [record.versions["postgresql"].split()[-1] for record in (mihon, reiji)] == ["(east)", "(west)"]
    assert [(e.run_id, e.database) for e in known_runs.list_runs(None)] == [
        (mihon.run_id, "east"),
        (reiji.run_id, "west"),
    ]
    assert [e.run_id for e in known_runs.list_runs("reiji")] == [reiji.run_id]
    listed = CliRunner().invoke(app, ["runs"], env={"COLUMNS": "250"}).stdout.splitlines()
    assert [line.split()[0 :: len(line.split()) - 1] for line in listed] == [
        ["run", "database"],
        [mihon.run_id, "east"],
        [reiji.run_id, "west"],
    ]
    known_runs.withdraw(reiji.run_id, by="a clerk", reason="a test")
    assert {name: towns_in(url) for name, url in urls.items()} == {"east": ["990027"], "west": []}
    assert runs.record(mihon.run_id).state == "promoted"
    assert runs.record(reiji.run_id).state == "withdrawn"


def test_a_town_that_has_no_database_is_refused_before_anything_is_begun(urls, tmp_path):
    with pytest.raises(UsageError, match="no database is named for the municipality 990051"):
        runs.run_all(TEHON)
    assert not list((tmp_path / "home" / "runs").iterdir())
