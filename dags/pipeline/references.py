"""Judging a run's references over the rows that it would promote: from the Arrow files, and in the database."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import findings_store
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality, one_per_key, target_tables
from migration_reports.findings import FIRST_PLACES, join_findings
from migration_reports.items import Reference, table_of
from migration_reports.records.run_record import Place, ReferenceResult
from target_schemas.postgres import staging
from validators import derived, engine
from validators.engine import PLACE, Origins
from validators.references import Judged, judge
from validators.shapes.contract import Frames


def judge_references(
    run: Run,
    municipality: Municipality,
    frames: Frames,
    missing: Mapping[str, pl.DataFrame],
    *,
    database: sa.Engine,
    url: str,
) -> tuple[tuple[ReferenceResult, ...], pa.RecordBatch]:
    """Judge every reference over what would be promoted, now that the rules have said which records are rejected.

    Args:
        run: the run, whose findings so far are written.
        municipality: whose it is.
        frames: the staged rows by table.
        missing: by rule name the rows that failed over all staged rows; their parents never came, as was said then.
        database: the database.
        url: the same, for Great Expectations.

    Returns:
        What became of each reference; and findings, one for each record that falls with a parent or stays without it.
    """
    tables = {table.key: table for table in target_tables(municipality)}
    references = derived.references(tables)
    rules = [derived.promoted_reference(table, reference) for table, reference in references]
    if not rules:
        return (), join_findings([])
    once, origins = one_per_key(municipality), findings_store.origins(municipality)
    rejected = pl.DataFrame(pl.from_arrow(findings_store.rejected_records(run)))
    with staging.promotable_views(database, run.run_id, list(tables.values()), once) as schema:

        def count(rejected: pl.DataFrame) -> Mapping[str, int]:
            staging.note_rejected(database, url, run.run_id, rejected.to_arrow())
            return engine.run_gx(rules, url=url, schema=schema, named=staging.staged_name)

        keys = {name: table_of(tables[name]).key for name in once}
        judged, differing = judge(rules, frames, rejected=rejected, keys=keys, count=count)
    said, found, results = findings_store.read_findings(run), [differing], []
    for (table, reference), one in zip(references, judged, strict=True):
        before = missing[f"{table.key}.{reference.columns[0]}.reference"]
        orphans = one.dangling.join(before, on=PLACE, how="anti", maintain_order="left")
        found.append(engine.findings(one.rule, pl.concat([one.fell, orphans]), earlier=said, origins=origins))
        results.append(_result(reference, one, origins))
    return tuple(results), join_findings(found)


def _result(reference: Reference, judged: Judged, origins: Origins) -> ReferenceResult:
    table, column = judged.rule.table, reference.columns[0]

    def offset(row: Mapping[str, int | str]) -> int:
        origin = origins.get((table, column, str(row["source_dump"]), int(row["_part"])))
        return int(row["_offset"]) + (origin.offset if origin is not None else 0)

    first = judged.dangling.sort(PLACE).head(FIRST_PLACES).to_dicts()
    return ReferenceResult(
        table=table,
        columns=reference.columns,
        target_table=reference.table,
        target_columns=reference.target,
        orphan="falls" if reference.orphan == "falls" else "stays",
        rows=judged.rows,
        fell=judged.fell.n_unique(["source_dump", "source_record"]) if judged.fell.height else 0,
        dangling=judged.dangling.height,
        dangling_gx=judged.dangling_gx,
        first=tuple(Place(dump=r["source_dump"], record=r["source_record"], offset=offset(r)) for r in first),
    )
