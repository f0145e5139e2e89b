"""Proving a run: control totals, where every record and row went, the amounts, and the rules as evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline.municipality import RULE_POLICIES, Municipality, followed, one_per_key, target_tables
from dags.pipeline.workspace import Run
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.run_record import AmountReconciliation, Control, Reconciliation, RecordFate, RuleResult
from target_schemas.postgres import staging
from validators import controls, derived
from validators.rules import RULES
from validators.rules.contract import Rule


def prove(name: str, municipality: Municipality, part: Mapping[str, Any]) -> tuple[tuple[Control, ...], pa.RecordBatch]:
    """Prove one dump's controls, from what was tallied while it was read."""
    tally = controls.Tally(part["records"], {key: Decimal(total) for key, total in part["sums"].items()})
    trailers = {
        kind: [{k: None if v is None else Decimal(v) for k, v in row.items()} for row in rows]
        for kind, rows in part["trailers"].items()
    }
    stated = [controls.Stated(c.count, c.sum, c.equals, c.value) for c in municipality.dumps[name].spec.controls]
    return controls.prove(name, stated, tally, trailers)


def fates(
    municipality: Municipality, fragments: Mapping[str, Any], rejected: Mapping[tuple[str, str], int]
) -> tuple[RecordFate, ...]:
    """Where the records of each kind went as a whole."""
    fates = []
    for name, part in fragments.items():
        for kind, spec in municipality.dumps[name].spec.records.items():
            count = part["account"]["kinds"].get(kind, 0)
            lost = rejected.get((name, kind), 0)
            fates.append(
                RecordFate(
                    dump=name,
                    kind=kind,
                    role=spec.role,
                    records=count,
                    rejected=lost,
                    accepted=count - lost if spec.role == "data" else 0,
                )
            )
        if part["account"]["of_no_kind"]:
            fates.append(RecordFate(dump=name, kind="-", role="unknown", records=part["account"]["of_no_kind"]))
    return tuple(fates)


def lines(
    municipality: Municipality,
    fragments: Mapping[str, Any],
    made: Mapping[str, Any],
    counts: Mapping[tuple[str, str, int], staging.Counts],
) -> tuple[Reconciliation, ...]:
    """Where the records of each kind went as far as each part of a table.

    Args:
        municipality: whose they are.
        fragments: what was counted of each dump.
        made: what was counted of each part, while records were mapped.
        counts: what was settled in the database.
    """
    lines = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            if part.dump not in fragments:
                continue
            records = fragments[part.dump]["account"]["kinds"].get(part.kind, 0)
            mapped = made.get(f"{part.table}.{part.number}", {"candidates": 0, "rows": 0})
            n = counts.get((part.table, part.dump, part.number), staging.Counts(0, 0, 0, 0))
            lines.append(
                Reconciliation(
                    dump=part.dump,
                    kind=part.kind,
                    table=part.table,
                    each=part.each.table if part.each is not None else "",
                    records=records,
                    candidates=mapped["candidates"] if part.each is not None else records,
                    rows_staged=n.staged,
                    rows_not_chosen=mapped["candidates"] - mapped["rows"],
                    rows_merged=n.merged,
                    rows_rejected=n.rejected,
                    rows_promoted=n.promotable,
                )
            )
    return tuple(lines)


def amounts(
    database: sa.Engine, run: Run, municipality: Municipality, fragments: Mapping[str, Any]
) -> tuple[AmountReconciliation, ...]:
    """Every summed field that goes into a numeric column of its own: in the dump, rejected, and to be promoted."""
    tables = {table.name: table for table in target_tables(municipality)}
    amounts = []
    for name, fragment in fragments.items():
        for key, total in fragment["sums"].items():
            kind, _, field = key.partition(".")
            for plan in municipality.plans.values():
                for part in plan.parts_of(f"{name}.{kind}"):
                    column = dict(followed(part)).get(field)
                    if column is None:
                        continue
                    table = part.table
                    rejected, accepted = staging.staged_sums(
                        database, run.run_id, tables[table], column, name, part.number
                    )
                    amounts.append(
                        AmountReconciliation(
                            dump=name,
                            kind=kind,
                            field=field,
                            table=table,
                            column=column,
                            in_dump=total,
                            in_rejected=format(rejected, "f"),
                            in_table=format(accepted, "f"),
                            agrees=Decimal(total) == rejected + accepted,
                        )
                    )
    return tuple(amounts)


def rules(municipality: Municipality, tables: Mapping[str, sa.Table]) -> tuple[Rule, ...]:
    """Every rule that the municipality's tables have: derived ones and the family's."""
    sets = {s.name: s for system in municipality.systems for s in system.code_sets}
    settings = municipality.folder.manifest.rules
    rules = list(derived.derive(tables, sets, one_per_key=one_per_key(municipality)))
    for family in RULES:
        given = settings.get(family.name, {})
        kept = given.get("on_error") == "keep"
        own = {option: value for option, value in given.items() if option not in RULE_POLICIES}
        rules.extend(dataclasses.replace(rule, kept=kept, family=family.name) for rule in family.make(tables, own))
    return tuple(rules)


def limits(
    municipality: Municipality,
    made: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    lines: Sequence[Reconciliation],
) -> pa.RecordBatch:
    """Give a finding for each column or rule that was wrong more often than its `at_most` allows."""
    found = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            mapped = made.get(f"{part.table}.{part.number}", {"rows": 0, "wrong": {}})
            for column in part.columns:
                wrong = mapped["wrong"].get(column.name, 0)
                if column.at_most and wrong > controls.rejects_allowed(column.at_most, mapped["rows"]):
                    detail = f"{wrong} of {mapped['rows']}, at_most {column.at_most}"
                    found.append(
                        finding(
                            "C514",
                            CATALOGUE["C514"].severity,
                            dump=part.dump,
                            table=part.table,
                            column=column.name,
                            mapping=column.place,
                            detail=detail,
                        )
                    )
    for family, settings in municipality.folder.manifest.rules.items():
        for rule in results:
            if rule["family"] != family or "at_most" not in settings:
                continue
            rows = sum(line.rows_staged for line in lines if line.table == rule["table"])
            if rule["failing_polars"] > controls.rejects_allowed(settings["at_most"], rows):
                detail = f"{rule['rule']}: {rule['failing_polars']} of {rows}, at_most {settings['at_most']}"
                found.append(finding("C514", CATALOGUE["C514"].severity, table=rule["table"], detail=detail))
    return join_findings(found)


def result(rule: Rule, polars: int, gx: int, reported: int, *, rows: int) -> RuleResult:
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
        failing_polars=polars,
        failing_gx=gx,
        reported=reported,
        rows=rows,
    )
