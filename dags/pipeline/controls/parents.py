"""What each parent record states of the records that belong to it, judged when the whole dump has been read."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from dags.pipeline.controls.counting import EXACT, belonging, stating
from dags.pipeline.run_folder import Run
from dags.pipeline.slice_files import findings_file, looked_at_folder, open_writer
from dags.pipeline.town import Municipality
from mappings.control_plan import ControlPlan
from mappings.hits import batch_of
from mappings.language.controls import ControlSpec
from mappings.leaving import NO_FINDINGS
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import FINDINGS
from migration_reports.records.counted import DumpAccount
from migration_reports.records.groups import Parents
from migration_reports.records.run_record import Control
from validators.controls import Stated

FOUND = pl.Schema({"_of": pl.Int64(), "found": EXACT})
STATED = pl.Schema({"_of": pl.Int64(), "_record": pl.Int64(), "_offset": pl.Int64(), "stated": EXACT})


def with_parents(run: Run, municipality: Municipality, dump: str, account: DumpAccount) -> DumpAccount:
    """The account of a dump with its parents judged; one that states another total than what belongs to it is a finding."""
    reader = municipality.dumps[dump]
    judged: dict[str, Parents] = {}
    for plan in reader.controls:
        if plan.per_parent:
            parents = _judged(run, dump, reader.spec.controls[int(plan.name)], plan)
            wrong = parents.filter(~pl.col("agrees"))
            judged[plan.name] = Parents(parents=parents.height, differing=wrong.height)
            with open_writer(findings_file(run.path, dump, f"control-{plan.name}"), FINDINGS) as file:
                file.write_batch(_findings(dump, plan, wrong))
    return account.model_copy(update={"parents": judged})


def _judged(run: Run, dump: str, spec: ControlSpec, plan: ControlPlan) -> pl.DataFrame:
    """Every parent: what states it and where, and whether that agrees with what belongs to it."""
    found = _scan(run, belonging(dump, plan.name), FOUND).group_by("_of").agg(pl.col("found").sum())
    said = _scan(run, stating(dump, plan.name), STATED)
    whole = said.join(found, on="_of", how="full", coalesce=True)
    agrees = pl.col("found").fill_null(0) * spec.times == pl.col("stated") * spec.unit
    return whole.select("_of", "_record", "_offset", agrees.fill_null(value=False).alias("agrees")).collect(
        engine="streaming"
    )


def _scan(run: Run, name: str, schema: pl.Schema) -> pl.LazyFrame:
    files = sorted(looked_at_folder(run.path, name).glob("*.arrow"))
    return pl.scan_ipc(files) if files else pl.LazyFrame(schema=schema)


def _findings(dump: str, plan: ControlPlan, wrong: pl.DataFrame) -> pa.RecordBatch:
    """A finding on each record that states another total; where nothing states one, on the parent itself."""
    severity = CATALOGUE["C565"].severity.value
    silent = pl.col("_record").is_null()
    placed = wrong.sort("_of", "_record").select(
        pl.lit("C565").alias("code"),
        pl.lit(severity).alias("severity"),
        pl.lit(dump).alias("dump"),
        pl.when(silent).then(pl.lit(plan.parent)).otherwise(pl.lit(plan.stated[0])).alias("kind"),
        pl.lit(plan.stated[1]).alias("field"),
        pl.when(silent).then(pl.lit("nothing states it")).alias("detail"),
        pl.coalesce("_record", "_of").alias("record"),
        pl.col("_offset").alias("offset"),
    )
    return batch_of(pl.concat([NO_FINDINGS, placed], how="diagonal"), FINDINGS)


def parents_proved(dump: str, control: Stated, account: DumpAccount) -> Control:
    """A control per parent, as it is shown: how many parents there are, and how many agree."""
    judged = account.parents.get(control.number, Parents(parents=0, differing=0))
    return Control(
        dump=dump,
        name=control.name,
        kind="parents",
        field=control.equals,
        stated=str(judged.parents),
        found=str(judged.parents - judged.differing),
        agrees=not judged.differing,
        groups=judged.parents,
        differing=judged.differing,
    )
