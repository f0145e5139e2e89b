"""Control totals and reconciliation: what was counted against what is stated, to the last record.

Totals are no personal data; findings here say both numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.run_record import (
    AmountReconciliation,
    Control,
    Issue,
    Reconciliation,
    RecordFate,
    RuleResult,
)
from migration_reports.records.steps import Reason
from migration_reports.records.sums import EXACT


@dataclasses.dataclass(slots=True)
class Tally:
    """What was counted of a dump while it was read: records by kind, and exact sums by kind.field."""

    records: dict[str, int] = dataclasses.field(default_factory=dict)
    sums: dict[str, Decimal] = dataclasses.field(default_factory=dict)

    def add(self, kind: str, batch: pa.RecordBatch, fields: Sequence[str]) -> None:
        """Count a batch; `fields` are those to sum, over the records whose value is valid."""
        self.records[kind] = self.records.get(kind, 0) + batch.num_rows
        for field in fields:
            column = batch.column(field)
            scale = column.type.scale if pa.types.is_decimal(column.type) else 0
            total = pc.sum(column.cast(pa.decimal128(38, scale))).as_py()
            name = f"{kind}.{field}"
            self.sums[name] = EXACT.add(self.sums.get(name, Decimal(0)), Decimal(0) if total is None else total)


@dataclasses.dataclass(frozen=True, slots=True)
class Stated:
    """A control as the manifest asks for it.

    `count` names a kind, `sum` a kind.field, `value` a kind.field of a header or trailer; `equals` a kind.field of a
    trailer, or a number.
    """

    count: str | None
    sum: str | None
    equals: str
    value: str | None = None


def prove(
    dump: str,
    controls: Sequence[Stated],
    tally: Tally,
    trailers: Mapping[str, Sequence[Mapping[str, Decimal | None]]],
) -> tuple[tuple[Control, ...], pa.RecordBatch]:
    """Prove a dump's controls.

    Args:
        dump: its name.
        controls: what the manifest asks for.
        tally: what was counted.
        trailers: for each header or trailer kind, its records' numeric fields.

    Returns:
        Each control with both numbers, and a finding for each that does not agree.
    """
    proved: list[Control] = []
    found: list[pa.RecordBatch] = []

    def report(code: str, field: str, detail: str) -> None:
        found.append(finding(code, CATALOGUE[code].severity, dump=dump, field=field, detail=detail))

    for kind in {c.equals.split(".")[0]: None for c in controls if c.equals.split(".")[0] in trailers}:
        count = len(trailers[kind])
        proved.append(
            Control(dump=dump, name=f"one {kind}", kind="trailer", stated="1", found=str(count), agrees=count == 1)
        )
        if count == 0:
            report("C503", kind, "stated 1 found 0")
        elif count > 1:
            report("C504", kind, f"stated 1 found {count}")
    for control in controls:
        if control.value is not None:
            kind, _, field = control.value.partition(".")
            for row in trailers.get(kind, ())[-1:]:
                held, expected = row.get(field), Decimal(control.equals)
                # A code such as 011002 is a number to COBOL only: it is shown with its zeros.
                shown = "unreadable" if held is None else format(held, "f").zfill(len(control.equals))
                proved.append(
                    Control(
                        dump=dump,
                        name=f"value of {control.value}",
                        kind="value",
                        field=control.value,
                        stated=control.equals,
                        found=shown,
                        agrees=held == expected,
                    )
                )
                if held != expected:
                    report("C505", control.value, f"stated {control.equals} found {shown}")
            continue
        what = "count" if control.count is not None else "sum"
        subject = str(control.count if control.count is not None else control.sum)
        counted = Decimal(tally.records.get(subject, 0)) if what == "count" else tally.sums.get(subject, Decimal(0))
        kind, _, field = control.equals.partition(".")
        if kind in trailers:
            if not trailers[kind]:
                continue
            stated = trailers[kind][-1].get(field)
        else:
            stated = Decimal(control.equals)
        agrees = stated is not None and stated == counted
        shown = "unreadable" if stated is None else format(stated, "f")
        proved.append(
            Control(
                dump=dump,
                name=f"{what} of {subject}",
                kind="count" if what == "count" else "sum",
                field=control.equals,
                stated=shown,
                found=format(counted, "f"),
                agrees=agrees,
            )
        )
        if not agrees:
            report("C501" if what == "count" else "C502", subject, f"stated {shown} found {format(counted, 'f')}")
    return tuple(proved), join_findings(found)


def unexplained(
    fates: Sequence[RecordFate],
    lines: Sequence[Reconciliation],
    amounts: Sequence[AmountReconciliation],
    *,
    critical: frozenset[str],
) -> pa.RecordBatch:
    """Give a finding for each equation of the reconciliation that does not close.

    So does a rejected row of a `critical` table, of which none may be lost.
    """
    found = []
    for fate in fates:
        if fate.role == "data" and fate.records != fate.accepted + fate.rejected:
            detail = f"{fate.records} = {fate.accepted} + {fate.rejected}"
            found.append(finding("C512", CATALOGUE["C512"].severity, dump=fate.dump, field=fate.kind, detail=detail))
    for line in lines:
        if not line.closes:
            detail = (
                f"{line.candidates} candidates, {line.rows_staged} staged, {line.rows_not_chosen} not chosen, "
                f"{line.rows_merged} merged, {line.rows_rejected} rejected, {line.rows_promoted} to promote"
            )
            found.append(finding("C512", CATALOGUE["C512"].severity, dump=line.dump, table=line.table, detail=detail))
    for line in lines:
        if line.table in critical and line.rows_rejected:
            detail = f"{line.rows_rejected} of {line.rows_staged}"
            found.append(finding("C513", CATALOGUE["C513"].severity, dump=line.dump, table=line.table, detail=detail))
    for amount in amounts:
        if not amount.agrees:
            detail = f"{amount.in_dump} = {amount.in_rejected} + {amount.in_table}"
            found.append(
                finding(
                    "C512",
                    CATALOGUE["C512"].severity,
                    dump=amount.dump,
                    field=amount.field,
                    column=amount.column,
                    detail=detail,
                )
            )
    return join_findings(found)


def rejects_allowed(limit: str, records: int) -> int:
    """How many records may be rejected: a number, or a share of the records, rounded down."""
    if limit.endswith("%"):
        return int(Decimal(limit.removesuffix("%")) * records / 100)
    return int(limit)


def verdict(
    *,
    issues: Sequence[Issue],
    controls: Sequence[Control],
    rules: Sequence[RuleResult],
    rejects: int,
    allowed: int,
) -> tuple[bool, tuple[Reason, ...]]:
    """Decide whether a run may be promoted.

    A record with an error is rejected and does not stand in the way while the rejects are within the limit; an error of
    a dump as a whole does. Alerts are promoted once acknowledged, which is what an approval does.

    Returns:
        Whether it may, and the reasons why not, in Japanese and English.
    """
    reasons: list[Reason] = []
    whole = {issue.code for issue in issues if issue.severity == "error" and not issue.first_has_record}
    for code in sorted(whole):
        entry = CATALOGUE[code]
        reasons.append(Reason(entry.ja, entry.en))
    if not all(control.agrees for control in controls) and not whole & {"C501", "C502", "C503", "C504"}:
        reasons.append(Reason("コントロール合計が一致しない", "a control total does not agree"))
    if not all(rule.agrees for rule in rules) and "C510" not in whole:
        reasons.append(Reason(CATALOGUE["C510"].ja, CATALOGUE["C510"].en))
    if rejects > allowed:
        reasons.append(
            Reason(
                f"{CATALOGUE['C511'].ja} ({rejects:,} > {allowed:,})",
                f"{CATALOGUE['C511'].en} ({rejects:,} > {allowed:,})",
            )
        )
    return not reasons, tuple(reasons)
