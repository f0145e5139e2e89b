"""Runs whose dumps are cut: the same record, rows, findings and rejects as of the whole, and slices repeated alone."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from dags import runs, steps
from dags.inspection.synthesis import synthesize
from dags.pipeline import data_centre, run_folder
from dags.pipeline.folders import municipality_folder
from dags.pipeline.receiving.cuts import planned
from dags.pipeline.slice_files import staged_frame
from dags.pipeline.town import load, target_tables
from migration_reports.findings import RunError, TransientError
from migration_reports.records.counted import DumpAccount
from target_schemas.postgres import staging
from target_schemas.postgres.database import connect

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"
MIHON, REIJI = "990027_mihon", "990035_reiji"
LENGTHS = {MIHON: 400, REIJI: 240}
ANEW = {"run_id", "started", "finished", "timings", "former_run", "decision", "since"}
"""What differs between any two runs of the same bytes."""


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "towns"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)
    shutil.copytree(TOWNS, tmp_path / "towns")
    return tmp_path / "home"


def receive(home, town, *, change=None, spoil=True):
    folder = home.parent / "towns" / town
    manifest = folder / "resident_records/manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("rejects: 2%", "rejects: 60%"), encoding="utf-8")
    (made,) = synthesize(folder, residents=300, seed=5, faults=0.05, out=home / "inbox" / town)
    data, length = bytearray(made.dump.read_bytes()), LENGTHS[town]
    # Wherever slices of 25 records or of 50 meet, a record without a kind and one with a bad number stand side by side.
    for record in range(50, (len(data) // length - 1) * spoil, 50):
        data[(record - 1) * length] = 0xE7
        data[record * length + 60 : (record + 1) * length] = b"\xff" * (length - 60)
    made.dump.write_bytes(change(bytes(data)) if change else data)
    return made


def as_variable(data):
    """The same records after descriptor words."""
    return b"".join((244).to_bytes(2, "big") + b"\0\0" + data[at : at + 240] for at in range(0, len(data), 240))


def staged(run_id, town):
    """Every staged row in the database, and in the files in the order of the records."""
    run, municipality = run_folder.open_run(run_id), load(municipality_folder(town))
    rows, tables = {}, data_centre.run_tables(run, municipality)
    for table in target_tables(municipality):
        source = tables.staged[table.key]
        kept = [c for c in source.columns if c.name != "run_id"]
        with connect(os.environ["HIKKOSHI_DATABASE_URL"]).connect() as connection:
            rows[table.key] = sorted(map(tuple, connection.execute(sa.select(*kept))), key=str)
        frame = staged_frame(run.path, municipality, table.key).drop("run_id").collect()
        rows[f"file of {table.key}"] = frame.sort("source_dump", "source_record", "_offset").rows()
    return rows


def go(town):
    """Run every step; give everything that may be known of the run."""
    run_id = steps.begin(town)
    parts = steps.receive(run_id)
    for part in parts:
        steps.extract_map_stage(run_id, **part)
    steps.join_slices(run_id)
    rows = staged(run_id, town)
    steps.validate(run_id)
    if steps.reconcile(run_id).promotable:
        steps.approve(run_id, "test")
        steps.promote(run_id)
    steps.report(run_id)
    path = run_folder.run_path(run_id)
    record = runs.record(run_id).model_dump(exclude=ANEW)
    since = {row.pop("since") for row in record["gaiji"]}
    return {
        "since": since,
        "slices": len(parts),
        "record": record,
        "rows": rows,
        "findings": pl.read_ipc(path / "findings.arrow"),
        "rejects": pl.read_ipc(path / "rejects.arrow"),
    }


def family(home):
    manifest = home.parent / "towns" / REIJI / "resident_records/manifest.yaml"
    own = "    framing: variable\n    records: {person: {parent: household}}\n"
    manifest.write_text(manifest.read_text("utf-8") + own, encoding="utf-8")


@pytest.mark.parametrize(
    ("town", "change", "target", "least", "codes"),
    [
        (MIHON, None, 10_000, 12, {"F106", "C501"}),
        (MIHON, lambda data: data + b"\x40" * 399, 20_000, 6, {"F105", "F106"}),
        (REIJI, None, 6_000, 16, set()),
        (REIJI, as_variable, 6_000, 10, {"F106"}),
        (REIJI, lambda data: as_variable(data) + b"\0\0\0\0", 8_000, 7, {"F105", "F106", "F107"}),
    ],
    ids=["fixed", "fixed, bytes left over", "two kinds, promoted", "variable, families", "variable, damaged"],
)
def test_slices_and_the_whole_give_the_same_run(home, monkeypatch, town, change, target, least, codes):
    receive(home, town, change=change, spoil=bool(codes))
    if change is not None and town == REIJI:
        family(home)
    whole = go(town)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", str(target))
    cut = go(town)
    assert (whole.pop("slices"), cut["slices"] >= least) == (1, True)
    cut.pop("slices")
    # The second run follows the first: what was new then is open now.
    assert (whole.pop("since"), cut.pop("since")) == ({"new"}, {"open"})
    assert whole["rejects"].height > 3
    # A record of no kind is kept with its bytes, to be read again under other kinds.
    found = {issue["code"] for issue in whole["record"]["issues"]}
    assert set(whole["rejects"].filter(pl.col("kind").is_null())["codes"]) == found & {"F106"}
    assert codes <= found
    assert whole["record"]["state"] == ("held" if codes else "promoted")
    assert whole["record"]["gaiji"]
    for name in whole["record"]:
        assert cut["record"][name] == whole["record"][name], name
    assert cut["rows"] == whole["rows"]
    assert cut["findings"].equals(whole["findings"], null_equal=True)
    assert cut["rejects"].equals(whole["rejects"], null_equal=True)


def test_a_slice_is_repeated_alone_without_doubling(home, monkeypatch):
    receive(home, MIHON)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "20000")
    run_id = steps.begin(MIHON)
    parts = steps.receive(run_id)
    real, calls = staging._staged, []

    def away_once(*words, **more):
        calls.append(more["first"])
        if len(calls) == 2:
            raise TransientError("the database is away")
        return real(*words, **more)

    monkeypatch.setattr(staging, "_staged", away_once)
    for part in parts:
        try:
            steps.extract_map_stage(run_id, **part)
        except TransientError:
            with pytest.raises(RunError, match="juki_master 2 of 7 has not been read"):
                steps.join_slices(run_id)
            steps.extract_map_stage(run_id, **part)
    rows = staged(run_id, MIHON)
    assert len(rows["resident_records.residents"]) > 250
    for part in (parts[2], parts[-1], parts[0]):
        steps.extract_map_stage(run_id, **part)
        assert staged(run_id, MIHON) == rows
    steps.join_slices(run_id)
    assert run_folder.open_run(run_id).read(DumpAccount, "juki_master").read.records == 302


def test_other_slices_replace_the_former_ones(home, monkeypatch):
    receive(home, MIHON)
    run_id = steps.begin(MIHON)
    rows = []
    for target in ("20000", "20000", "35000", "9000", "1000000"):
        monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", target)
        for part in steps.receive(run_id):
            steps.extract_map_stage(run_id, **part)
        steps.join_slices(run_id)
        rows.append(staged(run_id, MIHON))
    assert all(some == rows[0] for some in rows)


def test_receiving_again_keeps_what_was_read(home, monkeypatch):
    receive(home, MIHON)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "20000")
    run_id = steps.begin(MIHON)
    for part in steps.receive(run_id):
        steps.extract_map_stage(run_id, **part)
    steps.receive(run_id)
    steps.join_slices(run_id)
    assert len(planned(run_folder.open_run(run_id), "juki_master")) == 7


def test_a_dump_that_changes_after_it_was_received_is_found_out(home, monkeypatch):
    made = receive(home, MIHON)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "20000")
    run_id = steps.begin(MIHON)
    parts = steps.receive(run_id)
    made.dump.write_bytes(made.dump.read_bytes()[:-400])
    for part in parts[:-1]:
        steps.extract_map_stage(run_id, **part)
    with pytest.raises(RunError, match="what was read of juki_master 7 of 7 has another SHA-256"):
        steps.extract_map_stage(run_id, **parts[-1])
    with pytest.raises(RunError, match="juki_master 7 of 7 has not been read"):
        steps.join_slices(run_id)


def test_only_names_and_numbers_are_handed_over_and_the_reason_is_said(home, monkeypatch, caplog):
    receive(home, REIJI, change=lambda data: as_variable(data)[:40_000] + b"\0\0\0\0" + as_variable(data))
    family(home)
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", "20000")
    with caplog.at_level(logging.INFO, logger="hikkoshi"):
        parts = steps.receive(steps.begin(REIJI))
    assert [sorted(part) for part in parts] == [["dump", "number"]] * len(parts)
    assert "setai_kojin: 2 slice(s): its records cannot be followed without reading the" in caplog.text


@pytest.mark.parametrize("wrong", ["0", "-1", "256 MB", "٣"])
def test_a_wrong_size_of_slices_says_what_it_must_be(monkeypatch, wrong):
    monkeypatch.setenv("HIKKOSHI_SLICE_BYTES", wrong)
    with pytest.raises(RunError, match="must be a number of bytes, such as 268435456"):
        run_folder.settings()
