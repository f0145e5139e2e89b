"""Invented municipalities: the same seed the same bytes, households that hang together, faults where they are listed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dags.inspection.synthesis import synthesize
from dags.pipeline.municipality import load
from extractors.batches import Kind, extract
from extractors.synthesis import write
from extractors.synthesis.town._names import era_date, populate
from migration_reports.findings import SpecError

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


def make(town, out, **options):
    return synthesize(TOWNS / town, **{"residents": 500, "seed": 1, "faults": 0.0, "out": out, **options})


@pytest.mark.parametrize("town", ["990027_mihon", "990035_reiji"])
def test_the_same_seed_gives_the_same_bytes(town, tmp_path):
    first = make(town, tmp_path / "a", faults=0.1).dump.read_bytes()
    assert first == make(town, tmp_path / "b", faults=0.1).dump.read_bytes()
    assert first != make(town, tmp_path / "c", faults=0.1, seed=2).dump.read_bytes()


def test_households_hang_together():
    people = populate(5000, rng=np.random.default_rng(1))
    residents = people.residents.with_columns(family=pl.col("name").str.split("\u3000").list.first())
    assert residents.height == 5000
    heads = residents.group_by("household").agg((pl.col("relationship") == "01").sum().alias("heads"))
    assert heads["heads"].unique().to_list() == [1]
    assert residents.group_by("household").agg(pl.col("family").n_unique())["family"].max() == 1
    assert residents["resident_no"].n_unique() == 5000
    sizes = residents.group_by("household").len().sort("household")["len"]
    assert sizes.to_list() == people.households["members"].to_list()
    children = residents.filter(pl.col("relationship") == "11").join(
        residents.filter(pl.col("relationship") == "01"), on="household", suffix="_head"
    )
    assert (children["birth"] > children["birth_head"]).all(), "era dates of one form sort as they are numbered"
    assert (residents["resident_since"] >= residents["birth"]).all()
    assert (residents["changed"] <= residents["processed"]).all()


def test_era_dates_change_at_the_right_days():
    days = np.array(
        [
            "1912-07-29",
            "1912-07-30",
            "1926-12-24",
            "1926-12-25",
            "1989-01-07",
            "1989-01-08",
            "2019-04-30",
            "2019-05-01",
        ],
        "datetime64[D]",
    )
    assert era_date(days).tolist() == [1450729, 2010730, 2151224, 3011225, 3640107, 4010108, 4310430, 5010501]


@pytest.mark.parametrize(("town", "dump"), [("990027_mihon", "juki_master"), ("990035_reiji", "setai_kojin")])
def test_faults_are_where_they_are_listed_and_nowhere_else(town, dump, tmp_path):
    clean = make(town, tmp_path / "clean").dump.read_bytes()
    made = make(town, tmp_path / "faulty", faults=0.2)
    faulty = made.dump.read_bytes()
    reader = load(TOWNS / town).dumps[dump]
    length = reader.layout.length
    places = {f.name: (f.offset, f.width) for kind in reader.kinds for f in reader.layout.fields(kind.group)}
    listed = {(int(row["record"]), row["field"]) for row in csv.DictReader(made.faults.open(encoding="utf-8"))}
    assert len(listed) == made.faulty > 50
    a, b = (np.frombuffer(data, np.uint8).reshape(-1, length) for data in (clean, faulty))
    different = a != b
    different[-1] = False  # the trailer states the total of the valid amounts
    for record, field in listed:
        offset, width = places[field]
        assert different[record - 1, offset : offset + width].any()
        different[record - 1, offset : offset + width] = False
    assert not different.any()


def test_what_is_synthesized_decodes_without_a_finding(tmp_path):
    for town, dump in (("990027_mihon", "juki_master"), ("990035_reiji", "setai_kojin")):
        made = make(town, tmp_path / town)
        reader = load(TOWNS / town).dumps[dump]
        kinds = [Kind(k.name, k.field, k.values, k.group) for k in reader.kinds]
        with made.dump.open("rb") as stream:
            extraction = extract(
                stream,
                name=dump,
                layout=reader.layout,
                framing=reader.reading.framing,
                charset=reader.reading.charset,
                kinds=kinds,
            )
            assert sum(e.findings.num_rows for e in extraction) == 0
        assert extraction.account.records == made.records
        assert extraction.account.of_no_kind == extraction.account.left_over == 0


def test_a_municipality_without_a_recipe_is_told_so(tmp_path):
    (tmp_path / "town").mkdir()
    with pytest.raises(SpecError, match="there is no recipe"):
        write.synthesize(tmp_path / "town", residents=1, seed=1, faults=0, out=tmp_path)
    with pytest.raises(ValueError, match="residents must be"):
        make("990027_mihon", tmp_path, residents=0)
