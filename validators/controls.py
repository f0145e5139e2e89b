"""Control totals and reconciliation: what was counted against what is stated, to the last record.

Totals are no personal data; findings here say both numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation
from typing import Literal

import pyarrow as pa

from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import finding, join_findings
from migration_reports.records.groups import Group
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

CODES: Mapping[str, str] = {"count": "C501", "sum": "C502", "hash": "C564"}

CONTROL_CODES = frozenset(("C501", "C502", "C503", "C504", "C505", "C560", "C561", "C562", "C563", "C564"))
"""Findings that say of a control why it does not agree."""

ROUNDING: Mapping[str, str] = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "up": ROUND_UP}


@dataclasses.dataclass(frozen=True, slots=True)
class Stated:
    """A control as the manifest asks for it.

    Attributes:
        what: count, sum, hash or value.
        of: the record kind or kind.FIELD; of several, all of them.
        equals: a kind.FIELD of a trailer, a number, or FILE.csv#column.
        number: which control of the manifest it is.
        by: the fields that make groups; none, where there is one number.
        times: what one of what is counted stands for.
        unit: what one of what is stated stands for.
        rounding: down, half_up or up; empty: what is stated is exact.
        modulus: a hash total lacks its multiples; 0: it lacks none.
    """

    what: Literal["count", "sum", "hash", "value"]
    of: str
    equals: str
    number: str = ""
    by: tuple[str, ...] = ()
    times: int = 1
    unit: int = 1
    rounding: str = ""
    modulus: int = 0

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return f"{self.what} of {self.of}"

    def in_unit(self, total: Decimal) -> Decimal:
        """What was counted, in the unit of what is stated."""
        amount = EXACT.multiply(total, Decimal(self.times))
        if self.modulus:
            amount = EXACT.remainder(amount, Decimal(self.modulus))
        if self.unit == 1:
            return amount
        scaled = EXACT.divide(amount, Decimal(self.unit))
        return scaled.quantize(Decimal(1), ROUNDING[self.rounding], EXACT) if self.rounding else scaled


def plain(number: Decimal) -> str:
    """A number as records write it: without an exponent, and without zeros that say nothing after the point."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text and not text.rstrip("0").rstrip(".").endswith("-") else text


def prove(
    dump: str,
    controls: Sequence[Stated],
    groups: Mapping[str, Sequence[Group]],
    trailers: Mapping[str, Sequence[Mapping[str, str | None]]],
) -> tuple[tuple[Control, ...], pa.RecordBatch]:
    """Prove a dump's controls that are one number each; `validators.control_groups` proves those by group.

    Args:
        dump: its name.
        controls: what the manifest asks for.
        groups: what was counted, by the control's number.
        trailers: for each header or trailer kind, what its records state.

    Returns:
        Each control with both numbers, and a finding for each that does not agree.
    """
    proved: list[Control] = []
    found: list[pa.RecordBatch] = []
    whole = [control for control in controls if not control.by]

    def report(code: str, field: str, detail: str) -> None:
        found.append(finding(code, CATALOGUE[code].severity, dump=dump, field=field, detail=detail))

    for kind in {c.equals.split(".")[0]: None for c in whole if c.equals.split(".")[0] in trailers}:
        count = len(trailers[kind])
        proved.append(
            Control(dump=dump, name=f"one {kind}", kind="trailer", stated="1", found=str(count), agrees=count == 1)
        )
        if count == 0:
            report("C503", kind, "stated 1 found 0")
        elif count > 1:
            report("C504", kind, f"stated 1 found {count}")
    for control in whole:
        kind, _, field = (control.of if control.what == "value" else control.equals).partition(".")
        rows = trailers.get(kind, ())
        if not rows and (control.what == "value" or kind in trailers):
            continue
        said = number_in(rows[-1].get(field) if rows else control.equals)
        if control.what == "value":
            # A code such as 011002 is a number to COBOL only: it is shown with its zeros.
            shown = "unreadable" if said is None else format(said, "f").zfill(len(control.equals))
            stated, counted, agrees, code = control.equals, shown, said == Decimal(control.equals), "C505"
        else:
            total = control.in_unit(sum((group.total for group in groups.get(control.number, ())), Decimal(0)))
            stated = "unreadable" if said is None else format(said, "f")
            counted, agrees, code = plain(total), said == total, CODES[control.what]
        proved.append(
            Control(
                dump=dump,
                name=control.name,
                kind=control.what,
                field=control.of if control.what == "value" else control.equals,
                stated=stated,
                found=counted,
                agrees=agrees,
                unit=control.unit,
            )
        )
        if not agrees:
            report(code, control.of, f"stated {stated} found {counted}")
    return tuple(proved), join_findings(found)


def number_in(text: str | None) -> Decimal | None:
    """What a trailer states as a number; None where it cannot be read."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def unexplained(
    fates: Sequence[RecordFate],
    lines: Sequence[Reconciliation],
    amounts: Sequence[AmountReconciliation],
) -> pa.RecordBatch:
    """Give a finding for each equation of the reconciliation that does not close, and for rejected rows of which none may be lost."""
    found = []
    for fate in fates:
        if fate.role == "data" and not fate.closes:
            detail = f"{fate.records} = {fate.accepted} + {fate.rejected} + {sum(fate.left.values())} + {fate.untaken}"
            found.append(finding("C512", CATALOGUE["C512"].severity, dump=fate.dump, field=fate.kind, detail=detail))
    for line in lines:
        if not line.closes:
            detail = (
                f"{line.candidates} candidates, {line.rows_staged} staged, {line.rows_not_chosen} not chosen, "
                f"{line.rows_merged} merged, {line.rows_rejected} rejected, {line.rows_promoted} to promote"
            )
            found.append(finding("C512", CATALOGUE["C512"].severity, dump=line.dump, table=line.table, detail=detail))
    for line in lines:
        if line.rows_critical:
            detail = f"{line.rows_critical} of {line.rows_staged}"
            found.append(finding("C513", CATALOGUE["C513"].severity, dump=line.dump, table=line.table, detail=detail))
    for amount in amounts:
        if not amount.agrees:
            detail = f"{amount.in_dump} = {amount.in_left} + {amount.in_rejected} + {amount.in_table}"
            detail += f"; {amount.differing} of {amount.groups} groups differ" if amount.differing else ""
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
    if not all(control.agrees for control in controls if control.kind != "parents") and not whole & CONTROL_CODES:
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
