"""Proving a run: control totals, where every record and row went, the amounts, and the rules as evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dags.municipality import Municipality, one_per_key, target_tables
from dags.workspace import Run
from migration_reports.catalogue import CATALOGUE
from migration_reports.run_record import AmountReconciliation, Control, Reconciliation, RecordFate, RuleResult
from target_schemas import staging
from validators import controls, derived
from validators.rule import Rule
from validators.rules import RULES


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
    municipality: Municipality, fragments: Mapping[str, Any], counts: Mapping[tuple[str, str], staging.Counts]
) -> tuple[Reconciliation, ...]:
    """Where the records of each kind went as far as each table; `counts` are those that were settled."""
    lines = []
    for plan in municipality.plans.values():
        for table in plan.tables:
            dump, _, kind = table.source.partition(".")
            if dump not in fragments:
                continue
            records = fragments[dump]["account"]["kinds"].get(kind, 0)
            n = counts.get((table.table, dump), staging.Counts(0, 0, 0, 0))
            lines.append(
                Reconciliation(
                    dump=dump,
                    kind=kind,
                    table=table.table,
                    records=records,
                    rows_staged=n.staged,
                    rows_not_chosen=records - n.staged if table.when is not None else 0,
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
    for name, part in fragments.items():
        for key, total in part["sums"].items():
            kind, _, field = key.partition(".")
            for plan in municipality.plans.values():
                for target in plan.fates.get(f"{name}.{kind}", {}).get(field, ((), ""))[0]:
                    table, _, column = target.partition(".")
                    if table in plan.one_row_per_key or not isinstance(tables[table].c[column].type, sa.Numeric):
                        continue
                    rejected, accepted = staging.staged_sums(database, run.run_id, tables[table], column, name)
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
    sets = {s.name: frozenset(s.codes) for system in municipality.systems for s in system.code_sets}
    settings = municipality.folder.manifest.rules
    rules = derived.derive(tables, sets, one_per_key=one_per_key(municipality))
    return (*rules, *(rule for family in RULES for rule in family.make(tables, settings.get(family.name, {}))))


def result(rule: Rule, polars: int, gx: int, reported: int) -> RuleResult:
    """A rule with both engines' counts."""
    entry = CATALOGUE[rule.code]
    return RuleResult(
        rule=rule.name,
        title_ja=f"{rule.subject_ja}: {entry.ja}",
        title_en=f"{rule.subject_en}: {entry.en}",
        code=rule.code,
        severity=entry.severity.value,
        table=rule.table,
        columns=rule.columns,
        failing_polars=polars,
        failing_gx=gx,
        reported=reported,
    )
