"""Judging what was staged: every rule over all rows, then references over the rows that would be promoted.

Each in two engines, from the Arrow files and in the database. What a rule reads of another system is looked up in the run,
or else in what the municipality has promoted; a rule that finds it in neither is told as not checked.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from dags.guarded.contents import digests
from dags.guarded.secrets import refused
from dags.own.told import told
from dags.pipeline import data_centre, findings_store
from dags.pipeline.run_folder import Run
from dags.pipeline.slice_files import staged_frame
from dags.pipeline.town import Municipality, one_per_key, rules_of, target_tables
from migration_reports.catalogue import CATALOGUE
from migration_reports.codes import CodeSet
from migration_reports.findings import FIRST_PLACES, join_findings
from migration_reports.items import Reference, table_of
from migration_reports.records.run_record import NotChecked, Place, ReferenceResult, RuleResult
from migration_reports.records.steps import Validation
from target_schemas.model import System
from target_schemas.postgres import settling, staging
from target_schemas.reference_tables import REFERENCE_TABLES
from validators import derived, engine
from validators.differences import differences
from validators.elsewhere import Elsewhere, divided, frames_of, read_elsewhere
from validators.engine import PLACE, Origins
from validators.gate import Counts, Gate
from validators.references import Judged, judge, named_by_key
from validators.shapes.contract import Frames, Rule

log = logging.getLogger("hikkoshi")

CODES = "joint.codes"
"""What is missing where a code set is open, and the municipality has given no list of its own."""


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """Every rule, evaluated over all staged rows.

    Attributes:
        rules: each with both engines' counts.
        not_checked: those that could not be.
        failing: by rule the rows that fail.
        found: what is new in them, and where the engines differ.
        frames: the staged rows by table.
        heights: how many they are.
        elsewhere: what the municipality has promoted of other systems' tables that rules read.
    """

    rules: tuple[RuleResult, ...]
    not_checked: tuple[NotChecked, ...]
    failing: Mapping[str, pl.DataFrame]
    found: pa.RecordBatch
    frames: Frames
    heights: Mapping[str, int]
    elsewhere: Mapping[str, Elsewhere]

    def told(self, references: tuple[ReferenceResult, ...], rejected: int) -> Validation:
        """What the step leaves: with what became of references, and how many records are rejected."""
        return Validation(rules=self.rules, references=references, rejected=rejected, not_checked=self.not_checked)


def evaluate(run: Run, municipality: Municipality, gate: Gate, *, database: sa.Engine, url: str) -> Evaluation:
    """Evaluate every rule in both engines, side by side.

    Args:
        run: the run, whose findings so far are written: they told causes that are not told again.
        municipality: whose.
        gate: where Great Expectations counts.
        database: the database.
        url: the same, for Great Expectations and ADBC.
    """
    tables = {table.key: table for table in target_tables(municipality)}
    every = rules(municipality, tables)
    elsewhere = data_centre.elsewhere(database, url, run, municipality, read_elsewhere(every, tables))
    judged, left = divided(every, here=tables, elsewhere=elsewhere)
    waiting = ((rule, (CODES,)) for rule in derived.awaiting_codes(tables, _code_sets(municipality)))
    left = (*left, *waiting)
    unchecked = _not_checked(left, data_centre.in_force_besides(database, run, municipality), tables)
    frames = {name: staged_frame(run.path, municipality, name) for name in tables}
    log.info("%d rules over the staged rows, in two engines; %d not checked", len(judged), len(unchecked))
    schema = staging.staging_schema(run.run_id)
    suites = engine.suites_of(judged, schema=schema, named=staging.staged_name, elsewhere=elsewhere)
    counting = gate.count(suites, url)
    heights = {name: frame.select(pl.len()).collect().item() for name, frame in frames.items()}
    failing = engine.run_polars(judged, {**frames, **frames_of(elsewhere)}, heights=heights)
    results, found = _compared(run, municipality, judged, heights, failing, counting.result())
    found.append(told(municipality.own, tables, frames))
    found.append(digests(tables, frames))
    found.append(refused(municipality.plans, {system.name: system.refuse for system in municipality.systems}))
    return Evaluation(results, unchecked, failing, join_findings(found), frames, heights, elsewhere)


def _code_sets(municipality: Municipality) -> Mapping[str, CodeSet]:
    return {s.name: s for system in municipality.systems for s in system.code_sets}


def rules(municipality: Municipality, tables: Mapping[str, sa.Table]) -> tuple[Rule, ...]:
    """Every rule that the municipality's tables have: those that they imply, and those that its systems declare."""
    sets = _code_sets(municipality)
    day = municipality.folder.manifest.reference_date
    rules = list(
        derived.derive(
            tables,
            sets,
            one_per_key=one_per_key(municipality),
            reference_date=datetime.date.fromisoformat(day) if day is not None else None,
        )
    )
    for system in municipality.systems:
        settings = municipality.folder.systems[system.name].manifest.rules
        kept = {name for name, given in settings.items() if given.get("on_error") == "keep"}
        rules += (dataclasses.replace(r, kept=r.family in kept) for r in rules_of(system, settings))
    return tuple(rules)


def _compared(
    run: Run,
    municipality: Municipality,
    rules: Sequence[Rule],
    heights: Mapping[str, int],
    failing: Mapping[str, pl.DataFrame],
    gx_counts: Mapping[str, int],
) -> tuple[tuple[RuleResult, ...], list[pa.RecordBatch]]:
    """Each rule with both engines' counts, and what is new in its failing rows; then where the engines differ."""
    said, origins = findings_store.read_causes(run), findings_store.origins(municipality)
    results, found = [], []
    for rule in rules:
        new = engine.findings(rule, failing[rule.name], earlier=said, origins=origins)
        if new.num_rows:
            said = pl.concat([said, pl.DataFrame(pl.from_arrow(new)).select(engine.CAUSE)])
            found.append(new)
        results.append(_rule_result(rule, failing[rule.name], gx_counts[rule.name], new.num_rows, heights[rule.table]))
    found.append(engine.compare(rules, {name: rows.height for name, rows in failing.items()}, gx_counts))
    return tuple(results), found


def _rule_result(rule: Rule, failing: pl.DataFrame, gx: int, reported: int, rows: int) -> RuleResult:
    """A rule with both engines' counts, and how many rows they looked at."""
    entry = CATALOGUE[rule.code]
    return RuleResult(
        rule=rule.name,
        family=rule.family,
        title_ja=f"{rule.subject_ja}: {entry.ja}",
        title_en=f"{rule.subject_en}: {entry.en}",
        code=rule.code,
        severity=rule.severity.value,
        table=rule.table,
        columns=rule.columns,
        failing_polars=failing.height,
        failing_gx=gx,
        reported=reported,
        rows=rows,
        differences=differences(failing),
    )


def _not_checked(
    left: Sequence[tuple[Rule, tuple[str, ...]]], besides: Sequence[System], here: Collection[str]
) -> tuple[NotChecked, ...]:
    """The rules that this run could not check: its own, and those of systems in force that read what it replaces.

    Args:
        left: its own, each with the tables that are missing.
        besides: the systems in force of which this run has no rows.
        here: the run's tables.
    """
    others = (rule for system in besides for rule in _rules_between(system) if set(rule.reads) & set(here))
    return (
        *(_unchecked(rule, missing, of_others=False) for rule, missing in left),
        *(
            _unchecked(rule, tuple(t for t in rule.reads if not (t in here or t in REFERENCE_TABLES)), of_others=True)
            for rule in others
        ),
    )


def _rules_between(system: System) -> Iterator[Rule]:
    """The rules of a system that read other tables."""
    tables = {table.physical.key: table.physical for table in system.tables}
    yield from (derived.reference_rule(table, reference) for table, reference in derived.references(tables))
    yield from (rule for rule in rules_of(system, {}) if rule.others)


def _unchecked(rule: Rule, missing: tuple[str, ...], *, of_others: bool) -> NotChecked:
    entry = CATALOGUE[rule.code]
    return NotChecked(
        rule=rule.name,
        title_ja=f"{rule.subject_ja}: {entry.ja}",
        title_en=f"{rule.subject_en}: {entry.en}",
        code=rule.code,
        severity=rule.severity.value,
        table=rule.table,
        missing=missing,
        of_others=of_others,
    )


def judge_references(
    run: Run, municipality: Municipality, evaluation: Evaluation, gate: Gate, *, database: sa.Engine, url: str
) -> tuple[tuple[ReferenceResult, ...], pa.RecordBatch]:
    """Judge every reference over what would be promoted, now that the rules have said which records are rejected.

    Args:
        run: the run, whose findings so far are written.
        municipality: whose it is.
        evaluation: of the rules; rows whose parents never came were told then.
        gate: where Great Expectations counts.
        database: the database.
        url: the same, for ADBC and Great Expectations.

    Returns:
        What became of each reference; and findings, one for each record that falls with a parent or stays without it.
    """
    frames, elsewhere, missing = evaluation.frames, evaluation.elsewhere, evaluation.failing
    tables = {table.key: table for table in target_tables(municipality)}
    known = tables.keys() | elsewhere.keys()
    references = [(table, reference) for table, reference in derived.references(tables) if reference.table in known]
    rules = [derived.promoted_reference(table, reference) for table, reference in references]
    if not rules:
        return (), join_findings([])
    once, origins = one_per_key(municipality), findings_store.origins(municipality)
    rejected = pl.DataFrame(pl.from_arrow(findings_store.rejected_records(run)))
    keys, targets = {name: table_of(tables[name]).key for name in once}, _targets(r for _, r in references)
    with settling.promotable_views(database, data_centre.run_tables(run, municipality)) as views:
        parents = {**elsewhere, **named_by_key(views.accepted, frames, keys, targets)}
        suites = engine.suites_of(rules, schema=views.schema, named=staging.staged_name, elsewhere=parents)

        def count(rejected: pl.DataFrame) -> Future[Counts]:
            note = functools.partial(settling.note_rejected, database, url, run.run_id, rejected.to_arrow())
            return gate.count(suites, url, first=note)

        judged, differing = judge(
            rules,
            frames,
            rejected=rejected,
            keys=keys,
            targets=targets,
            count=count,
            elsewhere=frames_of(elsewhere),
            heights=evaluation.heights,
        )
    said, found, results = findings_store.read_causes(run), [differing], []
    for (table, reference), one in zip(references, judged, strict=True):
        before = missing[f"{table.key}.{reference.columns[0]}.reference"]
        orphans = one.dangling.join(before, on=PLACE, how="anti", maintain_order="left")
        found.append(engine.findings(one.rule, pl.concat([one.fell, orphans]), earlier=said, origins=origins))
        results.append(_result(reference, one, origins))
    return tuple(results), join_findings(found)


def _targets(references: Iterable[Reference]) -> Mapping[str, set[str]]:
    """The columns by which rows of each table are named."""
    named: dict[str, set[str]] = {}
    for reference in references:
        named.setdefault(reference.table, set()).update(reference.target)
    return named


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
