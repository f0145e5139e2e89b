"""A batch becomes rows and findings, whatever the batch is cut into."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from dags.inspection.synthesis import synthesize
from dags.pipeline.town import load
from extractors.batches import extract
from mappings.engine import Mapper

TOWNS = Path(__file__).parents[2] / "mappings" / "municipalities"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return load(TOWNS / "990027_mihon")


def batches(town, tmp_path, **options):
    (made,) = synthesize(TOWNS / "990027_mihon", residents=400, seed=2, faults=0.2, out=tmp_path)
    reader = town.dumps["juki_master"]
    with made.dump.open("rb") as stream:
        out = list(
            extract(stream, name="juki_master", layout=reader.layout, framing=reader.reading.framing, charset=reader.reading.charset,
                    kinds=reader.kinds, **options)
        )  # fmt: skip
    return [e for e in out if e.kind == "resident"]


def mapped(town, parts):
    mapper = Mapper(list(town.plans.values()), "r")
    done = [mapper.map("juki_master.resident", e.batch, e.findings) for e in parts]
    tables = {t: pa.Table.from_batches([m.rows[t] for m in done]).combine_chunks() for t in done[0].rows}
    found = pl.concat([pl.DataFrame(pl.from_arrow(m.findings)) for m in done]).sort("record", "field", "code")
    return tables, found


def test_slices_map_as_the_whole_does(town, tmp_path):
    whole, said = mapped(town, batches(town, tmp_path))
    parts, said_of_parts = mapped(town, batches(town, tmp_path, batch_records=37))
    assert {t: rows.to_pydict() for t, rows in whole.items()} == {t: rows.to_pydict() for t, rows in parts.items()}
    assert said.equals(said_of_parts)


def test_a_field_that_feeds_several_columns_is_reported_once(town, tmp_path):
    _, said = mapped(town, batches(town, tmp_path))
    assert said.height > 40
    assert said.select("record", "field", "code").is_duplicated().sum() == 0
    assert said["mapping"].str.contains(r"^990027_mihon/resident_records/mapping\.yaml:\d+$").all()


def test_what_becomes_of_a_bad_value_is_the_columns_policy(tmp_path):
    def severity(policy):
        folder = Path(shutil.copytree(TOWNS / "990027_mihon", tmp_path / policy / "990027_mihon"))
        path = folder / "resident_records/mapping.yaml"
        path.write_text(
            path.read_text("utf-8").replace(
                "amount: {from: JJ-KAZEI}", f"amount: {{from: JJ-KAZEI, on_error: '{policy}'}}"
            ),
            encoding="utf-8",
        )
        changed = load(folder)
        _, said = mapped(changed, batches(changed, tmp_path / policy))
        return set(said.filter((pl.col("field") == "JJ-KAZEI") & (pl.col("code") == "D201"))["severity"])

    assert severity("reject") == {"error"}
    assert severity("null") == {"alert"}


def test_an_amount_too_long_for_its_column_is_a_finding_and_no_crash(town, tmp_path):
    (part,) = batches(town, tmp_path)
    index = part.batch.schema.get_field_index("JJ-KAZEI")
    long = pa.array([10**13] * part.batch.num_rows)
    batch = part.batch.set_column(index, part.batch.schema.field(index), long)
    done = Mapper(list(town.plans.values()), "r").map("juki_master.resident", batch, part.findings.slice(0, 0))
    codes = pl.DataFrame(pl.from_arrow(done.findings)).filter(pl.col("field") == "JJ-KAZEI")
    assert set(codes["code"]) == {"M314"}
    assert codes.height == batch.num_rows
    assert done.rows["resident_records.tax_amounts", 0]["amount"].null_count == batch.num_rows
