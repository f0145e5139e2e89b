"""Proving a run: control totals, where every record and row went, the amounts, and the rules as evaluated."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import pyarrow as pa
import sqlalchemy as sa

from dags.pipeline import data_centre, findings_store
from dags.pipeline.controls.following import amounts_by_group
from dags.pipeline.controls.proving import prove_dump
from dags.pipeline.run_folder import Run
from dags.pipeline.town import Municipality, target_tables
from mappings.provenance import followed
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import RunError, finding, join_findings
from migration_reports.records.counted import DumpAccount, Made
from migration_reports.records.run_record import (
    AmountReconciliation,
    Control,
    Issue,
    Reconciliation,
    RecordFate,
    RuleResult,
)
from migration_reports.records.step_result import StepResult
from migration_reports.records.steps import Results, Verdict
from target_schemas.postgres import loader, settling
from target_schemas.postgres.settling import Counts, Settled
from validators import controls
from validators.critical import critical_rows

R = TypeVar("R", bound=StepResult)


@dataclasses.dataclass(frozen=True, slots=True)
class Proved:
    """What the reconciliation shows, before anybody decides by it."""

    controls: tuple[Control, ...]
    fates: tuple[RecordFate, ...]
    lines: tuple[Reconciliation, ...]
    amounts: tuple[AmountReconciliation, ...]
    expected: Mapping[str, int]


def settle(
    database: sa.Engine, url: str, run: Run, municipality: Municipality, accounts: Mapping[str, DumpAccount]
) -> tuple[Settled, tuple[AmountReconciliation, ...]]:
    """Settle in the database which rows would be promoted; gives what becomes of them, and the amounts in them."""
    followed_sums = tuple(_followed_sums(municipality, accounts))
    counts = settling.settle(
        database,
        url,
        data_centre.run_tables(run, municipality),
        rejected=findings_store.rejected_records(run),
        summed=_columns_by_table((one.table, one.column) for one in followed_sums),
        critical=critical_rows(target_tables(municipality)),
    )
    of_groups = amounts_by_group(database, run, municipality, accounts)
    return counts, (*(_settled(one, counts) for one in followed_sums), *of_groups)


def prove(
    run: Run,
    municipality: Municipality,
    results: Results,
    counts: Settled,
    amounts: tuple[AmountReconciliation, ...],
) -> tuple[Proved, pa.RecordBatch]:
    """Prove a run: its controls, where every record and row went, and the amounts.

    Args:
        run: the run, whose findings so far are written.
        municipality: whose.
        results: what the steps before have left.
        counts: what was settled in the database.
        amounts: the amounts in the rows.

    Returns:
        What was proved, and a finding for each equation that does not hold.

    Raises:
        RunError: the run has not been validated, or its slices have not been joined.
    """
    made, validation = _left(results.made, "joined"), _left(results.validation, "validated")
    received = _left(results.receipts, "received")
    proved = [
        prove_dump(run, name, municipality.dumps[name], account, received) for name, account in results.accounts.items()
    ]
    fates = _fates(run, municipality, results.accounts)
    lines = _lines(municipality, results.accounts, made, counts)
    tables = target_tables(municipality)
    found = [wrong for _, wrong in proved]
    found.append(controls.unexplained(fates, lines, amounts))
    found.append(_limits(municipality, made, validation.rules, lines))
    return Proved(
        controls=tuple(control for done, _ in proved for control in done),
        fates=fates,
        lines=lines,
        amounts=amounts,
        expected={
            table.key: sum(n.promotable for (name, *_), n in counts.items() if name == table.key) for table in tables
        },
    ), join_findings(found)


def decide(municipality: Municipality, results: Results, proved: Proved, issues: Sequence[Issue]) -> Verdict:
    """Decide whether the run may be promoted."""
    validation = _left(results.validation, "validated")
    allowed = rejects_allowed(municipality, proved.fates)
    promotable, reasons = controls.verdict(
        issues=issues, controls=proved.controls, rules=validation.rules, rejects=validation.rejected, allowed=allowed
    )
    return Verdict(
        controls=proved.controls,
        fates=proved.fates,
        lines=proved.lines,
        amounts=proved.amounts,
        expected=proved.expected,
        allowed=allowed,
        promotable=promotable,
        reasons=reasons,
    )


def _left(result: R | None, done: str) -> R:
    """What a step must have left by now."""
    if result is None:
        raise RunError(f"this run has not been {done}, so that nothing can be proved of it; nothing was promoted")
    return result


def _fates(run: Run, municipality: Municipality, accounts: Mapping[str, DumpAccount]) -> tuple[RecordFate, ...]:
    """Where the records of each kind went as a whole."""
    rejected, untaken = findings_store.rejected_by_kind(run), findings_store.untaken_by_kind(run)
    fates = []
    for name, account in accounts.items():
        for kind, spec in municipality.dumps[name].spec.records.items():
            count = account.read.kinds.get(kind, 0)
            lost, nowhere = rejected.get((name, kind), 0), untaken.get((name, kind), 0)
            left = account.left.get(kind, {})
            stayed = count - lost - nowhere - sum(left.values())
            fates.append(
                RecordFate(
                    dump=name,
                    kind=kind,
                    role=spec.role,
                    records=count,
                    rejected=lost,
                    accepted=stayed if spec.role == "data" else 0,
                    left=left,
                    untaken=nowhere,
                )
            )
        if account.read.of_no_kind:
            fates.append(RecordFate(dump=name, kind="-", role="unknown", records=account.read.of_no_kind))
    return tuple(fates)


def _lines(
    municipality: Municipality,
    accounts: Mapping[str, DumpAccount],
    made: Made,
    counts: Settled,
) -> tuple[Reconciliation, ...]:
    """Where the records of each kind went as far as each part of a table.

    Args:
        municipality: whose they are.
        accounts: what was counted of each dump.
        made: what was counted of each part, while records were mapped.
        counts: what was settled in the database.
    """
    lines = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            if part.dump not in accounts:
                continue
            account = accounts[part.dump]
            records = account.read.kinds.get(part.kind, 0)
            stayed = records - sum(account.left.get(part.kind, {}).values())
            mapped = made.of(part.table, part.number)
            n = counts.get((part.table, part.dump, part.number), Counts(0, 0, 0, 0))
            lines.append(
                Reconciliation(
                    dump=part.dump,
                    kind=part.kind,
                    table=part.table,
                    each=part.each.table if part.each is not None else "",
                    records=records,
                    candidates=mapped.candidates if part.each is not None else stayed,
                    rows_staged=n.staged,
                    rows_not_chosen=mapped.candidates - mapped.rows,
                    rows_merged=n.merged,
                    rows_rejected=n.rejected,
                    rows_promoted=n.promotable,
                    rows_critical=n.critical,
                )
            )
    return tuple(lines)


@dataclasses.dataclass(frozen=True, slots=True)
class _Sum:
    """What is summed in a dump and goes into a numeric column: a field, or all occurrences of one."""

    dump: str
    kind: str
    field: str
    table: str
    part: int
    column: str
    total: Decimal
    left: Decimal
    times: int


def _followed_sums(municipality: Municipality, accounts: Mapping[str, DumpAccount]) -> Iterator[_Sum]:
    parts = (part for plan in municipality.plans.values() for part in plan.parts if part.dump in accounts)
    for part, one in ((each, one) for each in parts for one in followed(each)):
        account = accounts[part.dump]
        keys = [key for field in one.fields if (key := f"{part.kind}.{field}") in account.sums]
        if keys:
            name = f"{one.name}(*)" if len(one.fields) > 1 else one.name
            total, left = (
                sum((Decimal(sums.get(key, 0)) for key in keys), Decimal(0))
                for sums in (account.sums, account.left_sums)
            )
            yield _Sum(part.dump, part.kind, name, part.table, part.number, one.column, total, left, one.times)


def _settled(one: _Sum, counts: Settled) -> AmountReconciliation:
    """An amount in the dump, rejected, and to be promoted; that of the dump in the column's unit."""
    in_dump, in_left = one.total * one.times, one.left * one.times
    of_part = counts.get((one.table, one.dump, one.part))
    rejected, accepted = of_part.sums[one.column] if of_part is not None else (Decimal(0), Decimal(0))
    return AmountReconciliation(
        dump=one.dump,
        kind=one.kind,
        field=f"{one.field} × {one.times:,}" if one.times > 1 else one.field,
        table=one.table,
        column=one.column,
        in_dump=str(in_dump),
        in_rejected=format(rejected, "f"),
        in_table=format(accepted, "f"),
        agrees=in_dump == in_left + rejected + accepted,
        in_left=format(in_left, "f"),
    )


def promoted_amounts(
    database: sa.Engine, run: Run, municipality: Municipality, amounts: Sequence[AmountReconciliation]
) -> tuple[AmountReconciliation, ...]:
    """The amounts as they stand in the data centre, now that the rows are promoted.

    There the rows of a table that a dump fills in several parts are one sum; it is theirs where each of them is followed.
    Rows that are counted, and groups, stand as they were settled: what was settled is what was promoted.
    """
    whole = [amount for amount in amounts if not amount.by]
    summed = _columns_by_table((amount.table, amount.column) for amount in whole)
    sums = loader.promoted_sums(database, data_centre.run_tables(run, municipality), run.code, summed)
    parts = [part for plan in municipality.plans.values() for part in plan.parts]
    filled = Counter((p.table, p.dump, target) for p in parts for column in p.columns for target in column.targets)
    by_column: dict[tuple[str, str, str], list[AmountReconciliation]] = {}
    for amount in whole:
        by_column.setdefault((amount.table, amount.dump, amount.column), []).append(amount)
    promoted = {key: sums.get(key, Decimal(0)) for key, some in by_column.items() if len(some) == filled[key]}
    found = []
    for amount in amounts:
        if amount.by:
            found.append(amount)
            continue
        key = amount.table, amount.dump, amount.column
        stated = sum(Decimal(one.in_table) for one in by_column[key])
        agrees = amount.agrees and promoted.get(key, stated) == stated
        in_table = format(promoted[key], "f") if filled[key] == 1 else amount.in_table
        found.append(amount.model_copy(update={"in_table": in_table, "agrees": agrees}))
    return tuple(found)


def _columns_by_table(columns: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for table, column in columns:
        found.setdefault(table, {})[column] = None
    return {table: tuple(named) for table, named in found.items()}


def rejects_allowed(municipality: Municipality, fates: Iterable[RecordFate]) -> int:
    """How many records may be rejected: of each system what its limits say of the records of its dumps."""
    records: Counter[str] = Counter()
    for fate in fates:
        if fate.role == "data":
            records[municipality.folder.of_dump(fate.dump).name] += fate.records
    return sum(
        controls.rejects_allowed(system.manifest.limits.rejects, records[name])
        for name, system in municipality.folder.systems.items()
    )


def _limits(
    municipality: Municipality,
    made: Made,
    results: Sequence[RuleResult],
    lines: Sequence[Reconciliation],
) -> pa.RecordBatch:
    """Give a finding for each column or rule that was wrong more often than its `at_most` allows."""
    found = []
    for plan in municipality.plans.values():
        for part in plan.parts:
            mapped = made.of(part.table, part.number)
            for column in part.columns:
                wrong = mapped.wrong.get(column.name, 0)
                if column.at_most and wrong > controls.rejects_allowed(column.at_most, mapped.rows):
                    detail = f"{wrong} of {mapped.rows}, at_most {column.at_most}"
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
    for system in municipality.systems:
        limited = municipality.folder.systems[system.name].manifest.rules
        own = {table.qualified for table in system.tables}
        for rule in results:
            settings = limited.get(rule.family, {})
            if rule.table not in own or "at_most" not in settings:
                continue
            rows = sum(line.rows_staged for line in lines if line.table == rule.table)
            if rule.failing_polars > controls.rejects_allowed(settings["at_most"], rows):
                detail = f"{rule.rule}: {rule.failing_polars} of {rows}, at_most {settings['at_most']}"
                found.append(finding("C514", CATALOGUE["C514"].severity, table=rule.table, detail=detail))
    return join_findings(found)
